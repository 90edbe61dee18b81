"""kill -9 in the middle of traffic: whatever was acknowledged is there after the restart."""

import threading
import time

import grpc
import pytest

from harness.jaeger import Jaeger
from harness.larder import Larder
from harness.otlp import TraceMaker, as_traces, assert_same_spans, request


class Sender(threading.Thread):
    """Sends one trace after the other until stopped; keeps what was acknowledged."""

    def __init__(self, name, export):
        super().__init__()
        self.maker = TraceMaker(f"crash {name} {time.time_ns()}")
        self.service = f"crash-{name}"
        self.export = export
        self.acknowledged = {}
        self.failures = 0
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            trace_id = self.maker.trace_id()
            sent = request(self.service, [
                self.maker.span(trace_id, f"step {n}", attributes={"n": n}) for n in range(20)])
            try:
                self.export(sent, timeout=30)
                self.acknowledged[trace_id.hex()] = sent
            except grpc.RpcError:
                self.failures += 1
                time.sleep(0.01)

    def stop(self):
        self.stopping.set()
        if self.is_alive():
            self.join()


def wait_for_acknowledged(senders, count):
    deadline = time.monotonic() + 120
    goals = [len(sender.acknowledged) + count for sender in senders]
    while any(len(sender.acknowledged) < goal for sender, goal in zip(senders, goals)):
        assert time.monotonic() < deadline, "senders do not get on"
        time.sleep(0.01)


@pytest.mark.parametrize("durability", ["sync", "async"])
def test_acknowledged_spans_survive_kill(tmp_path, durability):
    larder = Larder(tmp_path, "--durability", durability)
    jaeger = Jaeger(tmp_path, larder.grpc_address)
    senders = [Sender("jaeger", jaeger.export), Sender("direct", larder.export)]
    try:
        for sender in senders:
            sender.start()
        for _ in range(3):
            wait_for_acknowledged(senders, 50)
            larder.kill()
            larder.start()
        wait_for_acknowledged(senders, 50)
        for sender in senders:
            sender.stop()

        # By one of them at least: the other may have been between two requests.
        assert sum(sender.failures for sender in senders) > 0, "the kill was not felt"
        for sender in senders:
            for trace_id, sent in sender.acknowledged.items():
                assert_same_spans(jaeger.trace(trace_id), as_traces(sent))
    finally:
        for sender in senders:
            sender.stop()
        jaeger.stop()
        larder.stop()


def test_everything_survives_an_orderly_restart(tmp_path):
    larder = Larder(tmp_path)
    make = TraceMaker("restart")
    jaeger = Jaeger(tmp_path, larder.grpc_address)
    try:
        sent = {}
        for _ in range(50):
            trace_id = make.trace_id()
            sent[trace_id.hex()] = request("restart", [make.span(trace_id) for _ in range(10)])
            larder.export(sent[trace_id.hex()])
        assert larder.stop() == 0, larder.program.log_tail()
        larder.start()
        for trace_id, message in sent.items():
            assert_same_spans(jaeger.trace(trace_id), as_traces(message))
        assert jaeger.operations("restart") == [("work", "server")]
    finally:
        jaeger.stop()
        larder.stop()
