// A structured filter as its caller writes it (Jaeger's RFC 0005, jaeger.expression.v1): a call of
// an operator over references, constants and further calls, every word still text. ResolveFilter
// (resolve.h) checks it by the rules of FILTER.md and turns it into the filter tree that is
// evaluated (storage/model/filter.h).
#pragma once

#include <cstddef>
#include <string>
#include <variant>
#include <vector>

namespace larder {

struct AttributeExpression {
  std::string key;
  std::string level;  // "" (span or resource), span, resource, scope, event, link
};

// A built-in field, such as duration of level span.
struct FieldExpression {
  std::string name;
  std::string level;
};

// The events or the links of a span: the first argument of `some`.
struct NestedExpression {
  std::string level;
};

struct ScalarExpression {
  std::string value;
  std::string type;  // "", string, int, double, bool
};

struct ListExpression {
  std::vector<std::string> values;
  std::string type;
};

struct Expression;

struct CallExpression {
  std::string op;
  std::vector<Expression> args;
};

// Plain values, no sharing. std::monostate: nothing was given, which no operator takes.
struct Expression {
  std::variant<std::monostate, AttributeExpression, FieldExpression, NestedExpression,
               ScalarExpression, ListExpression, CallExpression>
      term;
};

// What a filter may hold. More is refused with kInvalidArgument.
inline constexpr size_t kFilterBytesMax = 1 << 20;   // on the wire
inline constexpr size_t kFilterNodesMax = 10'000;    // arguments of all calls together
inline constexpr size_t kFilterValuesMax = 10'000;   // list values of all calls together
inline constexpr size_t kFilterDepthMax = 20;        // calls within calls; the filter itself is 1
inline constexpr size_t kPatternBytesMax = 4 << 10;  // of one regular expression
inline constexpr size_t kPatternsMax = 64;           // each may take some MiB while it runs
inline constexpr size_t kWordUnitsMax = 255;         // UTF-16 code units in a word of a text search

}  // namespace larder
