// Numbers for pairs of services: what counts of calls are keyed by.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace larder {

// A pair of services (parent, child), as a number of one ServicePairs.
using CallId = uint64_t;

// Not thread-safe. Never forgets a name.
class ServicePairs {
 public:
  CallId IdOf(std::string_view parent, std::string_view child) {
    return uint64_t{NumberOf(parent)} << 32 | NumberOf(child);
  }
  static uint32_t ParentNumber(CallId call) { return static_cast<uint32_t>(call >> 32); }
  static uint32_t ChildNumber(CallId call) { return static_cast<uint32_t>(call); }

  uint32_t NumberOf(std::string_view name);
  // In the order of their numbers.
  const std::vector<std::string>& names() const { return names_; }
  const std::string& parent(CallId call) const { return names_[ParentNumber(call)]; }
  const std::string& child(CallId call) const { return names_[ChildNumber(call)]; }
  uint64_t memory_bytes() const;

 private:
  struct Hasher {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return std::hash<std::string_view>()(name); }
  };

  std::vector<std::string> names_;
  std::unordered_map<std::string, uint32_t, Hasher, std::equal_to<>> numbers_;
};

}  // namespace larder
