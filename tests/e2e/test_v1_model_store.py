"""Spans that came as OTLP are found by the tags of Jaeger v1, and shown with them, as Jaeger's own
memory store has it: the model of every v1 search."""

import base64
import itertools
import json

import pytest

from harness.jaeger_v1 import SIDECAR, JaegerV1
from harness.larder import Larder
from harness.otlp import TraceMaker, request
from harness.process import wait_until
from harness.v1_shop import find, spans_of

SERVICE = "front"
# Jaeger v1.57 knows the scope by the names that it had before, which its page shows with the process,
# and marks what it took in.
RENAMED = {"otel.library.name": "otel.scope.name", "otel.library.version": "otel.scope.version"}
SCOPE = ("otel.scope.name", "otel.scope.version")
FORMAT = "internal.span.format"

VALUES = {
    "text": "needle", "empty": "", "spaces": " a  b ", "unicode": "Größe ☕",
    "yes": True, "no": False, "int": 42, "minus": -7, "zero": 0, "big": 2**62 + 1,
    "double": 72.5, "long": 1 / 3, "large": 1e21, "ten": 12345678901.0, "tiny": 1.234e-05,
    "whole": 3.0, "bytes": b"\x00\xfe\xff", "no bytes": b"", "list": ["a", 1, True, 0.5],
    "map": {"b": 1, "a": ["x"]}, "nothing": None,
}
# Attributes that are named as what Jaeger makes of fields.
LOOKALIKES = [
    {"error": "yes"}, {"error": False}, {"error": "true"}, {"otel.status_code": "ERROR"},
    {"otel.status_description": "from an attribute"}, {"span.kind": "server"},
    {"w3c.tracestate": "k=attribute"}, {"event": "from an attribute"}, {"service.name": "other"},
    {"http.status_code": 500},
]


