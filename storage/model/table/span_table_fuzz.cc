// Any bytes as a request: refused, or given back so that they decode to the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "storage/base/check.h"
#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/model/traces_data_writer.h"

namespace {

std::string Encode(const larder::SpanTable& table) {
  larder::TracesDataWriter writer;
  for (uint32_t i = 0; i < table.published_rows(); ++i) {
    const larder::SpanRow& row = table.row(i);
    std::string span;
    table.EncodeSpan(i, &span);
    writer.Add(table.resource(row.resource).envelope, table.scope(row.scope).envelope, span);
  }
  return writer.Finish();
}

void CheckAttribute(std::string_view bytes) {
  char scratch[8];
  const auto attribute = larder::DecodeKeyValue(bytes, scratch);
  if (!attribute.ok()) return;
  std::string again;
  larder::EncodeKeyValue(*attribute, &again);
  LARDER_CHECK(again == bytes);
  larder::ValueText(attribute->type, attribute->payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view request(reinterpret_cast<const char*>(data), size);
  CheckAttribute(request);
  larder::SpanTable table;
  // Twice, so that the second walk meets what the first has interned.
  const auto first = table.Append(request, {});
  const auto second = table.Append(request, {});
  LARDER_CHECK(first.ok() == second.ok());
  if (!first.ok()) return 0;
  table.Publish();
  LARDER_CHECK(table.published_rows() == first->accepted_spans + second->accepted_spans);
  if (first->rejected_spans == 0) {
    const auto sent = larder::DecodeSpans(std::string(request) + std::string(request));
    const auto kept = larder::DecodeSpans(Encode(table));
    LARDER_CHECK(sent.ok());
    LARDER_CHECK(kept.ok());
    LARDER_CHECK(*sent == *kept);
  }
  return 0;
}
