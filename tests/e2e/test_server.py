"""The server as an operator meets it: health, admin port, refusals to start, hostile input."""

import os
import subprocess
import time

import grpc
import pytest
import requests
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from harness.larder import BINARY, Larder
from harness.official import Client
from harness.otlp import TraceMaker, as_traces, assert_same_spans, request

OTLP_SERVICE = "opentelemetry.proto.collector.trace.v1.TraceService"
SERVING = b"\x08\x01"


def call_raw(larder, method, body):
    """A unary call with bytes in and out."""
    return larder.channel.unary_unary(method)(body, timeout=60)


def read_trace(larder, trace_id):
    client = Client(larder.channel)
    chunks = client.traces.GetTraces(client.messages.GetTracesRequest(
        query=[client.messages.GetTraceParams(trace_id=trace_id)]))
    return as_traces(*chunks)


@pytest.mark.parametrize("service", [
    "", "jaeger.storage.v2.TraceReader", "jaeger.storage.v2.DependencyReader",
    "jaeger.storage.v2.Capabilities", "jaeger.storage.v2.TraceWriter", OTLP_SERVICE])
def test_health_of_every_service(larder, service):
    name = service.encode()
    body = bytes([0x0A, len(name)]) + name if name else b""
    assert call_raw(larder, "/grpc.health.v1.Health/Check", body) == SERVING


def test_admin_port(larder):
    assert requests.get(larder.admin_url + "/healthz").status_code == 200
    assert requests.get(larder.admin_url + "/readyz").status_code == 200
    metrics = requests.get(larder.admin_url + "/metrics").text
    samples = [line for line in metrics.splitlines() if line and not line.startswith("#")]
    assert samples
    for sample in samples:
        name, value = sample.rsplit(" ", 1)
        assert name.startswith(("larder_", "process_")), sample
        float(value)


def test_purge_only_when_enabled(larder, tmp_path):
    assert requests.post(larder.admin_url + "/purge").status_code in (403, 404)

    server = Larder(tmp_path, "--enable-purge")
    try:
        make = TraceMaker("purge")
        trace_id = make.trace_id()
        server.export(request("purge", [make.span(trace_id)]))
        assert len(read_trace(server, trace_id).resource_spans) == 1
        assert requests.post(server.admin_url + "/purge").status_code == 200
        assert len(read_trace(server, trace_id).resource_spans) == 0
        client = Client(server.channel)
        assert not client.traces.GetServices(client.messages.GetServicesRequest()).services
        server.export(request("purge", [make.span(trace_id)]))
        assert len(read_trace(server, trace_id).resource_spans) == 1
    finally:
        server.stop()


def serve_in_vain(*arguments):
    """Runs a serve that must refuse to start; returns (exit code, what it said)."""
    result = subprocess.run(
        [BINARY, "serve", "--grpc-listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0",
         *arguments], capture_output=True, text=True, timeout=120)
    return result.returncode, result.stdout + result.stderr


def test_a_second_owner_is_refused(larder):
    code, said = serve_in_vain("--data-dir", larder.data_dir)
    assert code == 4
    assert str(larder.program.process.pid) in said


def test_a_newer_format_is_refused(tmp_path):
    server = Larder(tmp_path)
    assert server.stop() == 0
    (server.data_dir / "FORMAT").write_text("larder 999\n")
    code, said = serve_in_vain("--data-dir", server.data_dir)
    assert code == 3
    assert "999" in said


def test_an_unknown_setting_is_refused_with_a_suggestion(tmp_path):
    code, said = serve_in_vain("--data-dir", tmp_path / "data", "--durabilty", "sync")
    assert code == 2
    assert "--durability" in said


def test_a_public_address_needs_consent(tmp_path):
    code, said = serve_in_vain("--data-dir", tmp_path / "data", "--grpc-listen", "0.0.0.0:0")
    assert code == 2
    assert "insecure-listen" in said


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 512 MiB, to be filled or made read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512m", "tmpfs", folder]).returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_read_only_directory_is_read_but_not_written(small_disk):
    server = Larder(small_disk)
    make = TraceMaker("read only")
    kept = make.trace_id()
    sent = request("read-only", [make.span(kept)])
    server.export(sent)
    assert server.stop() == 0
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)

    server.start(log=small_disk.parent / "larder.log", is_ready=server.is_readable)
    try:
        ready = requests.get(server.admin_url + "/readyz")
        assert ready.status_code == 503
        assert "Read-only file system" in ready.text
        assert_same_spans(read_trace(server, kept), as_traces(sent))
        with pytest.raises(grpc.RpcError) as error:
            server.export(sent)
        assert error.value.code() == grpc.StatusCode.UNAVAILABLE
    finally:
        server.stop()

    code, said = serve_in_vain("--data-dir", small_disk / "new")
    assert code == 5
    assert str(small_disk / "new") in said


