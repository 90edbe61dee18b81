// Any bytes as a request in JSON: refused, or a message that the store can walk.
#include <cstddef>
#include <cstdint>

#include "plugin/otlp_http/otlp_json.h"
#include "storage/base/check.h"
#include "storage/model/table/span_table.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  const auto wire = larder::OtlpJsonToWire(json);
  if (!wire.ok()) {
    LARDER_CHECK(!wire.status().message().empty());
    return 0;
  }
  LARDER_CHECK(wire->size() <= size);
  larder::SpanTable table;
  const auto appended = table.Append(*wire, {});
  LARDER_CHECK(appended.ok() || appended.status().code() == larder::StatusCode::kInvalidArgument);
  return 0;
}
