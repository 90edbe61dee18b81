#include "tiering/sls_tier/push_down.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "storage/model/value_matcher.h"
#include "tiering/row/span_row.h"

namespace larder {
namespace {

constexpr size_t kTextBytesMax = 512;
constexpr int64_t kNanosOfMicro = 1000;

// A search and how many terms it has. Empty text: it says nothing.
struct Clause {
  std::string text{};
  int terms = 0;
};

Clause Term(std::string_view field, std::string_view text) {
  return {std::string(field) + ": " + QuoteTerm(text), 1};
}

Clause Join(const std::vector<Clause>& clauses, const char* word) {
  Clause joined;
  for (const Clause& clause : clauses) {
    joined.text += (joined.text.empty() ? "" : word) + clause.text;
    joined.terms += clause.terms;
  }
  if (clauses.size() > 1) joined.text = "(" + joined.text + ")";
  return joined;
}

// Clauses of which a row satisfies one; nothing when one of them says nothing.
Clause AnyOf(std::vector<Clause> clauses) {
  if (clauses.empty()) return {};
  for (const Clause& clause : clauses) {
    if (clause.text.empty()) return {};
  }
  return Join(clauses, " or ");
}

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

std::string Capitals(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  return text;
}

// Whether every tokenizer makes the same words of it: printable ASCII with some letter or digit,
// and none of the characters that quotes or JSON escape or that stand for others.
bool IsPlainText(std::string_view text) {
  const auto is_plain = [](char c) {
    return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != '*' && c != '?' && c != '\'';
  };
  return text.size() <= kTextBytesMax && std::all_of(text.begin(), text.end(), is_plain) &&
         std::any_of(text.begin(), text.end(), IsLetterOrDigit);
}

bool IsPlainKey(std::string_view key) {
  return !key.empty() && key.size() <= 100 && std::all_of(key.begin(), key.end(), [](char c) {
    return IsLetterOrDigit(c) || c == '.' || c == '_';
  });
}

// The texts that a value which matches a constant may have in a column. False: they cannot be
// listed, or not be searched for.
bool TextsOf(const Constant& constant, std::set<std::string>* texts) {
  FilterNode leaf;
  leaf.op = FilterOp::kEq;
  leaf.left = AttributeRef{.key = "k"};
  leaf.right = constant;
  const auto matcher = ValueMatcher::Compile(leaf);
  if (!matcher.ok()) return false;
  for (const ValueType type :
       {ValueType::kString, ValueType::kInt, ValueType::kBool, ValueType::kDouble}) {
    const auto payloads = matcher->MatchingPayloads(type);
    if (!payloads) {
      if (constant.type != Constant::Type::kCanonicalText) return false;
      continue;  // by its text, which is listed below
    }
    for (const std::string& payload : *payloads) texts->insert(ValueText(type, payload));
  }
  const bool is_text =
      constant.type == Constant::Type::kUntyped || constant.type == Constant::Type::kLegacyText ||
      constant.type == Constant::Type::kCanonicalText || constant.type == Constant::Type::kString;
  if (is_text) texts->insert(constant.text);
  return std::all_of(texts->begin(), texts->end(), IsPlainText);
}

class Pusher {
 public:
  explicit Pusher(const SlsIndex& index) : index_(index) {}

  Clause Push(const FilterNode& node) const {
    switch (node.op) {
      case FilterOp::kAnd:
        return PushAnd(node);
      case FilterOp::kOr:
        return PushOr(node);
      case FilterOp::kEq:
        if (const auto* right = std::get_if<Constant>(&node.right)) {
          return PushEqual(node.left, {*right});
        }
        return {};
      case FilterOp::kIn:
        return PushEqual(node.left, node.constants);
      case FilterOp::kGt:
      case FilterOp::kGte:
      case FilterOp::kLt:
      case FilterOp::kLte:
        return PushDuration(node);
      default:
        return {};
    }
  }

 private:
  Clause PushAnd(const FilterNode& node) const {
    std::vector<Clause> said;
    int terms = 0;
    for (const FilterNode& child : node.children) {
      Clause clause = Push(child);
      if (clause.text.empty() || terms + clause.terms > kPushedTermsMax) continue;
      terms += clause.terms;
      said.push_back(std::move(clause));
    }
    return Join(said, " and ");
  }

  Clause PushOr(const FilterNode& node) const {
    std::vector<Clause> clauses;
    for (const FilterNode& child : node.children) clauses.push_back(Push(child));
    Clause any = AnyOf(std::move(clauses));
    return any.terms > kPushedTermsMax ? Clause{} : any;
  }

