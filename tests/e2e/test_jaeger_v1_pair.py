"""Jaeger v1.57's collector and query, each with its sidecar, on one data directory: one of the
sidecars owns it, and the other takes over when it is killed."""

import os
import signal
import subprocess
import threading

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

from harness.jaeger_v1 import SIDECAR, JaegerV1
from harness.larder import BINARY, Larder
from harness.otlp import TraceMaker, request
from harness.process import children_of, wait_until
from harness.sdk import PythonShop


class Pair:
    """A collector and a query, started in the order that is asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.data_dir = folder / "data"
        self.parts = {}

    def start(self, part):
        self.parts[part] = JaegerV1(
            self.folder, SIDECAR, f"--grpc-storage-plugin.binary={BINARY}",
            "--grpc-storage-plugin.log-level=info", part=part, SPAN_STORAGE_TYPE="grpc-plugin",
            TMPDIR=str(self.folder), LARDER_DATA_DIR=str(self.data_dir))

    def plugin_of(self, part):
        """The process that the part has started."""
        [plugin] = children_of(self.parts[part].program.process.pid)
        return plugin

    def owner(self):
        try:
            return int((self.data_dir / "LOCK").read_text())
        except ValueError:  # It is just being written.
            return 0

    def kill(self, part):
        self.parts.pop(part).kill()

    def stop(self):
        for part in list(self.parts):
            self.kill(part)


@pytest.fixture
def pair(tmp_path):
    jaegers = Pair(tmp_path)
    yield jaegers
    jaegers.stop()


def spans_of(query, trace_id):
    traces = query.get(f"traces/{trace_id}")
    return [] if isinstance(traces, int) else traces[0]["spans"]


def ids_of(query, trace_id):
    return sorted(span["spanID"] for span in spans_of(query, trace_id))


class Traffic:
    """Sends spans to the collector, a few at a time, until it is stopped; one trace of all."""

    def __init__(self, collector, name):
        self.collector = collector
        self.make = TraceMaker(name)
        self.trace_id = self.make.trace_id()
        self.name = name
        self.sent = []
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.stopping.wait(0.01):
            spans = [self.make.span(self.trace_id, f"step {len(self.sent)}") for _ in range(3)]
            self.collector.export(request(self.name, spans))
            self.sent += [span.span_id.hex() for span in spans]

    def stop(self):
        self.stopping.set()
        self.thread.join()
        return sorted(self.sent)


def test_query_reads_what_collector_writes(pair):
    pair.start("collector")
    pair.start("query")
    assert pair.owner() == pair.plugin_of("collector")
    collector, query = pair.parts["collector"], pair.parts["query"]
    shop = PythonShop(lambda: OTLPSpanExporter(endpoint=collector.otlp_address, insecure=True))
    trace_id = shop.buy()
    shop.close()
    wait_until(lambda: len(spans_of(query, trace_id)) == 3, "the spans to be read by the other")
    assert set(PythonShop.SERVICES) <= set(query.get("services"))
    assert query.get("traces/" + "f" * 32) == 404


def test_the_owner_of_the_query_is_killed(pair):
    """The collector's sidecar forwards, takes over, and loses nothing."""
    pair.start("query")
    pair.start("collector")
    owner = pair.plugin_of("query")
    assert pair.owner() == owner
    traffic = Traffic(pair.parts["collector"], "query dies")
    wait_until(lambda: len(traffic.sent) > 60, "some traffic")
    os.kill(owner, signal.SIGKILL)
    wait_until(lambda: pair.owner() == pair.plugin_of("collector"), "the collector's to take over")
    before = len(traffic.sent)
    wait_until(lambda: len(traffic.sent) > before + 60, "more traffic")
    pair.kill("query")
    pair.start("query")
    sent = traffic.stop()
    query = pair.parts["query"]
    trace_id = traffic.trace_id.hex()
    wait_until(lambda: len(spans_of(query, trace_id)) >= len(sent), "every span")
    assert ids_of(query, trace_id) == sent  # each once


def test_the_owner_of_the_collector_is_killed(pair):
    """The query's sidecar takes over and goes on reading; the collector comes again."""
    pair.start("collector")
    pair.start("query")
    owner = pair.plugin_of("collector")
    assert pair.owner() == owner
    traffic = Traffic(pair.parts["collector"], "collector dies")
    query = pair.parts["query"]
    wait_until(lambda: len(spans_of(query, traffic.trace_id.hex())) > 60, "some traffic")
    stored = ids_of(query, traffic.trace_id.hex())
    os.kill(owner, signal.SIGKILL)
    wait_until(lambda: pair.owner() == pair.plugin_of("query"), "the query's to take over")
    traffic.stop()
    after = ids_of(query, traffic.trace_id.hex())
    assert set(stored) <= set(after)
    assert len(set(after)) == len(after)

    pair.kill("collector")
    pair.start("collector")
    again = Traffic(pair.parts["collector"], "collector again")
    wait_until(lambda: len(again.sent) > 60, "traffic of the new collector")
    sent = again.stop()
    trace_id = again.trace_id.hex()
    wait_until(lambda: len(spans_of(query, trace_id)) >= len(sent), "every span")
    assert ids_of(query, trace_id) == sent


def test_a_sidecar_beside_serve(pair, tmp_path):
    """A plugin forwards to `larder serve`, and takes over when that is killed."""
    larder = Larder(tmp_path)
    assert larder.data_dir == pair.data_dir
    pair.start("collector")
    pair.start("query")
    traffic = Traffic(pair.parts["collector"], "beside serve")
    wait_until(lambda: len(larder.spans_of(traffic.trace_id)) > 60, "spans in serve")
    larder.kill()
    before = len(traffic.sent)
    wait_until(lambda: len(traffic.sent) > before + 60, "more traffic")
    sent = traffic.stop()
    query, trace_id = pair.parts["query"], traffic.trace_id.hex()
    wait_until(lambda: len(spans_of(query, trace_id)) >= len(sent), "every span")
    assert ids_of(query, trace_id) == sent
    assert pair.owner() in {pair.plugin_of("collector"), pair.plugin_of("query")}

    refused = subprocess.run([BINARY, "serve", "--data-dir", pair.data_dir], text=True,
                             capture_output=True, timeout=60)
    assert refused.returncode == 4
    assert f"process {pair.owner()}" in refused.stderr
