"""The real Jaeger v1 with Larder as its remote storage."""

import pytest
import requests

from harness.jaeger_v1 import REMOTE, SIDECAR, JaegerV1
from harness.larder import Larder
from harness.otlp import TraceMaker, request
from harness.process import free_port, wait_until
from harness.v1_model import post_spans, span
from harness.v1_shop import check_reads, spans_of, write_native_shop, write_shop

ARCHIVE = ("larder-data-set", "archive")

# Jaeger v1.65 and later writes what comes by OTLP in a context that ends with the batch, and a
# stream that it opened there with it. What comes in Jaeger's own format it writes in a context
# without end.
WAYS = {
    "v1.76": (REMOTE, "grpc", ()),
    "v1.76-streaming": (REMOTE, "grpc", ("--v1.streaming",)),
    "v1.57": (SIDECAR, "grpc-plugin", ("--v1.no-kind", "unspecified")),
    "v1.57-streaming": (SIDECAR, "grpc-plugin", ("--v1.streaming",)),
}


@pytest.fixture(params=WAYS)
def remote(request, tmp_path):
    version, storage, settings = WAYS[request.param]
    larder = Larder(tmp_path, *settings)
    try:
        jaeger = JaegerV1(tmp_path, version, f"--grpc-storage.server={larder.grpc_address}",
                          SPAN_STORAGE_TYPE=storage)
        yield jaeger, larder, "--v1.streaming" in settings
        jaeger.kill()
    finally:
        assert larder.stop() == 0, larder.program.log_tail()


def is_native(jaeger, is_streaming):
    return is_streaming and jaeger.version == REMOTE


def test_remote_storage(remote):
    jaeger, larder, is_streaming = remote
    write = write_native_shop if is_native(jaeger, is_streaming) else write_shop
    trace_id, root_id = write(jaeger, "remote")
    check_reads(jaeger, "remote", trace_id, root_id)
    metrics = requests.get(f"{larder.admin_url}/metrics", timeout=60).text
    assert ('larder_rpc_total{rpc="v1.WriteSpan",code="ok"} 3' in metrics) != is_streaming


def test_operation_without_a_kind(remote):
    jaeger, larder, _ = remote
    make = TraceMaker("no kind")
    larder.export(request("quiet", [make.span(make.trace_id(), "hum", kind=0)]))
    word = "unspecified" if "unspecified" in larder.arguments else ""
    [operation] = jaeger.get("operations", service="quiet")
    assert (operation["name"], operation["spanKind"]) == ("hum", word)


def test_remote_storage_takes_many_spans(remote):
    jaeger, larder, is_streaming = remote
    make = TraceMaker("v1 many")
    trace_id = make.trace_id()
    # v1.76 gives up a batch that came by OTLP after 5 s, and writes it span by span.
    for begin in range(0, 3000, 20):
        numbers = range(begin, begin + 20)
        if is_native(jaeger, is_streaming):
            post_spans(jaeger.native_channel, "many", [
                span(trace_id, make.random.randbytes(8), f"step {n}", make.start_ns + n,
                     tags={"n": n, "text": "x" * 500}) for n in numbers])
        else:
            jaeger.export(request("many", [
                make.span(trace_id, f"step {n}", attributes={"n": n, "text": "x" * 500})
                for n in numbers]))
    # To ask Jaeger for the trace again and again would keep it from writing.
    wait_until(lambda: "larder_spans_accepted_total 3000\n" in larder.admin("/metrics").text,
               "all spans")
    assert len(spans_of(jaeger, trace_id)) == 3000


@pytest.mark.parametrize("version, storage", [(SIDECAR, "grpc-plugin"), (REMOTE, "grpc")],
                         ids=["v1.57", "v1.76"])
def test_archive(version, storage, tmp_path):
    archive_address = f"127.0.0.1:{free_port()}"
    larder = Larder(tmp_path, "--archive.listen", archive_address)
    jaeger = None
    # Up to v1.65 capabilities offer the archive; later it is a second server.
    flags = [] if version == SIDECAR else [
        "--grpc-storage-archive.enabled=true", f"--grpc-storage-archive.server={archive_address}"]
    try:
        jaeger = JaegerV1(tmp_path, version, f"--grpc-storage.server={larder.grpc_address}", *flags,
                          SPAN_STORAGE_TYPE=storage)
        trace_id, _ = write_shop(jaeger, "archive")
        assert larder.spans_of(trace_id, ARCHIVE) == []
        for _ in range(2):
            reply = requests.post(f"{jaeger.url}/api/archive/{trace_id.hex()}", timeout=60)
            assert reply.status_code == 200, reply.text
        assert len(larder.spans_of(trace_id, ARCHIVE)) == 3

        make = TraceMaker(f"only in the archive {version}")
        archived_id = make.trace_id()
        larder.export(request("archived", [make.span(archived_id, "old")]), headers=[ARCHIVE])
        assert [span["operationName"] for span in spans_of(jaeger, archived_id)] == ["old"]
        assert "archived" not in jaeger.get("services")
    finally:
        if jaeger is not None:
            jaeger.kill()
        assert larder.stop() == 0, larder.program.log_tail()