def test_a_disk_filled_by_others_refuses_writes_and_serves_reads(small_disk):
    server = Larder(small_disk)
    make = TraceMaker("full")
    try:
        kept = make.trace_id()
        sent = request("full", [make.span(kept)])
        server.export(sent)

        disk = os.statvfs(small_disk)
        ballast = small_disk / "ballast"
        with open(ballast, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, (disk.f_bavail - 256) * disk.f_frsize)
        refusal = None
        acknowledged = {}
        for _ in range(300):
            trace_id = make.trace_id()
            message = request("full", [make.span(
                trace_id, attributes={"noise": make.random.randbytes(20_000)})])
            try:
                server.export(message)
                acknowledged[trace_id] = message
            except grpc.RpcError as error:
                refusal = error
                break
        assert refusal is not None, "a full disk took 6 MB in"
        assert refusal.code() in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
        assert_same_spans(read_trace(server, kept), as_traces(sent))

        ballast.unlink()
        for _ in range(600):
            try:
                last = make.trace_id()
                message = request("full", [make.span(last)])
                server.export(message)
                break
            except grpc.RpcError:
                time.sleep(0.1)
        else:
            pytest.fail("writes are still refused a minute after the disk has room again")
        acknowledged |= {kept: sent, last: message}
        for trace_id, message in acknowledged.items():
            assert_same_spans(read_trace(server, trace_id), as_traces(message))
    finally:
        server.stop()


def test_empty_request(larder):
    reply = larder.export(trace_service_pb2.ExportTraceServiceRequest())
    assert reply.partial_success.rejected_spans == 0


@pytest.mark.parametrize("body", [b"\xff", b"\x0a\xff\xff\xff\xff\x7f", b"\x0a\x05abc"])
def test_broken_protobuf_is_refused(larder, body):
    with pytest.raises(grpc.RpcError) as error:
        call_raw(larder, f"/{OTLP_SERVICE}/Export", body)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT


def test_large_requests_and_values(larder):
    make = TraceMaker("huge")
    trace_id = make.trace_id()
    value = make.span(trace_id, attributes={"big": "x" * (1 << 20)})
    crowd = [make.span(trace_id, attributes={f"key {n}-{m}": m for m in range(100)})
             for n in range(1000)]
    filler = [make.span(trace_id, attributes={"pad": "y" * 100_000}) for _ in range(150)]
    sent = request("huge", [value, *crowd, *filler])
    assert sent.ByteSize() > 16 << 20
    larder.export(sent)
    assert_same_spans(read_trace(larder, trace_id), as_traces(sent))


def test_bad_spans_are_rejected_one_by_one(larder):
    make = TraceMaker("bad")
    good = make.trace_id()
    spans = [make.span(good), make.span(good[:15]), make.span(bytes(16)), make.span(good)]
    spans[3].span_id = bytes(8)
    reply = larder.export(request("bad", spans))
    assert reply.partial_success.rejected_spans == 3
    assert reply.partial_success.error_message
    assert_same_spans(read_trace(larder, good), as_traces(request("bad", spans[:1])))


def test_odd_times_and_depths_come_back(larder):
    make = TraceMaker("odd")
    trace_id = make.trace_id()
    nested = "leaf"
    for _ in range(40):
        nested = [nested]
    spans = [make.span(trace_id, start_time_unix_nano=start) for start in (0, 2**63, 2**64 - 10**7)]
    spans.append(make.span(trace_id, duration_ns=-5_000_000))
    spans.append(make.span(trace_id, attributes={"nested": nested}))
    larder.export(request("odd", spans))
    assert_same_spans(read_trace(larder, trace_id), as_traces(request("odd", spans)))


def nested_request(trace_id, depth):
    """A request whose one attribute nests lists, built from the inside as bytes."""
    def message(tag, body):
        length, head = len(body), bytearray([tag])
        while length > 0x7F:
            head.append(length & 0x7F | 0x80)
            length >>= 7
        return bytes(head) + bytes([length]) + body
    value = message(0x0A, b"leaf")
    for _ in range(depth):
        value = message(0x2A, message(0x0A, value))
    attribute = message(0x0A, b"nested") + message(0x12, value)
    span = TraceMaker("nested").span(trace_id).SerializeToString() + message(0x4A, attribute)
    return message(0x0A, message(0x12, message(0x12, span)))


def test_nesting_of_1000_is_answered(larder):
    trace_id = TraceMaker("nested").trace_id()
    reply = trace_service_pb2.ExportTraceServiceResponse.FromString(
        call_raw(larder, f"/{OTLP_SERVICE}/Export", nested_request(trace_id, 10)))
    assert reply.partial_success.rejected_spans == 0
    try:
        reply = trace_service_pb2.ExportTraceServiceResponse.FromString(
            call_raw(larder, f"/{OTLP_SERVICE}/Export", nested_request(trace_id, 1000)))
        assert reply.partial_success.rejected_spans == 1
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert larder.program.process.poll() is None


def test_a_query_with_times_unset_asks_for_all_times(larder):
    make = TraceMaker("unset")
    trace_id = make.trace_id()
    larder.export(request("unset-times", [make.span(trace_id)]))
    client = Client(larder.channel)
    query = client.messages.TraceQueryParameters(service_name="unset-times")
    year_1 = client.messages.TraceQueryParameters(service_name="unset-times")
    year_1.start_time_min.seconds = year_1.start_time_max.seconds = -62135596800
    for each in (query, year_1):
        reply = client.traces.FindTraceIDs(client.messages.FindTraceIDsRequest(query=each))
        assert [found.trace_id for found in reply.trace_ids] == [trace_id]
