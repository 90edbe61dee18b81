#include "plugin/admin/fetch_endpoint.h"

#include <chrono>
#include <string>
#include <utility>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "plugin/settings/setting_value.h"
#include "plugin/settings/time_value.h"
#include "storage/base/log.h"

namespace larder {
namespace {

constexpr char kText[] = "text/plain; charset=utf-8";
constexpr char kLines[] = "application/x-ndjson";
constexpr std::chrono::milliseconds kSayEvery{500};
constexpr char kKeepForDefault[] = "7d";

int CodeOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kInvalidArgument:
      return 400;
    case StatusCode::kNotFound:
      return 404;
    case StatusCode::kFailedPrecondition:
      return 409;
    case StatusCode::kResourceExhausted:
      return 507;
    case StatusCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

Result<uint64_t> TimeParam(const httplib::Request& request, const char* name) {
  if (!request.has_param(name)) {
    return Status::InvalidArgument(std::string(name) + " is missing: say from when to when");
  }
  auto time = ParseTimeNs(request.get_param_value(name), Clock::System().NowUnixNanos());
  if (!time.ok()) return time.status().With(name);
  return time;
}

Result<FetchRequest> Parse(const httplib::Request& request) {
  FetchRequest asked;
  LARDER_ASSIGN_OR_RETURN(asked.start.min_ns, TimeParam(request, "from"));
  LARDER_ASSIGN_OR_RETURN(asked.start.max_ns, TimeParam(request, "to"));
  if (asked.start.min_ns > asked.start.max_ns) {
    return Status::InvalidArgument("from is later than to");
  }
  const std::string keep_for =
      request.has_param("keep-for") ? request.get_param_value("keep-for") : kKeepForDefault;
  LARDER_ASSIGN_OR_RETURN(asked.keep_ms, ParseDurationMs(keep_for));
  return asked;
}

nlohmann::ordered_json JsonOf(const FetchProgress& progress) {
  return {{"partitions", progress.partitions},
          {"partitions_done", progress.partitions_done},
          {"spans", progress.rows},
          {"spans_done", progress.rows_done},
          {"bytes", progress.bytes_done},
          {"bytes_expected", progress.bytes_expected}};
}

// One answer while it is written.
class Lines {
 public:
  Lines(httplib::DataSink* sink, std::atomic<bool>* cancelled)
      : sink_(sink), cancelled_(cancelled) {}

  void Say(const nlohmann::ordered_json& line) {
    const std::string text =
        line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    if (!sink_->write(text.data(), text.size())) cancelled_->store(true);
  }
  void Progress(const FetchProgress& progress) {
    const auto now = std::chrono::steady_clock::now();
    const bool is_news = progress.partitions_done != partitions_done_;
    if (!is_news && now - said_at_ < kSayEvery) return;
    said_at_ = now;
    partitions_done_ = progress.partitions_done;
    Say(JsonOf(progress));
  }

 private:
  httplib::DataSink* const sink_;
  std::atomic<bool>* const cancelled_;
  std::chrono::steady_clock::time_point said_at_;
  uint64_t partitions_done_ = UINT64_MAX;
};

void RunFetch(Store* store, const FetchRequest& asked, httplib::DataSink* sink,
              std::atomic<bool>* cancelled) {
  Lines lines(sink, cancelled);
  const auto fetched = store->Fetch(
      asked, {.cancelled = cancelled, .on_progress = [&lines](const FetchProgress& progress) {
                lines.Progress(progress);
              }});
  if (!fetched.ok()) {
    Log(LogLevel::kWarning, "a fetch from the cold tier ended early",
        {{"reason", fetched.status().ToString()}});
    lines.Say({{"error", std::string(fetched.status().message())}});
  } else {
    nlohmann::ordered_json last = JsonOf(*fetched);
    last["missing"] = fetched->missing;
    last["kept_for"] = DurationText(asked.keep_ms);
    last["end"] = true;
    lines.Say(last);
  }
  sink->done();
}

void Refuse(const Status& status, httplib::Response* response) {
  response->status = CodeOf(status);
  response->set_content(std::string(status.message()) + "\n", kText);
}

}  // namespace

void FetchEndpoint::Handle(const httplib::Request& request, httplib::Response& response) {
  const Result<FetchRequest> asked = Parse(request);
  if (!asked.ok()) return Refuse(asked.status(), &response);
  const Result<Store*> store = gate_->Get();
  if (!store.ok()) return Refuse(store.status(), &response);
  const Result<FetchProgress> plan = (*store)->PlanFetch(*asked);
  if (!plan.ok()) return Refuse(plan.status(), &response);
  const std::shared_ptr<Flag> cancelled = Begin();
  if (cancelled == nullptr) return Refuse(Status::Unavailable("the server stops"), &response);
  response.set_chunked_content_provider(
      kLines,
      [store = *store, asked = *asked, cancelled](size_t /*offset*/, httplib::DataSink& sink) {
        RunFetch(store, asked, &sink, cancelled.get());
        return true;
      },
      [this, cancelled](bool /*success*/) { End(cancelled); });
}

std::shared_ptr<FetchEndpoint::Flag> FetchEndpoint::Begin() {
  auto cancelled = std::make_shared<Flag>(false);
  MutexLock lock(mu_);
  if (stopping_) return nullptr;
  running_.insert(cancelled);
  return cancelled;
}

void FetchEndpoint::End(const std::shared_ptr<Flag>& cancelled) {
  MutexLock lock(mu_);
  running_.erase(cancelled);
}

void FetchEndpoint::Stop() {
  MutexLock lock(mu_);
  stopping_ = true;
  for (const auto& cancelled : running_) cancelled->store(true);
}

}  // namespace larder
