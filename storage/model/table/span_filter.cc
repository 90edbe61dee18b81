#include "storage/model/table/span_filter.h"

#include <algorithm>
#include <utility>

#include "storage/model/table/some_step.h"

namespace larder {
namespace {

// Deeper trees than any that the wire allows are refused before they can exhaust the stack.
constexpr uint32_t kDepthMax = 200;

bool IsNegated(FilterOp op) { return op == FilterOp::kNe || op == FilterOp::kNotIn; }

// Hands every value that `operand` has on the span to `visit`, until it returns true (found).
template <typename Visit>
class ValueWalk {
 public:
  ValueWalk(const SpanView& span, const EventView* event, const LinkView* link, Visit visit)
      : span_(span), visit_(std::move(visit)) {
    events_ = event != nullptr ? std::span(event, 1) : span.events;
    links_ = link != nullptr ? std::span(link, 1) : span.links;
  }

  bool Attribute(const AttributeRef& reference) {
    if (ReadsLevel(reference.level, Level::kSpan) && List(reference.key, span_.attributes)) {
      return true;
    }
    if (ReadsLevel(reference.level, Level::kResource) &&
        List(reference.key, span_.resource->attributes)) {
      return true;
    }
    if (ReadsLevel(reference.level, Level::kScope) &&
        List(reference.key, span_.scope->attributes)) {
      return true;
    }
    const bool events = ReadsLevel(reference.level, Level::kEvent);
    if (events && std::any_of(events_.begin(), events_.end(), [&](const EventView& event) {
          return List(reference.key, event.attributes);
        })) {
      return true;
    }
    const bool links = ReadsLevel(reference.level, Level::kLink);
    return links && std::any_of(links_.begin(), links_.end(), [&](const LinkView& link) {
             return List(reference.key, link.attributes);
           });
  }

  bool FieldValue(Field field) {
    switch (FieldLevel(field)) {
      case Level::kSpan:
        return SpanField(field);
      case Level::kResource:
        return OptionalText(field == Field::kResourceService ? span_.resource->service
                                                             : span_.resource->schema_url);
      case Level::kScope:
        return ScopeField(field);
      case Level::kEvent:
        return std::any_of(events_.begin(), events_.end(),
                           [&](const EventView& event) { return EventField(field, event); });
      case Level::kLink:
        return std::any_of(links_.begin(), links_.end(),
                           [&](const LinkView& link) { return LinkField(field, link); });
    }
    return false;
  }

 private:
  bool List(std::string_view key, std::span<const AttributeView> attributes) {
    for (const AttributeView& attribute : attributes) {
      if (attribute.key != key) continue;
      return visit_(FilterValue::Attribute(attribute.type, attribute.payload));
    }
    return false;
  }

  bool OptionalText(std::string_view text) {
    return !text.empty() && visit_(FilterValue::Text(text));
  }

  bool SpanField(Field field) {
    switch (field) {
      case Field::kTraceId:
        return visit_(FilterValue::Text(HexText(span_.trace_id.view())));
      case Field::kSpanId:
        return visit_(FilterValue::Text(HexText(span_.span_id.view())));
      case Field::kParentSpanId:
        return !span_.parent_span_id.is_zero() &&
               visit_(FilterValue::Text(HexText(span_.parent_span_id.view())));
      case Field::kTraceState:
        return OptionalText(span_.trace_state);
      case Field::kName:
        return OptionalText(span_.name);
      case Field::kKind:
        return visit_(FilterValue::Text(KindWord(span_.kind)));
      case Field::kStartTime:
        return visit_(FilterValue::Time(span_.start_ns));
      case Field::kEndTime:
        return visit_(FilterValue::Time(span_.end_ns));
      case Field::kDuration:
        return visit_(FilterValue::Duration(static_cast<int64_t>(span_.end_ns - span_.start_ns)));
      case Field::kStatus:
        return visit_(FilterValue::Text(StatusWord(span_.status_code)));
      case Field::kStatusMessage:
        return OptionalText(span_.status_message);
      default:
        return false;
    }
  }

  bool ScopeField(Field field) {
    switch (field) {
      case Field::kScopeName:
        return OptionalText(span_.scope->name);
      case Field::kScopeVersion:
        return OptionalText(span_.scope->version);
      default:
        return OptionalText(span_.scope->schema_url);
    }
  }

  bool EventField(Field field, const EventView& event) {
    switch (field) {
      case Field::kEventName:
        return visit_(FilterValue::Text(event.name));
      case Field::kEventTime:
        return visit_(FilterValue::Time(event.time_ns));
      default:
        return visit_(FilterValue::Duration(static_cast<int64_t>(event.time_ns - span_.start_ns)));
    }
  }

  bool LinkField(Field field, const LinkView& link) {
    switch (field) {
      case Field::kLinkTraceId:
        return visit_(FilterValue::Text(HexText(link.trace_id.view())));
      case Field::kLinkSpanId:
        return visit_(FilterValue::Text(HexText(link.span_id.view())));
      default:
        return visit_(FilterValue::Text(link.trace_state));
    }
  }

