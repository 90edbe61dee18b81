"""Larder under test, on ports of its own. LARDER_BIN names the binary."""

import os
import pathlib

import grpc
import requests
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2

from harness.process import ROOT, Program, free_port

BINARY = pathlib.Path(os.environ.get("LARDER_BIN", ROOT / "build/dev/plugin/larder"))


class Larder:
    """One data directory and the process that serves it; restarts keep directory and ports."""

    def __init__(self, folder, *arguments):
        self.folder = pathlib.Path(folder)
        self.data_dir = self.folder / "data"
        self.arguments = arguments
        self.grpc_address = f"127.0.0.1:{free_port()}"
        self.admin_url = f"http://127.0.0.1:{free_port()}"
        self.otlp_http_url = f"http://127.0.0.1:{free_port()}"
        self.channel = grpc.insecure_channel(self.grpc_address, options=[
            ("grpc.max_receive_message_length", 4 << 20), ("grpc.max_reconnect_backoff_ms", 500),
            ("grpc.initial_reconnect_backoff_ms", 50), ("grpc.min_reconnect_backoff_ms", 50)])
        self.program = None
        self.start()

    def start(self, log=None, is_ready=None):
        command = [BINARY, "serve", "--data-dir", self.data_dir,
                   "--grpc-listen", self.grpc_address,
                   "--admin-listen", self.admin_url.removeprefix("http://"),
                   "--otlp.http-listen", self.otlp_http_url.removeprefix("http://"),
                   *self.arguments]
        self.program = Program(command, log or self.folder / "larder.log",
                               is_ready or self.is_ready)

    def is_ready(self):
        try:
            return requests.get(self.admin_url + "/readyz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def is_readable(self):
        """Ready, or serving reads alone."""
        try:
            return self.is_ready() or "reads are served" in requests.get(
                self.admin_url + "/readyz", timeout=5).text
        except requests.ConnectionError:
            return False

    def kill(self):
        self.program.kill()

    def stop(self):
        return self.program.stop()

    def export(self, request, timeout=30, headers=()):
        """Sends an OTLP request; returns when the spans are acknowledged."""
        stub = trace_service_pb2_grpc.TraceServiceStub(self.channel)
        return stub.Export(request, timeout=timeout, metadata=headers)

    def spans_of(self, trace_id, *headers):
        """Every span that GetTraces answers for one trace."""
        get = self.channel.unary_stream("/jaeger.storage.v2.TraceReader/GetTraces",
                                        request_serializer=lambda each: each,
                                        response_deserializer=trace_pb2.TracesData.FromString)
        # GetTracesRequest{query: [GetTraceParams{trace_id}]}
        params = b"\x0a\x10" + trace_id
        answer = get(b"\x0a" + bytes([len(params)]) + params, timeout=30, metadata=headers)
        return [span for part in answer for resource in part.resource_spans
                for scope in resource.scope_spans for span in scope.spans]
