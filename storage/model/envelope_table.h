// The resources and scopes of a SpanTable, each kept once by the bytes of its envelope and decoded
// when it is new.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "storage/model/chunked_array.h"
#include "storage/model/envelope.h"
#include "storage/model/interner.h"
#include "storage/model/pair_table.h"
#include "storage/model/span_table.h"

namespace larder {

// Readers may use the const functions for published ids; the rest is the writer's.
class EnvelopeTable {
 public:
  ResourceView resource(ResourceId id) const { return resources_[id]; }
  ScopeView scope(ScopeId id) const { return scopes_[id]; }
  uint32_t resource_count() const { return resources_.size(); }
  uint32_t scope_count() const { return scopes_.size(); }

  // kMalformed: the envelope is not OTLP. On another fault it is not interned and its spans cannot
  // be kept. Throw protozero::exception on broken bytes.
  PairFault InternResource(std::string_view envelope, const AppendLimits& limits, ResourceId* id);
  PairFault InternScope(std::string_view envelope, const AppendLimits& limits, ScopeId* id);

  uint64_t memory_bytes() const;

 private:
  PairFault AddAttributes(std::span<const std::string_view> key_values, const AppendLimits& limits,
                          std::span<const AttributeView>* attributes);

  ChunkedArray<ResourceView, 9, 1u << 12> resources_;
  ChunkedArray<ScopeView, 9, 1u << 12> scopes_;
  ChunkedArray<AttributeView, 10, 1u << 12> attributes_;
  ByteArena arena_;
  HashIndex resource_index_;
  HashIndex scope_index_;
};

}  // namespace larder
