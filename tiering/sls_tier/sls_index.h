// What a Logstore has an index of, and the index that Larder makes.
//
// SLS refuses a search that names a field without an index, so what is asked of a Logstore that
// somebody else made depends on what it has.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// Tags of a group of logs, as rows and searches name them.
inline constexpr std::string_view kPackField = "__tag__:__pack_id__";
inline constexpr std::string_view kScopeTag = "larder_scope";
inline constexpr std::string_view kScopeField = "__tag__:larder_scope";

class SlsIndex {
 public:
  // From the JSON that GetIndex answers. kDataLoss for text that is no index.
  static Result<SlsIndex> Parse(const std::string& json);
  // Nothing but trace ids, which every Logstore of spans has an index of.
  static SlsIndex Least();

  bool has(std::string_view field) const { return types_.contains(field); }
  bool is_json(std::string_view field) const { return is_of(field, "json"); }
  bool is_number(std::string_view field) const {
    return is_of(field, "long") || is_of(field, "double");
  }

 private:
  bool is_of(std::string_view field, std::string_view type) const {
    const auto found = types_.find(field);
    return found != types_.end() && found->second == type;
  }

  std::map<std::string, std::string, std::less<>> types_;
};

// The JSON of the index of a Logstore that Larder makes: the columns of the Trace app, and what
// finds a pack, a scope, a continuation. The payload has none.
std::string LarderIndexJson();

}  // namespace larder
