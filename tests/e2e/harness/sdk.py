"""Real OpenTelemetry SDKs as senders. Each sender returns what it sent, as TracesData."""

import json
import os
import shutil
import subprocess

import pytest
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from harness.jaeger import VERSION, build_jaeger
from harness.otlp import as_traces, parse_otlp_json
from harness.process import ROOT


class PythonShop:
    """Three services of a shop in the SDK for Python, each with a provider of its own."""

    SERVICES = ("python-front", "python-cart", "python-stock")

    def __init__(self, exporter_factory):
        self.sent = InMemorySpanExporter()
        self.providers = {}
        for service in self.SERVICES:
            provider = TracerProvider(resource=Resource({"service.name": service, "zone": "b"}))
            provider.add_span_processor(SimpleSpanProcessor(exporter_factory()))
            provider.add_span_processor(SimpleSpanProcessor(self.sent))
            self.providers[service] = provider

    def buy(self):
        """One trace over the three services; returns its id in hex."""
        front, cart, stock = (
            self.providers[service].get_tracer("shop", "3.4", "https://example.org/schema")
            for service in self.SERVICES)
        with front.start_as_current_span(
                "GET /buy", context=context.Context(), kind=SpanKind.SERVER,
                attributes={"http.route": "/buy", "user.id": 42, "load": 0.75, "vip": True}):
            with cart.start_as_current_span("add to cart", kind=SpanKind.CLIENT) as span:
                span.set_attribute("items", ["tea", "cup"])
                span.add_event("priced", {"price": 3.5, "currency": "EUR"})
                with stock.start_as_current_span(
                        "reserve", kind=SpanKind.CONSUMER,
                        links=[trace.Link(span.get_span_context(), {"kind": "batch"})]) as last:
                    last.set_status(StatusCode.ERROR, "out of tea")
                    last.set_attribute("payload", b"\x00\xfe\xff")
        return format(span.get_span_context().trace_id, "032x")

    def close(self):
        """Ends the providers and returns everything that was sent."""
        for provider in self.providers.values():
            provider.shutdown()
        return as_traces(encode_spans(self.sent.get_finished_spans()))


def send_node(address, http=None):
    """One trace from the SDK for Node over OTLP/gRPC, or over OTLP/HTTP in "proto" or "json"."""
    if not shutil.which("npm"):
        pytest.skip("the SDK for Node needs node and npm, which are not installed")
    source, folder = ROOT / "tests/e2e/node", ROOT / "build/node"
    folder.mkdir(parents=True, exist_ok=True)
    wanted, installed = source / "package.json", folder / "package.json"
    if not installed.exists() or installed.read_text() != wanted.read_text():
        shutil.copy(wanted, folder / "wanted.json")
        installed.write_text(wanted.read_text())
        try:
            subprocess.run(["npm", "install", "--silent", "--no-package-lock", "--ignore-scripts",
                            "--no-audit", "--no-fund"], cwd=folder, check=True)
        except subprocess.CalledProcessError:
            installed.unlink()
            raise
    shutil.copy(source / "send.mjs", folder)
    output = subprocess.run(["node", "send.mjs", address, http or "grpc"], cwd=folder, check=True,
                            capture_output=True, text=True, timeout=300).stdout
    return parse_otlp_json(json.loads(output))


def send_tracegen(address, traces):
    """Traces of Jaeger's load generator, which is made with the SDK for Go."""
    subprocess.run(
        [f"{build_jaeger()}/tracegen-{VERSION}", "-traces", str(traces), "-spans", "3",
         "-service", "go-tracegen", "-trace-exporter", "otlp-grpc", "-pause", "0s"],
        check=True, capture_output=True, timeout=300,
        env=os.environ | {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{address}"})
