#include "storage/filter/expression_path.h"

#include <cstdint>

namespace larder {

std::string PathText(const ExpressionPath* path) {
  if (path == nullptr) return "filter";
  const std::string outer = PathText(path->outer) + (path->outer == nullptr ? "" : ".call");
  return outer + ".args[" + std::to_string(path->index) + "]";
}

Status RefusedAt(const ExpressionPath* path, std::string_view why) {
  return Status::InvalidArgument(PathText(path) + ": " + std::string(why));
}

std::string QuotedWord(std::string_view word) {
  constexpr size_t kShownMax = 60;
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : word.substr(0, kShownMax)) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte >= 0x20 && byte < 0x7F) {
      quoted += c;
    } else {
      quoted += {'\\', 'x', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return quoted + (word.size() > kShownMax ? "...\"" : "\"");
}

}  // namespace larder
