#include <algorithm>
#include <charconv>
#include <utility>

#include <nlohmann/json.hpp>

#include "tiering/base/bounded_json.h"
#include "tiering/sls/sls_client.h"
#include "tiering/sls/sls_compression.h"

namespace larder {
namespace {

using Json = nlohmann::json;

// While an answer is incomplete: as the SDK for Go waits.
constexpr uint32_t kAsksMax = 20;
constexpr uint64_t kFirstAskMs = 100;
constexpr uint64_t kAskMsMax = 10'000;

Status Broken(const char* call, const char* what) {
  return Status::DataLoss(std::string(call) + ": the answer has no " + what);
}

std::string TextOf(Json&& value) {
  return value.is_string() ? std::move(value.get_ref<std::string&>())
                           : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}
std::string TextOf(const Json& value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// An array of objects. False when it is none.
bool ReadRows(Json* array, std::vector<SlsRow>* rows) {
  if (!array->is_array()) return false;
  for (Json& object : *array) {
    if (!object.is_object()) return false;
    SlsRow& row = rows->emplace_back();
    for (auto& [key, value] : object.items()) row[key] = TextOf(std::move(value));
  }
  return true;
}

// The body as JSON, which takes its place: both are there for a moment.
Result<Json> TakeJson(std::string* body, const SlsCallLimits& limits) {
  if (limits.hold) LARDER_RETURN_IF_ERROR(limits.hold(2 * body->size()));
  Json json = ParseBoundedJson(*body);
  *body = std::string();
  return json;
}

bool IsComplete(std::string_view progress) { return IsSlsCode(progress, "Complete"); }

Result<uint64_t> Number(const std::string& text, const char* what) {
  uint64_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec == std::errc() && end.ptr == text.data() + text.size()) return number;
  return Status::DataLoss(std::string(what) + " is no number");
}

std::map<std::string, std::string> TimeAndQuery(const SlsQuery& query) {
  return {{"from", std::to_string(query.from_s)},
          {"to", std::to_string(query.to_s)},
          {"topic", query.topic},
          {"query", query.query}};
}

}  // namespace

Status SlsClient::PutLogs(const std::string& logstore, std::string_view group,
                          const std::string& hash_key, const SlsCallLimits& limits,
                          uint64_t* bytes_sent) {
  Call call{
      .name = "PutLogs",
      .request = {.method = "POST",
                  .path = PathOf(logstore) + (hash_key.empty() ? "/shards/lb" : "/shards/route"),
                  .headers = {{"content-type", "application/x-protobuf"}}},
      .body = std::string(group),
      .compresses = true,
      .bytes_sent = bytes_sent};
  if (!hash_key.empty()) call.request.query["key"] = hash_key;
  return Run(std::move(call), limits).status();
}

Result<SlsRows> SlsClient::GetLogs(const std::string& logstore, const SlsQuery& query,
                                   const SlsCallLimits& limits) {
  Call call{.name = "GetLogs", .request = {.path = PathOf(logstore), .query = TimeAndQuery(query)}};
  call.request.query["type"] = "log";
  call.request.query["line"] = std::to_string(query.line);
  call.request.query["offset"] = std::to_string(query.offset);
  call.request.query["reverse"] = query.newest_first ? "true" : "false";
  LARDER_ASSIGN_OR_RETURN(HttpResponse response, Run(std::move(call), limits));
  LARDER_ASSIGN_OR_RETURN(Json json, TakeJson(&response.body, limits));
  SlsRows rows;
  if (!ReadRows(&json, &rows.rows)) return Broken("GetLogs", "rows");
  rows.is_complete = IsComplete(response.header("x-log-progress"));
  return rows;
}

Result<SlsRows> SlsClient::PostLogs(const std::string& logstore, const SlsQuery& query,
                                    const SlsCallLimits& limits) {
  const Json body = {{"from", query.from_s},
                     {"to", query.to_s},
                     {"topic", query.topic},
                     {"line", query.line},
                     {"offset", query.offset},
                     {"reverse", query.newest_first},
                     {"query", query.query},
                     {"powerSql", false},
                     {"fromNs", 0},
                     {"toNs", 0},
                     {"highlight", false}};
  Call call{.name = "GetLogs",
            .request = {.method = "POST",
                        .path = PathOf(logstore) + "/logs",
                        .headers = {{"content-type", "application/json"}}},
            .body = body.dump(-1, ' ', false, Json::error_handler_t::replace)};
  const std::string_view compression = CompressionName(options_.compression);
  if (!compression.empty()) call.request.headers["accept-encoding"] = compression;
  LARDER_ASSIGN_OR_RETURN(HttpResponse response, Run(std::move(call), limits));
  LARDER_ASSIGN_OR_RETURN(Json json, TakeJson(&response.body, limits));
  if (!json.is_object() || !json.contains("meta") || !json["meta"].is_object()) {
    return Broken("GetLogs", "meta");
  }
  SlsRows rows;
  if (!json.contains("data") || !ReadRows(&json["data"], &rows.rows)) {
    return Broken("GetLogs", "rows");
  }
  const Json& meta = json["meta"];
  rows.is_complete = meta.contains("progress") && IsComplete(TextOf(meta["progress"]));
  return rows;
}

// Asks again while the answer is incomplete: waits double from 100 ms to 10 s.
Result<std::vector<SlsRow>> SlsClient::AskUntilComplete(const std::function<Result<SlsRows>()>& ask,
                                                        const SlsCallLimits& limits) const {
  const uint64_t deadline = clock_->MonotonicNanos() + limits.time_ms_max * 1'000'000;
  uint64_t wait_ms = kFirstAskMs;
  for (uint32_t asked = 1;; ++asked) {
    LARDER_ASSIGN_OR_RETURN(SlsRows rows, ask());
    if (rows.is_complete) return std::move(rows.rows);
    if (asked == kAsksMax || clock_->MonotonicNanos() + wait_ms * 1'000'000 >= deadline) {
      return Status::Unavailable("SLS has no complete answer after " + std::to_string(asked) +
                                 " tries");
    }
    LARDER_RETURN_IF_ERROR(Wait(wait_ms, limits.is_cancelled));
    wait_ms = std::min(2 * wait_ms, kAskMsMax);
  }
}

Result<std::vector<SlsRow>> SlsClient::ReadPage(const std::string& logstore, const SlsQuery& query,
                                                const SlsCallLimits& limits) {
  return AskUntilComplete([&] { return PostLogs(logstore, query, limits); }, limits);
}

Status SlsClient::ReadAll(const std::string& logstore, SlsQuery query, const SlsCallLimits& limits,
                          const std::function<bool(std::vector<SlsRow>* rows)>& visit) {
  const uint64_t deadline = clock_->MonotonicNanos() + limits.time_ms_max * 1'000'000;
  while (true) {
    const uint64_t now = clock_->MonotonicNanos();
    if (now >= deadline) return Status::DeadlineExceeded("reading logs took too long");
    LARDER_ASSIGN_OR_RETURN(std::vector<SlsRow> rows,
                            ReadPage(logstore, query,
                                     {.time_ms_max = (deadline - now) / 1'000'000,
                                      .is_cancelled = limits.is_cancelled,
                                      .hold = limits.hold}));
    if (rows.empty()) return Status::Ok();
    query.offset += rows.size();
    if (!visit(&rows)) return Status::Ok();
  }
}

Result<uint64_t> SlsClient::CountLogs(const std::string& logstore, const SlsQuery& query,
                                      const SlsCallLimits& limits) {
  uint64_t count = 0;
  const auto ask = [&]() -> Result<SlsRows> {
    Call call{.name = "GetHistograms",
              .request = {.path = PathOf(logstore), .query = TimeAndQuery(query)}};
    call.request.query["type"] = "histogram";
    LARDER_ASSIGN_OR_RETURN(const HttpResponse response, Run(std::move(call), limits));
    LARDER_ASSIGN_OR_RETURN(count, Number(response.header("x-log-count"), "x-log-count"));
    return SlsRows{.rows = {}, .is_complete = IsComplete(response.header("x-log-progress"))};
  };
  LARDER_RETURN_IF_ERROR(AskUntilComplete(ask, limits).status());
  return count;
}

Result<std::vector<SlsShard>> SlsClient::ListShards(const std::string& logstore,
                                                    const SlsCallLimits& limits) {
  Call call{.name = "ListShards", .request = {.path = PathOf(logstore) + "/shards"}};
  LARDER_ASSIGN_OR_RETURN(const HttpResponse response, Run(std::move(call), limits));
  const Json json = ParseBoundedJson(response.body);
  if (!json.is_array()) return Broken("ListShards", "shards");
  std::vector<SlsShard> shards;
  for (const Json& object : json) {
    if (!object.is_object() || !object.contains("shardID") ||
        !object["shardID"].is_number_integer()) {
      return Broken("ListShards", "shardID");
    }
    const auto text = [&](const char* key) {
      return object.contains(key) ? TextOf(object[key]) : std::string();
    };
    shards.push_back({.id = object["shardID"].get<int64_t>(),
                      .status = text("status"),
                      .begin_key = text("inclusiveBeginKey"),
                      .end_key = text("exclusiveEndKey")});
  }
  return shards;
}

Result<std::string> SlsClient::GetCursor(const std::string& logstore, int64_t shard,
                                         const std::string& from, const SlsCallLimits& limits) {
  Call call{.name = "GetCursor",
            .request = {.path = PathOf(logstore) + "/shards/" + std::to_string(shard),
                        .query = {{"type", "cursor"}, {"from", from}}}};
  LARDER_ASSIGN_OR_RETURN(const HttpResponse response, Run(std::move(call), limits));
  const Json json = ParseBoundedJson(response.body);
  if (!json.is_object() || !json.contains("cursor")) return Broken("GetCursor", "cursor");
  return TextOf(json["cursor"]);
}

Result<SlsPulled> SlsClient::PullLogs(const std::string& logstore, int64_t shard,
                                      const std::string& cursor, uint32_t groups_max,
                                      const SlsCallLimits& limits) {
  const std::string_view compression = CompressionName(options_.compression);
  Call call{
      .name = "PullLogs",
      .request = {
          .path = PathOf(logstore) + "/shards/" + std::to_string(shard),
          .query = {{"type", "logs"}, {"cursor", cursor}, {"count", std::to_string(groups_max)}},
          .headers = {
              {"accept", "application/x-protobuf"},
              {"accept-encoding", std::string(compression.empty() ? "lz4" : compression)}}}};
  LARDER_ASSIGN_OR_RETURN(const HttpResponse response, Run(std::move(call), limits));
  SlsPulled pulled;
  pulled.next_cursor = response.header("x-log-cursor");
  if (pulled.next_cursor.empty()) return Broken("PullLogs", "x-log-cursor");
  auto groups = DecodeLogGroupList(response.body);
  if (!groups.ok()) return groups.status().With("PullLogs");
  pulled.groups = std::move(groups).value();
  return pulled;
}

}  // namespace larder
