#include "tests/crash/child.h"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/base/check.h"
#include "storage/base/log.h"
#include "tiering/directory/directory_tier.h"

namespace larder {
namespace {

constexpr int kReportFd = 3;
constexpr uint64_t kRequestsPerRun = 40;
constexpr uint64_t kPurgeAfter = 29;  // of data set 1: some of another's spans are in the head
constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kStepSeconds = 60;
constexpr uint64_t kExpireRetentionSeconds = 1200;
constexpr uint64_t kExpirePartitionSeconds = 300;
constexpr uint64_t kFetchedSeconds = 240;
constexpr uint64_t kLimitedRetentionSeconds = 600;
constexpr uint64_t kQuotaBytes = 8 << 10;  // a few segments of one request
constexpr uint64_t kWriters = 4;

// One report is one write of 8 bytes to a pipe, so a kill never tears it: the number, and whether
// it was acknowledged.
constexpr uint64_t kPurgeReport = 1ull << 63;  // everything below the number
constexpr uint64_t kGoneReport = 1ull << 62;   // the number was seen to be gone

void Report(uint64_t number, bool acknowledged, uint64_t kind = 0) {
  const uint64_t report = kind | number << 1 | (acknowledged ? 1 : 0);
  LARDER_CHECK(::write(kReportFd, &report, sizeof report) == sizeof report);
}

void WriteNumbered(Store* store, uint64_t number) {
  Report(number, false);
  const std::string request = NumberedRequest(number);
  const WriteResult result =
      store->Write({.tenant = OpenDataSet(store, number % kDataSets), .otlp = request});
  if (result.status.ok()) Report(number, true);
}

void Purge(Store* store, uint64_t below) {
  Report(below, false, kPurgeReport);
  LARDER_CHECK(store->PurgeTenant(OpenDataSet(store, kPurgedDataSet)).ok());
  Report(below, true, kPurgeReport);
}

void ReportGone(Store* store, uint64_t first, uint64_t end) {
  for (uint64_t number = first; number < end; ++number) {
    const uint64_t data_set = number % kDataSets;
    if (data_set == kPurgedDataSet || data_set == kArchiveDataSet) continue;
    if (!IsThere(store, number)) Report(number, false, kGoneReport);
  }
}

void RunSteps(Store* store, FakeClock* clock, uint64_t first, ChildScript script) {
  const bool has_limits = script == ChildScript::kLimits;
  const uint64_t settle_every = has_limits ? 8 : 16;
  for (uint64_t i = 0; i < kRequestsPerRun; ++i) {
    WriteNumbered(store, first + i);
    if (i % 4 == 3) LARDER_CHECK(store->Flush().ok());
    if (i % settle_every == settle_every - 1) LARDER_CHECK(store->Settle().ok());
    if (has_limits) ReportGone(store, first, first + i);
    if (i == kPurgeAfter) Purge(store, first + i);
    if (script != ChildScript::kSteps) clock->Advance(kStepSeconds * kSecondNs);
  }
  LARDER_CHECK(store->Settle().ok());
}

void FetchAll(Store* store) {
  FetchRequest request;
  request.keep_ms = kFetchedSeconds * 1000;
  const auto fetched = store->Fetch(request, {});
  if (fetched.status().code() == StatusCode::kNotFound) return;  // nothing was evicted yet
  LARDER_CHECK(fetched.ok());
  LARDER_CHECK(fetched->missing.empty());
}

// Partitions close, are uploaded, leave the disk, come back for a while and go again.
void RunTier(Store* store, FakeClock* clock, uint64_t first) {
  for (uint64_t i = 0; i < kRequestsPerRun; ++i) {
    WriteNumbered(store, first + i);
    if (i % 4 == 3) LARDER_CHECK(store->Flush().ok());
    clock->Advance(kStepSeconds * kSecondNs);
    if (i % 8 == 7) LARDER_CHECK(store->Settle().ok());
    if (i % 12 == 11) FetchAll(store);
    if (i == kPurgeAfter) Purge(store, first + i);
  }
}

void RunThreads(Store* store, uint64_t first) {
  std::vector<std::thread> threads;
  for (uint64_t writer = 0; writer < kWriters; ++writer) {
    threads.emplace_back([store, first, writer] {
      for (uint64_t i = 0;; ++i) WriteNumbered(store, first + i * kWriters + writer);
    });
  }
  for (uint64_t i = 0;; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    LARDER_CHECK(i % 4 == 3 ? store->Settle().ok() : store->Flush().ok());
  }
}

void ReadReports(int fd, Oracle* oracle) {
  uint64_t report = 0;
  while (::read(fd, &report, sizeof report) == sizeof report) {
    const uint64_t number = (report & ~(kPurgeReport | kGoneReport)) >> 1;
    const bool acknowledged = (report & 1) != 0;
    if ((report & kGoneReport) != 0) {
      oracle->SeenGone(number);
    } else if ((report & kPurgeReport) != 0) {
      acknowledged ? oracle->PurgeAcknowledged(number) : oracle->PurgeAttempted(number);
    } else {
      acknowledged ? oracle->Acknowledged(number) : oracle->Attempted(number);
    }
  }
}

// What the forked process does until it becomes another program: system calls only.
[[noreturn]] void Become(const ChildRun& run, int report_fd) {
  ::dup2(report_fd, kReportFd);
  if (run.crash_at.empty()) {
    ::unsetenv("LARDER_CRASH_AT");
  } else {
    ::setenv("LARDER_CRASH_AT", run.crash_at.c_str(), 1);
  }
  const std::string script = std::to_string(static_cast<int>(run.script));
  const std::string first = std::to_string(run.first_number);
  ::execl("/proc/self/exe", "crash_child", "--child", script.c_str(), run.data_dir.c_str(),
          first.c_str(), static_cast<char*>(nullptr));
  ::_exit(127);
}

}  // namespace

StoreOptions SmallStore(const std::string& data_dir, FakeClock* clock) {
  StoreOptions options;
  options.data_dir = data_dir;
  options.memory_bytes_max = 64 << 20;
  options.partition_rows_max = 15 * kNumberedSpans;
  options.partition_bytes_max = 1 << 30;
  options.disk_bytes_max = 1ull << 40;
  if (clock != nullptr) options.clock = clock;
  return options;
}

std::string TierPath(const std::string& data_dir) { return data_dir + ".tier"; }

std::unique_ptr<ColdTier> UseTier(const std::string& data_dir, FakeClock* clock,
                                  StoreOptions* options) {
  LARDER_CHECK(CreateDirectoryTier({.path = TierPath(data_dir)}).ok());
  auto tier = OpenDirectoryTier({.path = TierPath(data_dir), .clock = clock});
  LARDER_CHECK(tier.ok());
  options->tier = tier->get();
  options->partition_ms = kExpirePartitionSeconds * 1000;
  options->cold.after_ms = 0;
  options->cold.evict_after_ms = kStepSeconds * 1000;
  options->cold.bytes_per_second = 0;
  return std::move(tier).value();
}

bool MayHaveExpired(uint64_t number, uint64_t last) {
  if (number % kDataSets == kArchiveDataSet) return false;
  // What came in before a partition that is closed for longer than the retention.
  return number + kExpireRetentionSeconds / kStepSeconds <= last;
}

void LimitTenants(StoreOptions* options) {
  constexpr uint64_t kNoQuota = 1ull << 40;
  options->partition_ms = kExpirePartitionSeconds * 1000;
  options->tenants.each.disk_bytes_max = kQuotaBytes;
  options->tenants.by_name = {
      {std::string(NameOfDataSet(kLimitedDataSet)),
       {.retention_ms = kLimitedRetentionSeconds * 1000, .disk_bytes_max = kNoQuota}},
      {std::string(NameOfDataSet(kPurgedDataSet)), {.disk_bytes_max = kNoQuota}}};
}

bool MayBeAboveLimits(uint64_t number, uint64_t last) {
  const uint64_t data_set = number % kDataSets;
  if (data_set == kLimitedDataSet) return number + kLimitedRetentionSeconds / kStepSeconds <= last;
  return data_set == 0 && number + kDataSets < last;  // the newest always stays
}

bool RunChild(const ChildRun& run, Oracle* oracle) {
  int pipe_fds[2];
  LARDER_CHECK(::pipe2(pipe_fds, O_CLOEXEC) == 0);
  const pid_t child = ::fork();
  LARDER_CHECK(child >= 0);
  if (child == 0) Become(run, pipe_fds[1]);
  ::close(pipe_fds[1]);
  std::thread killer;
  if (run.kill_after_us != 0) {
    killer = std::thread([&run, child] {
      std::this_thread::sleep_for(std::chrono::microseconds(run.kill_after_us));
      ::kill(child, SIGKILL);
    });
  }
  ReadReports(pipe_fds[0], oracle);
  ::close(pipe_fds[0]);
  if (killer.joinable()) killer.join();
  int status = 0;
  LARDER_CHECK(::waitpid(child, &status, 0) == child);
  if (WIFEXITED(status)) {
    LARDER_CHECK(WEXITSTATUS(status) == 0);
    return true;
  }
  LARDER_CHECK(WTERMSIG(status) == SIGKILL);
  return false;
}

void ChildMain(int argc, char** argv) {
  LARDER_CHECK(argc == 5);
  const auto script = static_cast<ChildScript>(std::atoi(argv[2]));
  const uint64_t first = std::strtoull(argv[4], nullptr, 10);
  SetLogToStderr(LogLevel::kError, LogFormat::kText);
  FakeClock clock;
  clock.Advance(first * kStepSeconds * kSecondNs);
  const bool expire = script == ChildScript::kExpire;
  StoreOptions options = SmallStore(argv[3], script == ChildScript::kThreads ? nullptr : &clock);
  if (expire) {
    options.retention_ms = kExpireRetentionSeconds * 1000;
    options.partition_ms = kExpirePartitionSeconds * 1000;
  }
  std::unique_ptr<ColdTier> tier;
  const bool has_tier =
      script == ChildScript::kTier || FileSystem::Posix().Exists(TierPath(argv[3]));
  if (has_tier) tier = UseTier(argv[3], &clock, &options);
  if (script == ChildScript::kLimits || script == ChildScript::kRecoverLimits) {
    LimitTenants(&options);
  }
  auto store = Store::Open(options);
  LARDER_CHECK(store.ok());
  LARDER_CHECK((*store)->stats().writable);
  switch (script) {
    case ChildScript::kSteps:
    case ChildScript::kExpire:
    case ChildScript::kLimits:
      RunSteps(store->get(), &clock, first, script);
      break;
    case ChildScript::kTier:
      RunTier(store->get(), &clock, first);
      break;
    case ChildScript::kThreads:
      RunThreads(store->get(), first);
      break;
    case ChildScript::kRecover:
    case ChildScript::kRecoverLimits:
      LARDER_CHECK((*store)->Settle().ok());
      break;
  }
  store->reset();
  std::exit(0);
}

}  // namespace larder
