#include "tiering/sls_tier/sls_check.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "storage/query/cold/cold_tier.h"
#include "tiering/sls_tier/sls_index.h"

namespace larder {
namespace {

constexpr uint64_t kDayMs = 24ULL * 3600 * 1000;
constexpr uint32_t kForEverDays = 3650;
constexpr int64_t kSkewSecondsMax = 15 * 60;  // SLS refuses requests beyond
constexpr int64_t kSkewSecondsNoted = 60;
const SlsCallLimits kLimits{.time_ms_max = 10'000};

bool Says(const Status& status, std::string_view word) {
  return status.message().find(word) != std::string_view::npos;
}

class Checker {
 public:
  Checker(const TierOptions& options, SlsClient* client)
      : options_(options), name_(options.sls.LogstoreName()), client_(client) {}

  std::vector<TierCheckStep> Run() {
    if (CheckLogstore() && CheckIndex()) CheckClock();
    return std::move(steps_);
  }

 private:
  bool Step(std::string what, Status status, std::string note = "") {
    const bool ok = status.ok();
    steps_.push_back({std::move(what), std::move(status), std::move(note)});
    return ok;
  }

  uint32_t TtlDays() const {
    const uint64_t days = (options_.retention_ms + kDayMs - 1) / kDayMs;
    return static_cast<uint32_t>(std::clamp<uint64_t>(days, 1, kForEverDays));
  }

  // One answer shows how far a request comes: to the endpoint, past the credentials, to the
  // project, to the Logstore.
  bool CheckLogstore() {
    auto found = client_->GetLogstore(name_, kLimits);
    const Status status = found.status();
    const bool is_unreached = status.code() == StatusCode::kUnavailable ||
                              status.code() == StatusCode::kFailedPrecondition;
    if (is_unreached) return Step("endpoint", status);
    Step("endpoint", Status::Ok(), options_.sls.endpoint);
    if (Says(status, "RequestTime")) return Step("clock", status);
    const bool is_refused = status.code() == StatusCode::kUnauthenticated ||
                            status.code() == StatusCode::kPermissionDenied;
    if (is_refused) return Step("credentials", status);
    Step("credentials", Status::Ok(), "access key " + options_.sls.access_key_id);
    if (Says(status, "ProjectNotExist")) return Step("project", status);
    Step("project", Status::Ok(), options_.sls.project);
    if (status.code() == StatusCode::kNotFound && options_.sls.create) return CreateLogstore();
    if (!found.ok()) return Step("Logstore", status);
    return Step("Logstore", Status::Ok(), Describe(*found));
  }

  bool CreateLogstore() {
    const Status status = client_->CreateLogstore(
        {.name = name_, .ttl_days = TtlDays(), .shards = options_.sls.shards}, kLimits);
    if (!status.ok() && status.code() != StatusCode::kAlreadyExists) {
      return Step("Logstore", status);
    }
    return Step("Logstore", Status::Ok(),
                name_ + " made, kept for " + std::to_string(TtlDays()) + " days");
  }

  std::string Describe(const SlsLogstore& logstore) const {
    std::string note = name_ + ", kept for " + std::to_string(logstore.ttl_days) + " days";
    if (logstore.ttl_days < TtlDays()) {
      note += "; WARNING: tier.retention asks for " + std::to_string(TtlDays()) +
              " days, SLS deletes before";
    }
    if (logstore.mode == "query") {
      note += "; WARNING: of mode query, which takes no SQL: aliyun-log-jaeger cannot read it";
    }
    return note;
  }

  bool CheckIndex() {
    auto json = client_->GetIndex(name_, kLimits);
    if (json.status().code() == StatusCode::kFailedPrecondition && options_.sls.create) {
      const Status status = client_->CreateIndex(name_, LarderIndexJson(), kLimits);
      return Step("index", status, "made; SLS uses it within a minute");
    }
    if (!json.ok()) return Step("index", json.status());
    const auto index = SlsIndex::Parse(*json);
    if (!index.ok()) return Step("index", index.status());
    if (!index->has("traceID")) {
      return Step("index",
                  Status::FailedPrecondition(
                      "the index of " + name_ +
                      " has no key traceID, so that no trace is found by its id; add it in "
                      "the console (type text, no delimiters), or name another Logstore"));
    }
    return Step("index", Status::Ok(),
                index->finds_exactly(kPackField, PackName({}, {}))
                    ? "has what Larder asks for"
                    : "made by others, left as it is; uploads are verified by reading them back, "
                      "since it has no key __tag__:__pack_id__ (type text, no delimiters)");
  }

  bool CheckClock() {
    const int64_t skew = client_->clock_skew_s();
    const std::string text = "SLS is " + std::to_string(std::abs(skew)) + " s " +
                             (skew < 0 ? "behind" : "ahead of") + " this machine";
    if (std::abs(skew) > kSkewSecondsMax) {
      return Step("clock", Status::FailedPrecondition(text + "; set this machine's clock"));
    }
    return Step("clock", Status::Ok(),
                std::abs(skew) > kSkewSecondsNoted ? "WARNING: " + text : text);
  }

  const TierOptions& options_;
  const std::string name_;
  SlsClient* const client_;
  std::vector<TierCheckStep> steps_;
};

}  // namespace

std::vector<TierCheckStep> CheckSlsTier(const TierOptions& options, SlsClient* client) {
  return Checker(options, client).Run();
}

}  // namespace larder
