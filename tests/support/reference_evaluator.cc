#include "tests/support/reference_evaluator.h"

#include <algorithm>
#include <array>
#include <compare>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "storage/base/check.h"
#include "storage/model/filter_text.h"
#include "storage/model/text_pattern.h"
#include "storage/model/value.h"

namespace larder {
namespace {

// What a reference may stand for: an attribute's value, a text, a time, a duration.
struct Stored {
  enum Kind { kAttribute, kText, kTime, kDuration } kind = kAttribute;
  ValueType type = ValueType::kString;
  std::string payload;
  uint64_t number = 0;
};

struct Bound {
  const Event* event = nullptr;
  const Link* link = nullptr;
};

std::string Hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    std::array<char, 3> digits;
    snprintf(digits.data(), digits.size(), "%02x", static_cast<unsigned>(static_cast<uint8_t>(c)));
    text += digits.data();
  }
  return text;
}

Stored Text(std::string_view text) {
  return {Stored::kText, ValueType::kString, std::string(text), 0};
}
Stored Time(uint64_t ns) { return {Stored::kTime, ValueType::kInt, "", ns}; }
Stored Duration(uint64_t ns) { return {Stored::kDuration, ValueType::kInt, "", ns}; }

// A list's value of a key: the first one, with what kRaw hides laid open.
void AddFromList(const std::string& key, const std::vector<Attribute>& attributes,
                 std::vector<Stored>* values) {
  for (const Attribute& attribute : attributes) {
    if (attribute.key != key) continue;
    Stored value{Stored::kAttribute, attribute.type, attribute.payload, 0};
    if (attribute.type == ValueType::kRaw) {
      std::array<char, 8> scratch;
      const Result<AttributeView> decoded = InterpretKeyValue(attribute.payload, scratch.data());
      value.type = decoded.ok() ? decoded->type : ValueType::kEmpty;
      value.payload = decoded.ok() ? std::string(decoded->payload) : std::string();
    }
    values->push_back(std::move(value));
    return;
  }
}

void AddAttribute(const AttributeRef& reference, const Span& span, Bound bound,
                  std::vector<Stored>* values) {
  const AttributeLevel level = reference.level;
  const bool any = level == AttributeLevel::kAny;
  const bool either = level == AttributeLevel::kSpanOrResource;
  if (any || either || level == AttributeLevel::kSpan) {
    AddFromList(reference.key, span.attributes, values);
  }
  if (any || either || level == AttributeLevel::kResource) {
    AddFromList(reference.key, span.resource->attributes, values);
  }
  if (any || level == AttributeLevel::kScope) {
    AddFromList(reference.key, span.scope->attributes, values);
  }
  if (any || level == AttributeLevel::kEvent) {
    for (const Event& event : span.events) {
      if (bound.event != nullptr && bound.event != &event) continue;
      AddFromList(reference.key, event.attributes, values);
    }
  }
  if (any || level == AttributeLevel::kLink) {
    for (const Link& link : span.links) {
      if (bound.link != nullptr && bound.link != &link) continue;
      AddFromList(reference.key, link.attributes, values);
    }
  }
}

void AddIfNotEmpty(std::string_view text, std::vector<Stored>* values) {
  if (!text.empty()) values->push_back(Text(text));
}

std::string Word(const std::vector<std::string>& words, int32_t number) {
  const bool known = number >= 0 && static_cast<size_t>(number) < words.size();
  return known ? words[static_cast<size_t>(number)] : std::to_string(number);
}

