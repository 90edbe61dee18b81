#include "tiering/sls_tier/sls_index.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "tiering/base/bounded_json.h"
#include "tiering/row/span_row.h"

namespace larder {
namespace {

using Json = nlohmann::json;

constexpr int kTextBytesMax = 16384;  // of a value, for SQL

std::string TextAt(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

bool IsBool(const Json& object, const char* name, bool value) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>() == value;
}

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

// A list of delimiters as one text.
std::string Delimiters(const Json& key) {
  std::string delimiters;
  const auto list = key.find("token");
  if (list == key.end() || !list->is_array()) return delimiters;
  for (const Json& delimiter : *list) {
    if (delimiter.is_string()) delimiters += delimiter.get<std::string>();
  }
  return delimiters;
}

}  // namespace

Result<SlsIndex> SlsIndex::Parse(const std::string& json) {
  const Json parsed = ParseBoundedJson(json);
  if (!parsed.is_object()) return Status::DataLoss("the index of the Logstore is no JSON object");
  SlsIndex index;
  const auto keys = parsed.find("keys");
  if (keys == parsed.end() || !keys->is_object()) return index;
  for (const auto& [name, key] : keys->items()) {
    Key& read = index.keys_[name];
    if (!key.is_object()) continue;
    if (const std::string type = TextAt(key, "type"); !type.empty()) read.type = type;
    read.delimiters = Delimiters(key);
    read.ignores_case = IsBool(key, "caseSensitive", false);
    read.indexes_all = IsBool(key, "index_all", true);
    const auto depth = key.find("max_depth");
    if (depth != key.end() && depth->is_number_integer()) read.depth_max = depth->get<int64_t>();
    const auto members = key.find("json_keys");
    if (members == key.end() || !members->is_object()) continue;
    for (const auto& [path, member] : members->items()) {
      read.members[path] = member.is_object() ? TextAt(member, "type") : std::string();
    }
  }
  return index;
}

SlsIndex SlsIndex::Least() {
  SlsIndex index;
  index.keys_["traceID"] = {};
  return index;
}

const SlsIndex::Key* SlsIndex::Find(std::string_view field, std::string_view type) const {
  const auto found = keys_.find(field);
  return found != keys_.end() && found->second.type == type ? &found->second : nullptr;
}

bool SlsIndex::is_number(std::string_view field) const {
  return Find(field, "long") != nullptr || Find(field, "double") != nullptr;
}

bool SlsIndex::ignores_case(std::string_view field) const {
  const Key* key = Find(field, "text");
  return key != nullptr && key->ignores_case;
}

// Delimiters that are letters or digits may leave nothing of a text to search for.
bool SlsIndex::finds_text(std::string_view field) const {
  const Key* key = Find(field, "text");
  return key != nullptr &&
         std::none_of(key->delimiters.begin(), key->delimiters.end(), IsLetterOrDigit);
}

bool SlsIndex::finds_quoted(std::string_view field) const {
  return finds_text(field) && Find(field, "text")->delimiters.find('"') != std::string::npos;
}

bool SlsIndex::finds_exactly(std::string_view field, std::string_view text) const {
  return finds_text(field) &&
         text.find_first_of(Find(field, "text")->delimiters) == std::string_view::npos;
}

// Members that are indexed as numbers are not searched for as texts. What SLS counts as depth is
// nowhere said to begin at 0 or 1, so 1 is not relied on.
bool SlsIndex::finds_member(std::string_view field, std::string_view member) const {
  const Key* key = Find(field, "json");
  if (key == nullptr) return false;
  if (std::any_of(key->delimiters.begin(), key->delimiters.end(), IsLetterOrDigit)) return false;
  const auto listed = key->members.find(member);
  if (listed != key->members.end()) return listed->second == "text";
  return key->indexes_all && (key->depth_max < 0 || key->depth_max > 1);
}

std::string LarderIndexJson() {
  const Json delimiters = {",", "'", "\"", ";", "=", "(", ")", "[",  "]",  "{",  "}",
                           "?", "@", "&",  "<", ">", "/", ":", "\n", "\t", "\r", " "};
  const auto text = [](Json tokens) {
    return Json{{"type", "text"},
                {"token", std::move(tokens)},
                {"caseSensitive", false},
                {"chn", false},
                {"doc_value", true}};
  };
  Json keys = Json::object();
  for (const std::string_view name :
       {std::string_view("traceID"), std::string_view("spanID"), std::string_view("parentSpanID"),
        kPackField, kScopeField, kRefKey, kWideKey, kRestampedKey}) {
    keys[std::string(name)] = text(Json::array());
  }
  for (const char* name : {"service", "name", "host", "kind", "statusCode", "statusMessage",
                           "traceState", "otlp.name", "otlp.version", "links", "logs"}) {
    keys[name] = text(delimiters);
  }
  for (const char* name : {"start", "end", "duration", "flags"}) {
    keys[name] = {{"type", "long"}, {"doc_value", true}};
  }
  for (const char* name : {"attribute", "resource"}) {
    Json json = text(delimiters);
    json["type"] = "json";
    json["index_all"] = true;
    json["max_depth"] = -1;
    json["json_keys"] = Json::object();
    keys[name] = std::move(json);
  }
  return Json{{"keys", std::move(keys)}, {"max_text_len", kTextBytesMax}}.dump();
}

}  // namespace larder
