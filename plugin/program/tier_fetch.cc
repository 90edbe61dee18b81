// larder tier fetch: asks a server that runs to bring a range of time back from its cold tier.
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "plugin/program/admin_client.h"
#include "plugin/program/commands.h"

namespace larder {
namespace {

constexpr char kUsage[] =
    "usage: larder tier fetch --from T --to T [--keep-for 7d]\n"
    "                         [--admin URL] [--token-file FILE] [--json]\n\n"
    "Brings the evicted partitions with spans that start between the two times back to the local\n"
    "disk, for --keep-for. A time is 2026-11-22T17:30:05Z, 2026-11-22, now, or now-3d. URL is the\n"
    "admin port of the server (default http://127.0.0.1:17270); FILE has the bearer token, when\n"
    "one is asked for. See larder help tier.\n";

// The tier may be asked again and again before there is anything to say.
constexpr time_t kPatienceS = 600;
constexpr std::chrono::seconds kShowEvery{5};

struct Asked {
  AdminAddress address;
  httplib::Params params;
  bool as_json = false;
};

bool Parse(const std::vector<std::string>& arguments, Asked* asked) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& name = arguments[i];
    const bool has_value = i + 1 < arguments.size();
    if (name == "--json") {
      asked->as_json = true;
    } else if (has_value && (name == "--from" || name == "--to" || name == "--keep-for")) {
      asked->params.emplace(name.substr(2), arguments[++i]);
    } else if (!TakeAdminFlag(arguments, &i, &asked->address)) {
      return false;
    }
  }
  return asked->params.contains("from") && asked->params.contains("to");
}

int Fail(std::string_view why, int exit_code = kExitFailure) {
  std::fprintf(stderr, "larder tier fetch: %.*s\n", static_cast<int>(why.size()), why.data());
  return exit_code;
}

double MiB(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

// The server's lines as they come.
class Report {
 public:
  explicit Report(bool as_json) : as_json_(as_json) {}

  void Take(const char* data, size_t size) {
    text_.append(data, size);
    for (size_t end = 0; (end = text_.find('\n')) != std::string::npos;) {
      const std::string line = text_.substr(0, end);
      text_.erase(0, end + 1);
      const auto parsed = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
      parsed.is_object() ? Show(line, parsed) : void(refusal_ += line);
    }
  }
  const std::string& refusal() const { return refusal_; }
  // Nothing was begun.
  bool is_silent() const { return last_.empty(); }

  int Finish(const std::string& admin) const {
    if (last_.contains("error")) {
      return Fail(last_["error"].get<std::string>() +
                  " (what was fetched before stays; the same command goes on from there)");
    }
    if (!last_.contains("end")) {
      return Fail(admin +
                  " hung up: what was fetched before stays; when the server runs, "
                  "the same command goes on from there");
    }
    return Missing().empty() ? kExitOk : kExitFailure;
  }

 private:
  void Show(const std::string& line, const nlohmann::json& parsed) {
    last_ = parsed;
    if (as_json_) {
      std::printf("%s\n", line.c_str());
    } else if (parsed.contains("end")) {
      ShowEnd();
    } else if (parsed.contains("partitions") && IsDue()) {
      std::printf("%" PRIu64 " of %" PRIu64 " partitions, %" PRIu64 " of %" PRIu64
                  " spans, %.1f MiB of about %.1f\n",
                  Number("partitions_done"), Number("partitions"), Number("spans_done"),
                  Number("spans"), MiB(Number("bytes")), MiB(Number("bytes_expected")));
    }
    std::fflush(stdout);
  }

  // The server says more often how far it is than people want to read.
  bool IsDue() {
    const auto now = std::chrono::steady_clock::now();
    const bool is_news = Number("partitions_done") != partitions_shown_;
    if (!is_news && now - shown_at_ < kShowEvery) return false;
    partitions_shown_ = Number("partitions_done");
    shown_at_ = now;
    return true;
  }

  void ShowEnd() const {
    if (last_.value("kept_for", "") == "0s") {
      std::printf("the copies of %" PRIu64 " partitions go\n", Number("partitions_done"));
      return;
    }
    for (const auto& missing : Missing()) {
      std::printf("not fetched: %s\n", missing.get<std::string>().c_str());
    }
    std::printf("%" PRIu64 " of %" PRIu64 " partitions with %" PRIu64
                " spans are on the local disk; %.1f MiB were written. They are kept for %s.\n",
                Number("partitions_done"), Number("partitions"), Number("spans_done"),
                MiB(Number("bytes")), last_.value("kept_for", "").c_str());
  }

  // What a server of another version does not say is 0, or nothing.
  uint64_t Number(const char* name) const { return last_.value(name, uint64_t{0}); }
  nlohmann::json Missing() const { return last_.value("missing", nlohmann::json::array()); }

  const bool as_json_;
  std::chrono::steady_clock::time_point shown_at_;
  uint64_t partitions_shown_ = UINT64_MAX;
  std::string text_;
  std::string refusal_;
  nlohmann::json last_ = nlohmann::json::object();
};

}  // namespace

int RunTierFetch(const std::vector<std::string>& arguments) {
  Asked asked;
  if (!Parse(arguments, &asked)) {
    std::fputs(kUsage, stderr);
    return kExitUsage;
  }
  const auto access = AccessTo(asked.address);
  if (!access.ok()) return Fail(access.status().message(), ExitCodeOf(access.status()));
  Report report(asked.as_json);
  httplib::Request request;
  request.method = "POST";
  request.path = httplib::append_query_params("/tier/fetch", asked.params);
  request.headers = access->headers;
  request.content_receiver = [&report](const char* data, size_t size, uint64_t, uint64_t) {
    report.Take(data, size);
    return true;
  };
  const std::string& admin = access->url;
  httplib::Client client(admin);
  client.set_read_timeout(kPatienceS);
  const auto reply = client.send(request);
  if (reply && reply->status == 400) return Fail(report.refusal(), kExitUsage);
  if (reply && reply->status == 404 && report.refusal().empty()) {
    return Fail(admin + " is no admin port of a larder that can fetch");
  }
  if (reply && reply->status != 200) return Fail(report.refusal());
  if (!reply && reply.error() == httplib::Error::Connection) {
    return Fail(admin + " does not answer: is the server running?");
  }
  if (!reply && report.is_silent()) {
    return Fail(admin + " cannot be asked: " + httplib::to_string(reply.error()) +
                " (is it the admin port, and http or https?)");
  }
  return report.Finish(admin);
}

}  // namespace larder
