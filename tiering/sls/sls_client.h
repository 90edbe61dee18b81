// Calls to one project of SLS: signed, compressed, tried again as retry_policy.h says.
//
// What comes back in a Status is what SLS said, with its cure where one is known; see StatusOf.
// Secrets are in no message.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/mutex.h"
#include "storage/base/status.h"
#include "tiering/sls/http_transport.h"
#include "tiering/sls/log_group.h"
#include "tiering/sls/retry_policy.h"
#include "tiering/sls/sls_signer.h"
#include "tiering/tier_options.h"

namespace larder {

// Bounds of one call, retries and waits included.
struct SlsCallLimits {
  uint64_t time_ms_max = 60'000;
  std::function<bool()> is_cancelled{};  // asked from the calling thread; may be empty
  // Asked, from the calling thread, before an answer takes so many bytes of memory; what it refuses
  // ends the call with its status. May be empty.
  std::function<Status(uint64_t bytes)> hold{};
};

// What a client works with. All but the options may be replaced, for tests.
struct SlsClientParts {
  std::unique_ptr<HttpTransport> transport;  // never null
  Clock* clock = &Clock::System();           // must outlive the client
  std::function<void(uint64_t ms)> sleep;    // empty: sleeps
  std::function<double()> random;            // in [0, 1), thread-safe; empty: the machine's
  // Asked at the first call and when SLS refuses what it gave before; empty: ReadSlsCredentials.
  std::function<Result<SlsCredentials>()> credentials;
};

// The credentials of the options, from their files where these are named.
Result<SlsCredentials> ReadSlsCredentials(const SlsOptions& options);

using SlsRow = std::map<std::string, std::string, std::less<>>;

// Logs that satisfy `query` (the search part of SLS's language) with a time in [from_s, to_s).
struct SlsQuery {
  uint64_t from_s = 0;
  uint64_t to_s = 0;  // above from_s
  std::string query = "*";
  uint64_t line = 100;  // SLS gives at most 100 rows of a search at once
  uint64_t offset = 0;
  bool newest_first = false;
  std::string topic{};  // empty: of any topic
};

struct SlsRows {
  std::vector<SlsRow> rows;
  bool is_complete = false;  // otherwise the same request may give more: ask again
};

struct SlsShard {
  int64_t id = 0;
  std::string status;  // readwrite or readonly
  std::string begin_key;
  std::string end_key;
};

struct SlsPulled {
  std::vector<SlsLogGroup> groups;
  std::string next_cursor;  // equal to the one given: nothing came behind it
};

struct SlsLogstore {
  std::string name;
  uint32_t ttl_days = 30;
  uint32_t shards = 2;
  bool auto_split = true;
  uint32_t shards_max = 64;
  std::string mode{};  // "query" takes no SQL; empty or "standard" otherwise
};

// Thread-safe. Calls run in the calling thread.
class SlsClient {
 public:
  // REQUIRES: CheckTierOptions holds for them.
  SlsClient(SlsOptions options, SlsClientParts parts);
  // Over libcurl. kInvalidArgument for an endpoint that is none.
  static Result<std::unique_ptr<SlsClient>> Make(const SlsOptions& options);

  // ---- logs (sls_logs.cc) ----

