#include <utility>

#include <nlohmann/json.hpp>

#include "tiering/base/bounded_json.h"
#include "tiering/sls/sls_client.h"

namespace larder {
namespace {

using Json = nlohmann::json;

constexpr uint32_t kLogstoresMax = 500;  // of one answer

std::string LogstoreJson(const SlsLogstore& logstore) {
  return Json{{"logstoreName", logstore.name},        {"ttl", logstore.ttl_days},
              {"shardCount", logstore.shards},        {"autoSplit", logstore.auto_split},
              {"maxSplitShard", logstore.shards_max}, {"enable_tracking", false}}
      .dump();
}

SlsRequest WithJson(std::string method, std::string path) {
  return {.method = std::move(method),
          .path = std::move(path),
          .headers = {{"content-type", "application/json"}}};
}

template <typename T>
T Get(const Json& object, const char* key, T fallback) {
  const auto found = object.find(key);
  if (found == object.end()) return fallback;
  if constexpr (std::is_same_v<T, bool>) {
    return found->is_boolean() ? found->get<bool>() : fallback;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return found->is_string() ? found->get<std::string>() : fallback;
  } else {
    return found->is_number_unsigned() ? found->get<T>() : fallback;
  }
}

}  // namespace

Status SlsClient::GetProject(const SlsCallLimits& limits) {
  return Run({.name = "GetProject", .request = {}}, limits).status();
}

Result<std::vector<std::string>> SlsClient::ListLogstores(const SlsCallLimits& limits) {
  std::vector<std::string> names;
  while (true) {
    Call call{.name = "ListLogstores",
              .request = {.path = "/logstores",
                          .query = {{"offset", std::to_string(names.size())},
                                    {"size", std::to_string(kLogstoresMax)}}}};
    LARDER_ASSIGN_OR_RETURN(const HttpResponse response, Run(std::move(call), limits));
    const Json json = ParseBoundedJson(response.body);
    if (!json.is_object() || !json.contains("logstores") || !json["logstores"].is_array()) {
      return Status::DataLoss("ListLogstores: the answer has no logstores");
    }
    const size_t before = names.size();
    for (const Json& name : json["logstores"]) {
      if (name.is_string()) names.push_back(name.get<std::string>());
    }
    if (names.size() == before || names.size() >= Get<uint64_t>(json, "total", 0)) return names;
  }
}

Result<SlsLogstore> SlsClient::GetLogstore(const std::string& logstore,
                                           const SlsCallLimits& limits) {
  LARDER_ASSIGN_OR_RETURN(
      const HttpResponse response,
      Run({.name = "GetLogstore", .request = {.path = PathOf(logstore)}}, limits));
  const Json json = ParseBoundedJson(response.body);
  if (!json.is_object()) return Status::DataLoss("GetLogstore: the answer is no object");
  SlsLogstore found;
  found.name = Get(json, "logstoreName", logstore);
  found.ttl_days = Get(json, "ttl", 0U);
  found.shards = Get(json, "shardCount", 0U);
  found.auto_split = Get(json, "autoSplit", false);
  found.shards_max = Get(json, "maxSplitShard", 0U);
  found.mode = Get(json, "mode", std::string());
  return found;
}

Status SlsClient::CreateLogstore(const SlsLogstore& logstore, const SlsCallLimits& limits) {
  return Run({.name = "CreateLogstore",
              .request = WithJson("POST", "/logstores"),
              .body = LogstoreJson(logstore)},
             limits)
      .status();
}

Status SlsClient::UpdateLogstore(const SlsLogstore& logstore, const SlsCallLimits& limits) {
  return Run({.name = "UpdateLogstore",
              .request = WithJson("PUT", PathOf(logstore.name)),
              .body = LogstoreJson(logstore)},
             limits)
      .status();
}

Status SlsClient::DeleteLogstore(const std::string& logstore, const SlsCallLimits& limits) {
  return Run({.name = "DeleteLogstore", .request = {.method = "DELETE", .path = PathOf(logstore)}},
             limits)
      .status();
}

Result<std::string> SlsClient::GetIndex(const std::string& logstore, const SlsCallLimits& limits) {
  LARDER_ASSIGN_OR_RETURN(
      HttpResponse response,
      Run({.name = "GetIndex", .request = {.path = PathOf(logstore) + "/index"}}, limits));
  return std::move(response.body);
}

Status SlsClient::CreateIndex(const std::string& logstore, const std::string& json,
                              const SlsCallLimits& limits) {
  return Run({.name = "CreateIndex",
              .request = WithJson("POST", PathOf(logstore) + "/index"),
              .body = json},
             limits)
      .status();
}

Status SlsClient::UpdateIndex(const std::string& logstore, const std::string& json,
                              const SlsCallLimits& limits) {
  return Run({.name = "UpdateIndex",
              .request = WithJson("PUT", PathOf(logstore) + "/index"),
              .body = json},
             limits)
      .status();
}

Status SlsClient::DeleteIndex(const std::string& logstore, const SlsCallLimits& limits) {
  return Run({.name = "DeleteIndex",
              .request = {.method = "DELETE", .path = PathOf(logstore) + "/index"}},
             limits)
      .status();
}

}  // namespace larder
