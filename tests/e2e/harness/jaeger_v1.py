"""The last Jaeger v1 (v1.76, remote storage) and the last with sidecars (v1.57)."""

import grpc
import requests
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

from harness.jaeger import build_jaeger
from harness.process import Program, free_port

REMOTE = "v1.76.0"
SIDECAR = "v1.57.0"
AGENT_PORTS = ("processor.jaeger-binary.server-host-port", "processor.jaeger-compact.server-host-port",
               "processor.zipkin-compact.server-host-port", "http-server.host-port")


class JaegerV1:
    """Jaeger v1 all-in-one; `flags` and `variables` say where it keeps its spans."""

    def __init__(self, folder, version, *flags, **variables):
        # What a scope's name becomes on the way in.
        self.scope_key = "otel.library.name" if version == SIDECAR else "otel.scope.name"
        self.log = folder / "jaeger-v1.log"
        ports = {name: f"127.0.0.1:{free_port()}" for name in (
            "admin.http", "collector.grpc-server", "collector.http-server", "collector.otlp.grpc",
            "collector.otlp.http", "query.grpc-server", "query.http-server")}
        self.url = f"http://{ports['query.http-server']}"
        self.health_url = f"http://{ports['admin.http']}/"
        command = [f"{build_jaeger('build_v1.sh')}/all-in-one-{version}", "--log-level=info",
                   "--collector.queue-size=10000",  # of spans; what is above is dropped
                   *(f"--{name}.host-port={address}" for name, address in ports.items()), *flags]
        if version == SIDECAR:  # It has an agent, too.
            command += [f"--{name}=127.0.0.1:{free_port()}" for name in AGENT_PORTS]
        # Jaeger traces itself to port 4317, where another test may listen.
        self.program = Program(command, self.log, self.is_ready, OTEL_TRACES_SAMPLER="always_off",
                               **variables)
        self.channel = grpc.insecure_channel(ports["collector.otlp.grpc"])

    def is_ready(self):
        try:
            return requests.get(self.health_url, timeout=60).status_code == 200
        except requests.RequestException:
            return False

    def stop(self):
        """SIGTERM; returns when Jaeger has written what it had."""
        self.channel.close()
        return self.program.stop()

    def kill(self):
        self.channel.close()
        self.program.kill()

    def export(self, request, timeout=30):
        stub = trace_service_pb2_grpc.TraceServiceStub(self.channel)
        return stub.Export(request, timeout=timeout)

    def get(self, path, **parameters):
        """What the page of Jaeger asks: the data, or the status code when that is not 200."""
        reply = requests.get(f"{self.url}/api/{path}", params=parameters, timeout=60)
        return reply.json()["data"] if reply.status_code == 200 else reply.status_code
