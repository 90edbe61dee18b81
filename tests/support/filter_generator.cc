#include "tests/support/filter_generator.h"

#include <array>
#include <cstring>
#include <string>
#include <utility>

#include "storage/model/filter_text.h"
#include "storage/model/table/span_filter.h"
#include "storage/model/value.h"
#include "storage/model/value_matcher.h"

namespace larder {
namespace {

Constant Text(Constant::Type type, std::string text) {
  return {.type = type, .text = std::move(text)};
}

bool IsTime(Field field) {
  return field == Field::kStartTime || field == Field::kEndTime || field == Field::kEventTime;
}

bool IsDuration(Field field) {
  return field == Field::kDuration || field == Field::kEventTimeSinceStart;
}

// Escapes what a pattern would read as syntax.
std::string Quote(std::string_view text) {
  std::string quoted;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (static_cast<uint8_t>(c) >= 0x80 || c == 0) {
      quoted += '.';
    } else {
      if (!plain) quoted += '\\';
      quoted += c;
    }
  }
  return quoted;
}

std::string ElementFieldText(Field field, const Span& span) {
  if (field == Field::kEventName) return span.events.empty() ? "" : span.events[0].name;
  if (span.links.empty()) return "";
  const Link& link = span.links[0];
  if (field == Field::kLinkTraceId) return HexText(link.trace_id.view());
  if (field == Field::kLinkSpanId) return HexText(link.span_id.view());
  return field == Field::kLinkTraceState ? link.trace_state : "";
}

std::string FieldText(Field field, const Span& span) {
  switch (field) {
    case Field::kTraceId:
      return HexText(span.trace_id.view());
    case Field::kSpanId:
      return HexText(span.span_id.view());
    case Field::kParentSpanId:
      return HexText(span.parent_span_id.view());
    case Field::kTraceState:
      return span.trace_state;
    case Field::kName:
      return span.name;
    case Field::kKind:
      return KindWord(span.kind);
    case Field::kStatus:
      return StatusWord(span.status_code);
    case Field::kStatusMessage:
      return span.status_message;
    case Field::kResourceService:
      return std::string(span.resource->service());
    case Field::kResourceSchemaUrl:
      return span.resource->schema_url;
    case Field::kScopeName:
      return span.scope->name;
    case Field::kScopeVersion:
      return span.scope->version;
    case Field::kScopeSchemaUrl:
      return span.scope->schema_url;
    default:
      return ElementFieldText(field, span);
  }
}

}  // namespace

FilterOp FilterGenerator::Comparison() {
  static constexpr std::array kOps = {FilterOp::kEq, FilterOp::kEq,  FilterOp::kNe, FilterOp::kGt,
                                      FilterOp::kLt, FilterOp::kGte, FilterOp::kLte};
  return kOps[random_->Below(kOps.size())];
}

Attribute FilterGenerator::AnyAttribute(AttributeLevel* level) {
  for (int attempt = 0; attempt < 20; ++attempt) {
    const Span& span = AnySpan();
    const std::vector<Attribute>* list = &span.attributes;
    *level = AttributeLevel::kSpan;
    uint64_t where = random_->Below(8);
    if (in_events_ && random_->OneIn(2)) where = 2;
    if (in_links_ && random_->OneIn(2)) where = 3;
    if (where == 0) {
      *level = AttributeLevel::kResource;
      list = &span.resource->attributes;
    } else if (where == 1) {
      *level = AttributeLevel::kScope;
      list = &span.scope->attributes;
    } else if (where == 2 && !span.events.empty()) {
      *level = AttributeLevel::kEvent;
      list = &span.events[random_->Below(span.events.size())].attributes;
    } else if (where == 3 && !span.links.empty()) {
      *level = AttributeLevel::kLink;
      list = &span.links[random_->Below(span.links.size())].attributes;
    }
    if (list->empty()) continue;
    const Attribute& attribute = (*list)[random_->Below(list->size())];
    // A stored key may be empty, one of a structured filter may not.
    if (!options_.only_structured || !attribute.key.empty()) return attribute;
  }
  return {"no.such", ValueType::kString, "x"};
}

