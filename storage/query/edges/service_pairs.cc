#include "storage/query/edges/service_pairs.h"

namespace larder {

uint32_t ServicePairs::NumberOf(std::string_view name) {
  const auto found = numbers_.find(name);
  if (found != numbers_.end()) return found->second;
  const auto number = static_cast<uint32_t>(names_.size());
  names_.emplace_back(name);
  numbers_.emplace(name, number);
  return number;
}

uint64_t ServicePairs::memory_bytes() const {
  uint64_t bytes = 0;
  for (const std::string& name : names_) bytes += 2 * (name.capacity() + sizeof(name)) + 32;
  return bytes;
}

}  // namespace larder