  // Stores one encoded LogGroup, all of it or nothing. Not idempotent: after a lost answer it is
  // sent again, and then its logs may be there twice. With a hash key (32 hex digits) they go to
  // the shard of that key. `bytes_sent` grows by the size of the body that went over the wire, each
  // time it was sent; it may be null.
  Status PutLogs(const std::string& logstore, std::string_view group, const std::string& hash_key,
                 const SlsCallLimits& limits, uint64_t* bytes_sent = nullptr);
  // One page. `Get..` is the older call, a GET; `Post..` the newer one, compressed.
  Result<SlsRows> GetLogs(const std::string& logstore, const SlsQuery& query,
                          const SlsCallLimits& limits);
  Result<SlsRows> PostLogs(const std::string& logstore, const SlsQuery& query,
                           const SlsCallLimits& limits);
  // One complete page, asked again until SLS says that it is. kUnavailable when it never does.
  Result<std::vector<SlsRow>> ReadPage(const std::string& logstore, const SlsQuery& query,
                                       const SlsCallLimits& limits);
  // All pages from query.offset on, in order, until an empty one or until `visit` returns false.
  Status ReadAll(const std::string& logstore, SlsQuery query, const SlsCallLimits& limits,
                 const std::function<bool(std::vector<SlsRow>* rows)>& visit);
  // How many logs a query finds (GetHistograms), asked again until SLS says that it is complete.
  Result<uint64_t> CountLogs(const std::string& logstore, const SlsQuery& query,
                             const SlsCallLimits& limits);
  Result<std::vector<SlsShard>> ListShards(const std::string& logstore,
                                           const SlsCallLimits& limits);
  // `from` is "begin", "end", or unix seconds of receipt.
  Result<std::string> GetCursor(const std::string& logstore, int64_t shard, const std::string& from,
                                const SlsCallLimits& limits);
  // At most `groups_max` (up to 1,000) groups.
  Result<SlsPulled> PullLogs(const std::string& logstore, int64_t shard, const std::string& cursor,
                             uint32_t groups_max, const SlsCallLimits& limits);

  // ---- Logstores and their index (sls_admin.cc) ----

  Status GetProject(const SlsCallLimits& limits);
  Result<std::vector<std::string>> ListLogstores(const SlsCallLimits& limits);
  Result<SlsLogstore> GetLogstore(const std::string& logstore, const SlsCallLimits& limits);
  Status CreateLogstore(const SlsLogstore& logstore, const SlsCallLimits& limits);
  // The number of shards cannot be changed so.
  Status UpdateLogstore(const SlsLogstore& logstore, const SlsCallLimits& limits);
  Status DeleteLogstore(const std::string& logstore, const SlsCallLimits& limits);
  // JSON, as SLS has it. kFailedPrecondition: there is none.
  Result<std::string> GetIndex(const std::string& logstore, const SlsCallLimits& limits);
  Status CreateIndex(const std::string& logstore, const std::string& json,
                     const SlsCallLimits& limits);
  Status UpdateIndex(const std::string& logstore, const std::string& json,
                     const SlsCallLimits& limits);
  Status DeleteIndex(const std::string& logstore, const SlsCallLimits& limits);

  // By how much SLS's clock was ahead of this machine's in the latest answer, seconds.
  int64_t clock_skew_s() const { return seen_skew_s_.load(std::memory_order_relaxed); }

 private:
  // Sends until an answer is final. `body` is not yet compressed.
  struct Call {
    std::string name;  // for messages: "PutLogs"
    SlsRequest request;
    std::string body{};
    bool compresses = false;
    uint64_t* bytes_sent = nullptr;  // as PutLogs
  };
  static std::string PathOf(const std::string& logstore);
  Result<HttpResponse> Run(Call call, const SlsCallLimits& limits);
  struct Attempt {
    SlsOutcome outcome;
    HttpResponse response{};
    Status refused{};  // not OK: no answer, and no further try
  };
  Attempt Try(const Call& call, uint64_t time_ms_max, const SlsCallLimits& limits);
  Status Sign(SlsRequest* request);
  Status MayTryAgain(SlsAction action, const Attempt& attempt, uint32_t* mends);
  Status Wait(uint64_t ms, const std::function<bool()>& is_cancelled) const;
  Result<SlsCredentials> CurrentCredentials();
  void ForgetCredentials();
  Result<std::vector<SlsRow>> AskUntilComplete(const std::function<Result<SlsRows>()>& ask,
                                               const SlsCallLimits& limits) const;
  uint64_t NowSeconds() const { return clock_->NowUnixNanos() / 1'000'000'000; }

  const SlsOptions options_;
  const std::string host_;
  const std::unique_ptr<HttpTransport> transport_;
  Clock* const clock_;
  const std::function<void(uint64_t)> sleep_;
  const std::function<double()> random_;
  const std::function<Result<SlsCredentials>()> read_credentials_;
  std::atomic<int64_t> seen_skew_s_{0};
  std::atomic<int64_t> mended_skew_s_{0};  // what is added to this machine's clock
  Mutex mu_;
  std::optional<SlsCredentials> credentials_ GUARDED_BY(mu_);
};

}  // namespace larder
