"""The last Jaeger v1 (v1.76, remote storage), the last with sidecars (v1.57), in one process or in
two, and the oldest (v1.24)."""

import shutil

import grpc
import requests
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

from harness.jaeger import build_jaeger
from harness.process import Program, free_port

REMOTE = "v1.76.0"
SIDECAR = "v1.57.0"
OLDEST = "v1.24.0"  # has no OTLP
AGENT_PORTS = ("processor.jaeger-binary.server-host-port", "processor.jaeger-compact.server-host-port",
               "processor.zipkin-compact.server-host-port", "http-server.host-port")


PORTS = {
    "collector": ("collector.grpc-server", "collector.http-server", "collector.otlp.grpc",
                  "collector.otlp.http"),
    "query": ("query.grpc-server", "query.http-server"),
}


class JaegerV1:
    """Jaeger v1 all-in-one, or its collector or query alone; `flags` and `variables` say where it
    keeps its spans. With `root` it takes that directory for /, which only OLDEST can, since it
    needs no library."""

    def __init__(self, folder, version, *flags, part="all-in-one", root=None, **variables):
        self.version = version
        # What a scope's name becomes on the way in.
        self.scope_key = "otel.scope.name" if version == REMOTE else "otel.library.name"
        self.log = folder / "jaeger-v1.log"
        names = [name for name in PORTS.get(part, PORTS["collector"] + PORTS["query"])
                 if version != OLDEST or ".otlp." not in name]
        ports = {name: f"127.0.0.1:{free_port()}" for name in ("admin.http", *names)}
        self.url = f"http://{ports.get('query.http-server')}"
        self.health_url = f"http://{ports['admin.http']}/"
        self.otlp_address = ports.get("collector.otlp.grpc", "")
        program = [f"{build_jaeger('build_v1.sh')}/{part}-{version}"]
        if root:
            shutil.copy(program[0], root / "jaeger")
            program = ["chroot", root, "/jaeger"]
        command = [*program, "--log-level=info",
                   *(f"--{name}.host-port={address}" for name, address in ports.items()), *flags]
        if part != "query":  # The queue is of spans; what is above is dropped.
            command += ["--collector.queue-size=10000"]
        if version != REMOTE and part == "all-in-one":  # They have an agent, too.
            command += [f"--{name}=127.0.0.1:{free_port()}" for name in AGENT_PORTS]
        # Jaeger traces itself to port 4317, where another test may listen.
        self.program = Program(command, self.log, self.is_ready, OTEL_TRACES_SAMPLER="always_off",
                               **variables)
        self.channel = grpc.insecure_channel(self.otlp_address)
        self.native_channel = grpc.insecure_channel(ports.get("collector.grpc-server", ""))

    def is_ready(self):
        try:
            return requests.get(self.health_url, timeout=60).status_code == 200
        except requests.RequestException:
            return False

    def stop(self):
        """SIGTERM; returns when Jaeger has written what it had."""
        self.close_channels()
        return self.program.stop()

    def kill(self):
        self.close_channels()
        self.program.kill()

    def close_channels(self):
        self.channel.close()
        self.native_channel.close()

    def export(self, request, timeout=30):
        stub = trace_service_pb2_grpc.TraceServiceStub(self.channel)
        return stub.Export(request, timeout=timeout)

    def get(self, path, **parameters):
        """What the page of Jaeger asks: the data, or the status code when that is not 200."""
        reply = requests.get(f"{self.url}/api/{path}", params=parameters, timeout=60)
        return reply.json()["data"] if reply.status_code == 200 else reply.status_code
