"""The real Jaeger v1 in front of Larder: as its remote storage and as its sidecar."""

import json
import os
import signal
import time

import pytest
import requests

from harness.jaeger_v1 import REMOTE, SIDECAR, JaegerV1
from harness.larder import BINARY, Larder
from harness.otlp import TraceMaker, request
from harness.process import children_of, free_port, wait_until

SECOND = 10**9
ARCHIVE = ("larder-data-set", "archive")


# Jaeger v1.65 and later opens a stream in a context that ends with the first write, and loses what
# it sends by streams.
WAYS = {
    "v1.76": (REMOTE, "grpc", ()),
    "v1.57": (SIDECAR, "grpc-plugin", ()),
    "v1.57-streaming": (SIDECAR, "grpc-plugin", ("--v1.streaming",)),
}


@pytest.fixture(params=WAYS)
def remote(request, tmp_path):
    version, storage, settings = WAYS[request.param]
    larder = Larder(tmp_path, *settings)
    try:
        jaeger = JaegerV1(tmp_path, version, f"--grpc-storage.server={larder.grpc_address}",
                          SPAN_STORAGE_TYPE=storage)
        yield jaeger, larder, bool(settings)
        jaeger.kill()
    finally:
        assert larder.stop() == 0, larder.program.log_tail()


@pytest.fixture
def sidecar(tmp_path):
    """Starts a Jaeger with its sidecar, each time on the same data directory; what still runs when
    the test ends is killed, the sidecar by its own watch."""
    started = []

    def start():
        started.append(JaegerV1(tmp_path, SIDECAR, f"--grpc-storage-plugin.binary={BINARY}",
                                "--grpc-storage-plugin.log-level=info",
                                SPAN_STORAGE_TYPE="grpc-plugin", TMPDIR=str(tmp_path),
                                LARDER_DATA_DIR=str(tmp_path / "data")))
        return started[-1]

    yield start
    for jaeger in started:
        jaeger.kill()


def write_shop(jaeger, name):
    """Three spans of two services; returns (trace id, root span)."""
    make = TraceMaker(name)
    trace_id = make.trace_id()
    root = make.span(trace_id, "buy", kind=2, duration_ns=SECOND, attributes={
        "text": "needle", "int": 42, "bool": True, "double": 2.5})
    failed = make.span(trace_id, "pay", parent=root.span_id, kind=3)
    failed.status.code, failed.status.message = 2, "no money"
    failed.events.add(name="retry", time_unix_nano=failed.start_time_unix_nano)
    answer = make.span(trace_id, "debit", parent=failed.span_id, kind=2)
    jaeger.export(request(f"{name}-shop", [root, failed], scope=("lib", "1.2")))
    jaeger.export(request(f"{name}-bank", [answer]))
    wait_until(lambda: len(spans_of(jaeger, trace_id)) == 3, "the spans to be stored")
    return trace_id, root


def spans_of(jaeger, trace_id):
    traces = jaeger.get(f"traces/{trace_id.hex()}")
    return [] if isinstance(traces, int) else traces[0]["spans"]


def find(jaeger, service, **parameters):
    if "tags" in parameters:
        parameters["tags"] = json.dumps(parameters["tags"])
    found = jaeger.get("traces", service=service, lookback="2h", limit=20, **parameters)
    return [trace["traceID"] for trace in found]


def check_reads(jaeger, name, trace_id, root):
    """Everything that Jaeger's page can ask about the spans of write_shop."""
    shop, bank = f"{name}-shop", f"{name}-bank"
    spans = {span["operationName"]: span for span in spans_of(jaeger, trace_id)}
    tags = {tag["key"]: tag["value"] for tag in spans["buy"]["tags"]}
    assert tags | {"text": "needle", "int": 42, "bool": True, "double": 2.5,
                   "span.kind": "server"} == tags
    if jaeger.scope_key == "otel.scope.name":  # The page shows the older key with the process.
        assert tags["otel.scope.name"] == "lib"
    assert spans["buy"]["duration"] == 1_000_000
    assert spans["pay"]["references"][0]["spanID"] == root.span_id.hex()
    assert spans["pay"]["logs"][0]["fields"][0]["value"] == "retry"
    assert {"key": "error", "type": "bool", "value": True} in spans["pay"]["tags"]

    assert {shop, bank} <= set(jaeger.get("services"))
    operations = jaeger.get("operations", service=shop)
    assert [(each["name"], each["spanKind"]) for each in operations] == [
        ("buy", "server"), ("pay", "client")]

    there = [trace_id.hex()]
    assert find(jaeger, shop) == there
    assert find(jaeger, shop, operation="buy", minDuration="900ms") == there
    assert find(jaeger, shop, minDuration="2s") == []
    for tags in ({"text": "needle"}, {"int": "42", "bool": "true"}, {"error": "true"},
                 {"otel.status_description": "no money"}, {"span.kind": "client"},
                 {jaeger.scope_key: "lib"}, {"event": "retry"}, {"otel.status_code": "ERROR"}):
        assert find(jaeger, shop, tags=tags) == there, tags
    assert find(jaeger, shop, tags={"text": "needle", "error": "true"}) == []  # of two spans
    assert jaeger.get("traces/" + "f" * 32) == 404

    edges = jaeger.get("dependencies", endTs=(time.time_ns() + 60 * SECOND) // 10**6,
                       lookback=7_200_000)
    assert {"parent": shop, "child": bank, "callCount": 1} in edges


def test_remote_storage(remote):
    jaeger, larder, is_streaming = remote
    trace_id, root = write_shop(jaeger, "remote")
    check_reads(jaeger, "remote", trace_id, root)
    metrics = requests.get(f"{larder.admin_url}/metrics", timeout=60).text
    assert ('larder_rpc_total{rpc="v1.WriteSpan",code="ok"} 3' in metrics) != is_streaming


def test_remote_storage_takes_many_spans(remote):
    jaeger, _, _ = remote
    make = TraceMaker("v1 many")
    trace_id = make.trace_id()
    for begin in range(0, 3000, 500):
        jaeger.export(request("many", [
            make.span(trace_id, f"step {n}", attributes={"n": n, "text": "x" * 500})
            for n in range(begin, begin + 500)]))
    wait_until(lambda: len(spans_of(jaeger, trace_id)) == 3000, "all spans")


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


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_sidecar_keeps_spans_over_restarts(sidecar, tmp_path):
    jaeger = sidecar()
    [plugin] = children_of(jaeger.program.process.pid)
    trace_id, root = write_shop(jaeger, "sidecar")
    check_reads(jaeger, "sidecar", trace_id, root)
    jaeger.stop()
    assert not is_running(plugin)

    jaeger = sidecar()
    [plugin] = children_of(jaeger.program.process.pid)
    check_reads(jaeger, "sidecar", trace_id, root)
    jaeger.kill()  # kill -9: nobody tells the plugin
    wait_until(lambda: not is_running(plugin), "the orphan to leave")

    jaeger = sidecar()
    check_reads(jaeger, "sidecar", trace_id, root)
    jaeger.stop()
    assert not list(tmp_path.glob("larder-plugin-*"))


def test_sidecar_stays_until_its_host_is_gone(sidecar):
    jaeger = sidecar()
    [plugin] = children_of(jaeger.program.process.pid)
    os.kill(plugin, signal.SIGINT)  # Ctrl-C reaches both; the host decides
    os.kill(plugin, signal.SIGTERM)  # a service manager stops both at once
    trace_id, root = write_shop(jaeger, "late")
    check_reads(jaeger, "late", trace_id, root)
    jaeger.stop()
    assert not is_running(plugin)
