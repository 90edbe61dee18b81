"""Pages of traces and spans, walked by the official client while the server seals and restarts."""

import itertools
import random

import grpc
import pytest

from harness.larder import Larder
from harness.official import Client
from harness.otlp import TraceMaker, request

SECOND = 10**9
SETTINGS = {"head": ("--head.idle", "1h"), "segments": ("--head.idle", "100ms")}
FIELDS = ("startTime", "duration", "traceID", "spanID")


@pytest.fixture(scope="module", params=SETTINGS)
def server(request, tmp_path_factory):
    server = Larder(tmp_path_factory.mktemp("larder"), *SETTINGS[request.param])
    yield server
    assert server.stop() == 0, server.program.log_tail()


@pytest.fixture(scope="module")
def stored(server):
    """120 traces of one to nine spans each, some spans twice; {span id: span}."""
    make = TraceMaker("paging")
    chance = random.Random(7)
    spans = {}
    for _ in range(120):
        trace_id = make.trace_id()
        made = [make.span(trace_id, f"op {chance.randrange(3)}",
                          duration_ns=1000 * chance.randrange(20))
                for _ in range(chance.randrange(1, 10))]
        for span in made:
            shift = SECOND * chance.randrange(30)
            span.start_time_unix_nano += shift
            span.end_time_unix_nano += shift
            spans[span.span_id] = span
        server.export(request("paging", made))
        server.export(request("paging", made[:2]))  # not the same request: these come twice
    return spans


@pytest.fixture
def client(server):
    return Client(server.channel)


def window(query, stored):
    starts = [span.start_time_unix_nano for span in stored.values()]
    query.start_time_min.FromNanoseconds(min(starts))
    query.start_time_max.FromNanoseconds(max(starts))
    return query


def span_query(client, stored, order=(), **page):
    query = window(client.messages.SpanQueryParameters(), stored)
    for name, direction in order:
        term = query.order_by.add(direction=direction)
        term.expression.field.level = "span"
        term.expression.field.name = name
    if page:
        query.pagination.SetInParent()
        for name, value in page.items():
            setattr(query.pagination, name, value)
    return query


def span_page(client, query):
    """(spans in order, token)"""
    chunks = list(client.traces.FindSpans(client.messages.FindSpansRequest(query=query)))
    assert not any(chunk.next_page_token for chunk in chunks[:-1])
    spans = [span for chunk in chunks for resource in chunk.spans.resource_spans
             for scope in resource.scope_spans for span in scope.spans]
    return spans, chunks[-1].next_page_token if chunks else ""


def walk_spans(client, query, between=lambda: None):
    found = []
    while True:
        spans, token = span_page(client, query)
        assert len(spans) == query.pagination.page_size or not token
        found += spans
        if not token:
            return found
        query.pagination.page_token = token
        between()


def sort_key(order):
    """The key of a span in an order, with the default order's missing fields behind."""
    named = {name for name, _ in order}
    default = (("startTime", "desc"), ("traceID", "asc"), ("spanID", "asc"))
    terms = [*order, *(term for term in default if term[0] not in named)]

    def value(span, name, direction):
        got = {"startTime": span.start_time_unix_nano, "traceID": int(span.trace_id.hex(), 16),
               "duration": span.end_time_unix_nano - span.start_time_unix_nano,
               "spanID": int(span.span_id.hex(), 16)}[name]
        return -got if direction == "desc" else got
    return lambda span: [value(span, *term) for term in terms]


def is_refused(call):
    with pytest.raises(grpc.RpcError) as error:
        call()
    return error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_capabilities(client):
    search = client.capabilities.GetCapabilities(
        client.capability_messages.GetCapabilitiesRequest()).search
    assert search.paginated and search.span_search and search.span_sorting


@pytest.mark.parametrize("order", [
    (), *([(name, direction)] for name in FIELDS for direction in ("asc", "desc")),
    *(tuple(zip(names, ("", "desc", "asc", "desc"))) for names in itertools.permutations(FIELDS))])
def test_every_order_of_spans(client, stored, order):
    found = walk_spans(client, span_query(client, stored, order, page_size=97))
    assert [span.span_id for span in found] == [
        span.span_id for span in sorted(stored.values(), key=sort_key(order))]
    for span in found:
        assert span == stored[span.span_id]  # exactly as it was sent


