#include "storage/model/table/pair_table.h"

#include <cstring>

#include "storage/model/otlp_fields.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

// A column is unique once it has had this many new values, and fewer than one in kHitShare found.
constexpr uint32_t kMissesMin = 256;
constexpr uint32_t kHitShare = 16;

PairFault FromValueFault(ValueFault fault) {
  return fault == ValueFault::kTooDeep ? PairFault::kTooDeep : PairFault::kMalformed;
}

// memcmp for what is mostly 20 to 60 bytes: without a call.
bool EqualBytes(const char* a, std::string_view b) {
  const size_t size = b.size();
  const auto differ = [&](size_t at) {
    uint64_t x = 0;
    uint64_t y = 0;
    std::memcpy(&x, a + at, sizeof x);
    std::memcpy(&y, b.data() + at, sizeof y);
    return x ^ y;
  };
  if (size == 0) return true;  // the pointers may be null, which memcmp does not take
  if (size < 8 || size > 128) return std::memcmp(a, b.data(), size) == 0;
  uint64_t difference = differ(size - 8);
  for (size_t at = 0; at + 8 < size; at += 8) difference |= differ(at);
  return difference == 0;
}

// Where the payload lies once the message is kept with, for an int, its 8 bytes behind it.
uint32_t PayloadOffset(std::string_view key_value, const AttributeView& attribute) {
  const auto size = static_cast<uint32_t>(key_value.size());
  if (attribute.type == ValueType::kInt) return size;
  if (attribute.type == ValueType::kBool) return size - 1;  // reproducible: the last byte
  if (attribute.payload.empty()) return 0;
  return static_cast<uint32_t>(attribute.payload.data() - key_value.data());
}

}  // namespace

PairView PairTable::operator[](PairId id) const {
  const Entry& entry = entries_[id];
  const ColumnKey& key = columns_[entry.column];
  return {
      .attribute = {key.key, key.type, {entry.bytes + entry.payload_offset, entry.payload_size}},
      .key_value = entry.view(),
      .column = entry.column};
}

PairFault PairTable::InternList(std::span<const std::string_view> key_values, StringId kind,
                                const AppendLimits& limits, PairId* ids, uint32_t* faulty) {
  if (kind >= heads_.size()) heads_.resize(kind + 1, kNoId);
  PairId after = kHead;
  for (size_t i = 0; i < key_values.size(); ++i) {
    const std::string_view key_value = key_values[i];
    const PairId predicted = Successor(kind, after);
    if (predicted != kNoId) {
      const Guess& guess = guesses_[predicted];
      if (guess.size == key_value.size() && EqualBytes(guess.bytes, key_value)) {
        ids[i] = after = predicted;
        continue;
      }
    }
    const PairFault fault = InternAfter(key_value, kind, limits, &after, &ids[i]);
    if (fault != PairFault::kNone) {
      *faulty = static_cast<uint32_t>(i);
      return fault;
    }
  }
  return PairFault::kNone;
}

// A pair that is not the predicted one. `after` is the pair before it; then the one behind which
// its successor is to be found.
PairFault PairTable::InternAfter(std::string_view key_value, StringId kind,
                                 const AppendLimits& limits, PairId* after, PairId* id) {
  const PairId predicted = Successor(kind, *after);
  if (predicted != kNoId && IsUniqueKeyOf(predicted, key_value)) {
    // What was predicted stays: it stands for its column.
    const PairFault fault = Add(key_value, predicted, limits, id);
    if (fault == PairFault::kNone) *after = uses_[entries_[*id].column].first;
    return fault;
  }
  const uint64_t hash = Hash64(key_value);
  *id = index_.Find(hash, [&](PairId known) {
    const Guess& guess = guesses_[known];
    return guess.size == key_value.size() && EqualBytes(guess.bytes, key_value);
  });
  if (*id != kNoId) {
    ++uses_[entries_[*id].column].hits;
  } else {
    const PairFault fault = Add(key_value, predicted, limits, id);
    if (fault != PairFault::kNone) return fault;
    if (!uses_[entries_[*id].column].unique) index_.Insert(hash, *id);
  }
  const ColumnUse& use = uses_[entries_[*id].column];
  const PairId next = use.unique ? use.first : *id;
  Successor(kind, *after) = next;
  *after = next;
  return PairFault::kNone;
}

