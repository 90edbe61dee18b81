"""What Jaeger v2.13 cannot ask, asked by a client made from the official .proto files."""

import grpc
import pytest

from harness.official import Client
from harness.otlp import TraceMaker, as_traces, assert_same_spans, request

SECOND = 10**9


@pytest.fixture(scope="module")
def client(larder):
    return Client(larder.channel)


def query(client, start_ns, **fields):
    """A search of the two hours around a time."""
    parameters = client.messages.TraceQueryParameters(**fields)
    parameters.start_time_min.FromNanoseconds(start_ns - 3600 * SECOND)
    parameters.start_time_max.FromNanoseconds(start_ns + 3600 * SECOND)
    return parameters


def test_capabilities_say_what_is_true(client):
    reply = client.capabilities.GetCapabilities(client.capability_messages.GetCapabilitiesRequest())
    search = reply.search
    assert search.without_service_name and search.same_span_conjunction
    assert set(search.filter.levels) == {"span", "resource", "scope", "event", "link"}
    assert set(search.filter.operators) == {
        "and", "or", "not", "eq", "ne", "gt", "lt", "gte", "lte", "regex", "exists", "in",
        "not_in", "some", "phrase", "fulltext"}
    # What is not declared is refused, never ignored.
    bad = []
    if not search.paginated:
        paged = query(client, TraceMaker("now").start_ns)
        paged.pagination.page_size = 10
        bad.append(lambda: list(client.traces.FindTraceSummaries(
            client.messages.FindTraceSummariesRequest(query=paged))))
    for call in bad:
        with pytest.raises(grpc.RpcError) as error:
            call()
        assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    if not search.span_search:
        with pytest.raises(grpc.RpcError) as error:
            list(client.traces.FindSpans(client.messages.FindSpansRequest()))
        assert error.value.code() == grpc.StatusCode.UNIMPLEMENTED


def make_shop(larder, seed):
    """A trace over two services with three spans, one of them failed; returns (id, spans)."""
    make = TraceMaker(seed)
    trace_id = make.trace_id()
    root = make.span(trace_id, "GET /", duration_ns=5_000_000)
    cart = make.span(trace_id, "cart", parent=root.span_id, kind=3)
    stock = make.span(trace_id, "stock", parent=cart.span_id, kind=2, duration_ns=9_000_000)
    stock.status.code = 2
    larder.export(request(f"{seed}-back", [stock]))
    larder.export(request(f"{seed}-front", [root, cart]))
    return trace_id, (root, cart, stock)


def test_trace_summary(client, larder):
    trace_id, (root, cart, stock) = make_shop(larder, "summary")
    replies = client.traces.FindTraceSummaries(client.messages.FindTraceSummariesRequest(
        query=query(client, root.start_time_unix_nano, service_name="summary-back")))
    (summary,) = [each for reply in replies for each in reply.summaries]

    assert summary.trace_id == trace_id
    assert summary.root_service_name == "summary-front"
    assert summary.root_operation_name == "GET /"
    assert summary.span_count == 3
    assert summary.error_span_count == 1
    assert summary.orphan_span_count == 0
    assert summary.min_start_time_unix_nano == root.start_time_unix_nano
    assert summary.max_end_time_unix_nano == stock.end_time_unix_nano
    assert sorted((each.name, each.span_count, each.error_span_count)
                  for each in summary.services) == [("summary-back", 1, 1), ("summary-front", 2, 0)]


def test_find_trace_ids(client, larder):
    trace_id, (root, _, _) = make_shop(larder, "ids")
    reply = client.traces.FindTraceIDs(client.messages.FindTraceIDsRequest(
        query=query(client, root.start_time_unix_nano, service_name="ids-front")))
    assert [each.trace_id for each in reply.trace_ids] == [trace_id]


def test_get_traces_streams_whole_traces_in_order(client, larder):
    make = TraceMaker("stream")
    sent = {}
    for _ in range(3):
        trace_id = make.trace_id()
        sent[trace_id] = request("stream", [
            make.span(trace_id, attributes={"text": "x" * 1000}) for _ in range(3000)])
        larder.export(sent[trace_id])
    asked = list(sent) + [make.trace_id()]
    chunks = list(client.traces.GetTraces(client.messages.GetTracesRequest(
        query=[client.messages.GetTraceParams(trace_id=each) for each in asked])))

    read = {}
    for chunk in chunks:
        ids = {span.trace_id for resource in chunk.resource_spans
               for scope in resource.scope_spans for span in scope.spans}
        assert len(ids) == 1, "a chunk holds spans of one trace, and at least one"
        assert chunk.ByteSize() < 4 << 20
        read.setdefault(ids.pop(), []).append(chunk)
    assert list(read) == list(sent), "the traces come in the order asked, each in one run"
    for trace_id, parts in read.items():
        assert len(parts) > 1
        assert_same_spans(as_traces(*parts), as_traces(sent[trace_id]))


def test_dependencies(client, larder):
    _, (root, _, _) = make_shop(larder, "edges")
    window = client.dependency_messages.GetDependenciesRequest()
    window.start_time.FromNanoseconds(root.start_time_unix_nano - 60 * SECOND)
    window.end_time.FromNanoseconds(root.start_time_unix_nano + 60 * SECOND)
    reply = client.dependencies.GetDependencies(window)
    assert [each.call_count for each in reply.dependencies
            if (each.parent, each.child) == ("edges-front", "edges-back")] == [1]


def test_a_missing_query_is_refused(client):
    with pytest.raises(grpc.RpcError) as error:
        list(client.traces.FindTraces(client.messages.FindTracesRequest()))
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
