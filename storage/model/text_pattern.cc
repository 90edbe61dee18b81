#include "storage/model/text_pattern.h"

#include <string>

#include <re2/re2.h>

namespace larder {
namespace {

re2::StringPiece Piece(std::string_view text) { return {text.data(), text.size()}; }

re2::RE2::Options Quiet() {
  re2::RE2::Options options;
  options.set_log_errors(false);
  return options;
}

}  // namespace

class TextPattern::Compiled {
 public:
  explicit Compiled(std::string_view pattern) : regex(Piece(pattern), Quiet()) {}
  const re2::RE2 regex;
};

Result<TextPattern> TextPattern::Compile(std::string_view pattern) {
  TextPattern compiled;
  compiled.compiled_ = std::make_shared<const Compiled>(pattern);
  const re2::RE2& regex = compiled.compiled_->regex;
  if (!regex.ok()) {
    return Status::InvalidArgument("pattern \"" + std::string(pattern) + "\": " + regex.error());
  }
  return compiled;
}

bool TextPattern::FoundIn(std::string_view text) const {
  return re2::RE2::PartialMatch(Piece(text), compiled_->regex);
}

}  // namespace larder
