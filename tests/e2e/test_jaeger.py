"""What Jaeger's own HTTP API says about spans that Larder holds."""

import datetime

import pytest

from harness.otlp import (TraceMaker, as_traces, assert_same_spans, request, span_count,
                          to_attributes)

SECOND = 10**9
MINUTE = 60 * SECOND


def rfc3339(ns):
    seconds, rest = divmod(ns, SECOND)
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%S") + f".{rest:09d}Z"


def export(server, *messages):
    for message in messages:
        reply = server.export(message)
        assert reply.partial_success.rejected_spans == 0, reply


@pytest.mark.parametrize("way", ["jaeger", "larder"])
def test_trace_comes_back_equal_in_every_field(jaeger, larder, way):
    make = TraceMaker(f"equal {way}")
    trace_id = make.trace_id()
    root = make.span(trace_id, "root", trace_state="vendor=1,other=2", flags=0x101, attributes={
        "text": "ä€𝄞", "empty": "", "int": -(2**63), "double": 1e-300, "bool": False,
        "bytes": bytes(range(256)), "list": [1, "two", 3.0, [True, None]],
        "map": {"deep": {"er": [b"\xff"]}, "k": 1}, "none": None})
    child = make.span(trace_id, "child", parent=root.span_id, dropped_attributes_count=3,
                      dropped_events_count=4, dropped_links_count=5, kind=3)
    child.status.code, child.status.message = 2, "it broke"
    for name in ("first", "second", "second"):
        event = child.events.add(name=name, time_unix_nano=child.start_time_unix_nano + 7,
                                 dropped_attributes_count=1)
        event.attributes.extend(to_attributes({"at": name, "n": 1}))
    link = child.links.add(trace_id=make.trace_id(), span_id=root.span_id, trace_state="l=1",
                           dropped_attributes_count=2, flags=0x100)
    link.attributes.extend(to_attributes({"why": "follows"}))
    sent = request(f"equal-{way}", [root, child], resource={"host": "h1", "cores": 8},
                   scope=("scope name", "0.0.1-rc"))
    sent.resource_spans[0].schema_url = "https://example.org/resource"
    sent.resource_spans[0].resource.dropped_attributes_count = 6
    sent.resource_spans[0].scope_spans[0].schema_url = "https://example.org/scope"
    sent.resource_spans[0].scope_spans[0].scope.attributes.extend(to_attributes({"s": "v"}))
    export(jaeger if way == "jaeger" else larder, sent)

    assert_same_spans(jaeger.trace(trace_id.hex()), as_traces(sent))


def test_services_and_operations(jaeger, larder):
    make = TraceMaker("operations")
    spans = [make.span(make.trace_id(), name, kind=kind)
             for name in ("read", "write") for kind in (1, 2, 3)]
    export(larder, request("ops", spans), request("ops-other", spans[:1]))

    assert {"ops", "ops-other"} <= set(jaeger.services())
    assert jaeger.operations("ops") == [
        (name, kind) for name in ("read", "write") for kind in ("client", "internal", "server")]
    assert jaeger.operations("ops", span_kind="client") == [("read", "client"), ("write", "client")]
    assert jaeger.operations("ops-other") == [("read", "internal")]


@pytest.fixture(scope="module")
def searchable(larder):
    """Six traces of one service and one of another, a minute apart; returns {name: id}."""
    now = TraceMaker("now").start_ns
    traces = {
        "plain": ("find-me", 0, {"name": "GET"}),
        "slow": ("find-me", 1, {"name": "GET", "duration_ns": 2 * SECOND}),
        "put": ("find-me", 2, {"name": "PUT"}),
        "tagged": ("find-me", 3, {"name": "GET", "attributes": {
            "text": "needle", "int": 42, "bool": True, "double": 2.5}}),
        "failed": ("find-me", 4, {"name": "GET"}),
        "event": ("find-me", 5, {"name": "GET"}),
        "other": ("find-other", 6, {"name": "GET"}),
    }
    ids = {}
    for key, (service, minute, fields) in traces.items():
        make = TraceMaker(f"search {key}", start_ns=now - minute * MINUTE)
        span = make.span(make.trace_id(), **fields)
        if key == "failed":
            span.status.code = 2
        if key == "event":
            event = span.events.add(name="log", time_unix_nano=span.start_time_unix_nano)
            event.attributes.extend(to_attributes({"message": "in the event"}))
        export(larder, request(service, [span], resource={"region": f"r{minute}"}))
        ids[key] = span.trace_id.hex()
    return now, ids


def names_of(found, ids):
    by_id = {trace_id: name for name, trace_id in ids.items()}
    return [by_id.get(trace_id, trace_id) for trace_id in found]