  Clause PushEqual(const Operand& left, const std::vector<Constant>& constants) const {
    std::vector<Clause> clauses;
    for (const Constant& constant : constants) {
      if (const auto* attribute = std::get_if<AttributeRef>(&left)) {
        clauses.push_back(PushAttribute(*attribute, constant));
      } else if (const auto* field = std::get_if<FieldRef>(&left)) {
        clauses.push_back(PushField(field->field, constant));
      }
    }
    Clause any = AnyOf(std::move(clauses));
    return any.terms > kPushedTermsMax ? Clause{} : any;
  }

  // A column that holds a whole value of the field, or of it and others.
  Clause InColumn(std::string_view column, std::string_view text) const {
    return index_.finds_text(column) ? Term(column, text) : Clause{};
  }
  // A column of JSON that holds the value somewhere, as a string.
  Clause WithinColumn(std::string_view column, std::string_view text) const {
    return index_.finds_quoted(column) ? Term(column, text) : Clause{};
  }
  // Rows whose columns may be too long to be found by.
  Clause Wide() const { return InColumn(kWideKey, "1"); }

  Clause PushField(Field field, const Constant& constant) const {
    if (!IsPlainText(constant.text)) return {};
    switch (field) {
      case Field::kName:
        return AnyOf({InColumn("name", constant.text), Wide()});
      case Field::kResourceService:
        return AnyOf({InColumn("service", constant.text), Wide()});
      case Field::kKind:
        return PushWord("kind", constant.text,
                        {"internal", "server", "client", "producer", "consumer"});
      case Field::kStatus:
        return PushWord("statusCode", constant.text, {"error", "ok"});
      default:
        return {};
    }
  }

  // A word that stands in small letters or capitals, which an index may tell apart.
  Clause PushWord(std::string_view column, const std::string& word,
                  const std::set<std::string>& words) const {
    if (!words.contains(word)) return {};
    if (index_.ignores_case(column)) return InColumn(column, word);
    return AnyOf({InColumn(column, word), InColumn(column, Capitals(word))});
  }

  Clause PushAttribute(const AttributeRef& attribute, const Constant& constant) const {
    std::set<std::string> texts;
    // The service stands in a column of its own.
    if (!IsPlainKey(attribute.key) || attribute.key == "service.name" ||
        !TextsOf(constant, &texts)) {
      return {};
    }
    const AttributeLevel level = attribute.level;
    // Nothing finds these, so rows that have them are wide.
    if (level == AttributeLevel::kScope || level == AttributeLevel::kLink) return {};
    const bool is_any = level == AttributeLevel::kAny;
    const bool is_both = is_any || level == AttributeLevel::kSpanOrResource;
    std::vector<Clause> clauses = {Wide()};
    for (const std::string& text : texts) {
      if (is_both || level == AttributeLevel::kSpan)
        clauses.push_back(InJson("attribute", attribute.key, text));
      if (is_both || level == AttributeLevel::kResource)
        clauses.push_back(InJson("resource", attribute.key, text));
      if (is_any || level == AttributeLevel::kEvent) clauses.push_back(WithinColumn("logs", text));
    }
    return AnyOf(std::move(clauses));
  }

  Clause InJson(const std::string& column, const std::string& key, const std::string& text) const {
    return index_.finds_member(column, key) ? Term(column + "." + key, text) : Clause{};
  }

  // Columns are in microseconds, rounded at both ends, and zero where a span ends before it starts.
  Clause PushDuration(const FilterNode& node) const {
    const auto* field = std::get_if<FieldRef>(&node.left);
    const auto* bound = std::get_if<Constant>(&node.right);
    if (field == nullptr || field->field != Field::kDuration || bound == nullptr ||
        bound->type != Constant::Type::kDuration || !index_.is_number("duration")) {
      return {};
    }
    const int64_t micros = bound->number / kNanosOfMicro;
    const bool is_lower = node.op == FilterOp::kGt || node.op == FilterOp::kGte;
    if (is_lower)
      return micros <= 1 ? Clause{} : Clause{"duration >= " + std::to_string(micros - 1), 1};
    return {"duration <= " + std::to_string(std::max<int64_t>(micros, 0) + 1), 1};
  }

  const SlsIndex& index_;
};

}  // namespace

std::string QuoteTerm(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

std::string PushDown(const FilterNode& filter, const SlsIndex& index) {
  const Clause clause = Pusher(index).Push(filter);
  return clause.terms > kPushedTermsMax ? std::string() : clause.text;
}

}  // namespace larder