def test_spans_without_pagination(client, stored):
    spans, token = span_page(client, span_query(client, stored))
    assert len(spans) == len(stored) and not token


def test_a_trace_by_its_id(client, stored):
    wanted = next(iter(stored.values()))
    query = span_query(client, stored)
    query.filter.op = "eq"
    query.filter.args.add().field.MergeFrom(
        client.expressions.FieldReference(level="span", name="traceID"))
    query.filter.args.add().scalar.value = wanted.trace_id.hex()
    spans, _ = span_page(client, query)
    assert {span.span_id for span in spans} == {
        span.span_id for span in stored.values() if span.trace_id == wanted.trace_id}


def test_no_spans_is_an_empty_stream(client, stored):
    query = span_query(client, stored)
    query.start_time_min.FromNanoseconds(1)
    query.start_time_max.FromNanoseconds(2)
    assert not list(client.traces.FindSpans(client.messages.FindSpansRequest(query=query)))


def trace_pages(client, stored, ask):
    """Trace ids, in order; `ask` gives (ids, token) for a query."""
    query = window(client.messages.TraceQueryParameters(service_name="paging"), stored)
    query.pagination.page_size = 7
    found = []
    while True:
        ids, token = ask(query)
        assert len(ids) == 7 or not token
        found += ids
        if not token:
            return found
        query.pagination.page_token = token


def ask_ids(client):
    def ask(query):
        reply = client.traces.FindTraceIDs(client.messages.FindTraceIDsRequest(query=query))
        return [each.trace_id for each in reply.trace_ids], reply.next_page_token
    return ask


def ask_summaries(client):
    def ask(query):
        replies = list(client.traces.FindTraceSummaries(
            client.messages.FindTraceSummariesRequest(query=query)))
        ids = [each.trace_id for reply in replies for each in reply.summaries]
        return ids, replies[-1].next_page_token if replies else ""
    return ask


def test_pages_of_traces(client, stored):
    latest = {}
    for span in stored.values():
        latest[span.trace_id] = max(latest.get(span.trace_id, 0), span.start_time_unix_nano)
    expected = sorted(latest, key=lambda trace_id: (-latest[trace_id], trace_id))
    assert trace_pages(client, stored, ask_ids(client)) == expected
    assert trace_pages(client, stored, ask_summaries(client)) == expected


def test_bad_pages_are_refused(client, stored):
    def find(**fields):
        query = span_query(client, stored, **fields)
        return lambda: span_page(client, query)
    _, token = span_page(client, span_query(client, stored, page_size=5))
    assert token
    assert is_refused(find(page_size=0))
    assert is_refused(find(page_size=5, page_token=token[:-1]))
    assert is_refused(find(page_size=5, page_token="B" + token[1:]))
    assert is_refused(find(order=[("duration", "")], page_size=5, page_token=token))
    assert is_refused(find(order=[("endTime", "")]))
    assert is_refused(find(order=[("duration", "up")]))
    assert is_refused(find(order=[("duration", ""), ("duration", "desc")]))
    assert is_refused(find(page_size=9, page_token=token))
    find(order=[("startTime", "desc")], page_size=5, page_token=token)()  # the same order

    traces = window(client.messages.TraceQueryParameters(), stored)
    traces.pagination.page_size = 5
    assert is_refused(lambda: list(client.traces.FindTraces(
        client.messages.FindTracesRequest(query=traces))))
    traces.pagination.page_token = token
    assert is_refused(lambda: ask_ids(client)(traces))
    traces.pagination.page_token = ""
    traces.search_depth = 5
    assert is_refused(lambda: ask_ids(client)(traces))


def test_tokens_survive_restarts_and_new_spans(server, client, stored):
    make = TraceMaker("later")
    chance = random.Random(3)

    def disturb():
        late = [make.span(make.trace_id(), "late") for _ in range(20)]
        server.export(request("later", late))
        if chance.random() < 0.3:
            chance.choice((server.kill, server.stop))()
            server.start()

    order = [("duration", "desc")]
    found = [span.span_id for span in
             walk_spans(client, span_query(client, stored, order, page_size=61), disturb)]
    assert len(found) == len(set(found))
    assert [each for each in found if each in stored] == [
        span.span_id for span in sorted(stored.values(), key=sort_key(order))]
