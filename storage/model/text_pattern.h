// A compiled regular expression (RE2 syntax, case-sensitive): linear in its input, whatever it is.
#pragma once

#include <memory>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// Immutable, thread-safe, cheap to copy.
class TextPattern {
 public:
  // kInvalidArgument with RE2's reason when the pattern is none.
  static Result<TextPattern> Compile(std::string_view pattern);
  // Whether it matches anywhere in the text.
  bool FoundIn(std::string_view text) const;

 private:
  class Compiled;
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace larder
