// The resources and scopes of a SpanTable, each kept once by the bytes of its envelope and decoded
// when it is new.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "storage/model/envelope.h"
#include "storage/model/table/byte_arena.h"
#include "storage/model/table/chunked_array.h"
#include "storage/model/table/interner.h"
#include "storage/model/table/pair_table.h"
#include "storage/model/table/span_table.h"

namespace larder {

// Spellings of one dictionary: bytes to id, where several may stand for the same.
class SpellingIndex {
 public:
  uint32_t Find(std::string_view bytes) const {
    const uint32_t found = index_.Find(
        Hash64(bytes), [&](uint32_t spelling) { return spellings_[spelling].bytes == bytes; });
    return found == kNoId ? kNoId : spellings_[found].id;
  }
  // `bytes` must outlive this.
  void Insert(std::string_view bytes, uint32_t id) {
    index_.Insert(Hash64(bytes), static_cast<uint32_t>(spellings_.size()));
    spellings_.push_back({bytes, id});
  }
  uint64_t memory_bytes() const {
    return index_.memory_bytes() + spellings_.capacity() * sizeof(Spelling);
  }

 private:
  struct Spelling {
    std::string_view bytes;
    uint32_t id;
  };
  HashIndex index_;
  std::vector<Spelling> spellings_;
};

// Envelopes are kept in their canonical form, so that equal resources have equal bytes however a
// client spells them. Readers may use the const functions for published ids; the rest is the
// writer's.
class EnvelopeTable {
 public:
  ResourceView resource(ResourceId id) const { return resources_[id]; }
  ScopeView scope(ScopeId id) const { return scopes_[id]; }
  uint32_t resource_count() const { return resources_.size(); }
  uint32_t scope_count() const { return scopes_.size(); }

  // A request begins: what is new in its envelopes may take about this much.
  void SetRoom(uint64_t bytes) { room_bytes_ = bytes; }

  // kMalformed: the envelope is not OTLP. kTooMuch: there is no room. On another fault too it is
  // not interned and its spans cannot be kept. Throw protozero::exception on broken bytes.
  PairFault InternResource(std::string_view envelope, const AppendLimits& limits, ResourceId* id);
  PairFault InternScope(std::string_view envelope, const AppendLimits& limits, ScopeId* id);

  uint64_t memory_bytes() const;

 private:
  // Of a large envelope, before it is read.
  bool IsTooMuch(std::string_view envelope, uint32_t tag) const;
  // kTooMuch when an envelope of that many attributes has no room; else takes it.
  PairFault TakeRoom(uint64_t attributes, std::string_view envelope);
  // False: the table is full. REQUIRES: judged.
  bool AddResource(std::string_view canonical);
  bool AddScope(std::string_view canonical);
  bool AddAttributes(std::span<const std::string_view> key_values,
                     std::span<const AttributeView>* attributes);

  ChunkedArray<ResourceView, 2, 9, 1u << 21> resources_;
  ChunkedArray<ScopeView, 2, 9, 1u << 21> scopes_;
  ChunkedArray<AttributeView, 4, 10, 1u << 22> attributes_;
  ByteArena arena_;
  SpellingIndex resource_index_;
  SpellingIndex scope_index_;
  uint64_t room_bytes_ = UINT64_MAX;
};

}  // namespace larder
