// What stands around spans: the request, ResourceSpans and ScopeSpans, and the resource and scope
// inside them. An envelope is all bytes of such a group but its children.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larder {

// The children of an ExportTraceServiceRequest or TracesData. Unknown fields beside them belong to
// no span and are passed over. False: a field of OTLP has another wire type. Like the rest of this
// header it throws protozero::exception on broken bytes.
bool SplitRequest(std::string_view message, std::vector<std::string_view>* resource_spans);

// Splits a ResourceSpans or ScopeSpans into its envelope and its children (ScopeSpans, Spans). The
// view points into the message where the envelope lies in one piece, else into `scratch`.
bool SplitGroup(std::string_view message, std::string* scratch, std::string_view* envelope,
                std::vector<std::string_view>* children);

struct ResourceFields {
  std::vector<std::string_view> key_values;
  uint32_t dropped_attributes = 0;
  std::string_view schema_url;
  std::string unknown;        // of the Resource
  std::string outer_unknown;  // of the ResourceSpans
};

struct ScopeFields {
  std::string_view name;
  std::string_view version;
  std::vector<std::string_view> key_values;
  uint32_t dropped_attributes = 0;
  std::string_view schema_url;
  std::string unknown;
  std::string outer_unknown;
};

// Read an envelope; repeated messages are merged, of a repeated scalar the last one counts.
bool ReadResource(std::string_view envelope, ResourceFields* resource);
bool ReadScope(std::string_view envelope, ScopeFields* scope);

}  // namespace larder
