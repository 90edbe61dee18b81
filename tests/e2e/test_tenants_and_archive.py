"""Tenants and the archive: over gRPC, and behind the real Jaeger."""

import grpc
import pytest
import requests
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

from harness.jaeger import Jaeger
from harness.larder import Larder
from harness.otlp import TraceMaker, as_traces, assert_same_spans, request
from harness.process import ROOT, free_port


ARCHIVE = ("larder-data-set", "archive")


@pytest.fixture(scope="module")
def archive_address():
    return f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def larder_with_archive(archive_address, tmp_path_factory):
    server = Larder(tmp_path_factory.mktemp("larder"), "--archive.listen", archive_address)
    yield server
    assert server.stop() == 0, server.program.log_tail()


@pytest.mark.parametrize("by", ["port", "header"])
def test_jaeger_archives_a_trace(larder_with_archive, archive_address, by, tmp_path):
    larder = larder_with_archive
    (tmp_path / "empty").mkdir()
    archive = "extensions::jaeger_storage::backends::larder_archive::grpc"
    if by == "port":
        overrides = [f"{archive}::endpoint: {archive_address}"]
    else:
        overrides = [f"{archive}::endpoint: {larder.grpc_address}",
                     f"{archive}::headers::larder-data-set: archive"]
    jaeger = Jaeger(tmp_path, larder.grpc_address, *overrides,
                    config=ROOT / "tools/jaeger/archive.yaml")
    try:
        make = TraceMaker(f"archive by {by}")
        trace_id = make.trace_id()
        # Children within their parents: Jaeger notes what its clock skew adjuster finds.
        root = make.span(trace_id, "root", duration_ns=10**9)
        sent = request(f"archived-{by}", [root] + [
            make.span(trace_id, f"child {n}", parent=root.span_id) for n in range(5)])
        other_id = make.trace_id()
        other = request(f"not-archived-{by}", [make.span(other_id)])
        for message in (sent, other):
            larder.export(message)
        for _ in range(2):
            reply = requests.post(f"{jaeger.url}/api/archive/{trace_id.hex()}", timeout=60)
            assert reply.status_code == 200, reply.text
        # Archived twice and stored once, each span by its id.
        assert len(larder.spans_of(trace_id, ARCHIVE)) == 6

    finally:
        jaeger.stop()
    # A Jaeger whose main storage does not have it finds it in the archive.
    empty = Larder(tmp_path / "empty")
    reader = Jaeger(tmp_path / "empty", empty.grpc_address, *overrides,
                    config=ROOT / "tools/jaeger/archive.yaml")
    try:
        assert_same_spans(reader.trace(trace_id.hex()), as_traces(sent))
        assert reader.trace(other_id.hex()) == 404
    finally:
        reader.stop()
        empty.stop()


def test_archived_traces_are_apart(larder_with_archive, archive_address):
    larder = larder_with_archive
    make = TraceMaker("apart")
    trace_id = make.trace_id()
    sent = request("only-in-the-archive", [make.span(trace_id, f"span {n}") for n in range(3)])
    with grpc.insecure_channel(archive_address) as channel:
        stub = trace_service_pb2_grpc.TraceServiceStub(channel)
        stub.Export(sent, timeout=30)
        stub.Export(sent, timeout=30)
    assert larder.spans_of(trace_id) == []
    assert len(larder.spans_of(trace_id, ARCHIVE)) == 3


def test_two_tenants_behind_jaeger(tmp_path):
    larder = Larder(tmp_path, "--tenancy.enabled", "--tenancy.tenants", "acme,beta")
    # Jaeger reads these keys with the case of its own code.
    backend = "extensions::jaeger_storage::backends::larder::grpc"
    tenancy = "extensions::jaeger_query::multi_tenancy"
    jaeger = Jaeger(tmp_path, larder.grpc_address,
                    f"{tenancy}::Enabled: true", f"{tenancy}::Tenants: [acme, beta]",
                    f"{backend}::multi_tenancy::Enabled: true")
    try:
        # The same trace id for both.
        trace_id = TraceMaker("tenants").trace_id()
        sent = {name: request(f"service-of-{name}", [
            TraceMaker(f"tenant {name}").span(trace_id, f"work of {name}")])
            for name in ("acme", "beta")}
        for name, message in sent.items():
            larder.export(message, headers=[("x-tenant", name)])
        for name in sent:
            headers = {"x-tenant": name}
            reply = requests.get(f"{jaeger.url}/api/v3/services", headers=headers, timeout=60)
            assert reply.json()["services"] == [f"service-of-{name}"]
            reply = requests.get(f"{jaeger.url}/api/traces/{trace_id.hex()}", headers=headers,
                                 timeout=60)
            spans = reply.json()["data"][0]["spans"]
            assert [span["operationName"] for span in spans] == [f"work of {name}"]

        for headers, code, words in [
                ((), grpc.StatusCode.UNAUTHENTICATED, "missing tenant header"),
                ((("x-tenant", "acme"), ("x-tenant", "beta")), grpc.StatusCode.PERMISSION_DENIED,
                 "extra tenant header"),
                ((("x-tenant", "gamma"),), grpc.StatusCode.PERMISSION_DENIED, "unknown tenant")]:
            with pytest.raises(grpc.RpcError) as refused:
                larder.export(sent["acme"], headers=headers)
            assert (refused.value.code(), refused.value.details()) == (code, words)
    finally:
        jaeger.stop()
        assert larder.stop() == 0, larder.program.log_tail()
