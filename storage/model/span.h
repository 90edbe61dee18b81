// A span decoded into plain values: the slow, easy form, for library users, tests and the naive
// reference evaluator. The store itself works on SpanTable and on segment columns.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/model/value.h"

namespace larder {

struct Attribute {
  std::string key{};
  ValueType type = ValueType::kEmpty;
  std::string payload{};  // as ValueType says
  friend bool operator==(const Attribute&, const Attribute&) = default;
};

struct Event {
  uint64_t time_ns = 0;
  std::string name{};
  std::vector<Attribute> attributes{};
  uint32_t dropped_attributes = 0;
  std::string unknown{};  // unknown protobuf fields, in wire order
  friend bool operator==(const Event&, const Event&) = default;
};

struct Link {
  TraceId trace_id{};
  SpanId span_id{};
  std::string trace_state{};
  std::vector<Attribute> attributes{};
  uint32_t dropped_attributes = 0;
  uint32_t flags = 0;
  std::string unknown{};
  friend bool operator==(const Link&, const Link&) = default;
};

struct Resource {
  std::vector<Attribute> attributes{};
  uint32_t dropped_attributes = 0;
  std::string schema_url{};
  std::string unknown{};        // of the Resource message
  std::string outer_unknown{};  // of the ResourceSpans message around it
  // The string value of service.name; empty when there is none.
  std::string_view service() const;
  friend bool operator==(const Resource&, const Resource&) = default;
};

struct Scope {
  std::string name{};
  std::string version{};
  std::vector<Attribute> attributes{};
  uint32_t dropped_attributes = 0;
  std::string schema_url{};
  std::string unknown{};
  std::string outer_unknown{};
  friend bool operator==(const Scope&, const Scope&) = default;
};

struct Span {
  TraceId trace_id{};
  SpanId span_id{};
  SpanId parent_span_id{};
  std::string trace_state{};
  std::string name{};
  int32_t kind = 0;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  std::vector<Attribute> attributes{};
  uint32_t dropped_attributes = 0;
  std::vector<Event> events{};
  uint32_t dropped_events = 0;
  std::vector<Link> links{};
  uint32_t dropped_links = 0;
  int32_t status_code = 0;
  std::string status_message{};
  std::string status_unknown{};
  uint32_t flags = 0;
  std::string unknown{};
  std::shared_ptr<const Resource> resource;  // never null in a decoded span
  std::shared_ptr<const Scope> scope;        // never null in a decoded span

  // Signed: end before start is negative.
  int64_t duration_ns() const { return static_cast<int64_t>(end_ns - start_ns); }
};

// Equal in every field, resource and scope included (by value).
bool operator==(const Span& a, const Span& b);

// Decodes every span of an ExportTraceServiceRequest or TracesData message, without judging ids
// (wrong-length ids are kInvalidArgument). Order as on the wire.
Result<std::vector<Span>> DecodeSpans(std::string_view traces_data);

// The TracesData message of spans, runs of equal resource and scope grouped.
std::string EncodeSpans(const std::vector<Span>& spans);

}  // namespace larder
