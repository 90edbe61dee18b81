"""Two tenants with equal traces, asked by the official client: neither sees or reaches the other."""

import grpc
import pytest
import requests

from harness.larder import Larder
from harness.official import Client
from harness.otlp import TraceMaker, as_traces, assert_same_spans, request

SECOND = 10**9
TENANTS = ("acme", "beta")
ARCHIVE = ("larder-data-set", "archive")
SETTINGS = {"head": ("--head.idle", "1h"), "segments": ("--head.idle", "100ms")}
TRACES = 6


@pytest.fixture(scope="module", params=SETTINGS)
def server(request, tmp_path_factory):
    server = Larder(tmp_path_factory.mktemp("larder"), "--tenancy.enabled", "--enable-purge",
                    *SETTINGS[request.param])
    yield server
    assert server.stop() == 0, server.program.log_tail()


class Tenant:
    """One tenant's view: every question carries its header."""

    def __init__(self, server, name, *headers):
        self.server, self.name = server, name
        self.headers = [("x-tenant", name), *headers]
        self.client = Client(server.channel)
        self.messages = self.client.messages

    def send(self):
        """The same trace and span ids for every tenant, in services and operations of its own
        and in one that all have."""
        make = TraceMaker("isolation", start_ns=1_700_000_000 * SECOND)
        self.start_ns = make.start_ns
        self.sent = {}
        for _ in range(TRACES):
            trace_id = make.trace_id()
            root = make.span(trace_id, f"work of {self.name}")
            child = make.span(trace_id, "common", parent=root.span_id)
            self.sent[trace_id] = (request(f"front of {self.name}", [root]),
                                   request("back", [child], resource={"owner": self.name}))
            for message in self.sent[trace_id]:
                self.server.export(message, headers=self.headers)

    def query(self, kind="TraceQueryParameters", size=None, token=None, **fields):
        query = getattr(self.messages, kind)(**fields)
        query.start_time_min.FromNanoseconds(self.start_ns - 3600 * SECOND)
        query.start_time_max.FromNanoseconds(self.start_ns + 3600 * SECOND)
        if size:
            query.pagination.page_size = size
        if token:
            query.pagination.page_token = token
        return query

    def ask(self, method, request_type, query):
        call = getattr(self.client.traces, method)
        return call(getattr(self.messages, request_type)(query=query), metadata=self.headers)

    def trace(self, trace_id):
        chunks = self.client.traces.GetTraces(self.messages.GetTracesRequest(
            query=[self.messages.GetTraceParams(trace_id=trace_id)]), metadata=self.headers)
        return as_traces(*chunks)

    def services(self):
        return list(self.client.traces.GetServices(
            self.messages.GetServicesRequest(), metadata=self.headers).services)

    def operations(self, service):
        reply = self.client.traces.GetOperations(
            self.messages.GetOperationsRequest(service=service), metadata=self.headers)
        return [each.name for each in reply.operations]

    def dependencies(self):
        ask = self.client.dependency_messages.GetDependenciesRequest()
        ask.start_time.FromNanoseconds(self.start_ns - 60 * SECOND)
        ask.end_time.FromNanoseconds(self.start_ns + 60 * SECOND)
        reply = self.client.dependencies.GetDependencies(ask, metadata=self.headers)
        return [(each.parent, each.child, each.call_count) for each in reply.dependencies]

    # Each pages a search: (what it answers, token).
    def ids_page(self, token=None):
        reply = self.ask("FindTraceIDs", "FindTraceIDsRequest", self.query(size=2, token=token))
        return [each.trace_id for each in reply.trace_ids], reply.next_page_token

    def summaries_page(self, token=None):
        chunks = list(self.ask("FindTraceSummaries", "FindTraceSummariesRequest",
                               self.query(size=2, token=token)))
        return [each for chunk in chunks for each in chunk.summaries], chunks[-1].next_page_token

    def spans_page(self, token=None):
        chunks = list(self.ask("FindSpans", "FindSpansRequest",
                               self.query("SpanQueryParameters", size=2, token=token)))
        spans = [(resource.resource, span) for chunk in chunks
                 for resource in chunk.spans.resource_spans
                 for scope in resource.scope_spans for span in scope.spans]
        return spans, chunks[-1].next_page_token


PAGED = ("ids_page", "summaries_page", "spans_page")


@pytest.fixture(scope="module")
def tenants(server):
    tenants = [Tenant(server, name) for name in TENANTS]
    for tenant in tenants:
        tenant.send()
    return tenants


def walk(page):
    found, token = page()
    while token:
        more, token = page(token)
        found += more
    return found


def check_alone(tenant):
    """Every question answers of this tenant alone, and of all that it sent."""
    front = f"front of {tenant.name}"
    assert tenant.services() == ["back", front]
    assert tenant.operations(front) == [f"work of {tenant.name}"]
    assert tenant.operations("back") == ["common"]
    assert tenant.dependencies() == [(front, "back", TRACES)]
    for trace_id, messages in tenant.sent.items():
        assert_same_spans(tenant.trace(trace_id), as_traces(*messages))
    found = tenant.ask("FindTraces", "FindTracesRequest",
                       tenant.query(service_name="back", search_depth=100))
    assert_same_spans(as_traces(*found), as_traces(*sum(tenant.sent.values(), ())))
    assert sorted(walk(tenant.ids_page)) == sorted(tenant.sent)
    summaries = walk(tenant.summaries_page)
    assert sorted(each.trace_id for each in summaries) == sorted(tenant.sent)
    assert all(each.span_count == 2 for each in summaries)
    spans = walk(tenant.spans_page)
    assert len(spans) == 2 * TRACES
    for resource, span in spans:
        owners = {each.value.string_value for each in resource.attributes}
        assert owners in ({front}, {"back", tenant.name}), owners


def test_equal_traces_of_two_tenants(tenants):
    for tenant in tenants:
        check_alone(tenant)


@pytest.mark.parametrize("page", PAGED)
def test_a_page_token_is_of_its_tenant_alone(server, tenants, page):
    """It is refused: not even that it would fit the other's query may be learned from it."""
    acme, beta = tenants
    _, token = getattr(acme, page)()
    assert token
    unknown = Tenant(server, "never heard of")
    unknown.start_ns = acme.start_ns
    archive = Tenant(server, "acme", ARCHIVE)
    archive.start_ns = acme.start_ns
    for other in (beta, unknown, archive):
        with pytest.raises(grpc.RpcError) as refused:
            getattr(other, page)(token)
        assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
        assert "belongs to another query" in refused.value.details()
    rest, _ = getattr(acme, page)(token)
    assert rest


def test_who_never_wrote_sees_nothing(server, tenants):
    stranger = Tenant(server, "stranger")
    stranger.start_ns = tenants[0].start_ns
    assert stranger.services() == [] and stranger.dependencies() == []
    assert not stranger.ids_page()[0]
    for trace_id in tenants[0].sent:
        assert not stranger.trace(trace_id).resource_spans


def test_a_purge_of_one_leaves_the_other(server, tenants):
    acme, beta = tenants
    reply = requests.post(server.admin_url + "/purge", params={"tenant": "acme"}, timeout=60)
    assert reply.status_code == 200, reply.text
    assert acme.services() == [] and acme.dependencies() == []
    for trace_id in acme.sent:
        assert not acme.trace(trace_id).resource_spans
    check_alone(beta)
    acme.send()
    for tenant in tenants:
        check_alone(tenant)
