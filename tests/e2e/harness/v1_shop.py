"""A shop of two services behind a Jaeger v1: written, and read back through Jaeger's HTTP API."""

import json
import time

from harness.otlp import TraceMaker, request
from harness.process import wait_until
from harness.v1_model import post_spans, span

SECOND = 10**9


def write_shop(jaeger, name):
    """Three spans of two services by OTLP; returns (trace id, id of the root span)."""
    make = TraceMaker(name)
    trace_id = make.trace_id()
    root = make.span(trace_id, "buy", kind=2, duration_ns=SECOND, attributes={
        "text": "needle", "int": 42, "bool": True, "double": 2.5})
    failed = make.span(trace_id, "pay", parent=root.span_id, kind=3)
    failed.status.code, failed.status.message = 2, "no money"
    failed.events.add(name="retry", time_unix_nano=failed.start_time_unix_nano)
    answer = make.span(trace_id, "debit", parent=failed.span_id, kind=2)
    jaeger.export(request(f"{name}-shop", [root, failed], scope=("lib", "1.2")))
    jaeger.export(request(f"{name}-bank", [answer]))
    wait_until(lambda: len(spans_of(jaeger, trace_id)) == 3, "the spans to be stored")
    return trace_id, root.span_id


def write_native_shop(jaeger, name):
    """The spans of write_shop in Jaeger's own format; returns (trace id, id of the root span)."""
    make = TraceMaker(name)
    trace_id = make.trace_id()
    buy, pay, debit = (make.random.randbytes(8) for _ in range(3))
    root = span(trace_id, buy, "buy", make.start_ns, SECOND, tags={
        "text": "needle", "int": 42, "bool": True, "double": 2.5, "span.kind": "server",
        jaeger.scope_key: "lib"})
    failed = span(trace_id, pay, "pay", make.start_ns + 1000, parent=buy, tags={
        "span.kind": "client", "error": True, "otel.status_code": "ERROR",
        "otel.status_description": "no money"})
    failed.logs.add(timestamp=failed.start_time).fields.add(key="event", v_str="retry")
    answer = span(trace_id, debit, "debit", make.start_ns + 2000, parent=pay,
                  tags={"span.kind": "server"})
    post_spans(jaeger.native_channel, f"{name}-shop", [root, failed])
    post_spans(jaeger.native_channel, f"{name}-bank", [answer])
    wait_until(lambda: len(spans_of(jaeger, trace_id)) == 3, "the spans to be stored")
    return trace_id, buy


def spans_of(jaeger, trace_id):
    traces = jaeger.get(f"traces/{trace_id.hex()}")
    return [] if isinstance(traces, int) else traces[0]["spans"]


def find(jaeger, service, **parameters):
    if "tags" in parameters:
        parameters["tags"] = json.dumps(parameters["tags"])
    parameters = {"lookback": "2h", "limit": 20} | parameters
    found = jaeger.get("traces", service=service, **parameters)
    return [trace["traceID"] for trace in found]


def check_reads(jaeger, name, trace_id, root_id):
    """Everything that Jaeger's page can ask about the spans of write_shop."""
    shop, bank = f"{name}-shop", f"{name}-bank"
    spans = {span["operationName"]: span for span in spans_of(jaeger, trace_id)}
    tags = {tag["key"]: tag["value"] for tag in spans["buy"]["tags"]}
    assert tags | {"text": "needle", "int": 42, "bool": True, "double": 2.5,
                   "span.kind": "server"} == tags
    if jaeger.scope_key == "otel.scope.name":  # The page shows the older key with the process.
        assert tags["otel.scope.name"] == "lib"
    assert spans["buy"]["duration"] == 1_000_000
    assert spans["pay"]["references"][0]["spanID"] == root_id.hex()
    assert spans["pay"]["logs"][0]["fields"][0]["value"] == "retry"
    assert {"key": "error", "type": "bool", "value": True} in spans["pay"]["tags"]

    assert {shop, bank} <= set(jaeger.get("services"))
    operations = jaeger.get("operations", service=shop)
    assert [(each["name"], each["spanKind"]) for each in operations] == [
        ("buy", "server"), ("pay", "client")]

    there = [trace_id.hex()]
    assert find(jaeger, shop) == there
    assert find(jaeger, shop, operation="buy", minDuration="900ms") == there
    assert find(jaeger, shop, minDuration="2s") == []
    for tags in ({"text": "needle"}, {"int": "42", "bool": "true"}, {"error": "true"},
                 {"otel.status_description": "no money"}, {"span.kind": "client"},
                 {jaeger.scope_key: "lib"}, {"event": "retry"}, {"otel.status_code": "ERROR"}):
        assert find(jaeger, shop, tags=tags) == there, tags
    assert find(jaeger, shop, tags={"text": "needle", "error": "true"}) == []  # of two spans
    assert jaeger.get("traces/" + "f" * 32) == 404

    edges = jaeger.get("dependencies", endTs=(time.time_ns() + 60 * SECOND) // 10**6,
                       lookback=7_200_000)
    assert {"parent": shop, "child": bank, "callCount": 1} in edges
