"""OTLP messages: made, read from JSON, and brought into a form in which equal means equal."""

import base64
import difflib
import itertools
import random
import time

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

_HEX_FIELDS = ("traceId", "spanId", "parentSpanId")


def parse_otlp_json(tree):
    """OTLP's JSON has ids in hex, which protobuf's JSON reader takes for base64."""
    def fix(node):
        if isinstance(node, list):
            return [fix(each) for each in node]
        if not isinstance(node, dict):
            return node
        return {key: base64.b64encode(bytes.fromhex(value)).decode() if key in _HEX_FIELDS
                else fix(value) for key, value in node.items()}
    return json_format.ParseDict(fix(tree), trace_pb2.TracesData())


def _flatten(traces):
    """Every span as text with its resource and scope, sorted: the grouping on the wire is free.

    Jaeger writes a status into every span, so an empty one means the same as none here.
    """
    spans = []
    for resource in traces.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                if not span.status.ByteSize():
                    span.ClearField("status")
                spans.append((span.start_time_unix_nano, span.span_id, (
                    f"span\n{span}resource {resource.schema_url}\n{resource.resource}"
                    f"scope {scope.schema_url}\n{scope.scope}")))
    return [text for _, _, text in sorted(spans)]


def assert_same_spans(actual, expected):
    """Fails with a line by line difference unless both hold the same spans, field by field."""
    actual, expected = _flatten(actual), _flatten(expected)
    assert len(actual) == len(expected)
    for got, wanted in zip(actual, expected):
        assert got == wanted, "\n".join(difflib.unified_diff(
            wanted.splitlines(), got.splitlines(), "sent", "read", lineterm=""))


def span_count(traces):
    return sum(len(scope.spans) for resource in traces.resource_spans
               for scope in resource.scope_spans)


def to_value(value):
    """A Python value as an AnyValue."""
    if isinstance(value, bool):
        return common_pb2.AnyValue(bool_value=value)
    if isinstance(value, int):
        return common_pb2.AnyValue(int_value=value)
    if isinstance(value, float):
        return common_pb2.AnyValue(double_value=value)
    if isinstance(value, bytes):
        return common_pb2.AnyValue(bytes_value=value)
    if isinstance(value, list):
        return common_pb2.AnyValue(
            array_value=common_pb2.ArrayValue(values=[to_value(each) for each in value]))
    if isinstance(value, dict):
        return common_pb2.AnyValue(
            kvlist_value=common_pb2.KeyValueList(values=to_attributes(value)))
    if value is None:
        return common_pb2.AnyValue()
    return common_pb2.AnyValue(string_value=value)


def to_attributes(values):
    return [common_pb2.KeyValue(key=key, value=to_value(value)) for key, value in values.items()]


class TraceMaker:
    """Makes spans with ids from a seed, and times that count up from a given start."""

    def __init__(self, seed, start_ns=None):
        self.random = random.Random(seed)
        self.start_ns = start_ns or time.time_ns() - 10**9
        self.ticks = itertools.count()

    def trace_id(self):
        return self.random.randbytes(16)

    def span(self, trace_id, name="work", parent=b"", duration_ns=1_000_000, attributes=None,
             **fields):
        fields.setdefault("kind", trace_pb2.Span.SPAN_KIND_SERVER)
        fields.setdefault("span_id", self.random.randbytes(8))
        fields.setdefault("start_time_unix_nano", self.start_ns + 1000 * next(self.ticks))
        return trace_pb2.Span(
            trace_id=trace_id, name=name, parent_span_id=parent,
            end_time_unix_nano=fields["start_time_unix_nano"] + duration_ns,
            attributes=to_attributes(attributes or {}), **fields)


def request(service, spans, resource=None, scope=("e2e", "1.0")):
    """An export request of one service and one scope."""
    message = trace_service_pb2.ExportTraceServiceRequest()
    resource_spans = message.resource_spans.add()
    resource_spans.resource.attributes.extend(
        to_attributes({"service.name": service} | (resource or {})))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name, scope_spans.scope.version = scope
    scope_spans.spans.extend(spans)
    return message


def as_traces(*requests):
    """The spans of requests as TracesData, to compare with what is read."""
    traces = trace_pb2.TracesData()
    for each in requests:
        traces.resource_spans.extend(each.resource_spans)
    return traces