def test_search_by_each_field(jaeger, searchable):
    now, ids = searchable

    def search(begin=now - 60 * MINUTE, end=now + MINUTE, **query):
        return names_of(jaeger.find(rfc3339(begin), rfc3339(end), **query), ids)

    everything = ["plain", "slow", "put", "tagged", "failed", "event"]
    assert sorted(search(service_name="find-me")) == sorted(everything)
    assert search(service_name="find-me", operation_name="PUT") == ["put"]
    assert search(service_name="find-me", duration_min="1s") == ["slow"]
    assert sorted(search(service_name="find-me", duration_max="1s")) == sorted(
        set(everything) - {"slow"})
    assert search(service_name="find-me", num_traces=2) == ["plain", "slow"]
    assert sorted(search(service_name="find-me", begin=now - 150 * SECOND)) == [
        "plain", "put", "slow"]
    assert sorted(search(service_name="find-me", end=now - 210 * SECOND)) == ["event", "failed"]
    assert search(service_name="no-such-service") == []


def test_search_without_service(jaeger, searchable):
    now, ids = searchable
    found = jaeger.find(rfc3339(now - 6 * MINUTE - SECOND), rfc3339(now - 150 * SECOND))
    assert set(names_of(found, ids)) >= {"tagged", "failed", "event", "other"}
    found = jaeger.find(rfc3339(now - 10 * MINUTE), rfc3339(now + MINUTE), operation_name="PUT")
    assert names_of(found, ids) == ["put"]


@pytest.mark.parametrize("tags, expected", [
    ({"text": "needle"}, ["tagged"]),
    ({"int": "42"}, ["tagged"]),
    ({"bool": "true"}, ["tagged"]),
    ({"double": "2.5"}, ["tagged"]),
    ({"text": "needle", "int": "42"}, ["tagged"]),
    ({"text": "needle", "int": "43"}, []),
    ({"error": "true"}, ["failed"]),
    ({"message": "in the event"}, ["event"]),
    ({"region": "r2"}, ["put"]),
    ({"region": "r2", "text": "needle"}, []),
])
def test_search_by_tags(jaeger, searchable, tags, expected):
    now, ids = searchable
    found = jaeger.find_by_tags("find-me", (now - 60 * MINUTE) // 1000, (now + MINUTE) // 1000, tags)
    assert names_of(found, ids) == expected


def test_dependencies(jaeger, larder):
    make = TraceMaker("dependencies")
    messages = []
    for _ in range(5):
        trace_id = make.trace_id()
        front = make.span(trace_id, "front")
        middle = make.span(trace_id, "middle", parent=front.span_id)
        backs = [make.span(trace_id, f"back {n}", parent=middle.span_id) for n in range(2)]
        # The children first and in requests of their own, as services export them.
        messages += [request("dep-back", backs), request("dep-middle", [middle]),
                     request("dep-front", [front])]
    export(larder, *messages)

    edges = jaeger.dependencies((make.start_ns + MINUTE) // 10**6, 3_600_000)
    assert {edge: calls for edge, calls in edges.items() if edge[0].startswith("dep-")} == {
        ("dep-front", "dep-middle"): 5, ("dep-middle", "dep-back"): 10}


def test_trace_of_10000_spans(jaeger, larder):
    make = TraceMaker("large")
    trace_id = make.trace_id()
    root = make.span(trace_id, "root")
    spans = [root] + [
        make.span(trace_id, f"step {n % 50}", parent=root.span_id,
                  attributes={"n": n, "text": f"value {n}"}) for n in range(9_999)]
    sent = [request(f"large-{n % 3}", spans[n:n + 1000]) for n in range(0, 10_000, 1000)]
    export(jaeger, *sent[:5])
    export(larder, *sent[5:])

    trace = jaeger.trace(trace_id.hex())
    assert span_count(trace) == 10_000
    assert_same_spans(trace, as_traces(*sent))


def test_duplicate_span_ids_are_all_kept(jaeger, larder):
    make = TraceMaker("duplicates")
    trace_id = make.trace_id()
    spans = [make.span(trace_id, f"span {n}") for n in range(200)]
    for n in range(0, 200, 20):
        spans[n].span_id = spans[0].span_id
    sent = request("duplicates", spans)
    export(jaeger, sent)

    assert_same_spans(jaeger.trace(trace_id.hex()), as_traces(sent))


def test_a_request_sent_twice_is_stored_once(jaeger, larder):
    make = TraceMaker("twice")
    trace_id = make.trace_id()
    sent = request("twice", [make.span(trace_id) for _ in range(3)])
    export(larder, sent, sent)

    assert_same_spans(jaeger.trace(trace_id.hex()), as_traces(sent))


def test_unknown_trace_is_not_found(jaeger):
    assert jaeger.trace("f" * 32) == 404
    assert jaeger.get("/api/traces/" + "f" * 32) == 404
