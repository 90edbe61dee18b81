"""Larder under test, on ports of its own. LARDER_BIN names the binary."""

import os
import pathlib
import re

import grpc
import requests
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc
from opentelemetry.proto.trace.v1 import trace_pb2

from harness.process import ROOT, Program, free_port

BINARY = pathlib.Path(os.environ.get("LARDER_BIN", ROOT / "build/dev/plugin/larder"))


class Larder:
    """One data directory and the process that serves it; restarts keep directory and ports.
    `command` and `data_dir` say how the program is started and what it is told, when that is not as
    usual."""

    def __init__(self, folder, *arguments, secured=None, command=(BINARY,), data_dir=None):
        self.folder = pathlib.Path(folder)
        self.command = command
        self.data_dir = data_dir or self.folder / "data"
        self.secured = secured
        self.arguments = arguments if secured is None else (*arguments, *secured.arguments)
        scheme = "http" if secured is None else "https"
        self.grpc_address = f"127.0.0.1:{free_port()}"
        self.admin_url = f"{scheme}://127.0.0.1:{free_port()}"
        self.otlp_http_url = f"{scheme}://127.0.0.1:{free_port()}"
        self.channel = self.connect()
        self.program = None
        self.start()

    def connect(self):
        """A channel of its own, with the certificates of now when there are some."""
        options = [
            ("grpc.max_receive_message_length", 4 << 20), ("grpc.max_reconnect_backoff_ms", 500),
            ("grpc.initial_reconnect_backoff_ms", 50), ("grpc.min_reconnect_backoff_ms", 50),
            ("grpc.use_local_subchannel_pool", 1)]
        if self.secured is None:
            return grpc.insecure_channel(self.grpc_address, options=options)
        cert, key = (file.read_bytes() for file in self.secured.client)
        credentials = grpc.ssl_channel_credentials(self.secured.server_ca.cert.read_bytes(), key,
                                                   cert)
        return grpc.secure_channel(self.grpc_address, credentials, options=options)

    def admin(self, path, **options):
        """A GET on the admin port."""
        verify = True if self.secured is None else str(self.secured.server_ca.cert)
        return requests.get(self.admin_url + path, timeout=60, verify=verify, **options)

    def metric(self, name):
        return float(re.search(rf"^{name} (\S+)$", self.admin("/metrics").text, re.MULTILINE)[1])

    def start(self, log=None, is_ready=None):
        command = [*self.command, "serve", "--data-dir", self.data_dir,
                   "--grpc-listen", self.grpc_address,
                   "--admin-listen", self.admin_url.partition("://")[2],
                   "--otlp.http-listen", self.otlp_http_url.partition("://")[2],
                   *self.arguments]
        self.program = Program(command, log or self.folder / "larder.log",
                               is_ready or self.is_ready)

    def is_ready(self):
        try:
            return self.admin("/readyz").status_code == 200
        except requests.RequestException:
            return False

    def is_readable(self):
        """Ready, or serving reads alone."""
        try:
            return self.is_ready() or "reads are served" in self.admin("/readyz").text
        except requests.RequestException:
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
