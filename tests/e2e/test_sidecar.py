"""Larder as the sidecar of the real Jaeger v1: the last that has sidecars and the oldest."""

import os
import signal

import grpc
import pytest
import requests
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

from harness.jaeger_v1 import OLDEST, SIDECAR, JaegerV1
from harness.larder import BINARY
from harness.process import children_of, wait_until
from harness.sdk import PythonShop
from harness.v1_model import model
from harness.v1_shop import check_reads, find, spans_of, write_native_shop, write_shop


@pytest.fixture
def sidecar(tmp_path):
    """Starts a Jaeger with its sidecar, each time on the same data directory; what still runs when
    the test ends is killed, the sidecar by its own watch."""
    started = []

    def start(version=SIDECAR, *flags):
        started.append(JaegerV1(tmp_path, version, f"--grpc-storage-plugin.binary={BINARY}",
                                "--grpc-storage-plugin.log-level=info", *flags,
                                SPAN_STORAGE_TYPE="grpc-plugin", TMPDIR=str(tmp_path),
                                LARDER_DATA_DIR=str(tmp_path / "data")))
        return started[-1]

    yield start
    for jaeger in started:
        jaeger.kill()


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


# The oldest neither stops its sidecar nor has OTLP.
@pytest.mark.parametrize("version, write", [(SIDECAR, write_shop), (OLDEST, write_native_shop)],
                         ids=["v1.57", "v1.24"])
def test_keeps_spans_over_restarts(version, write, sidecar, tmp_path):
    jaeger = sidecar(version)
    [plugin] = children_of(jaeger.program.process.pid)
    trace_id, root_id = write(jaeger, "sidecar")
    check_reads(jaeger, "sidecar", trace_id, root_id)
    jaeger.stop()
    wait_until(lambda: not is_running(plugin), "the sidecar to leave")

    jaeger = sidecar(version)
    [plugin] = children_of(jaeger.program.process.pid)
    check_reads(jaeger, "sidecar", trace_id, root_id)
    jaeger.kill()  # kill -9: nobody tells the plugin
    wait_until(lambda: not is_running(plugin), "the orphan to leave")

    jaeger = sidecar(version)
    [plugin] = children_of(jaeger.program.process.pid)
    check_reads(jaeger, "sidecar", trace_id, root_id)
    jaeger.stop()
    wait_until(lambda: not is_running(plugin), "the sidecar to leave")
    assert not list(tmp_path.glob("larder-plugin-*"))


def test_stays_until_its_host_is_gone(sidecar):
    jaeger = sidecar()
    [plugin] = children_of(jaeger.program.process.pid)
    os.kill(plugin, signal.SIGINT)  # Ctrl-C reaches both; the host decides
    os.kill(plugin, signal.SIGTERM)  # a service manager stops both at once
    trace_id, root_id = write_shop(jaeger, "late")
    check_reads(jaeger, "late", trace_id, root_id)
    jaeger.stop()
    assert not is_running(plugin)


def archived_spans(folder, trace_id):
    """What the sidecar whose socket lies in the folder has archived of a trace."""
    [socket] = folder.glob("larder-plugin-*")
    with grpc.insecure_channel(f"unix:{socket}") as channel:
        get = channel.unary_stream(  # SpansResponseChunk has the spans where a Batch has them
            "/jaeger.storage.v1.ArchiveSpanReaderPlugin/GetArchiveTrace", request_serializer=bytes,
            response_deserializer=model().Batch.FromString)
        try:
            chunks = list(get(b"\x0a\x10" + trace_id, timeout=30))
            return [span for chunk in chunks for span in chunk.spans]
        except grpc.RpcError as error:
            assert error.details() == "trace not found"
            return []


# The file is what other sidecars for Jaeger are configured with, and asks for streams.
@pytest.mark.parametrize("text", ["", "enable_streaming_writer: true\n"],
                         ids=["unary", "streaming"])
def test_sdk_and_archive(text, sidecar, tmp_path):
    file = tmp_path / "sidecar.yaml"
    file.write_text(text)
    jaeger = sidecar(SIDECAR, f"--grpc-storage-plugin.configuration-file={file}")
    shop = PythonShop(lambda: OTLPSpanExporter(endpoint=jaeger.otlp_address, insecure=True))
    trace_id = bytes.fromhex(shop.buy())
    shop.close()
    wait_until(lambda: len(spans_of(jaeger, trace_id)) == 3, "the spans to be stored")

    spans = {each["operationName"]: each for each in spans_of(jaeger, trace_id)}
    tags = {tag["key"]: tag["value"] for tag in spans["GET /buy"]["tags"]}
    assert tags | {"http.route": "/buy", "user.id": 42, "load": 0.75, "vip": True} == tags
    [log] = spans["add to cart"]["logs"]
    assert {"key": "price", "type": "float64", "value": 3.5} in log["fields"]
    # Its parent and its link are one span, of which Jaeger makes one reference.
    [reference] = spans["reserve"]["references"]
    assert reference["spanID"] == spans["add to cart"]["spanID"]
    assert set(PythonShop.SERVICES) <= set(jaeger.get("services"))
    for service, tags in (("front", {"load": "0.75", "user.id": "42"}), ("front", {"zone": "b"}),
                          ("cart", {"items": '["tea","cup"]'}), ("stock", {"payload": "AP7/"})):
        assert trace_id.hex() in find(jaeger, f"python-{service}", tags=tags), tags

    assert archived_spans(tmp_path, trace_id) == []
    for _ in range(2):
        reply = requests.post(f"{jaeger.url}/api/archive/{trace_id.hex()}", timeout=60)
        assert reply.status_code == 200, reply.text
    assert len(archived_spans(tmp_path, trace_id)) == 3
    jaeger.stop()

    jaeger = sidecar()
    assert len(spans_of(jaeger, trace_id)) == 3
    assert len(archived_spans(tmp_path, trace_id)) == 3
