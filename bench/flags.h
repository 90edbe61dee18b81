// Command-line flags of the bench program: --name=value, or --name for "1".
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder::bench {

class Flags {
 public:
  // kInvalidArgument: something that is no flag. `arguments` ends with a null pointer.
  static Result<Flags> Parse(char** arguments);

  std::string Text(const std::string& name, std::string_view fallback = "");
  // Numbers may end in k or m (thousands, millions). What is no number is reported by
  // CheckAllKnown.
  uint64_t Number(const std::string& name, uint64_t fallback);
  bool Has(const std::string& name);

  // kInvalidArgument when a flag was given that nobody has asked for, or that is no number though
  // it should be. Call it once all flags were asked for.
  Status CheckAllKnown() const;

 private:
  std::map<std::string, std::string> given_;
  std::set<std::string> asked_;
  std::string bad_;
};

}  // namespace larder::bench