  const SpanView& span_;
  Visit visit_;
  std::span<const EventView> events_;
  std::span<const LinkView> links_;
};

std::optional<uint8_t> HexDigit(char c) {
  if (c >= '0' && c <= '9') return static_cast<uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<uint8_t>(c - 'a' + 10);
  return std::nullopt;
}

// The id that is shown as this text; none for any other text.
template <typename Id>
std::optional<Id> IdOf(std::string_view text) {
  Id id;
  if (text.size() != 2 * id.bytes.size()) return std::nullopt;
  for (size_t i = 0; i < id.bytes.size(); ++i) {
    const std::optional<uint8_t> high = HexDigit(text[2 * i]);
    const std::optional<uint8_t> low = HexDigit(text[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    id.bytes[i] = static_cast<uint8_t>(*high << 4 | *low);
  }
  return id;
}

// The ids among the texts that the positive form of a leaf matches, when it names them.
template <typename Id>
std::optional<std::vector<Id>> NamedIds(const FilterLeaf& leaf) {
  const auto texts = leaf.matcher.MatchingPayloads(ValueType::kString);
  if (!texts) return std::nullopt;
  std::vector<Id> ids;
  for (const std::string& text : *texts) {
    if (const std::optional<Id> id = IdOf<Id>(text)) ids.push_back(*id);
  }
  return ids;
}

}  // namespace

bool ReadsLevel(AttributeLevel reference, Level level) {
  switch (reference) {
    case AttributeLevel::kAny:
      return true;
    case AttributeLevel::kSpanOrResource:
      return level == Level::kSpan || level == Level::kResource;
    case AttributeLevel::kSpan:
      return level == Level::kSpan;
    case AttributeLevel::kResource:
      return level == Level::kResource;
    case AttributeLevel::kScope:
      return level == Level::kScope;
    case AttributeLevel::kEvent:
      return level == Level::kEvent;
    case AttributeLevel::kLink:
      return level == Level::kLink;
  }
  return false;
}

Level FieldLevel(Field field) {
  switch (field) {
    case Field::kResourceService:
    case Field::kResourceSchemaUrl:
      return Level::kResource;
    case Field::kScopeName:
    case Field::kScopeVersion:
    case Field::kScopeSchemaUrl:
      return Level::kScope;
    case Field::kEventName:
    case Field::kEventTime:
    case Field::kEventTimeSinceStart:
      return Level::kEvent;
    case Field::kLinkTraceId:
    case Field::kLinkSpanId:
    case Field::kLinkTraceState:
      return Level::kLink;
    default:
      return Level::kSpan;
  }
}

bool FilterLeaf::reads(Level level) const {
  const AttributeRef* reference = attribute();
  return reference != nullptr ? ReadsLevel(reference->level, level)
                              : FieldLevel(field()->field) == level;
}

LeafState ValueState(const FilterLeaf& leaf, const FilterValue& value) {
  return {.present = true, .matched = leaf.matcher.Matches(value)};
}

LeafState OptionalTextState(const FilterLeaf& leaf, std::string_view text) {
  return text.empty() ? LeafState{} : ValueState(leaf, FilterValue::Text(text));
}

LeafState AttributeState(const FilterLeaf& leaf, std::span<const AttributeView> attributes) {
  for (const AttributeView& attribute : attributes) {
    if (attribute.key != leaf.attribute()->key) continue;
    return ValueState(leaf, FilterValue::Attribute(attribute.type, attribute.payload));
  }
  return {};
}

LeafState ResourceFieldState(const FilterLeaf& leaf, const ResourceView& resource) {
  return OptionalTextState(leaf, leaf.field()->field == Field::kResourceService
                                     ? resource.service
                                     : resource.schema_url);
}

LeafState ScopeFieldState(const FilterLeaf& leaf, const ScopeView& scope) {
  switch (leaf.field()->field) {
    case Field::kScopeName:
      return OptionalTextState(leaf, scope.name);
    case Field::kScopeVersion:
      return OptionalTextState(leaf, scope.version);
    default:
      return OptionalTextState(leaf, scope.schema_url);
  }
}

std::optional<std::vector<TraceId>> NamedTraceIds(const FilterLeaf& leaf) {
  if (leaf.other || leaf.field() == nullptr || leaf.field()->field != Field::kTraceId) {
    return std::nullopt;
  }
  return NamedIds<TraceId>(leaf);
}

std::optional<std::vector<SpanId>> NamedSpanIds(const FilterLeaf& leaf) {
  const bool is_span_id = leaf.field() != nullptr && (leaf.field()->field == Field::kSpanId ||
                                                      leaf.field()->field == Field::kParentSpanId);
  if (leaf.other || !is_span_id) return std::nullopt;
  return NamedIds<SpanId>(leaf);
}

std::string HexText(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

Result<SpanFilter> SpanFilter::Compile(const FilterNode& filter) {
  SpanFilter compiled;
  LARDER_ASSIGN_OR_RETURN(const uint32_t root, compiled.AddStep(filter, 1));
  LARDER_CHECK(root == compiled.root());
  return compiled;
}

Result<uint32_t> SpanFilter::AddStep(const FilterNode& node, uint32_t depth) {
  if (depth > kDepthMax) return Status::InvalidArgument("filter nested too deeply");
  FilterStep step;
  step.element = node.element;
  size_t arity = node.children.size();
  switch (node.op) {
    case FilterOp::kTrue:
      step.kind = FilterStep::Kind::kTrue;
      arity = 0;
      break;
    case FilterOp::kAnd:
      step.kind = FilterStep::Kind::kAnd;
      break;
    case FilterOp::kOr:
      step.kind = FilterStep::Kind::kOr;
      break;
    case FilterOp::kNot:
    case FilterOp::kSome:
      step.kind = node.op == FilterOp::kNot ? FilterStep::Kind::kNot : FilterStep::Kind::kSome;
      if (arity != 1) return Status::InvalidArgument("not and some take one condition");
      break;
    default:
      step.kind = FilterStep::Kind::kLeaf;
      arity = 0;
      LARDER_ASSIGN_OR_RETURN(step.leaf, AddLeaf(node));
      break;
  }
  for (size_t i = 0; i < arity; ++i) {
    LARDER_ASSIGN_OR_RETURN(const uint32_t child, AddStep(node.children[i], depth + 1));
    step.children.push_back(child);
  }
  if (step.kind == FilterStep::Kind::kSome) AddWhole(leaves_, &step, &steps_);
  steps_.push_back(std::move(step));
  return root();
}

Result<uint32_t> SpanFilter::AddLeaf(const FilterNode& node) {
  FilterLeaf leaf;
  leaf.op = node.op;
  leaf.negated = IsNegated(node.op);
  leaf.left = node.left;
  if (std::holds_alternative<Constant>(node.left)) {
    return Status::InvalidArgument("a leaf of a filter compares two constants");
  }
  const bool compares = node.op == FilterOp::kEq || node.op == FilterOp::kNe ||
                        node.op == FilterOp::kGt || node.op == FilterOp::kLt ||
                        node.op == FilterOp::kGte || node.op == FilterOp::kLte;
  if (compares && !std::holds_alternative<Constant>(node.right)) {
    leaf.other = node.right;
  } else {
    LARDER_ASSIGN_OR_RETURN(leaf.matcher, ValueMatcher::Compile(node));
  }
  leaves_.push_back(std::move(leaf));
  return static_cast<uint32_t>(leaves_.size() - 1);
}

bool SpanFilter::Matches(uint32_t step, const SpanView& span) const {
  return Evaluate(step, span, {});
}

bool SpanFilter::Evaluate(uint32_t number, const SpanView& span, Binding binding) const {
  const FilterStep& step = steps_[number];
  const auto holds = [&](uint32_t child) { return Evaluate(child, span, binding); };
  switch (step.kind) {
    case FilterStep::Kind::kTrue:
      return true;
    case FilterStep::Kind::kAnd:
      return std::all_of(step.children.begin(), step.children.end(), holds);
    case FilterStep::Kind::kOr:
      return std::any_of(step.children.begin(), step.children.end(), holds);
    case FilterStep::Kind::kNot:
      return !holds(step.children[0]);
    case FilterStep::Kind::kSome:
      return EvaluateSome(step, span, binding);
    case FilterStep::Kind::kLeaf:
      return EvaluateLeaf(leaves_[step.leaf], span, binding);
  }
  return false;
}

bool SpanFilter::EvaluateSome(const FilterStep& step, const SpanView& span, Binding binding) const {
  const uint32_t condition = step.children[0];
  if (step.element == FilterNode::Element::kEvent) {
    return std::any_of(span.events.begin(), span.events.end(), [&](const EventView& event) {
      return Evaluate(condition, span, {.event = &event, .link = binding.link});
    });
  }
  return std::any_of(span.links.begin(), span.links.end(), [&](const LinkView& link) {
    return Evaluate(condition, span, {.event = binding.event, .link = &link});
  });
}

bool SpanFilter::EvaluateLeaf(const FilterLeaf& leaf, const SpanView& span, Binding binding) const {
  const auto walk = [&](const Operand& operand, auto visit) {
    ValueWalk values(span, binding.event, binding.link, visit);
    if (const auto* attribute = std::get_if<AttributeRef>(&operand)) {
      return values.Attribute(*attribute);
    }
    return values.FieldValue(std::get<FieldRef>(operand).field);
  };
  LeafState state;
  if (!leaf.other) {
    walk(leaf.left, [&](const FilterValue& value) {
      state.Merge(ValueState(leaf, value));
      return state.matched;
    });
    return leaf.Holds(state);
  }
  // Two references: some pair of their values. Both must be there for kNe.
  walk(leaf.left, [&](const FilterValue& a) {
    return walk(*leaf.other, [&](const FilterValue& b) {
      state.Merge({.present = true, .matched = CompareFilterValues(leaf.op, a, b)});
      return state.matched;
    });
  });
  return leaf.Holds(state);
}

}  // namespace larder
