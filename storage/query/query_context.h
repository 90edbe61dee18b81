// What one query may spend, and what it could not read.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/status.h"
#include "storage/query/answer.h"
#include "storage/segment/source/search_budget.h"

namespace larder {

// Bytes that several holders share. Thread-safe.
class MemoryBudget {
 public:
  explicit MemoryBudget(uint64_t bytes_max) : bytes_max_(bytes_max) {}
  // False when there is not as much left; then nothing is taken.
  bool TryTake(uint64_t bytes);
  void Give(uint64_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  const uint64_t bytes_max_;
  std::atomic<uint64_t> bytes_{0};
};

// What all queries of an engine have in common. The pointers must outlive the queries.
struct QueryBounds {
  Clock* clock = &Clock::System();
  uint64_t memory_bytes_max = 64ull << 20;
  uint64_t time_ns_max = UINT64_MAX;  // working time, not the time a slow reader takes
  MemoryBudget* shared_memory = nullptr;
  std::atomic<uint64_t>* gap_count = nullptr;
};

// One query's. Not thread-safe.
class QueryContext final : public SearchBudget {
 public:
  static constexpr size_t kGapsMax = 100;  // further ones are counted but not listed

  QueryContext(const QueryBounds& bounds, const QueryLimits& limits);
  ~QueryContext() override;
  QueryContext(const QueryContext&) = delete;
  QueryContext& operator=(const QueryContext&) = delete;

  // Working time runs while one of these lives.
  class Work {
   public:
    explicit Work(QueryContext* context);
    ~Work();
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

   private:
    QueryContext* const context_;
  };

  // To be asked for each block and each trace. kCancelled; kDeadlineExceeded (the caller's
  // deadline); kResourceExhausted (our own time is spent).
  Status Check() const override;

  // kResourceExhausted when the query, or all queries together, would hold too much.
  Status Charge(uint64_t bytes) override;
  void Release(uint64_t bytes) override;

  // What became of reading a part: true, it was read; false, it is a gap now and the query goes on
  // without it; a failure that is not the part's own ends the query.
  Result<bool> Read(std::string_view place, const Status& status);
  // A part that an earlier query could not read is missing in what it left to this one.
  void Repeat(const Gap& gap);
  // How the query ends. A spent budget is a gap when something was `found`, and when there are gaps
  // only, and nothing was read, the first of them is the answer.
  Status Finish(const Status& status, bool found);
  // Why the first part that could not be read could not; OK when all could.
  const Status& first_failure() const { return first_failure_; }

  const std::vector<Gap>& gaps() const { return gaps_; }
  // Grows with every failed read, listed or not.
  uint64_t failed_reads() const { return failed_reads_; }
  // Of the latest failed read. REQUIRES: failed_reads() > 0.
  const Gap& latest_gap() const { return latest_gap_; }

 private:
  void AddGap(std::string_view place, const Status& status);
  void List(const Gap& gap);

  const QueryBounds bounds_;
  const QueryLimits limits_;
  uint64_t memory_bytes_ = 0;
  uint64_t worked_ns_ = 0;
  uint64_t work_began_ns_ = 0;
  uint64_t parts_read_ = 0;
  uint64_t failed_reads_ = 0;
  Status first_failure_;
  Gap latest_gap_;
  std::vector<Gap> gaps_;
};

}  // namespace larder
