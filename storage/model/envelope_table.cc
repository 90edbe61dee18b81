#include "storage/model/envelope_table.h"

#include <cstring>

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

}  // namespace

PairFault EnvelopeTable::AddAttributes(std::span<const std::string_view> key_values,
                                       const AppendLimits& limits,
                                       std::span<const AttributeView>* attributes) {
  uint32_t first = 0;
  const auto count = static_cast<uint32_t>(key_values.size());
  if (!attributes_.AllocateRun(count, &first)) return PairFault::kTableFull;
  for (uint32_t i = 0; i < count; ++i) {
    char* const scratch = arena_.Allocate(8);
    AttributeView& attribute = attributes_.Mutable(first + i);
    const ValueFault fault = ReadKeyValue(key_values[i], limits.nesting_max, scratch, &attribute);
    if (fault == ValueFault::kTooDeep) return PairFault::kTooDeep;
    if (fault == ValueFault::kMalformed) return PairFault::kMalformed;
    MakeReproducible(key_values[i], &attribute);
    if (attribute.payload.size() > limits.attribute_value_bytes_max ||
        attribute.key.size() > limits.attribute_value_bytes_max) {
      return PairFault::kTooLarge;
    }
  }
  *attributes = attributes_.Run(first, count);
  return PairFault::kNone;
}

PairFault EnvelopeTable::InternResource(std::string_view envelope, const AppendLimits& limits,
                                        ResourceId* id) {
  const uint64_t hash = Hash64(envelope);
  *id = resource_index_.Find(
      hash, [&](ResourceId known) { return resources_[known].envelope == envelope; });
  if (*id != kNoId) return PairFault::kNone;
  if (resources_.size() >= resources_.kSizeMax) return PairFault::kTableFull;

  ResourceView view;
  view.envelope = arena_.Copy(envelope);
  ResourceFields fields;
  if (!ReadResource(view.envelope, &fields)) return PairFault::kMalformed;
  const PairFault fault = AddAttributes(fields.key_values, limits, &view.attributes);
  if (fault != PairFault::kNone) return fault;
  view.service = ServiceName(view.attributes);
  view.schema_url = fields.schema_url;
  *id = resources_.size();
  resources_.PushBack(view);
  resource_index_.Insert(hash, *id);
  return PairFault::kNone;
}

PairFault EnvelopeTable::InternScope(std::string_view envelope, const AppendLimits& limits,
                                     ScopeId* id) {
  const uint64_t hash = Hash64(envelope);
  *id = scope_index_.Find(hash, [&](ScopeId known) { return scopes_[known].envelope == envelope; });
  if (*id != kNoId) return PairFault::kNone;
  if (scopes_.size() >= scopes_.kSizeMax) return PairFault::kTableFull;

  ScopeView view;
  view.envelope = arena_.Copy(envelope);
  ScopeFields fields;
  if (!ReadScope(view.envelope, &fields)) return PairFault::kMalformed;
  const PairFault fault = AddAttributes(fields.key_values, limits, &view.attributes);
  if (fault != PairFault::kNone) return fault;
  view.name = fields.name;
  view.version = fields.version;
  view.schema_url = fields.schema_url;
  *id = scopes_.size();
  scopes_.PushBack(view);
  scope_index_.Insert(hash, *id);
  return PairFault::kNone;
}

uint64_t EnvelopeTable::memory_bytes() const {
  return resources_.memory_bytes() + scopes_.memory_bytes() + attributes_.memory_bytes() +
         arena_.memory_bytes() + resource_index_.memory_bytes() + scope_index_.memory_bytes();
}

}  // namespace larder
