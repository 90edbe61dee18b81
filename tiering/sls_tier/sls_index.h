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

  bool has(std::string_view field) const { return keys_.contains(field); }
  bool is_number(std::string_view field) const;
  // Of a text: capitals and small letters are the same to searches.
  bool ignores_case(std::string_view field) const;

  // What a search for a text finds of the rows that have it is all of them only when the words
  // that SLS makes of both are the same. Texts are printable ASCII with a letter or digit.

  // All rows whose column is the text, and maybe others.
  bool finds_text(std::string_view field) const;
  // All rows whose column has the text in double quotes within other text, and maybe others.
  bool finds_quoted(std::string_view field) const;
  // All rows whose column is the text, and no others.
  bool finds_exactly(std::string_view field, std::string_view text) const;
  // All rows whose column is a JSON object, of no depth, with the text under `member`.
  bool finds_member(std::string_view field, std::string_view member) const;

 private:
  struct Key {
    std::string type = "text";
    std::string delimiters{};
    bool ignores_case = false;
    bool indexes_all = false;                                   // of JSON: every member
    int64_t depth_max = -1;                                     // of JSON; -1: any
    std::map<std::string, std::string, std::less<>> members{};  // of JSON: their types
  };
  const Key* Find(std::string_view field, std::string_view type) const;

  std::map<std::string, Key, std::less<>> keys_;
};

// The JSON of the index of a Logstore that Larder makes: the columns of the Trace app, and what
// finds a pack, a scope, a continuation. The payload has none.
std::string LarderIndexJson();

}  // namespace larder