void AddSpanField(Field field, const Span& span, std::vector<Stored>* values) {
  static const std::vector<std::string> kKinds = {"unspecified", "internal", "server",
                                                  "client",      "producer", "consumer"};
  static const std::vector<std::string> kStatuses = {"unset", "ok", "error"};
  if (field == Field::kTraceId) values->push_back(Text(Hex(span.trace_id.view())));
  if (field == Field::kSpanId) values->push_back(Text(Hex(span.span_id.view())));
  if (field == Field::kParentSpanId && !span.parent_span_id.is_zero()) {
    values->push_back(Text(Hex(span.parent_span_id.view())));
  }
  if (field == Field::kTraceState) AddIfNotEmpty(span.trace_state, values);
  if (field == Field::kName) AddIfNotEmpty(span.name, values);
  if (field == Field::kKind) values->push_back(Text(Word(kKinds, span.kind)));
  if (field == Field::kStartTime) values->push_back(Time(span.start_ns));
  if (field == Field::kEndTime) values->push_back(Time(span.end_ns));
  if (field == Field::kDuration) values->push_back(Duration(span.end_ns - span.start_ns));
  if (field == Field::kStatus) values->push_back(Text(Word(kStatuses, span.status_code)));
  if (field == Field::kStatusMessage) AddIfNotEmpty(span.status_message, values);
  if (field == Field::kResourceService) AddIfNotEmpty(span.resource->service(), values);
  if (field == Field::kResourceSchemaUrl) AddIfNotEmpty(span.resource->schema_url, values);
  if (field == Field::kScopeName) AddIfNotEmpty(span.scope->name, values);
  if (field == Field::kScopeVersion) AddIfNotEmpty(span.scope->version, values);
  if (field == Field::kScopeSchemaUrl) AddIfNotEmpty(span.scope->schema_url, values);
}

void AddElementField(Field field, const Span& span, Bound bound, std::vector<Stored>* values) {
  for (const Event& event : span.events) {
    if (bound.event != nullptr && bound.event != &event) continue;
    if (field == Field::kEventName) values->push_back(Text(event.name));
    if (field == Field::kEventTime) values->push_back(Time(event.time_ns));
    if (field == Field::kEventTimeSinceStart) {
      values->push_back(Duration(event.time_ns - span.start_ns));
    }
  }
  for (const Link& link : span.links) {
    if (bound.link != nullptr && bound.link != &link) continue;
    if (field == Field::kLinkTraceId) values->push_back(Text(Hex(link.trace_id.view())));
    if (field == Field::kLinkSpanId) values->push_back(Text(Hex(link.span_id.view())));
    if (field == Field::kLinkTraceState) values->push_back(Text(link.trace_state));
  }
}

std::vector<Stored> Values(const Operand& operand, const Span& span, Bound bound) {
  std::vector<Stored> values;
  if (const auto* attribute = std::get_if<AttributeRef>(&operand)) {
    AddAttribute(*attribute, span, bound, &values);
  } else {
    const Field field = std::get<FieldRef>(operand).field;
    AddSpanField(field, span, &values);
    AddElementField(field, span, bound, &values);
  }
  return values;
}

int64_t IntOf(const Stored& value) {
  int64_t number = 0;
  std::memcpy(&number, value.payload.data(), sizeof number);
  return number;
}

double DoubleOf(const Stored& value) {
  double number = 0;
  std::memcpy(&number, value.payload.data(), sizeof number);
  return number;
}

// Whether an order satisfies an operator. `std::partial_ordering::unordered` satisfies none.
bool Satisfies(FilterOp op, std::partial_ordering order) {
  if (op == FilterOp::kGt) return order > 0;
  if (op == FilterOp::kLt) return order < 0;
  if (op == FilterOp::kGte) return order >= 0;
  if (op == FilterOp::kLte) return order <= 0;
  return order == 0;
}

bool IsEquality(FilterOp op) {
  return op == FilterOp::kEq || op == FilterOp::kNe || op == FilterOp::kIn ||
         op == FilterOp::kNotIn;
}

