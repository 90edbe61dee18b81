// Writes a jaeger.api_v2.Span from the fields of an OTLP span.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/envelope.h"
#include "storage/model/ids.h"
#include "storage/model/span_fields.h"
#include "storage/model/value.h"

namespace larder::v1 {

// What may be written; what is beyond is cut or left out.
struct WriteLimits {
  size_t text_bytes_max = SIZE_MAX;  // of each key and value
  size_t items_max = SIZE_MAX;       // tags, fields of logs, logs and references of the span

  bool are_none() const { return text_bytes_max == SIZE_MAX && items_max == SIZE_MAX; }
};

// For one span or one process. With limits a span carries a warning that says so. Throws
// protozero::exception on broken bytes.
class SpanWriter {
 public:
  SpanWriter(const WriteLimits& limits, std::string* out) : limits_(limits), out_(out) {}

  void Write(const SpanFields& span, const ScopeFields& scope, std::string_view process);
  // The Process message itself, not as a field of a span.
  void WriteProcess(const ResourceFields& resource);

 private:
  void WriteReferences(const SpanFields& span);
  void WriteReference(const TraceId& trace_id, const SpanId& span_id, uint32_t type);
  void WriteTags(const SpanFields& span, const ScopeFields& scope);
  void WriteLog(const SpanFields& span, const EventFields& event);
  void WriteWarnings(const SpanFields& span);
  void WriteWarning(const AttributeView& attribute);
  // A tag in the field of that number of `to`.
  void Add(uint32_t field, const AttributeView& attribute, std::string* to);
  void AddText(uint32_t field, std::string_view key, std::string_view text, std::string* to);
  std::string_view Cut(std::string_view text) const {
    return text.substr(0, limits_.text_bytes_max);
  }
  bool TakeItem() { return items_++ < limits_.items_max; }

  const WriteLimits limits_;
  std::string* const out_;
  std::string tag_;
  size_t items_ = 0;
};

}  // namespace larder::v1
