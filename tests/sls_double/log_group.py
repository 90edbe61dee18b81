"""LogGroup on the wire: protobuf in, checked rows out.

The messages are described here without a .proto: strings are declared as bytes (the same on the
wire), so that text that is no UTF-8 gets SLS's error and not the parser's.
"""

import dataclasses
import json
import re

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError

from sls_double.errors import SlsError

_Field = descriptor_pb2.FieldDescriptorProto
_REQUIRED, _OPTIONAL, _REPEATED = (
    _Field.LABEL_REQUIRED, _Field.LABEL_OPTIONAL, _Field.LABEL_REPEATED)
_PAIR = (("Key", 1, _Field.TYPE_BYTES, _REQUIRED), ("Value", 2, _Field.TYPE_BYTES, _REQUIRED))
_MESSAGES = {
    "LogContent": _PAIR,
    "LogTag": _PAIR,
    "Log": (("Time", 1, _Field.TYPE_UINT32, _REQUIRED), ("Contents", 2, "LogContent", _REPEATED),
            ("Time_ns", 4, _Field.TYPE_FIXED32, _OPTIONAL)),
    "LogGroup": (("Logs", 1, "Log", _REPEATED), ("Category", 2, _Field.TYPE_BYTES, _OPTIONAL),
                 ("Topic", 3, _Field.TYPE_BYTES, _OPTIONAL),
                 ("Source", 4, _Field.TYPE_BYTES, _OPTIONAL),
                 ("MachineUUID", 5, _Field.TYPE_BYTES, _OPTIONAL),
                 ("LogTags", 6, "LogTag", _REPEATED)),
    "LogGroupList": (("LogGroups", 1, "LogGroup", _REPEATED),),
}
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,127}")
_RESERVED = {"__time__", "__source__", "__topic__", "__partition_time__", "_extract_others_",
             "__extract_others__"}
_NAME_SIZE_MAX = 128  # Of topic, source and the key and value of a tag.


def _describe():
    file = descriptor_pb2.FileDescriptorProto(name="sls_double.proto", package="sls", syntax="proto2")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, label in fields:
            added = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = _Field.TYPE_MESSAGE, f".sls.{kind}"
            else:
                added.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(f"sls.{name}"))
            for name in ("LogGroup", "LogGroupList")]


LogGroup, LogGroupList = _describe()


@dataclasses.dataclass
class Group:
    """A LogGroup that passed every check."""

    topic: str
    source: str
    tags: dict
    rows: list  # Of (time, nanoseconds or None, {key: value}).


def read(raw, settings):
    """Parses and checks; raises SlsError when any one log is not acceptable."""
    if len(raw) > settings.group_size_max:
        raise SlsError(400, "PostBodyTooLarge",
                       f"body size {len(raw)} must little than {settings.group_size_max}")
    message = LogGroup()
    try:
        message.ParseFromString(raw)
    except DecodeError as error:
        raise SlsError(400, "PostBodyInvalid", f"protobuf content cannot be parsed: {error}") from error
    if not message.IsInitialized():
        raise SlsError(400, "PostBodyInvalid", "protobuf content lacks a required field: "
                       + ", ".join(message.FindInitializationErrors()[:3]))
    if len(message.Logs) > settings.logs_max:
        raise SlsError(400, "PostBodyTooLarge",
                       f"logs {len(message.Logs)} must little than {settings.logs_max}")
    try:
        return Group(_name(message.Topic, "topic"), _name(message.Source, "source"),
                     {_name(tag.Key, "tag"): _name(tag.Value, "tag") for tag in message.LogTags},
                     _rows(message.Logs, settings))
    except UnicodeDecodeError as error:
        raise SlsError(400, "InvalidEncoding", f"the data is not UTF-8: {error.reason}") from error


def _name(value, what):
    if len(value) > _NAME_SIZE_MAX:
        raise SlsError(400, "PostBodyInvalid", f"a {what} of {len(value)} bytes is too long")
    return value.decode()


def _rows(logs, settings):
    now = settings.now()
    oldest, newest = now - settings.window_past, now + settings.window_future
    known_keys = {}  # Decoded and checked once for the whole group.
    rows = []
    for log in logs:
        if not oldest <= log.Time <= newest:
            raise SlsError(settings.window_status, "PostBodyInvalid", "The post data time is out of range")
        nanoseconds = log.Time_ns if log.HasField("Time_ns") else None
        if nanoseconds is not None and nanoseconds > 999_999_999:
            raise SlsError(400, "PostBodyInvalid", f"Time_ns {nanoseconds} is more than a second")
        contents = {}
        for content in log.Contents:
            raw_key, raw_value = content.Key, content.Value
            key = known_keys.get(raw_key)
            if key is None:
                key = known_keys[raw_key] = _checked_key(raw_key.decode())
            if key in contents:
                raise SlsError(400, "PostBodyInvalid", f"key '{key}' is twice in one log")
            if len(raw_value) > settings.value_size_max:
                raise SlsError(400, "PostBodyInvalid", (
                    f"the value of '{key}' has {len(raw_value)} bytes, more than {settings.value_size_max}"))
            contents[key] = raw_value.decode()
        rows.append((log.Time, nanoseconds, contents))
    return rows


def _checked_key(key):
    if not _KEY.fullmatch(key) or key in _RESERVED:
        raise SlsError(400, "InvalidKey", (
            f"key {json.dumps(key[:140])} is not 1 to 128 letters, digits, '_' or '.', "
            "starts with a digit, or is reserved"))
    return key


def list_of(groups):
    """A LogGroupList of LogGroups that are serialized already."""
    parts = []
    for raw in groups:
        parts.append(b"\x0a" + _varint(len(raw)))
        parts.append(raw)
    return b"".join(parts)


def _varint(number):
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
