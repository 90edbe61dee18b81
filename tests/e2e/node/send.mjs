// Sends one trace of a shop's checkout with OpenTelemetry's SDK for Node to the address in argv[2],
// by the protocol in argv[3] (grpc, or proto or json over HTTP), and prints the same spans as OTLP
// JSON, so that the reader knows what was sent.
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';

const sent = new InMemorySpanExporter();
const [address, protocol] = process.argv.slice(2);
const { OTLPTraceExporter } = await import({
  grpc: '@opentelemetry/exporter-trace-otlp-grpc',
  proto: '@opentelemetry/exporter-trace-otlp-proto',
  json: '@opentelemetry/exporter-trace-otlp-http',
}[protocol]);
const exporter = new OTLPTraceExporter({
  url: protocol === 'grpc' ? `http://${address}` : address,
  compression: protocol === 'json' ? 'gzip' : 'none',
});
const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': 'node-checkout', 'host.cpus': 2 }),
  spanProcessors: [new SimpleSpanProcessor(exporter), new SimpleSpanProcessor(sent)],
});
const tracer = provider.getTracer('checkout', '2.1.0');

const order = tracer.startSpan('POST /orders', {
  kind: SpanKind.SERVER,
  attributes: { 'http.status_code': 500, 'order.total': 12.5, 'order.gift': true },
});
const inOrder = trace.setSpan(context.active(), order);
const charge = tracer.startSpan('charge card', {
  kind: SpanKind.CLIENT,
  attributes: { 'card.tries': [1, 2, 3], 'card.owner': 'Zoë' },
  links: [{
    context: { traceId: '0102030405060708090a0b0c0d0e0f10', spanId: '0102030405060708', traceFlags: 1 },
    attributes: { why: 'retry of' },
  }],
}, inOrder);
charge.addEvent('declined', { code: 51, fatal: false });
charge.recordException(new Error('card declined'));
charge.setStatus({ code: SpanStatusCode.ERROR, message: 'card declined' });
charge.end();
order.end();

await provider.forceFlush();
process.stdout.write(JsonTraceSerializer.serializeRequest(sent.getFinishedSpans()));
await provider.shutdown();