// Whether `id` is of a unique column and `key_value` starts with the same key.
bool PairTable::IsUniqueKeyOf(PairId id, std::string_view key_value) const {
  const Entry& entry = entries_[id];
  if (!uses_[entry.column].unique) return false;
  const ColumnKey& key = columns_[entry.column];
  if (key.type == ValueType::kRaw) return false;
  const size_t prefix = wire::BytesFieldSize(otlp::key_value::kKey, key.key.size());
  return key_value.substr(0, prefix) == entry.view().substr(0, prefix);
}

PairFault PairTable::Add(std::string_view key_value, PairId predicted, const AppendLimits& limits,
                         PairId* id) {
  char scratch[8];
  AttributeView attribute;
  const ValueFault fault = ReadKeyValue(key_value, limits.nesting_max, scratch, &attribute);
  if (fault != ValueFault::kNone) return FromValueFault(fault);
  MakeReproducible(key_value, &attribute);
  if (attribute.payload.size() > limits.attribute_value_bytes_max ||
      attribute.key.size() > limits.attribute_value_bytes_max) {
    return PairFault::kTooLarge;
  }
  if (entries_.size() >= entries_.kSizeMax || columns_.size() >= columns_.kSizeMax) {
    return PairFault::kTableFull;
  }
  const bool is_int = attribute.type == ValueType::kInt;
  char* const bytes = arena_.Allocate(key_value.size() + (is_int ? sizeof scratch : 0));
  if (!key_value.empty()) std::memcpy(bytes, key_value.data(), key_value.size());
  if (is_int) std::memcpy(bytes + key_value.size(), scratch, sizeof scratch);
  *id = entries_.size();
  const uint32_t column = ColumnOf(attribute, predicted);
  entries_.PushBack({.bytes = bytes,
                     .size = static_cast<uint32_t>(key_value.size()),
                     .column = column,
                     .payload_offset = PayloadOffset(key_value, attribute),
                     .payload_size = static_cast<uint32_t>(attribute.payload.size())});
  CountMiss(&uses_[column]);
  // A new value of the predicted key is likely followed by what follows the predicted one.
  const bool alike = predicted != kNoId && entries_[predicted].column == column;
  guesses_.push_back({.bytes = bytes,
                      .size = static_cast<uint32_t>(key_value.size()),
                      .successor = alike ? guesses_[predicted].successor : kNoId});
  return PairFault::kNone;
}

uint32_t PairTable::ColumnOf(const AttributeView& attribute, PairId predicted) {
  const auto is_it = [&](uint32_t column) {
    const ColumnKey& key = columns_[column];
    return key.type == attribute.type && key.key == attribute.key;
  };
  if (predicted != kNoId && is_it(entries_[predicted].column)) return entries_[predicted].column;
  const uint64_t hash = Hash64(attribute.key) + static_cast<uint64_t>(attribute.type);
  const uint32_t known = column_index_.Find(hash, is_it);
  if (known != kNoId) return known;
  const uint32_t column = columns_.size();
  columns_.PushBack({arena_.Copy(attribute.key), attribute.type});
  uses_.push_back({.first = entries_.size()});
  column_index_.Insert(hash, column);
  return column;
}

void PairTable::CountMiss(ColumnUse* use) {
  ++use->misses;
  use->unique = use->unique || (use->misses >= kMissesMin && use->hits < use->misses / kHitShare);
}

uint64_t PairTable::memory_bytes() const {
  return entries_.memory_bytes() + columns_.memory_bytes() + arena_.memory_bytes() +
         index_.memory_bytes() + column_index_.memory_bytes() +
         uses_.capacity() * sizeof(ColumnUse) + guesses_.capacity() * sizeof(Guess) +
         heads_.capacity() * sizeof(PairId);
}

}  // namespace larder