def v1_text(value):
    """KeyValue.AsString of Jaeger v1, where bytes of OTLP were strings in base64 until later."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, (list, dict)):
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    return "" if value is None else str(value)


def make_requests():
    """Traces of one span each, one with several, and one of another service."""
    make = TraceMaker("v1 model")
    spans = [make.span(make.trace_id(), "values", kind=0, attributes=VALUES)]
    spans += [make.span(make.trace_id(), f"kind {kind}", kind=kind) for kind in range(6)]
    spans += [make.span(make.trace_id(), "lookalike", kind=1, attributes=each) for each in LOOKALIKES]
    for code, message in itertools.product(range(3), ("", "why")):
        span = make.span(make.trace_id(), f"status {code} {message}")
        span.status.code, span.status.message = code, message
        spans.append(span)
    spans.append(make.span(make.trace_id(), "traced", trace_state="k=v"))
    events = make.span(make.trace_id(), "events")
    for name, attributes in (("retry", VALUES), ("", {"n": 1}), ("", {"event": "inner"})):
        event = make.span(b"", attributes=attributes)
        events.events.add(name=name, time_unix_nano=events.start_time_unix_nano,
                          attributes=event.attributes)
    spans.append(events)

    trace_id = make.trace_id()
    root = make.span(trace_id, "root", attributes={"part": "one"})
    child = make.span(trace_id, "child", parent=root.span_id, attributes={"part": "two"})
    child.links.add(trace_id=spans[0].trace_id, span_id=spans[0].span_id)
    child.links.add(trace_id=trace_id, span_id=root.span_id)
    return [
        request(SERVICE, [*spans, root, child], resource={"host": "h1", "load": 0.1, "raw": b"\x01"}),
        request(SERVICE, [make.span(make.trace_id(), "no scope")], scope=("", "")),
        request("back", [make.span(trace_id, "far", parent=child.span_id, attributes={"far": 1})]),
    ]


def make_queries():
    """Tags to look for, most of which some span has."""
    queries = [{key: v1_text(value)} for key, value in VALUES.items()]
    queries += [{key: v1_text(value) + "x"} for key, value in VALUES.items()]
    queries += [{key: v1_text(value)} for each in LOOKALIKES for key, value in each.items()]
    for key, texts in {
            "span.kind": ("internal", "server", "client", "producer", "consumer", "unspecified",
                          "SERVER", "", "2"),
            "error": ("true", "false", "TRUE", "1", ""),
            "otel.status_code": ("OK", "ERROR", "UNSET", "ok", "error", "2", ""),
            "otel.status_description": ("why", "WHY", ""),
            "otel.library.name": ("e2e", "other", ""), "otel.library.version": ("1.0", ""),
            "w3c.tracestate": ("k=v", ""), "event": ("retry", "inner", "RETRY", ""),
            "int": ("042", "42.0", "4.2e1"), "yes": ("True", "t", "1"), "no": ("0", "f"),
            "bytes": ("AP7", "00FEFF"), "double": ("72.50", "7.25e1"), "whole": ("3", "3.0"),
            "n": ("1",), "host": ("h1", "h2"), "load": ("0.1",), "raw": ("AQ==", "1"),
            "service.name": (SERVICE, "back"), "far": ("1",), "absent": ("", "x"),
            "": ("", "needle")}.items():
        queries += [{key: text} for text in texts]
    return queries + [{"part": "one", "host": "h1"}, {"part": "one", "far": "1"},
                      {"part": "two", "otel.library.name": "e2e", "span.kind": "server"},
                      {"text": "needle", "int": "42", "yes": "true", "host": "h1"}]


def shown(jaeger, trace_id):
    """The spans of a trace as the page gets them, in one order and with one set of names."""
    def plain(tag):  # bytes are a string in v1.57
        is_bytes = tag.get("type") == "binary"
        return {**tag, "type": "string", "value": tag["value"] or ""} if is_bytes else tag

    def tags(items):
        return sorted(json.dumps(plain(each), sort_keys=True) for each in items)

    [trace] = jaeger.get(f"traces/{trace_id.hex()}")
    spans = {}
    for span in trace["spans"]:
        process = trace["processes"][span["processID"]]
        found = {"span": [], "process": [], "scope": []}
        for where, items in (("span", span["tags"]), ("process", process.get("tags", []))):
            for each in items:
                key = RENAMED.get(each["key"], each["key"])
                if key != FORMAT:
                    found["scope" if key in SCOPE else where].append({**each, "key": key})
        spans[span["spanID"]] = {
            **{key: span[key] for key in ("operationName", "startTime", "duration", "warnings")},
            "references": tags(span["references"]), "logs": [tags(log["fields"]) for log in span["logs"]],
            "service": process["serviceName"], **{key: tags(found[key]) for key in found}}
    return spans


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """(Jaeger with its memory store, Jaeger with Larder, the ids of the traces that both have)."""
    folders = [tmp_path_factory.mktemp(name) for name in ("memory", "larder")]
    larder = Larder(folders[1])
    jaegers = []
    try:
        jaegers.append(JaegerV1(folders[0], SIDECAR, SPAN_STORAGE_TYPE="memory"))
        jaegers.append(JaegerV1(folders[1], SIDECAR, f"--grpc-storage.server={larder.grpc_address}",
                                SPAN_STORAGE_TYPE="grpc-plugin"))
        trace_ids = set()
        for each in make_requests():
            jaegers[0].export(each)
            larder.export(each)
            trace_ids |= {span.trace_id for resource in each.resource_spans
                          for scope in resource.scope_spans for span in scope.spans}
        wait_until(lambda: all(spans_of(jaegers[0], each) for each in trace_ids) and
                   sum(len(spans_of(jaegers[0], each)) for each in trace_ids) == len(trace_ids) + 2,
                   "the memory store to have all")
        yield *jaegers, sorted(trace_ids)
    finally:
        for jaeger in jaegers:
            jaeger.kill()
        assert larder.stop() == 0, larder.program.log_tail()


def test_finds_what_the_model_finds(stores):
    memory, larder, trace_ids = stores
    hits = 0
    for tags in make_queries():
        renamed = {RENAMED.get(key, key): text for key, text in tags.items()}
        wanted = sorted(find(memory, SERVICE, tags=tags, limit=100))
        assert sorted(find(larder, SERVICE, tags=renamed, limit=100)) == wanted, tags
        hits += bool(wanted)
    assert hits > 40  # the queries are not all in vain
    assert len(find(larder, SERVICE, limit=100)) == len(trace_ids)


def test_shows_what_the_model_shows(stores):
    memory, larder, trace_ids = stores
    for trace_id in trace_ids:
        assert shown(larder, trace_id) == shown(memory, trace_id)
