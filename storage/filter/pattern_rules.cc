#include "storage/filter/pattern_rules.h"

#include <algorithm>
#include <utility>

#include "storage/filter/expression.h"

namespace larder {
namespace {

Status Refused(std::string_view construct) {
  return Status::InvalidArgument("the pattern has " + std::string(construct) +
                                 ", which filters do not take");
}

// A scan of the pattern's surface: RE2 keeps its parse tree to itself.
class PatternScan {
 public:
  explicit PatternScan(std::string_view pattern) : rest_(pattern) {}

  Result<std::string> Run() {
    while (!rest_.empty()) LARDER_RETURN_IF_ERROR(Step());
    return std::move(out_);
  }

 private:
  Status Step() {
    switch (rest_.front()) {
      case '\\':
        return Escape();
      case '[':
        Class();
        return Status::Ok();
      case '^':
      case '$':
        return Refused("an anchor (^ or $)");
      case '(':
        return Group();
      case '*':
      case '+':
      case '?':
        Copy(1);
        return CheckGreedy();
      case '{':
        return Repeat();
      default:
        Copy(1);
        return Status::Ok();
    }
  }

  Status Escape() {
    if (rest_.size() > 1) {
      switch (rest_[1]) {
        case 'A':
        case 'z':
          return Refused("an anchor (\\A or \\z)");
        case 'b':
        case 'B':
          return Refused("a word boundary (\\b or \\B)");
        case 'C':
          return Refused("\\C");
        case 'Q': {
          const size_t end = rest_.find("\\E", 2);
          Copy(end == std::string_view::npos ? rest_.size() : end + 2);
          return Status::Ok();
        }
        default:
          break;
      }
    }
    Copy(2);
    return Status::Ok();
  }

  // Up to the bracket that ends it: not one that stands first, is escaped, or ends [:name:].
  void Class() {
    size_t i = 1;
    if (i < rest_.size() && rest_[i] == '^') ++i;
    if (i < rest_.size() && rest_[i] == ']') ++i;
    while (i < rest_.size() && rest_[i] != ']') {
      if (rest_[i] == '\\') {
        i += 2;
        continue;
      }
      const size_t end =
          rest_.substr(i).starts_with("[:") ? rest_.find(":]", i + 2) : std::string_view::npos;
      i = end == std::string_view::npos ? i + 1 : end + 2;
    }
    Copy(i + 1);
  }

  Status Group() {
    if (rest_.starts_with("(?<")) {
      out_ += "(?P<";
      rest_.remove_prefix(3);
    } else if (rest_.starts_with("(?P<")) {
      Copy(4);
    } else if (rest_.starts_with("(?")) {
      return Flags();
    } else {
      Copy(1);
      return Status::Ok();
    }
    const size_t end = rest_.find('>');
    Copy(end == std::string_view::npos ? rest_.size() : end + 1);
    return Status::Ok();
  }

  // "(?flags:" or "(?flags)"; what stands after '-' switches flags off.
  Status Flags() {
    bool on = true;
    size_t i = 2;
    for (; i < rest_.size() && rest_[i] != ':' && rest_[i] != ')'; ++i) {
      if (rest_[i] == '-') on = false;
      if (on && rest_[i] == 'i') return Refused("case folding ((?i))");
      if (on && rest_[i] == 'U') return Refused("the ungreedy flag ((?U))");
    }
    Copy(i + 1);
    return Status::Ok();
  }

  // "{n}", "{n,}" or "{n,m}"; any other brace stands for itself.
  Status Repeat() {
    size_t i = 1;
    const auto digits = [&] {
      const size_t begin = i;
      while (i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '9') ++i;
      return i > begin;
    };
    bool is_repeat = digits();
    if (is_repeat && i < rest_.size() && rest_[i] == ',') {
      ++i;
      digits();
    }
    is_repeat = is_repeat && i < rest_.size() && rest_[i] == '}';
    Copy(is_repeat ? i + 1 : 1);
    return is_repeat ? CheckGreedy() : Status::Ok();
  }

  Status CheckGreedy() const {
    return rest_.starts_with('?') ? Refused("a lazy quantifier") : Status::Ok();
  }

  void Copy(size_t size) {
    out_ += rest_.substr(0, size);
    rest_.remove_prefix(std::min(size, rest_.size()));
  }

  std::string_view rest_;
  std::string out_;
};

}  // namespace

Result<std::string> CheckPattern(std::string_view pattern) {
  if (pattern.size() > kPatternBytesMax) {
    return Status::InvalidArgument("a pattern of " + std::to_string(pattern.size()) +
                                   " bytes; at most " + std::to_string(kPatternBytesMax) +
                                   " are taken");
  }
  return PatternScan(pattern).Run();
}

}  // namespace larder
