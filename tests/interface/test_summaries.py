"""Summaries against what Jaeger's query service makes of FindTraces, where storage has none: under
load, over segments and partitions, and after restarts. The official client asks for both."""

import collections
import random
import threading

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from harness.larder import Larder
from harness.official import Client
from harness.otlp import TraceMaker, request

SECOND = 10**9
SERVER, CLIENT, ERROR = 2, 3, 2
WAVES, TRACES = 4, 40
# Generations end after 100 ms without a span, partitions after 1,024 of them.
SETTINGS = ("--head.idle", "100ms", "--partition.rows-max", "1024")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Larder(tmp_path_factory.mktemp("larder"), *SETTINGS)
    yield server
    assert server.stop() == 0, server.program.log_tail()


@pytest.fixture(scope="module")
def client(server):
    return Client(server.channel)


def make_trace(make, chance, wave):
    """[(service, span)]: parents that never come, ids that a client and a server share, spans that
    come twice, several roots, errors. One span is of the service that the wave has for itself."""
    trace_id = make.trace_id()
    spans = [(f"wave {wave}", make.span(trace_id, "first", kind=1))]
    for number in range(chance.randrange(3, 40)):
        parent = chance.choice((b"", chance.randbytes(8), chance.choice(spans)[1].span_id))
        span = make.span(trace_id, f"op {number % 5}", parent=parent, kind=chance.randrange(6),
                         duration_ns=chance.randrange(10**7))
        span.start_time_unix_nano -= SECOND * chance.randrange(3)
        span.status.code = chance.randrange(3)
        kinds = {each.kind for _, each in spans if each.span_id != span.span_id}
        if chance.random() < 0.2 and CLIENT in kinds:
            span.kind = SERVER
            span.span_id = chance.choice(
                [each.span_id for _, each in spans if each.kind == CLIENT])
        spans.append((chance.choice(("cart", "pay", "")), span))
    return spans + chance.sample(spans, 2)


def send_wave(server, wave):
    """Spans of all traces in turn, so that every trace is split over many requests."""
    make, chance = TraceMaker(f"summaries {wave}"), random.Random(wave)
    left = [make_trace(make, chance, wave) for _ in range(TRACES)]
    while left:
        batch = ExportTraceServiceRequest()
        for trace in chance.sample(left, min(len(left), chance.randrange(1, 9))):
            service, span = trace.pop()
            batch.MergeFrom(request(service, [span]))
        server.export(batch, timeout=60)
        left = [each for each in left if each]


def spans_in_order(replies):
    """{trace id: [(service, span)]} as they come."""
    traces = collections.defaultdict(list)
    for reply in replies:
        for resource in reply.resource_spans:
            service = next((each.value.string_value for each in resource.resource.attributes
                            if each.key == "service.name"), "")
            for scope in resource.scope_spans:
                for span in scope.spans:
                    traces[span.trace_id].append((service, span))
    return traces


def adjust(spans):
    """Jaeger's adjusters: equal spans are one; a server's span with a client's id is its child."""
    kept = []
    for each in spans:
        if each not in kept:
            kept.append(each)
    of_clients = {span.span_id for _, span in kept if span.kind == CLIENT}
    new_ids = {}
    for number, (_, span) in enumerate(kept):
        if span.kind == SERVER and span.span_id in of_clients:
            shared, span.span_id = span.span_id, b"unused" + number.to_bytes(2, "big")
            span.parent_span_id = shared
            new_ids[shared] = span.span_id
    for _, span in kept:
        if new_ids.get(span.parent_span_id, span.span_id) != span.span_id:
            span.parent_span_id = new_ids[span.parent_span_id]
    return kept


def summarise(trace_id, spans):
    """As Jaeger's query service does where storage answers UNIMPLEMENTED."""
    spans = adjust(spans)
    ids = {span.span_id for _, span in spans}
    roots = [(service, span) for service, span in spans if not span.parent_span_id]
    root = min(roots, key=lambda each: each[1].start_time_unix_nano, default=None)
    services = collections.Counter(service for service, _ in spans)
    errors = collections.Counter(service for service, span in spans if span.status.code == ERROR)
    return (trace_id, root[0] if root else "", root[1].name if root else "",
            min(span.start_time_unix_nano for _, span in spans),
            max(span.end_time_unix_nano for _, span in spans), len(spans), sum(errors.values()),
            sum(bool(span.parent_span_id) and span.parent_span_id not in ids for _, span in spans),
            [(service, services[service], errors[service]) for service in sorted(services)])


def fields(summary):
    return (summary.trace_id, summary.root_service_name, summary.root_operation_name,
            summary.min_start_time_unix_nano, summary.max_end_time_unix_nano, summary.span_count,
            summary.error_span_count, summary.orphan_span_count,
            [(each.name, each.span_count, each.error_span_count) for each in summary.services])


def compare(client, wave):
    query = client.messages.TraceQueryParameters(service_name=f"wave {wave}", search_depth=1000)
    found = spans_in_order(client.traces.FindTraces(
        client.messages.FindTracesRequest(query=query)))
    summaries = [fields(each) for reply in client.traces.FindTraceSummaries(
        client.messages.FindTraceSummariesRequest(query=query)) for each in reply.summaries]
    assert len(summaries) == len(found) == TRACES
    for summary in summaries:
        assert summary == summarise(summary[0], found[summary[0]])


def test_summaries_equal_jaegers_own(server, client):
    send_wave(server, 0)
    for wave in range(1, WAVES):
        load = threading.Thread(target=send_wave, args=(server, wave))
        load.start()
        try:
            for earlier in range(wave):
                compare(client, earlier)
        finally:
            load.join()
        if wave == 2:
            server.kill()
            server.start()
    server.stop()
    server.start()
    for wave in range(WAVES):
        compare(client, wave)