AttributeRef FilterGenerator::Reference(const Attribute& attribute, AttributeLevel found_at) {
  static constexpr std::array kLevels = {AttributeLevel::kSpanOrResource,
                                         AttributeLevel::kSpan,
                                         AttributeLevel::kResource,
                                         AttributeLevel::kScope,
                                         AttributeLevel::kEvent,
                                         AttributeLevel::kLink,
                                         AttributeLevel::kAny};
  const size_t levels = kLevels.size() - (options_.only_structured ? 1 : 0);
  if (random_->OneIn(3)) return {attribute.key, kLevels[random_->Below(levels)]};
  if (random_->OneIn(3)) return {attribute.key, kLevels[random_->OneIn(2) ? 0 : levels - 1]};
  return {attribute.key, found_at};
}

Constant FilterGenerator::AttributeConstant(const Attribute& attribute) {
  using Type = Constant::Type;
  ValueType type = attribute.type;
  std::string payload = attribute.payload;
  std::array<char, 8> scratch;
  if (type == ValueType::kRaw) {
    const Result<AttributeView> decoded = InterpretKeyValue(attribute.payload, scratch.data());
    type = decoded.ok() ? decoded->type : ValueType::kEmpty;
    payload = decoded.ok() ? std::string(decoded->payload) : std::string();
  }
  const std::string text = ValueText(type, payload);
  switch (options_.only_structured ? random_->Between(2, 5) : random_->Below(6)) {
    case 0:
      return Text(Type::kLegacyText, text);
    case 1:
      return Text(Type::kCanonicalText, text);
    case 2:
      return Text(Type::kUntyped, random_->OneIn(8) ? text + "0" : text);
    case 3:
      return Text(Type::kUntyped, text);
    default:
      break;
  }
  Constant constant = Text(Type::kString, text);
  if (type == ValueType::kInt) {
    constant.type = Type::kInt;
    std::memcpy(&constant.number, payload.data(), sizeof constant.number);
  } else if (type == ValueType::kDouble) {
    constant.type = Type::kDouble;
    std::memcpy(&constant.real, payload.data(), sizeof constant.real);
  } else if (type == ValueType::kBool) {
    constant.type = Type::kBool;
    constant.number = payload[0] != 0 ? 1 : 0;
  }
  return constant;
}

FilterNode FilterGenerator::AttributeLeaf() {
  AttributeLevel found_at = AttributeLevel::kSpan;
  const Attribute attribute = AnyAttribute(&found_at);
  FilterNode leaf;
  leaf.left = Reference(attribute, found_at);
  const Constant constant = AttributeConstant(attribute);
  switch (random_->Below(10)) {
    case 0:
      leaf.op = FilterOp::kExists;
      return leaf;
    case 1: {
      leaf.op = FilterOp::kRegex;
      const std::string piece = constant.text.substr(0, 1 + random_->Below(4));
      leaf.right = Text(random_->OneIn(2) ? Constant::Type::kString : Constant::Type::kUntyped,
                        Quote(piece) + (random_->OneIn(2) ? ".*" : ""));
      return leaf;
    }
    case 2:
    case 3:
      return MembersLeaf(std::move(leaf), constant);
    case 4:
      return WordsLeaf(std::move(leaf), constant.text);
    default:
      leaf.op = Comparison();
      leaf.right = constant;
      return WithOrderWhereThereIsOne(std::move(leaf));
  }
}

FilterNode FilterGenerator::MembersLeaf(FilterNode leaf, const Constant& first) {
  leaf.op = random_->OneIn(2) ? FilterOp::kIn : FilterOp::kNotIn;
  leaf.constants.push_back(first);
  while (random_->OneIn(2)) {
    AttributeLevel ignored = AttributeLevel::kSpan;
    const Constant constant = AttributeConstant(AnyAttribute(&ignored));
    if (!options_.only_structured || constant.type == first.type) {
      leaf.constants.push_back(constant);
    }
  }
  return leaf;
}

FilterNode FilterGenerator::WordsLeaf(FilterNode leaf, const std::string& text) {
  leaf.op = random_->OneIn(2) ? FilterOp::kPhrase : FilterOp::kFulltext;
  const std::vector<std::string> words = SplitWords(text);
  const size_t first = words.empty() ? 0 : random_->Below(words.size());
  for (size_t i = first; i < words.size() && i < first + 2; ++i) {
    if (options_.only_structured && !IsWord(words[i], 255)) break;
    leaf.constants.push_back(Text(Constant::Type::kString, words[i]));
  }
  if (leaf.constants.empty()) leaf.constants.push_back(Text(Constant::Type::kString, "word"));
  return leaf;
}

