#include "storage/model/table/envelope_table.h"

#include <cstring>

#include "storage/model/otlp_fields.h"

namespace larder {
namespace {

// The string value of the first service.name, as pdata's Get finds it.
std::string_view ServiceName(std::span<const AttributeView> attributes) {
  for (const AttributeView& attribute : attributes) {
    if (attribute.key != "service.name") continue;
    if (attribute.type == ValueType::kString) return attribute.payload;
    if (attribute.type != ValueType::kRaw) return {};
    char scratch[8];
    const Result<AttributeView> meant = InterpretKeyValue(attribute.payload, scratch);
    return meant.ok() && meant->type == ValueType::kString ? meant->payload : std::string_view();
  }
  return {};
}

// Before anything is kept: what is refused again and again must not take memory each time.
PairFault Judge(std::span<const std::string_view> key_values, const AppendLimits& limits) {
  for (const std::string_view key_value : key_values) {
    char scratch[8];
    AttributeView attribute;
    const ValueFault fault = ReadKeyValue(key_value, limits.nesting_max, scratch, &attribute);
    if (fault == ValueFault::kTooDeep) return PairFault::kTooDeep;
    if (fault == ValueFault::kMalformed) return PairFault::kMalformed;
    MakeReproducible(key_value, &attribute);
    if (attribute.payload.size() > limits.attribute_value_bytes_max ||
        attribute.key.size() > limits.attribute_value_bytes_max) {
      return PairFault::kTooLarge;
    }
  }
  return PairFault::kNone;
}

// A run of attributes may leave as much of a piece unused as it fills.
constexpr uint64_t kAttributeBytes = 2 * (sizeof(AttributeView) + 8);
constexpr uint64_t kEnvelopeBytes = 256;  // a view, and its place in an index
// Smaller ones may be read before they are judged.
constexpr size_t kLargeEnvelopeBytes = 1 << 20;

uint64_t RoomFor(uint64_t attributes, std::string_view envelope) {
  // As it came and canonical.
  return attributes * kAttributeBytes + kEnvelopeBytes + 2 * envelope.size();
}

}  // namespace

bool EnvelopeTable::IsTooMuch(std::string_view envelope, uint32_t tag) const {
  return envelope.size() > kLargeEnvelopeBytes &&
         RoomFor(CountAttributes(envelope, tag), envelope) > room_bytes_;
}

PairFault EnvelopeTable::TakeRoom(uint64_t attributes, std::string_view envelope) {
  const uint64_t bytes = RoomFor(attributes, envelope);
  if (bytes > room_bytes_) return PairFault::kTooMuch;
  room_bytes_ -= bytes;
  return PairFault::kNone;
}

bool EnvelopeTable::AddAttributes(std::span<const std::string_view> key_values,
                                  std::span<const AttributeView>* attributes) {
  uint32_t first = 0;
  const auto count = static_cast<uint32_t>(key_values.size());
  if (!attributes_.AllocateRun(count, &first)) return false;
  for (uint32_t i = 0; i < count; ++i) {
    AttributeView& attribute = attributes_.Mutable(first + i);
    ReadKeyValue(key_values[i], kNestingMax, arena_.Allocate(8), &attribute);
    MakeReproducible(key_values[i], &attribute);
  }
  *attributes = attributes_.Run(first, count);
  return true;
}

PairFault EnvelopeTable::InternResource(std::string_view envelope, const AppendLimits& limits,
                                        ResourceId* id) {
  *id = resource_index_.Find(envelope);
  if (*id != kNoId) return PairFault::kNone;
  if (IsTooMuch(envelope, otlp::resource::kAttributes)) return PairFault::kTooMuch;
  ResourceFields fields;
  if (!ReadResource(envelope, &fields)) return PairFault::kMalformed;
  PairFault fault = Judge(fields.key_values, limits);
  if (fault == PairFault::kNone) fault = TakeRoom(fields.key_values.size(), envelope);
  if (fault != PairFault::kNone) return fault;
  std::string canonical;
  WriteResource(fields, &canonical);
  *id = resource_index_.Find(canonical);
  if (*id == kNoId) {
    *id = resources_.size();
    if (!AddResource(canonical)) return PairFault::kTableFull;
    resource_index_.Insert(resources_[*id].envelope, *id);
  }
  if (envelope != canonical) resource_index_.Insert(arena_.Copy(envelope), *id);
  return PairFault::kNone;
}

bool EnvelopeTable::AddResource(std::string_view canonical) {
  if (resources_.size() >= resources_.kSizeMax) return false;
  ResourceView view;
  view.envelope = arena_.Copy(canonical);
  ResourceFields fields;
  if (!ReadResource(view.envelope, &fields)) return false;
  if (!AddAttributes(fields.key_values, &view.attributes)) return false;
  view.service = ServiceName(view.attributes);
  view.schema_url = fields.schema_url;
  resources_.PushBack(view);
  return true;
}

PairFault EnvelopeTable::InternScope(std::string_view envelope, const AppendLimits& limits,
                                     ScopeId* id) {
  *id = scope_index_.Find(envelope);
  if (*id != kNoId) return PairFault::kNone;
  if (IsTooMuch(envelope, otlp::scope::kAttributes)) return PairFault::kTooMuch;
  ScopeFields fields;
  if (!ReadScope(envelope, &fields)) return PairFault::kMalformed;
  PairFault fault = Judge(fields.key_values, limits);
  if (fault == PairFault::kNone) fault = TakeRoom(fields.key_values.size(), envelope);
  if (fault != PairFault::kNone) return fault;
  std::string canonical;
  WriteScope(fields, &canonical);
  *id = scope_index_.Find(canonical);
  if (*id == kNoId) {
    *id = scopes_.size();
    if (!AddScope(canonical)) return PairFault::kTableFull;
    scope_index_.Insert(scopes_[*id].envelope, *id);
  }
  if (envelope != canonical) scope_index_.Insert(arena_.Copy(envelope), *id);
  return PairFault::kNone;
}

bool EnvelopeTable::AddScope(std::string_view canonical) {
  if (scopes_.size() >= scopes_.kSizeMax) return false;
  ScopeView view;
  view.envelope = arena_.Copy(canonical);
  ScopeFields fields;
  if (!ReadScope(view.envelope, &fields)) return false;
  if (!AddAttributes(fields.key_values, &view.attributes)) return false;
  view.name = fields.name;
  view.version = fields.version;
  view.schema_url = fields.schema_url;
  scopes_.PushBack(view);
  return true;
}

uint64_t EnvelopeTable::memory_bytes() const {
  return resources_.memory_bytes() + scopes_.memory_bytes() + attributes_.memory_bytes() +
         arena_.memory_bytes() + resource_index_.memory_bytes() + scope_index_.memory_bytes();
}

}  // namespace larder