bool MeetsConstant(FilterOp op, const Stored& value, const Constant& constant) {
  using Type = Constant::Type;
  const bool is_text = constant.type == Type::kUntyped || constant.type == Type::kString ||
                       constant.type == Type::kLegacyText || constant.type == Type::kCanonicalText;
  if (value.kind == Stored::kText) {
    return is_text && Satisfies(op, value.payload <=> constant.text);
  }
  if (value.kind == Stored::kTime) {
    return constant.type == Type::kTime &&
           Satisfies(op, value.number <=> static_cast<uint64_t>(constant.number));
  }
  if (value.kind == Stored::kDuration) {
    return constant.type == Type::kDuration &&
           Satisfies(op, static_cast<int64_t>(value.number) <=> constant.number);
  }
  const std::string text = ValueText(value.type, value.payload);
  if (constant.type == Type::kCanonicalText) return IsEquality(op) && text == constant.text;
  const bool legacy = constant.type == Type::kLegacyText;
  if (legacy && IsEquality(op) && text == constant.text) return true;
  const bool untyped = legacy || constant.type == Type::kUntyped;
  if (value.type == ValueType::kString) {
    return (untyped || constant.type == Type::kString) &&
           Satisfies(op, value.payload <=> constant.text);
  }
  if (value.type == ValueType::kInt) {
    const std::optional<int64_t> number =
        untyped ? ParseIntText(constant.text) : std::optional(constant.number);
    if (!untyped && constant.type != Type::kInt) return false;
    return number && Satisfies(op, IntOf(value) <=> *number);
  }
  if (value.type == ValueType::kDouble) {
    const std::optional<double> number =
        untyped ? ParseDoubleText(constant.text) : std::optional(constant.real);
    if (!untyped && constant.type != Type::kDouble) return false;
    return number && Satisfies(op, DoubleOf(value) <=> *number);
  }
  if (!IsEquality(op)) return false;
  if (value.type == ValueType::kBool) {
    const std::optional<bool> truth =
        untyped ? ParseBoolText(constant.text) : std::optional(constant.number != 0);
    if (!untyped && constant.type != Type::kBool) return false;
    return truth && (value.payload[0] != 0) == *truth;
  }
  return untyped && value.type != ValueType::kEmpty && text == constant.text;
}

bool MeetsPattern(const Stored& value, const Constant& pattern) {
  const bool numbers_too = pattern.type != Constant::Type::kString;
  if (value.kind == Stored::kTime || value.kind == Stored::kDuration) return false;
  const bool is_number = value.type == ValueType::kInt || value.type == ValueType::kDouble ||
                         value.type == ValueType::kBool;
  const TextPattern regex = TextPattern::Compile(pattern.text).value();
  if (value.type == ValueType::kString) return regex.FoundIn(value.payload);
  return is_number && numbers_too && regex.FoundIn(ValueText(value.type, value.payload));
}

bool MeetsWords(FilterOp op, const Stored& value, const std::vector<Constant>& constants) {
  if (value.kind != Stored::kAttribute || value.type != ValueType::kString) return false;
  const std::vector<std::string> words = SplitWords(value.payload);
  std::vector<std::string> wanted;
  for (const Constant& constant : constants) {
    for (const std::string& word : SplitWords(constant.text)) wanted.push_back(word);
  }
  if (op == FilterOp::kFulltext) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& word) {
      return std::count(words.begin(), words.end(), word) > 0;
    });
  }
  for (size_t from = 0; from + wanted.size() <= words.size(); ++from) {
    if (std::equal(wanted.begin(), wanted.end(), words.begin() + static_cast<ptrdiff_t>(from))) {
      return true;
    }
  }
  return false;
}

// The positive form of a leaf on one value.
bool Meets(const FilterNode& leaf, const Stored& value) {
  switch (leaf.op) {
    case FilterOp::kExists:
      return true;
    case FilterOp::kRegex:
      return MeetsPattern(value, std::get<Constant>(leaf.right));
    case FilterOp::kPhrase:
    case FilterOp::kFulltext:
      return MeetsWords(leaf.op, value, leaf.constants);
    case FilterOp::kIn:
    case FilterOp::kNotIn:
      return std::any_of(leaf.constants.begin(), leaf.constants.end(),
                         [&](const Constant& c) { return MeetsConstant(leaf.op, value, c); });
    default:
      return MeetsConstant(leaf.op, value, std::get<Constant>(leaf.right));
  }
}

