#include "storage/query/index/named_traces.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "storage/query/index/trace_locator.h"
#include "storage/segment/source/span_source.h"

namespace larder {
namespace {

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

// Ids are compared as lower-case text, so anything else is no id.
template <typename Id>
std::optional<Id> ParseId(std::string_view text) {
  Id id;
  if (text.size() != id.bytes.size() * 2) return std::nullopt;
  for (size_t i = 0; i < id.bytes.size(); ++i) {
    const int high = HexDigit(text[2 * i]);
    const int low = HexDigit(text[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    id.bytes[i] = static_cast<uint8_t>(high * 16 + low);
  }
  return id;
}

bool IsText(const Constant& constant) {
  return constant.type == Constant::Type::kString || constant.type == Constant::Type::kUntyped;
}

template <typename Id>
using Ids = std::optional<std::set<Id>>;

template <typename Id>
Ids<Id> IdsAmong(const std::vector<Constant>& constants) {
  std::set<Id> ids;
  for (const Constant& constant : constants) {
    if (!IsText(constant)) return std::nullopt;
    if (const auto id = ParseId<Id>(constant.text)) ids.insert(*id);
  }
  return ids;
}

// Of several sets that must all hold, the smallest says most.
template <typename Id>
Ids<Id> Named(const FilterNode& filter, Field field);

template <typename Id>
Ids<Id> SmallestOf(const std::vector<FilterNode>& children, Field field) {
  Ids<Id> smallest;
  for (const FilterNode& child : children) {
    Ids<Id> ids = Named<Id>(child, field);
    if (ids && (!smallest || ids->size() < smallest->size())) smallest = std::move(ids);
  }
  return smallest;
}

template <typename Id>
Ids<Id> UnionOf(const std::vector<FilterNode>& children, Field field) {
  std::set<Id> all;
  for (const FilterNode& child : children) {
    Ids<Id> ids = Named<Id>(child, field);
    if (!ids) return std::nullopt;
    all.merge(*ids);
  }
  return all;
}

template <typename Id>
Ids<Id> Named(const FilterNode& filter, Field field) {
  if (filter.op == FilterOp::kAnd) return SmallestOf<Id>(filter.children, field);
  if (filter.op == FilterOp::kOr) return UnionOf<Id>(filter.children, field);
  const auto* const left = std::get_if<FieldRef>(&filter.left);
  if (left == nullptr || left->field != field) return std::nullopt;
  if (filter.op == FilterOp::kIn) return IdsAmong<Id>(filter.constants);
  const auto* const right = std::get_if<Constant>(&filter.right);
  if (filter.op == FilterOp::kEq && right != nullptr) return IdsAmong<Id>({*right});
  return std::nullopt;
}

template <typename Id>
Ids<Id> Bounded(Ids<Id> ids) {
  return ids && ids->size() <= kNamedTracesMax ? std::move(ids) : std::nullopt;
}

}  // namespace

std::optional<std::set<TraceId>> NamedTraces(const FilterNode& filter) {
  return Bounded(Named<TraceId>(filter, Field::kTraceId));
}

std::optional<std::set<SpanId>> NamedSpans(const FilterNode& filter) {
  return Bounded(Named<SpanId>(filter, Field::kSpanId));
}

Result<NamedPlaces> NamedPlaces::Find(const View& view, TenantId tenant, const FilterNode& filter,
                                      QueryContext* context) {
  NamedPlaces named;
  const std::optional<std::set<TraceId>> ids = NamedTraces(filter);
  if (!ids) return named;
  named.any_named_ = true;
  TraceLocator locator(view, tenant, context);
  std::vector<TracePlace> places;
  for (const TraceId& id : *ids) {
    LARDER_RETURN_IF_ERROR(locator.Locate(id, &places));
    for (const TracePlace& place : places) {
      std::set<uint32_t>& blocks = named.blocks_[place.entry];
      for (const uint32_t row : place.rows) blocks.insert(row / kBlockRows);
    }
  }
  return named;
}

bool NamedPlaces::has_block(uint32_t entry, uint32_t block) const {
  if (!any_named_) return true;
  const auto blocks = blocks_.find(entry);
  return blocks != blocks_.end() && blocks->second.contains(block);
}

}  // namespace larder
