"""Spans in the format of Jaeger v1, and its collector's own call for them: what clients sent before
OpenTelemetry."""

import functools
import importlib
import pathlib
import sys
import tempfile

from harness.official import GOOGLE_PROTOS, run_protoc
from harness.process import ROOT


@functools.cache
def model():
    """The messages of jaeger.api_v2, from the file that tests/interface holds against Jaeger's."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="larder-v1-model-"))
    run_protoc(f"-I{ROOT / 'proto'}", f"-I{GOOGLE_PROTOS}", f"--python_out={folder}",
               "jaeger/api_v2/model.proto")
    sys.path.append(str(folder))
    return importlib.import_module("jaeger.api_v2.model_pb2")


def tag(key, value):
    if isinstance(value, bool):
        return model().KeyValue(key=key, v_type=model().BOOL, v_bool=value)
    if isinstance(value, int):
        return model().KeyValue(key=key, v_type=model().INT64, v_int64=value)
    if isinstance(value, float):
        return model().KeyValue(key=key, v_type=model().FLOAT64, v_float64=value)
    if isinstance(value, bytes):
        return model().KeyValue(key=key, v_type=model().BINARY, v_binary=value)
    return model().KeyValue(key=key, v_str=value)


def span(trace_id, span_id, name, start_ns, duration_ns=1_000_000, parent=b"", tags=None):
    made = model().Span(trace_id=trace_id, span_id=span_id, operation_name=name, flags=1)
    made.start_time.FromNanoseconds(start_ns)
    made.duration.FromNanoseconds(duration_ns)
    if parent:
        made.references.add(trace_id=trace_id, span_id=parent)
    made.tags.extend(tag(key, value) for key, value in (tags or {}).items())
    return made


def post_spans(channel, service, spans):
    """PostSpans of jaeger.api_v2.CollectorService, which v1 collectors have on their gRPC port."""
    batch = model().Batch(spans=spans)
    batch.process.service_name = service
    message = batch.SerializeToString()
    # PostSpansRequest{batch = 1}
    request = b"\x0a" + _varint(len(message)) + message
    call = channel.unary_unary("/jaeger.api_v2.CollectorService/PostSpans",
                               request_serializer=bytes, response_deserializer=bytes)
    call(request, timeout=30)


def _varint(value):
    encoded = b""
    while value > 0x7f:
        encoded += bytes([value & 0x7f | 0x80])
        value >>= 7
    return encoded + bytes([value])
