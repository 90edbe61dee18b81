"""The real Jaeger in front of a Larder that asks for a certificate and a token."""

import ssl

import grpc
import pytest
import requests
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

from harness.jaeger import Jaeger
from harness.larder import Larder
from harness.otlp import TraceMaker, as_traces, assert_same_spans, request
from harness.process import ROOT, Proxy, free_port, wait_until
from harness.tls import Authority, Secured

EXPORTERS = ("jaeger_storage_exporter", "otlp", "otlphttp")


class Guarded:
    """Larder, a proxy before it whose connections can be dropped, and a Jaeger that sends by each
    exporter what comes to a port of its own."""

    def __init__(self, folder):
        self.secured = Secured(folder)
        self.larder = Larder(folder, secured=self.secured)
        self.proxy = Proxy(self.larder.grpc_address)
        self.ports = {exporter: f"127.0.0.1:{free_port()}" for exporter in EXPORTERS}
        reload = "tls::reload_interval: 100ms"
        overrides = [
            f"extensions::jaeger_storage::backends::larder::grpc::{reload}",
            *(f"exporters::{name}::{reload}" for name in ("otlp", "otlphttp"))]
        for name, address in self.ports.items():
            overrides += [
                f"receivers::otlp/{name}::protocols::grpc::endpoint: {address}",
                f"service::pipelines::traces/{name}::receivers: [otlp/{name}]",
                f"service::pipelines::traces/{name}::exporters: [{name}]"]
        # Both ways to Larder lead through the proxy, the storage's address among them.
        self.jaeger = Jaeger(
            folder, self.proxy.address, *overrides, config=ROOT / "tools/jaeger/secured.yaml",
            LARDER_ADDRESS=self.proxy.address, LARDER_TOKEN=self.secured.token,
            LARDER_TLS=str(self.secured.folder),
            LARDER_HTTP_ADDRESS=self.larder.otlp_http_url.partition("://")[2])

    def export(self, exporter, message):
        with grpc.insecure_channel(self.ports[exporter]) as channel:
            trace_service_pb2_grpc.TraceServiceStub(channel).Export(message, timeout=60)

    def check_round_trip(self, exporter, name):
        """A trace through Jaeger into Larder, and back by Jaeger's HTTP API."""
        make = TraceMaker(f"{exporter} {name}")
        trace_id = make.trace_id()
        sent = request(f"{exporter} {name}", [make.span(trace_id, f"span {n}") for n in range(3)])
        self.export(exporter, sent)
        assert_same_spans(self.jaeger.trace(trace_id.hex()), as_traces(sent))
        assert f"{exporter} {name}" in self.jaeger.services()
        return trace_id

    @property
    def token(self):
        return tuple(self.secured.headers.items())[0]

    def stop(self):
        self.jaeger.stop()
        self.proxy.close()
        assert self.larder.stop() == 0, self.larder.program.log_tail()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    guarded = Guarded(tmp_path_factory.mktemp("guarded"))
    yield guarded
    guarded.stop()


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_round_trip(guarded, exporter):
    guarded.check_round_trip(exporter, "first")


def test_nothing_without_certificate_and_token(guarded):
    larder, secured = guarded.larder, guarded.secured
    sent = request("stranger", [TraceMaker("stranger").span(b"\1" * 16)])
    for headers in ((), [("authorization", "Bearer another")]):
        with pytest.raises(grpc.RpcError) as refused:
            larder.export(sent, headers=headers)
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    ca = secured.server_ca.cert
    with grpc.secure_channel(larder.grpc_address,
                             grpc.ssl_channel_credentials(ca.read_bytes())) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            trace_service_pb2_grpc.TraceServiceStub(channel).Export(
                sent, timeout=60, metadata=[guarded.token])
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE

    url = larder.otlp_http_url + "/v1/traces"
    options = {"data": sent.SerializeToString(), "timeout": 60, "verify": str(ca)}
    kind = {"content-type": "application/x-protobuf"}
    with pytest.raises(requests.RequestException):
        requests.post(url, headers=kind | secured.headers, **options)
    assert requests.post(url, headers=kind, cert=secured.client, **options).status_code == 401
    assert requests.post(url, headers=kind | secured.headers, cert=secured.client,
                         **options).status_code == 200

    assert larder.admin("/readyz").status_code == 200  # a probe has neither
    assert larder.admin("/metrics", headers=secured.headers).status_code == 401
    assert larder.admin("/metrics", cert=secured.client).status_code == 401
    assert larder.admin("/metrics", cert=secured.client,
                        headers=secured.headers).status_code == 200


def served_certificate(larder):
    host, port = larder.grpc_address.split(":")
    return ssl.get_server_certificate((host, int(port)))


def test_a_token_that_is_taken_away(guarded):
    trace_id = guarded.check_round_trip("otlp", "before the token went")
    guarded.secured.tokens.write_text("another\n")
    wait_until(lambda: guarded.jaeger.trace(trace_id.hex()) == 500, "the token to be refused")
    with pytest.raises(grpc.RpcError):
        guarded.check_round_trip("otlp", "without a token")
    guarded.secured.tokens.write_text(f"another\n{guarded.secured.token}\n")
    wait_until(lambda: not isinstance(guarded.jaeger.trace(trace_id.hex()), int),
               "the token to be accepted")
    guarded.check_round_trip("otlp", "with a token again")


def test_certificates_are_replaced_while_jaeger_runs(guarded):
    larder, secured = guarded.larder, guarded.secured
    old = served_certificate(larder)
    old_client = [file.read_bytes() for file in secured.client]
    secured.server_ca.sign("larder renewed", secured.cert, secured.key)
    # The old certificate of the client is good no longer.
    Authority(secured.folder, "next-clients-ca").cert.rename(secured.client_ca.cert)
    secured.client_ca.key = secured.folder / "next-clients-ca.key"
    wait_until(lambda: served_certificate(larder) not in ("", old), "the new certificate")
    credentials = grpc.ssl_channel_credentials(secured.server_ca.cert.read_bytes(),
                                               old_client[1], old_client[0])
    with grpc.secure_channel(larder.grpc_address, credentials) as channel:
        with pytest.raises(grpc.RpcError) as refused:
            trace_service_pb2_grpc.TraceServiceStub(channel).Export(
                request("old", []), timeout=60, metadata=[guarded.token])
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    # What stood before goes on.
    guarded.check_round_trip("otlp", "on an old connection")

    secured.client_ca.sign("jaeger renewed", *secured.client)
    guarded.proxy.drop()

    def is_through():
        return isinstance(guarded.jaeger.get("/api/v3/services"), dict)
    wait_until(is_through, "Jaeger to come back with its new certificate", seconds=120)
    for exporter in EXPORTERS:
        guarded.check_round_trip(exporter, "after the certificates")
