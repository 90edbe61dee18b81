// What stands around spans: the request, ResourceSpans and ScopeSpans, and the resource and scope
// inside them. An envelope is all bytes of such a group but its children.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/wire.h"

namespace larder {

// Walks the children of a message: of an ExportTraceServiceRequest (ResourceSpans), a ResourceSpans
// (ScopeSpans) or a ScopeSpans (Spans). Like the rest of this header it throws protozero::exception
// on broken bytes.
class ChildReader {
 public:
  // The tag tells which: otlp::request::kResourceSpans or otlp::group::kChildren.
  ChildReader(std::string_view message, uint32_t tag) : reader_(message), tag_(tag) {}

  // False at the end, or at a child that is of another wire type: see is_mistyped.
  bool Next(std::string_view* child);
  bool is_mistyped() const { return is_mistyped_; }

 private:
  wire::Reader reader_;
  uint32_t tag_;
  bool is_mistyped_ = false;
};

// The envelope of a ResourceSpans or ScopeSpans. The view points into the message where the
// envelope lies in one piece, else into `scratch`.
std::string_view ReadEnvelope(std::string_view message, std::string* scratch);

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

// How many attributes an envelope has: known before anything is kept of it. `tag` is
// otlp::resource::kAttributes or otlp::scope::kAttributes.
uint64_t CountAttributes(std::string_view envelope, uint32_t tag);

// Read an envelope; repeated messages are merged, of a repeated scalar the last one counts. False:
// a field of OTLP has another wire type.
bool ReadResource(std::string_view envelope, ResourceFields* resource);
bool ReadScope(std::string_view envelope, ScopeFields* scope);

// Append the canonical envelope: fields in the order of their numbers, defaults and an empty owner
// left out, then what is unknown. Equal fields give equal bytes.
void WriteResource(const ResourceFields& resource, std::string* envelope);
void WriteScope(const ScopeFields& scope, std::string* envelope);

}  // namespace larder
