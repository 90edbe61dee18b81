"""Spans as rows of the layout that both SLS's console and aliyun-log-jaeger read: one log a span,
times in microseconds, JSON of texts alone, the parent as the first link. For tests; the tier's own
writer is in C++."""

import base64
import json

import zstandard

_STATUS = {"": "UNSET", "ok": "OK", "error": "ERROR"}


def row_of(span, payload=b"one span as OTLP"):
    """(time, nanoseconds, contents) of a dict with traceID and spanID (hex), name, service, and maybe
    parent, kind, start_ns, duration_us, attributes, resource, status, message, events, links."""
    start_us = span["start_ns"] // 1000
    status = span.get("status", "")
    trace_id = span["traceID"].lower().zfill(32)
    if trace_id.startswith("0" * 16):
        trace_id = trace_id[16:]
    return span["start_ns"] // 10**9, span["start_ns"] % 10**9, {
        "traceID": trace_id, "spanID": span["spanID"], "parentSpanID": span.get("parent", ""),
        "name": span["name"], "service": span["service"], "host": "host-1", "kind": span.get("kind", ""),
        "start": str(start_us), "end": str(start_us + span["duration_us"]),
        "duration": str(span["duration_us"]), "flags": "1", "statusCode": _STATUS[status],
        "statusMessage": span.get("message", ""), "traceState": "", "otlp.name": "lib", "otlp.version": "1.0",
        "resource": _json(span.get("resource", {})), "attribute": _json(_attributes(span, status)),
        "links": _json(_links(span, trace_id)), "logs": _json([
            {"attribute": {"event": name, **attributes}, "name": name, "time": time}
            for name, time, attributes in span.get("events", ())]),
        "otlp.raw": "1:" + base64.b64encode(zstandard.compress(payload)).decode()}


def _attributes(span, status):
    """What aliyun-log-jaeger would lose otherwise goes along as attributes."""
    made = {"otel.scope.name": "lib", "otel.scope.version": "1.0"}
    if span.get("kind"):
        made["span.kind"] = span["kind"]
    if status:
        made["otel.status_code"] = _STATUS[status]
    if status == "error":
        made |= {"error": "true", "otel.status_description": span.get("message", "")}
    return made | span.get("attributes", {})


def _links(span, trace_id):
    links = [(trace_id, span["parent"], "CHILD_OF")] if span.get("parent") else []
    links += [(*link, "FOLLOWS_FROM") for link in span.get("links", ())]
    return [{"TraceID": trace, "SpanID": id_, "SpanId": id_, "RefType": kind, "traceID": trace, "spanID": id_}
            for trace, id_, kind in links]


def _json(value):
    """As Go writes it: sorted, without spaces, and without < > & in the open."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
