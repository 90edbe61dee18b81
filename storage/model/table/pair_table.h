// The KeyValues of a SpanTable, each kept once by its wire bytes.
//
// Lists of attributes repeat: after one pair nearly always follows the pair that followed it last
// time, which costs one comparison and no hash. Where it does not, the dictionary is asked. A key
// whose values are nearly always new (request ids) is not put into the dictionary at all.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "storage/model/key_value_reader.h"
#include "storage/model/table/byte_arena.h"
#include "storage/model/table/chunked_array.h"
#include "storage/model/table/interner.h"
#include "storage/model/table/span_table.h"

namespace larder {

enum class PairFault : uint8_t { kNone, kMalformed, kTooDeep, kTooLarge, kTooMuch, kTableFull };

// Readers may use the const functions for published ids; the rest is the writer's.
class PairTable {
 public:
  PairView operator[](PairId id) const;
  ColumnKey column(uint32_t column) const { return columns_[column]; }
  uint32_t size() const { return entries_.size(); }
  uint32_t column_count() const { return columns_.size(); }

  // Interns a list in order; `ids` has as much room. `kind` groups lists that are likely alike (the
  // StringId of the span's or event's name). On a fault `*faulty` is its place in the list; what
  // came before stays interned. Throws protozero::exception on broken bytes.
  PairFault InternList(std::span<const std::string_view> key_values, StringId kind,
                       const AppendLimits& limits, PairId* ids, uint32_t* faulty);

  uint64_t memory_bytes() const;

 private:
  struct Entry {
    const char* bytes;
    uint32_t size;
    uint32_t column;
    uint32_t payload_offset;
    uint32_t payload_size;
    std::string_view view() const { return {bytes, size}; }
  };
  struct ColumnUse {
    uint32_t hits = 0;    // found in the dictionary
    uint32_t misses = 0;  // had to be added
    PairId first = 0;     // the column's first pair, which stands for all once it is `unique`
    bool unique = false;  // nearly always new: not in the dictionary any more
  };
  // What the writer looks at for every pair of every span, in one cache line.
  struct Guess {
    const char* bytes;
    uint32_t size;
    PairId successor;  // the pair that came next the last time
  };
  // Where the next pair is remembered: behind a pair, or at the head of a kind of list.
  static constexpr uint32_t kHead = kNoId;

  PairId& Successor(StringId kind, PairId after) {
    return after == kHead ? heads_[kind] : guesses_[after].successor;
  }
  PairFault InternAfter(std::string_view key_value, StringId kind, const AppendLimits& limits,
                        PairId* after, PairId* id);
  bool IsUniqueKeyOf(PairId id, std::string_view key_value) const;
  PairFault Add(std::string_view key_value, PairId predicted, const AppendLimits& limits,
                PairId* id);
  uint32_t ColumnOf(const AttributeView& attribute, PairId predicted);
  void CountMiss(ColumnUse* use);

  ChunkedArray<Entry, 5, 12, 1u << 24> entries_;
  ChunkedArray<ColumnKey, 5, 9, 1u << 21> columns_;
  ByteArena arena_;
  HashIndex index_;
  HashIndex column_index_;
  std::vector<ColumnUse> uses_;
  std::vector<Guess> guesses_;  // by pair
  std::vector<PairId> heads_;   // by kind of list
};

}  // namespace larder
