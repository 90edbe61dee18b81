// Where in a filter something lies, for messages: "filter.args[1].call.args[0]".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// An argument of a call that is itself an argument, and so on outwards. Lies on the stack while the
// tree is walked; null stands for the filter itself. `outer` must outlive this.
struct ExpressionPath {
  const ExpressionPath* outer = nullptr;
  size_t index = 0;
};

std::string PathText(const ExpressionPath* path);

// kInvalidArgument: the place, a colon, and what is wrong with it.
Status RefusedAt(const ExpressionPath* path, std::string_view why);

// A caller's word for a message: in quotes, what is not plain ASCII as \xHH, cut when long.
std::string QuotedWord(std::string_view word);

}  // namespace larder
