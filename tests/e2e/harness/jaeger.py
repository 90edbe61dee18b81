"""The real Jaeger v2.13 with the configuration that users get, on ports of its own."""

import json
import subprocess

import grpc
import pytest
import requests
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc

from harness.otlp import parse_otlp_json
from harness.process import ROOT, Program, free_port

CONFIG = ROOT / "tools/jaeger/larder.yaml"
VERSION = "v1.76.0"


def build_jaeger(script="build.sh"):
    """Returns the folder of Jaeger's programs; skips the test when they cannot be built here."""
    build = subprocess.run([ROOT / "tools/jaeger" / script], text=True, capture_output=True)
    if build.returncode == 77:
        pytest.skip(build.stderr.strip())
    assert build.returncode == 0, build.stderr
    return build.stdout.strip()


class Jaeger:
    """Jaeger in front of a store; `overrides` are further collector settings, as YAML paths, and
    `variables` are added to its environment."""

    def __init__(self, folder, store_address, *overrides, config=CONFIG, **variables):
        ports = {name: f"127.0.0.1:{free_port()}" for name in (
            "query", "query_grpc", "otlp_grpc", "otlp_http", "health")}
        self.otlp_grpc_address = ports["otlp_grpc"]
        self.otlp_http_url = f"http://{ports['otlp_http']}"
        self.url = f"http://{ports['query']}"
        self.health_url = f"http://{ports['health']}/status"
        settings = [
            f"extensions::jaeger_storage::backends::larder::grpc::endpoint: {store_address}",
            f"extensions::jaeger_query::http::endpoint: {ports['query']}",
            f"extensions::jaeger_query::grpc::endpoint: {ports['query_grpc']}",
            f"extensions::healthcheckv2::http::endpoint: {ports['health']}",
            f"receivers::otlp::protocols::grpc::endpoint: {ports['otlp_grpc']}",
            f"receivers::otlp::protocols::http::endpoint: {ports['otlp_http']}",
            "service::telemetry::metrics::level: none",
            "service::telemetry::logs::level: warn",
            *overrides,
        ]
        command = [f"{build_jaeger()}/jaeger-{VERSION}", f"--config=file:{config}"]
        command += [f"--config=yaml:{setting}" for setting in settings]
        # Jaeger traces itself to port 4317, where another test may listen.
        self.program = Program(command, folder / "jaeger.log", self.is_ready,
                               OTEL_TRACES_SAMPLER="always_off", **variables)
        self.channel = grpc.insecure_channel(self.otlp_grpc_address)

    def is_ready(self):
        try:
            return requests.get(self.health_url, timeout=60).status_code == 200
        except requests.RequestException:
            return False

    def stop(self):
        """Jaeger takes 10 s to end in order, and nothing here depends on how it ends."""
        self.channel.close()
        self.program.kill()

    def export(self, request, timeout=30):
        stub = trace_service_pb2_grpc.TraceServiceStub(self.channel)
        return stub.Export(request, timeout=timeout)

    def get(self, path, **parameters):
        """The JSON answer of a GET, or the status code when that is not 200."""
        reply = requests.get(self.url + path, params=parameters, timeout=60)
        return reply.json() if reply.status_code == 200 else reply.status_code

    def services(self):
        return sorted(self.get("/api/v3/services").get("services", []))

    def operations(self, service, **parameters):
        """The operations of a service as sorted (name, kind) pairs."""
        reply = self.get("/api/v3/operations", service=service, **parameters)
        return sorted((each["name"], each.get("spanKind", "")) for each in reply["operations"])

    def trace(self, trace_id):
        """A trace as stored, as OTLP TracesData, or the status code."""
        reply = self.get(f"/api/v3/traces/{trace_id}", raw_traces="true")
        return reply if isinstance(reply, int) else parse_otlp_json(reply["result"])

    def find(self, begin, end, **query):
        """The ids of the traces that /api/v3/traces finds; times are RFC 3339."""
        parameters = {f"query.{name}": value for name, value in query.items()}
        parameters |= {"query.start_time_min": begin, "query.start_time_max": end,
                       "query.raw_traces": "true"}
        reply = self.get("/api/v3/traces", **parameters)
        if reply == 404:
            return []
        found = parse_otlp_json(reply["result"])
        ids = [span.trace_id.hex() for resource in found.resource_spans
               for scope in resource.scope_spans for span in scope.spans]
        return list(dict.fromkeys(ids))

    def find_by_tags(self, service, begin_us, end_us, tags=None, **parameters):
        """The ids that the search of Jaeger's page finds; the only one here that takes tags."""
        parameters |= {"service": service, "start": begin_us, "end": end_us}
        if tags:
            parameters["tags"] = json.dumps(tags)
        reply = self.get("/api/traces", **parameters)
        return [trace["traceID"] for trace in reply["data"]]

    def dependencies(self, end_ms, lookback_ms):
        """{(parent, child): calls} of a window."""
        reply = self.get("/api/dependencies", endTs=end_ms, lookback=lookback_ms)
        return {(each["parent"], each["child"]): each["callCount"] for each in reply["data"]}
