#include "tiering/sls_tier/sls_index.h"

#include <nlohmann/json.hpp>

#include "tiering/row/span_row.h"

namespace larder {
namespace {

using Json = nlohmann::json;

constexpr int kTextBytesMax = 16384;  // of a value, for SQL

}  // namespace

Result<SlsIndex> SlsIndex::Parse(const std::string& json) {
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object()) return Status::DataLoss("the index of the Logstore is no JSON object");
  SlsIndex index;
  const auto keys = parsed.find("keys");
  if (keys == parsed.end() || !keys->is_object()) return index;
  for (const auto& [name, key] : keys->items()) {
    const bool has_type = key.is_object() && key.contains("type") && key["type"].is_string();
    index.types_[name] = has_type ? key["type"].get<std::string>() : "text";
  }
  return index;
}

SlsIndex SlsIndex::Least() {
  SlsIndex index;
  index.types_["traceID"] = "text";
  return index;
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
