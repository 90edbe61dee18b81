"""The spans of test_plugin_queries.py as OTLP, and the tier's own rows of them."""

import subprocess

from harness.larder import BINARY
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status, TracesData

_ROWS = BINARY.parents[1] / "tests/sls_double/larder_sls_rows"
_STATUS = {"ok": Status.STATUS_CODE_OK, "error": Status.STATUS_CODE_ERROR}


def groups_of(spans):
    """LogGroups as the tier's mover packs them; `spans` are dicts as hybrid_rows.row_of takes them."""
    message = TracesData()
    for span in spans:
        _add(message, span)
    result = subprocess.run([_ROWS], input=message.SerializeToString(), capture_output=True, timeout=60)
    assert result.returncode == 0, result.stderr
    return [bytes.fromhex(line) for line in result.stdout.decode().split()]


def _add(message, span):
    resource = message.resource_spans.add()
    resource.resource.attributes.extend(_attributes(
        {"service.name": span["service"], "host.name": "host-1", **span.get("resource", {})}))
    scope = resource.scope_spans.add()
    scope.scope.name, scope.scope.version = "lib", "1.0"
    made = scope.spans.add(
        trace_id=_id(span["traceID"], 16), span_id=_id(span["spanID"], 8), name=span["name"], flags=1,
        parent_span_id=_id(span["parent"], 8) if "parent" in span else b"",
        kind=Span.SpanKind.Value(f"SPAN_KIND_{span['kind'].upper()}"),
        start_time_unix_nano=span["start_ns"],
        end_time_unix_nano=span["start_ns"] + 1000 * span["duration_us"],
        attributes=_attributes(span.get("attributes", {})))
    if "status" in span:
        made.status.code, made.status.message = _STATUS[span["status"]], span.get("message", "")
    for name, time_ns, attributes in span.get("events", ()):
        made.events.add(name=name, time_unix_nano=time_ns, attributes=_attributes(attributes))
    for trace_id, span_id in span.get("links", ()):
        made.links.add(trace_id=_id(trace_id, 16), span_id=_id(span_id, 8))


def _attributes(texts):
    return [KeyValue(key=key, value=AnyValue(string_value=text)) for key, text in texts.items()]


def _id(text, size):
    return bytes.fromhex(text.zfill(2 * size))
