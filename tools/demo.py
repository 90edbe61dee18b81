"""Sends traces of a small shop to Larder with OpenTelemetry's SDK and shows one found again.

    demo.py --larder HOST:PORT --admin HOST:PORT --pid PID_OF_LARDER
"""

import argparse
import importlib
import pathlib
import random
import sys
import tempfile
import time

import grpc
import requests
from grpc_tools import protoc
from opentelemetry import context, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

ROOT = pathlib.Path(__file__).resolve().parent.parent
SERVICES = ("shop-web", "shop-cart", "shop-payment", "shop-stock")


def is_running(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until_ready(admin, pid):
    for _ in range(600):
        if not is_running(pid):
            sys.exit("Larder did not start; it says why above.")
        try:
            if requests.get(f"http://{admin}/readyz", timeout=5).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    sys.exit(f"Larder is not ready after a minute: see http://{admin}/readyz")


def pause():
    time.sleep(random.uniform(0.001, 0.004))


def checkout(tracers, buyer):
    """One customer's checkout over four services; every tenth card is declined."""
    web, cart, payment, stock = (tracers[service] for service in SERVICES)
    with web.start_as_current_span("POST /checkout", context=context.Context(),
                                   kind=SpanKind.SERVER,
                                   attributes={"user.id": f"user-{buyer}"}) as root:
        pause()
        with cart.start_as_current_span("read cart", kind=SpanKind.SERVER,
                                        attributes={"cart.items": buyer % 5 + 1}):
            pause()
            with stock.start_as_current_span("reserve", kind=SpanKind.SERVER):
                pause()
        with payment.start_as_current_span("charge card", kind=SpanKind.SERVER,
                                           attributes={"card.kind": "debit"}) as charge:
            pause()
            if buyer % 10 == 7:
                charge.add_event("declined", {"reason": "limit reached"})
                charge.set_status(StatusCode.ERROR, "card declined")
                root.set_status(StatusCode.ERROR)


def send_traces(address, count):
    providers = {}
    for service in SERVICES:
        providers[service] = TracerProvider(resource=Resource({"service.name": service}))
        providers[service].add_span_processor(
            BatchSpanProcessor(OTLPSpanExporter(address, insecure=True)))
    tracers = {service: provider.get_tracer("shop") for service, provider in providers.items()}
    for buyer in range(count):
        checkout(tracers, buyer)
    for provider in providers.values():
        provider.shutdown()


def storage_stubs():
    """Python code for jaeger.storage.v2, made from proto/."""
    folder = tempfile.mkdtemp(prefix="larder-demo-")
    google = pathlib.Path(protoc.__file__).parent / "_proto"
    protos = [str(path) for path in (ROOT / "proto/jaeger").rglob("*.proto")]
    if protoc.main(["protoc", f"-I{ROOT / 'proto'}", f"-I{google}", f"--python_out={folder}",
                    f"--grpc_python_out={folder}", *protos]) != 0:
        sys.exit("cannot make Python code from proto/")
    sys.path.append(folder)
    return (importlib.import_module("jaeger.storage.v2.trace_storage_pb2"),
            importlib.import_module("jaeger.storage.v2.trace_storage_pb2_grpc"))


def find_failed_checkout(address):
    """The newest trace with a declined card, as (service, span) pairs."""
    messages, stubs = storage_stubs()
    now = time.time_ns()
    query = messages.TraceQueryParameters(service_name="shop-payment", search_depth=1)
    attribute = query.attributes.add(key="error")
    attribute.value.string_value = "true"
    query.start_time_min.FromNanoseconds(now - 3600 * 10**9)
    query.start_time_max.FromNanoseconds(now)
    with grpc.insecure_channel(address) as channel:
        chunks = list(stubs.TraceReaderStub(channel).FindTraces(
            messages.FindTracesRequest(query=query)))
    spans = []
    for chunk in chunks:
        for resource in chunk.resource_spans:
            service = next(each.value.string_value for each in resource.resource.attributes
                           if each.key == "service.name")
            spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
    return sorted(spans, key=lambda each: each[1].start_time_unix_nano)


def show_trace(spans):
    begin = min(span.start_time_unix_nano for _, span in spans)
    end = max(span.end_time_unix_nano for _, span in spans)
    depths = {}
    print(f"\nThe newest checkout whose card was declined, trace {spans[0][1].trace_id.hex()}:\n")
    for service, span in spans:
        depth = depths[span.span_id] = depths.get(span.parent_span_id, -1) + 1
        left = 30 * (span.start_time_unix_nano - begin) // (end - begin)
        width = max(1, 30 * (span.end_time_unix_nano - span.start_time_unix_nano) // (end - begin))
        bar = (" " * left + "=" * width).ljust(31)
        ms = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
        failed = f"  ERROR {span.status.message}".rstrip() if span.status.code == 2 else ""
        print(f"  {service:<13} {'  ' * depth + span.name:<22} |{bar}| {ms:6.1f} ms{failed}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--larder", required=True)
    parser.add_argument("--admin", required=True)
    parser.add_argument("--pid", type=int, required=True)
    arguments = parser.parse_args()

    wait_until_ready(arguments.admin, arguments.pid)
    print(f"sending 100 traces of a small shop to {arguments.larder}")
    send_traces(arguments.larder, 100)
    spans = find_failed_checkout(arguments.larder)
    if not spans:
        sys.exit("the declined checkout was not found again: this is a defect of Larder")
    show_trace(spans)
    print(f"""
Point an OpenTelemetry SDK at Larder:
  export OTEL_EXPORTER_OTLP_ENDPOINT=http://{arguments.larder} OTEL_EXPORTER_OTLP_PROTOCOL=grpc
Point Jaeger v2 at Larder and open http://127.0.0.1:16686:
  jaeger --config tools/jaeger/larder.yaml     (no Jaeger? tools/jaeger/build.sh builds one)
Health and metrics: http://{arguments.admin}/readyz  http://{arguments.admin}/metrics
""")


if __name__ == "__main__":
    main()
