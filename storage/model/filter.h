// The filter tree: what a span must be like. One tree for everything that searches: Jaeger's legacy
// fields are lowered to it (legacy_search.h), the structured filter of RFC 0005 decodes to it.
//
// A leaf compares references on one span with constants. A reference has a *set* of values on a
// span (none, one, several: an event attribute has one per event that carries it). Rules:
//   - a leaf over an empty set is false, kNe and kNotIn included; only kNot flips;
//   - over several values a positive leaf holds when some value satisfies it; kNe and kNotIn hold
//     when the set is not empty and no value matches the positive form;
//   - inside kSome the references of that level read the bound event or link only.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace larder {

enum class FilterOp : uint8_t {
  kTrue,  // every span; not on the wire
  kAnd,
  kOr,
  kNot,
  kEq,
  kNe,
  kGt,
  kLt,
  kGte,
  kLte,
  kRegex,
  kExists,
  kIn,
  kNotIn,
  kSome,
  kPhrase,
  kFulltext,
};

// `a op b` is `b Mirror(op) a`.
FilterOp Mirror(FilterOp op);

// Where an attribute lies.
enum class AttributeLevel : uint8_t {
  kSpanOrResource,  // "" on the wire: the span's value and the resource's
  kSpan,
  kResource,
  kScope,
  kEvent,
  kLink,
  kAny,  // all five, for Jaeger's legacy search; not on the wire
};

struct AttributeRef {
  std::string key;
  AttributeLevel level = AttributeLevel::kSpanOrResource;
};

enum class Field : uint8_t {
  kTraceId,
  kSpanId,
  kParentSpanId,
  kTraceState,
  kName,
  kKind,
  kStartTime,
  kEndTime,
  kDuration,
  kStatus,
  kStatusMessage,
  kResourceService,
  kResourceSchemaUrl,
  kScopeName,
  kScopeVersion,
  kScopeSchemaUrl,
  kEventName,
  kEventTime,
  kEventTimeSinceStart,
  kLinkTraceId,
  kLinkSpanId,
  kLinkTraceState,
};

struct FieldRef {
  Field field = Field::kName;
};

// A constant. What it means depends on its type and on what it is compared with.
struct Constant {
  enum class Type : uint8_t {
    kUntyped,     // text; matched at the stored value's own type
    kString,      // text
    kInt,         // number
    kDouble,      // real
    kBool,        // number, 0 or 1
    kLegacyText,  // text; equal when the canonical texts are equal, or when it parses as the stored
                  // type and is equal (jaeger's legacy search)
    kCanonicalText,  // text; equal when the canonical texts are equal, whatever the stored type
                     // (a typed constant of the legacy search)
    kTime,           // unsigned nanoseconds since 1970, in number (two's complement)
    kDuration,       // signed nanoseconds, in number
  };
  Type type = Type::kUntyped;
  std::string text = {};
  int64_t number = 0;
  double real = 0;
};

using Operand = std::variant<AttributeRef, FieldRef, Constant>;

// Plain values, no sharing: copy and compare freely. Which members count depends on `op`:
//   kAnd kOr              children (any number; none: true, false)
//   kNot kSome            children[0]; kSome also element
//   kEq .. kLte           left (a reference after resolution), right
//   kRegex                left, pattern text in right
//   kExists               left
//   kIn kNotIn            left, constants
//   kPhrase kFulltext     left, words in constants
struct FilterNode {
  enum class Element : uint8_t { kEvent, kLink };

  static FilterNode Leaf(FilterOp op, Operand left, Operand right = Constant{});
  static FilterNode Group(FilterOp op, std::vector<FilterNode> children);

  FilterOp op = FilterOp::kTrue;
  std::vector<FilterNode> children;
  Operand left;
  Operand right;
  std::vector<Constant> constants;
  Element element = Element::kEvent;
};

}  // namespace larder
