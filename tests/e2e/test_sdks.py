"""Traces of real SDKs, through Jaeger and directly into Larder, read back through Jaeger."""

import pytest
from grpc import Compression
from opentelemetry.exporter.otlp.proto.http import Compression as HttpCompression
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter

from harness import sdk
from harness.otlp import assert_same_spans, span_count


def ids_of(traces):
    return {span.trace_id.hex() for resource in traces.resource_spans
            for scope in resource.scope_spans for span in scope.spans}


@pytest.mark.parametrize("way", ["jaeger", "larder", "larder, gzip", "larder by http",
                                 "larder by http, gzip"])
def test_python(jaeger, larder, way):
    if way == "jaeger":
        shop = sdk.PythonShop(lambda: HttpExporter(jaeger.otlp_http_url + "/v1/traces"))
    elif "http" in way:
        compression = HttpCompression.Gzip if "gzip" in way else HttpCompression.NoCompression
        shop = sdk.PythonShop(lambda: HttpExporter(
            larder.otlp_http_url + "/v1/traces", compression=compression))
    else:
        compression = Compression.Gzip if "gzip" in way else None
        shop = sdk.PythonShop(lambda: GrpcExporter(
            larder.grpc_address, insecure=True, compression=compression))
    trace_id = shop.buy()
    sent = shop.close()

    assert_same_spans(jaeger.trace(trace_id), sent)
    assert set(shop.SERVICES) <= set(jaeger.services())
    assert jaeger.operations("python-cart") == [("add to cart", "client")]
    assert jaeger.operations("python-stock") == [("reserve", "consumer")]


@pytest.mark.parametrize("way", ["jaeger", "larder", "larder by http", "larder by json"])
def test_node(jaeger, larder, way):
    address = {"jaeger": jaeger.otlp_grpc_address, "larder": larder.grpc_address}.get(
        way, larder.otlp_http_url + "/v1/traces")
    sent = sdk.send_node(address, {"larder by http": "proto", "larder by json": "json"}.get(way))
    (trace_id,) = ids_of(sent)

    assert_same_spans(jaeger.trace(trace_id), sent)
    assert "node-checkout" in jaeger.services()


@pytest.mark.parametrize("way", ["jaeger", "larder"])
def test_go(jaeger, larder, way):
    address = jaeger.otlp_grpc_address if way == "jaeger" else larder.grpc_address
    sdk.send_tracegen(address, traces=25)

    assert "go-tracegen" in jaeger.services()
    assert ("lets-go", "server") in jaeger.operations("go-tracegen")
    found = jaeger.get("/api/traces", service="go-tracegen", limit=200)["data"]
    assert len(found) >= 25
    assert span_count(jaeger.trace(found[0]["traceID"])) == 4
