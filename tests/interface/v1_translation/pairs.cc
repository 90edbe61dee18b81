// Writes random spans and what our translation makes of them, for compare.go to hold against
// Jaeger's own: for each pair the length of a message (4 bytes, little-endian) and the message,
// first a jaeger.api_v2.Span and our TracesData of it, then a TracesData and our SpansResponseChunk
// of it.
//
//   larder_v1_pairs COUNT
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "plugin/v1/from_otlp.h"
#include "plugin/v1/to_otlp.h"
#include "storage/base/check.h"
#include "storage/model/span.h"
#include "storage/model/traces_data_writer.h"
#include "storage/model/wire.h"
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"
#include "tests/support/v1_span_generator.h"

namespace larder {
namespace {

void Print(std::string_view message) {
  const auto size = static_cast<uint32_t>(message.size());
  std::fwrite(&size, sizeof size, 1, stdout);
  std::fwrite(message.data(), 1, message.size(), stdout);
}

void PrintToOtlp(const std::string& span) {
  const Result<v1::OtlpSpan> otlp = v1::ToOtlp(span);
  LARDER_CHECK(otlp.ok());
  TracesDataWriter writer;
  writer.Add(otlp->resource, otlp->scope, otlp->span);
  Print(span);
  Print(writer.Finish());
}

void PrintFromOtlp(const std::string& traces) {
  std::string chunk;
  v1::SpansFromOtlp spans(traces);
  for (;;) {
    const Result<bool> next = spans.Next();
    LARDER_CHECK(next.ok());
    if (!*next) break;
    const Result<std::string> span = spans.Encode();
    LARDER_CHECK(span.ok());
    wire::AppendBytes(1 << 3 | 2, *span, &chunk);
  }
  Print(traces);
  Print(chunk);
}

int Run(int count) {
  Random random(TestSeed());
  SpanGenerator generator(&random, {.hostile_one_in = 0});
  for (int i = 0; i < count; ++i) {
    PrintToOtlp(RandomV1Span(&random, V1SpanKind::kTranslatable).SerializeAsString());
    PrintFromOtlp(EncodeSpans({generator.Next()}));
  }
  return 0;
}

}  // namespace
}  // namespace larder

int main(int argc, char** argv) { return larder::Run(argc > 1 ? std::atoi(argv[1]) : 1000); }