std::partial_ordering CompareIntDouble(int64_t a, double b) {
  // long double holds every int64 and every double exactly.
  return static_cast<long double>(a) <=> static_cast<long double>(b);
}

// Two values of a span beside each other.
bool MeetsOther(FilterOp op, const Stored& a, const Stored& b) {
  const bool a_plain = a.kind == Stored::kTime || a.kind == Stored::kDuration;
  const bool b_plain = b.kind == Stored::kTime || b.kind == Stored::kDuration;
  if (a_plain || b_plain) {
    if (a.kind != b.kind) return false;
    return a.kind == Stored::kTime
               ? Satisfies(op, a.number <=> b.number)
               : Satisfies(op, static_cast<int64_t>(a.number) <=> static_cast<int64_t>(b.number));
  }
  if (a.type == ValueType::kInt && b.type == ValueType::kDouble) {
    return Satisfies(op, CompareIntDouble(IntOf(a), DoubleOf(b)));
  }
  if (a.type == ValueType::kDouble && b.type == ValueType::kInt) {
    return Satisfies(op, 0 <=> CompareIntDouble(IntOf(b), DoubleOf(a)));
  }
  if (a.type != b.type || a.type == ValueType::kEmpty) return false;
  if (a.type == ValueType::kString) return Satisfies(op, a.payload <=> b.payload);
  if (a.type == ValueType::kInt) return Satisfies(op, IntOf(a) <=> IntOf(b));
  if (a.type == ValueType::kDouble) return Satisfies(op, DoubleOf(a) <=> DoubleOf(b));
  return IsEquality(op) && ValueText(a.type, a.payload) == ValueText(b.type, b.payload);
}

bool LeafHolds(const FilterNode& leaf, const Span& span, Bound bound) {
  const bool negated = leaf.op == FilterOp::kNe || leaf.op == FilterOp::kNotIn;
  const std::vector<Stored> values = Values(leaf.left, span, bound);
  const bool compares = leaf.op == FilterOp::kEq || leaf.op == FilterOp::kNe ||
                        leaf.op == FilterOp::kGt || leaf.op == FilterOp::kLt ||
                        leaf.op == FilterOp::kGte || leaf.op == FilterOp::kLte;
  bool present = false;
  bool met = false;
  if (compares && !std::holds_alternative<Constant>(leaf.right)) {
    for (const Stored& a : values) {
      for (const Stored& b : Values(leaf.right, span, bound)) {
        present = true;
        met = met || MeetsOther(leaf.op, a, b);
      }
    }
  } else {
    for (const Stored& value : values) {
      present = true;
      met = met || Meets(leaf, value);
    }
  }
  return negated ? present && !met : met;
}

bool Holds(const FilterNode& node, const Span& span, Bound bound) {
  const auto holds = [&](const FilterNode& child) { return Holds(child, span, bound); };
  switch (node.op) {
    case FilterOp::kTrue:
      return true;
    case FilterOp::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), holds);
    case FilterOp::kOr:
      return std::any_of(node.children.begin(), node.children.end(), holds);
    case FilterOp::kNot:
      return !holds(node.children.at(0));
    case FilterOp::kSome:
      if (node.element == FilterNode::Element::kEvent) {
        return std::any_of(span.events.begin(), span.events.end(), [&](const Event& event) {
          return Holds(node.children.at(0), span, {&event, bound.link});
        });
      }
      return std::any_of(span.links.begin(), span.links.end(), [&](const Link& link) {
        return Holds(node.children.at(0), span, {bound.event, &link});
      });
    default:
      return LeafHolds(node, span, bound);
  }
}

}  // namespace

bool ReferenceMatches(const FilterNode& filter, const Span& span) {
  return Holds(filter, span, {});
}

}  // namespace larder
