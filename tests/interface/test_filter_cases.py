"""Every conformance case of the structured filter and of the legacy search, over gRPC."""

import json

import grpc
import pytest
import requests

from harness.larder import Larder
from harness.official import Client
from harness.otlp import parse_otlp_json, span_count
from harness.process import ROOT, wait_until
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

CASES = json.loads((ROOT / "tests/filter/filter_cases.json").read_text())
BASE_NS = int(CASES["base_time_unix_nano"])
HOUR_NS = 3600 * 10**9

# Each corpus lies in a store of its own: once in memory, once sealed into a segment.
SETTINGS = {"head": ("--head.idle", "1h"), "segment": ("--head.idle", "100ms")}


def stored_segments(server):
    return requests.get(server.admin_url + "/status", timeout=60).json()["store"]["segments"]


@pytest.fixture(scope="module", params=SETTINGS)
def clients(request, tmp_path_factory):
    """{corpus: client of the server that holds it}"""
    servers = []
    clients = {}
    for name, corpus in CASES["corpora"].items():
        server = Larder(tmp_path_factory.mktemp(name), *SETTINGS[request.param])
        servers.append(server)
        traces = parse_otlp_json(corpus)
        server.export(trace_service_pb2.ExportTraceServiceRequest(
            resource_spans=traces.resource_spans))
        if request.param == "segment":
            wait_until(lambda: stored_segments(server) > 0, "a segment")
        clients[name] = Client(server.channel)
    yield clients
    for server in servers:
        assert server.stop() == 0, server.program.log_tail()


def window(parameters, case):
    time = case.get("time", {"min_offset_ns": -HOUR_NS, "max_offset_ns": HOUR_NS})
    parameters.start_time_min.FromNanoseconds(BASE_NS + time["min_offset_ns"])
    parameters.start_time_max.FromNanoseconds(BASE_NS + time["max_offset_ns"])
    return parameters


def find_traces(client, query):
    """{trace id in hex: number of its spans that came}"""
    found = {}
    for chunk in client.traces.FindTraces(client.messages.FindTracesRequest(query=query)):
        (trace_id,) = {span.trace_id.hex() for resource in chunk.resource_spans
                       for scope in resource.scope_spans for span in scope.spans}
        found[trace_id] = found.get(trace_id, 0) + span_count(chunk)
    return found


def find_ids(client, query):
    reply = client.traces.FindTraceIDs(client.messages.FindTraceIDsRequest(query=query))
    return {each.trace_id.hex() for each in reply.trace_ids}


def find_summaries(client, query):
    replies = client.traces.FindTraceSummaries(
        client.messages.FindTraceSummariesRequest(query=query))
    return {each.trace_id.hex(): each.span_count for reply in replies for each in reply.summaries}


def find_spans(client, query):
    """The span ids in hex, sorted."""
    asked = client.messages.SpanQueryParameters(
        start_time_min=query.start_time_min, start_time_max=query.start_time_max,
        filter=query.filter)
    chunks = client.traces.FindSpans(client.messages.FindSpansRequest(query=asked))
    return sorted(span.span_id.hex() for chunk in chunks for resource in chunk.spans.resource_spans
                  for scope in resource.scope_spans for span in scope.spans)


def searches(client):
    """Every search that takes a filter and is declared."""
    declared = client.capabilities.GetCapabilities(
        client.capability_messages.GetCapabilitiesRequest()).search
    return [find_traces, find_ids, find_summaries] + [find_spans] * declared.span_search


def expect_traces(client, query, aliases, corpus):
    """All three searches find the traces of these spans, and FindTraces answers them whole."""
    expected = {CASES["aliases"][alias]["traceId"] for alias in aliases}
    whole = {}
    for span in (span for resource in CASES["corpora"][corpus]["resourceSpans"]
                 for scope in resource["scopeSpans"] for span in scope["spans"]):
        whole[span["traceId"]] = whole.get(span["traceId"], 0) + 1
    whole = {trace_id: count for trace_id, count in whole.items() if trace_id in expected}
    assert find_traces(client, query) == whole
    assert find_ids(client, query) == expected
    assert find_summaries(client, query) == whole


def is_refused(client, query):
    """Whether FindTraces refuses a filter as it should; then every other search does too."""
    try:
        find_traces(client, query)
        return False
    except grpc.RpcError:
        for search in searches(client):
            with pytest.raises(grpc.RpcError) as error:
                search(client, query)
            assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
            assert "filter" in error.value.details()
        return True


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: case["id"])
def test_structured_filter(clients, case):
    client = clients[case["corpus"]]
    must_refuse = "error" in case["expect"] and not case.get("may_accept")
    may_refuse = "error" in case["expect"] or case.get("may_refuse", False)
    # Jaeger sends on what it has made of a filter, and that must mean the same.
    for form in [case[name] for name in ("filter", "finalized") if name in case]:
        query = window(client.messages.TraceQueryParameters(search_depth=100), case)
        query.filter.SetInParent()
        json_format.ParseDict(form, query.filter)
        refused = is_refused(client, query)
        assert refused or not must_refuse
        assert may_refuse or not refused
        if refused:
            continue
        aliases = case["expect"].get("spans", case.get("accept_spans"))
        expect_traces(client, query, aliases, case["corpus"])
        if find_spans in searches(client):
            assert find_spans(client, query) == sorted(
                CASES["aliases"][alias]["spanId"] for alias in aliases)


@pytest.mark.parametrize("case", CASES["legacy_cases"], ids=lambda case: case["id"])
def test_legacy_search(clients, case):
    client = clients[case["corpus"]]
    query = window(client.messages.TraceQueryParameters(search_depth=100), case)
    fields = dict(case["query"])
    for name in ("duration_min", "duration_max"):
        if f"{name}_ns" in fields:
            getattr(query, name).FromNanoseconds(int(fields.pop(f"{name}_ns")))
    json_format.ParseDict(fields, query)
    expect = case["expect"].get("larder", case["expect"]["memory"])
    expect_traces(client, query, expect["spans"], case["corpus"])
