// SpanFilter: a filter tree compiled for evaluation, and its plain evaluation on one span.
//
// The leaves are numbered; searchers (storage/segment) walk the same nodes, answer what they can
// from memos, dictionaries and indexes, and come here for the rest.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/filter.h"
#include "storage/model/ids.h"
#include "storage/model/table/span_table.h"
#include "storage/model/value.h"
#include "storage/model/value_matcher.h"

namespace larder {

struct EventView {
  uint64_t time_ns = 0;
  std::string_view name;
  std::span<const AttributeView> attributes;
};

struct LinkView {
  TraceId trace_id;
  SpanId span_id;
  std::string_view trace_state;
  std::span<const AttributeView> attributes;
};

// Everything of one span that a filter can ask for. Borrows all of it.
struct SpanView {
  TraceId trace_id;
  SpanId span_id;
  SpanId parent_span_id;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  int32_t kind = 0;
  int32_t status_code = 0;
  std::string_view name;
  std::string_view trace_state;
  std::string_view status_message;
  std::span<const AttributeView> attributes;
  const ResourceView* resource = nullptr;  // these two are never null when it is evaluated
  const ScopeView* scope = nullptr;
  std::span<const EventView> events;
  std::span<const LinkView> links;
};

// One place where a leaf looks for values. A set of them is a leaf's levels.
enum class Level : uint8_t { kSpan = 0, kResource = 1, kScope = 2, kEvent = 3, kLink = 4 };
inline constexpr uint32_t kLevelCount = 5;

// What is known of a set of values and one leaf.
struct LeafState {
  bool present = false;  // the set is not empty
  bool matched = false;  // some value satisfies the positive form
  void Merge(LeafState other) {
    present |= other.present;
    matched |= other.matched;
  }
};

// A leaf: a reference, against constants or against another reference.
struct FilterLeaf {
  Operand left;                  // an attribute or a field, never a constant
  ValueMatcher matcher;          // unused when `other` is set
  std::optional<Operand> other;  // the right side when it is a reference
  FilterOp op = FilterOp::kEq;
  bool negated = false;  // kNe, kNotIn: holds when values are present and none matches

  // Null when the left side is the other of the two.
  const AttributeRef* attribute() const { return std::get_if<AttributeRef>(&left); }
  const FieldRef* field() const { return std::get_if<FieldRef>(&left); }
  // Whether the left side can have a value at this level.
  bool reads(Level level) const;
  bool Holds(LeafState state) const {
    return negated ? state.present && !state.matched : state.matched;
  }
};

// A node of the compiled tree.
struct FilterStep {
  enum class Kind : uint8_t { kTrue, kAnd, kOr, kNot, kSome, kLeaf };
  Kind kind = Kind::kTrue;
  FilterNode::Element element = FilterNode::Element::kEvent;  // of kSome
  uint32_t leaf = 0;                                          // of kLeaf
  std::vector<uint32_t> children;                             // step numbers; below their parent's
  // Of kSome, which binds one element after the other: a step, also below, that binds none. A span
  // that does not satisfy it does not satisfy this one; when it is exact, one that does does.
  uint32_t whole = 0;
  bool whole_is_exact = false;
};

// Immutable and thread-safe once compiled. Does not borrow from the tree.
class SpanFilter {
 public:
  // kInvalidArgument: a tree that filter.h does not describe, or a pattern that RE2 refuses.
  static Result<SpanFilter> Compile(const FilterNode& filter);

  const std::vector<FilterStep>& steps() const { return steps_; }
  const std::vector<FilterLeaf>& leaves() const { return leaves_; }
  uint32_t root() const { return static_cast<uint32_t>(steps_.size() - 1); }

  bool Matches(const SpanView& span) const { return Matches(root(), span); }
  // Whether the span satisfies one step of the tree.
  bool Matches(uint32_t step, const SpanView& span) const;

 private:
  struct Binding {  // what kSome has bound
    const EventView* event = nullptr;
    const LinkView* link = nullptr;
  };

  Result<uint32_t> AddStep(const FilterNode& node, uint32_t depth);
  Result<uint32_t> AddLeaf(const FilterNode& node);
  bool Evaluate(uint32_t step, const SpanView& span, Binding binding) const;
  bool EvaluateSome(const FilterStep& step, const SpanView& span, Binding binding) const;
  bool EvaluateLeaf(const FilterLeaf& leaf, const SpanView& span, Binding binding) const;

  std::vector<FilterStep> steps_;
  std::vector<FilterLeaf> leaves_;
};

// Levels at which an attribute reference looks, and the one level of a field.
bool ReadsLevel(AttributeLevel reference, Level level);
Level FieldLevel(Field field);

// The state of a leaf over one attribute list: a key that comes up twice counts once, by its first
// value. REQUIRES: leaf.attribute(), no leaf.other.
LeafState AttributeState(const FilterLeaf& leaf, std::span<const AttributeView> attributes);
// The state of a leaf over a field of a resource or scope. REQUIRES: leaf.field() is of that level.
LeafState ResourceFieldState(const FilterLeaf& leaf, const ResourceView& resource);
LeafState ScopeFieldState(const FilterLeaf& leaf, const ScopeView& scope);
// The state of a leaf over a value that is there.
LeafState ValueState(const FilterLeaf& leaf, const FilterValue& value);
// ... over a text that counts as absent when it is empty.
LeafState OptionalTextState(const FilterLeaf& leaf, std::string_view text);

// The trace ids that a leaf over Field::kTraceId names by kEq, kIn or their negations, texts that
// are no trace id left out; nullopt for any other leaf.
std::optional<std::vector<TraceId>> NamedTraceIds(const FilterLeaf& leaf);
// The same of the span ids of a leaf over Field::kSpanId or Field::kParentSpanId.
std::optional<std::vector<SpanId>> NamedSpanIds(const FilterLeaf& leaf);

// Lower-case hex of an id's bytes.
std::string HexText(std::string_view bytes);

}  // namespace larder