FilterNode FilterGenerator::WithOrderWhereThereIsOne(FilterNode leaf) const {
  if (!options_.only_structured) return leaf;
  const auto has_order = [](const Operand& operand) {
    if (const auto* field = std::get_if<FieldRef>(&operand)) {
      return field->field != Field::kKind && field->field != Field::kStatus;
    }
    const auto* constant = std::get_if<Constant>(&operand);
    return constant == nullptr || constant->type != Constant::Type::kBool;
  };
  const bool ordered = leaf.op != FilterOp::kEq && leaf.op != FilterOp::kNe;
  if (ordered && !(has_order(leaf.left) && has_order(leaf.right))) leaf.op = FilterOp::kNe;
  return leaf;
}

// A value that the field has on some span, at the field's own type.
Constant FilterGenerator::FieldConstant(Field field) {
  const Span& span = AnySpan();
  Constant constant = Text(Constant::Type::kString, FieldText(field, span));
  const uint64_t event_ns =
      span.events.empty() ? span.start_ns : span.events[random_->Below(span.events.size())].time_ns;
  const bool is_word = field == Field::kKind ? span.kind >= 0 && span.kind <= 5
                                             : span.status_code >= 0 && span.status_code <= 2;
  // Only the numbers that have a word can be named by a filter.
  if (options_.only_structured && field == Field::kKind && !is_word) constant.text = "server";
  if (options_.only_structured && field == Field::kStatus && !is_word) constant.text = "error";
  if (field == Field::kStartTime) constant.number = static_cast<int64_t>(span.start_ns);
  if (field == Field::kEndTime) constant.number = static_cast<int64_t>(span.end_ns);
  if (field == Field::kDuration) constant.number = span.duration_ns();
  if (field == Field::kEventTime) constant.number = static_cast<int64_t>(event_ns);
  if (field == Field::kEventTimeSinceStart) {
    constant.number = static_cast<int64_t>(event_ns - span.start_ns);
  }
  if (IsTime(field)) constant.type = Constant::Type::kTime;
  if (IsDuration(field)) constant.type = Constant::Type::kDuration;
  return constant;
}

Field FilterGenerator::AnyField() {
  // Those that people ask for come up more often, and those of what is bound.
  static constexpr std::array kOften = {Field::kName, Field::kResourceService, Field::kKind,
                                        Field::kStatus, Field::kDuration};
  static constexpr std::array kOfEvents = {Field::kEventName, Field::kEventTime,
                                           Field::kEventTimeSinceStart};
  static constexpr std::array kOfLinks = {Field::kLinkTraceId, Field::kLinkSpanId,
                                          Field::kLinkTraceState};
  constexpr auto kLast = static_cast<uint64_t>(Field::kLinkTraceState);
  if (in_events_ && random_->OneIn(2)) return kOfEvents[random_->Below(kOfEvents.size())];
  if (in_links_ && random_->OneIn(2)) return kOfLinks[random_->Below(kOfLinks.size())];
  if (random_->OneIn(2)) return kOften[random_->Below(kOften.size())];
  return static_cast<Field>(random_->Below(kLast + 1));
}

FilterNode FilterGenerator::FieldLeaf() {
  const Field field = AnyField();
  FilterNode leaf;
  leaf.left = FieldRef{field};
  const Constant constant = FieldConstant(field);
  const bool is_text = constant.type == Constant::Type::kString;
  switch (random_->Below(8)) {
    case 0:
      leaf.op = FilterOp::kExists;
      return leaf;
    case 1:
      leaf.op = random_->OneIn(2) ? FilterOp::kIn : FilterOp::kNotIn;
      leaf.constants = {constant, FieldConstant(field)};
      return leaf;
    case 2:
      if (!is_text) break;
      leaf.op = FilterOp::kRegex;
      leaf.right = Text(Constant::Type::kString, Quote(constant.text.substr(0, 3)));
      return leaf;
    default:
      break;
  }
  leaf.op = Comparison();
  leaf.right = constant;
  return WithOrderWhereThereIsOne(std::move(leaf));
}

Operand FilterGenerator::AnyReference() {
  AttributeLevel found_at = AttributeLevel::kSpan;
  const Attribute attribute = AnyAttribute(&found_at);
  if (random_->OneIn(2)) return FieldRef{AnyField()};
  return Reference(attribute, found_at);
}

// A structured filter compares like with like: texts, times, durations, or whatever an attribute
// is.
FilterNode FilterGenerator::ReferenceLeaf() {
  const auto domain = [](const Operand& operand) {
    const auto* field = std::get_if<FieldRef>(&operand);
    if (field == nullptr) return 0;
    return IsTime(field->field) ? 1 : IsDuration(field->field) ? 2 : 3;
  };
  FilterNode leaf;
  leaf.op = Comparison();
  do {
    leaf.left = AnyReference();
    leaf.right = AnyReference();
  } while (options_.only_structured && domain(leaf.left) != 0 && domain(leaf.right) != 0 &&
           domain(leaf.left) != domain(leaf.right));
  return WithOrderWhereThereIsOne(std::move(leaf));
}

FilterNode FilterGenerator::Leaf() {
  if (!options_.only_structured && random_->OneIn(30)) return {};
  if (random_->OneIn(12)) return ReferenceLeaf();
  return random_->OneIn(3) ? FieldLeaf() : AttributeLeaf();
}

FilterNode FilterGenerator::Some(uint32_t depth) {
  FilterNode node;
  node.op = FilterOp::kSome;
  if (random_->OneIn(2)) node.element = FilterNode::Element::kLink;
  // The structured filter binds each collection once.
  const bool both = in_events_ && in_links_;
  if (options_.only_structured && both) return Leaf();
  if (options_.only_structured && in_events_) node.element = FilterNode::Element::kLink;
  if (options_.only_structured && in_links_) node.element = FilterNode::Element::kEvent;
  bool& bound = node.element == FilterNode::Element::kEvent ? in_events_ : in_links_;
  const bool was_bound = std::exchange(bound, true);
  node.children.push_back(Tree(depth - 1));
  bound = was_bound;
  return node;
}

FilterNode FilterGenerator::Tree(uint32_t depth) {
  if (depth == 0 || random_->OneIn(3)) return Leaf();
  FilterNode node;
  static constexpr std::array kOps = {FilterOp::kAnd, FilterOp::kAnd, FilterOp::kOr, FilterOp::kNot,
                                      FilterOp::kSome};
  node.op = kOps[random_->Below(kOps.size())];
  if (node.op == FilterOp::kSome) return Some(depth);
  size_t children = 1;
  if (node.op != FilterOp::kNot) {
    children = options_.only_structured ? random_->Between(2, 4) : random_->Below(4);
  }
  for (size_t i = 0; i < children; ++i) node.children.push_back(Tree(depth - 1));
  return node;
}

LegacySearch FilterGenerator::Legacy() {
  static constexpr std::array kSpecial = {"error", "span.status", "span.kind", "scope.name",
                                          "scope.version"};
  static constexpr std::array kWords = {"true",   "false",  "OK",   "Error",
                                        "client", "SERVER", "bogus"};
  LegacySearch search;
  const Span& span = AnySpan();
  if (random_->OneIn(2)) search.service = span.resource->service();
  if (random_->OneIn(3)) search.operation = random_->OneIn(4) ? AnySpan().name : span.name;
  if (random_->OneIn(4)) search.duration_min_ns = AnySpan().duration_ns();
  if (random_->OneIn(4)) search.duration_max_ns = AnySpan().duration_ns();
  while (random_->OneIn(2)) {
    AttributeLevel ignored = AttributeLevel::kSpan;
    const Attribute attribute = AnyAttribute(&ignored);
    if (random_->OneIn(4)) {
      search.attributes.emplace_back(
          kSpecial[random_->Below(kSpecial.size())],
          Text(Constant::Type::kLegacyText, kWords[random_->Below(kWords.size())]));
    } else {
      const std::string prefix = random_->OneIn(5) ? "resource." : "";
      search.attributes.emplace_back(prefix + attribute.key, AttributeConstant(attribute));
    }
  }
  search.start = Range();
  return search;
}

TimeRange FilterGenerator::Range() {
  TimeRange range;
  if (random_->OneIn(2)) return range;
  range.min_ns = AnySpan().start_ns;
  if (random_->OneIn(2)) range.max_ns = AnySpan().start_ns;
  return range;
}

}  // namespace larder
