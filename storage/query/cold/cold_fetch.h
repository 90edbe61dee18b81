// ColdFetch: a View and the spans of cold parts that one query needs beside it.
//
// What is fetched is loaded into a table, as a head is, and joins the View as one more source. So
// walks, traces, summaries and pages are made of it by the code that knows nothing of the tier,
// and repeats are left out by their content. What could not be reached joins the View too, as a
// source that fails whoever asks for it: it becomes a gap like any page that cannot be read. So
// does what the tier has lost: what stayed here says how many spans of a trace, and how many that
// start in an hour, it was given.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/query.h"
#include "storage/model/table/span_table.h"
#include "storage/query/cold/cold_tally.h"
#include "storage/query/cold/cold_tier.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

struct ColdOptions {
  ColdTier* tier = nullptr;  // null: cold parts cannot be reached; must outlive the queries
  uint64_t time_ns_max = 10ull * 1'000'000'000;  // of all calls that one query makes
  // So many queries wait for the tier at once; one more goes on without it. Whoever runs queries
  // has so many threads beside those for questions that need no tier.
  uint32_t waiting_max = 8;
  std::atomic<uint32_t>* waiting = nullptr;  // how many do; must outlive the queries
};

// How long one query may wait for the tier, in one fetch or several: the time of the options in
// all, and until a quarter of the caller's time is left to answer with what is there. Not
// thread-safe.
class ColdTime {
 public:
  ColdTime(Clock* clock, uint64_t time_ns_max, const QueryLimits& limits);
  // Of a call that begins now.
  uint64_t deadline_ns() const;

  // Time is spent while one of these lives.
  class Wait {
   public:
    explicit Wait(ColdTime* time) : time_(time), began_ns_(time->clock_->MonotonicNanos()) {}
    ~Wait();
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;

   private:
    ColdTime* const time_;
    const uint64_t began_ns_;
  };

 private:
  Clock* const clock_;
  uint64_t end_ns_ = 0;   // monotonic
  uint64_t left_ns_ = 0;  // of the options' time
};

// Not thread-safe. Memory: what was fetched, within that of a query. Every failure but kCancelled
// and those of local pages is kept for view() to tell. Borrows `time`.
class ColdFetch {
 public:
  ColdFetch(std::shared_ptr<const View> view, TenantId tenant, const ColdOptions& options,
            const QueryBounds& bounds, const QueryLimits& limits, ColdTime* time);
  ~ColdFetch();

  // All spans of these traces that lie in cold parts. Returns whether there was anything to ask
  // that was not asked before.
  Result<bool> FetchTraces(const std::vector<TraceId>& ids);

  // The View with all that was fetched by now, or could not be.
  std::shared_ptr<const View> view();

 private:
  friend class ColdWalk;
  class Rows;

  // What cannot be reached of a part, or is lost.
  struct Missing {
    std::map<TraceId, Status> traces;
    Status search_why;  // OK: searches reached all of it
  };

  Status FetchFrom(const ColdEntry& entry, const std::vector<ColdTrace>& traces, ColdTally* tally);
  // Returns from which start on the part's matches are all there.
  Result<uint64_t> Search(const ColdEntry& entry, const ColdSearch& search);
  // Whether the tier that is configured has the spans.
  Status CheckTier(const ColdScope& scope) const;
  // Notes what the tier has lost of the hours of a range that was searched.
  void CheckHours(const ColdEntry& entry, TimeRange searched);
  bool IsShort(const ColdEntry& entry, TimeRange start, uint64_t expected, uint64_t* found);
  std::string TierName() const;
  Status Lost(uint64_t found, uint64_t expected, const std::string& which) const;
  QueryLimits CallLimits() const;
  // kCancelled when the query is; else why the part is missing.
  Status Reason(const Status& failed) const;

  const std::shared_ptr<const View> local_;
  const TenantId tenant_;
  const ColdOptions options_;
  const QueryLimits limits_;
  ColdTime* const time_;
  QueryContext context_;
  MemoryCharge memory_;
  std::shared_ptr<SpanTable> table_;  // null: nothing was fetched
  std::set<TraceId> asked_;
  std::map<std::string, Missing> missing_;   // by name of the part
  std::map<std::string, bool> short_parts_;  // searched ones: whether spans are lost
  std::shared_ptr<const View> view_;         // null: to be made
};

// A search of cold parts for spans that start in a range, from the latest down. Not thread-safe.
// Borrows what it is given.
class ColdWalk {
 public:
  ColdWalk(ColdFetch* fetch, const FilterNode& filter, TimeRange range);

  // To be called first: fetches the matches at the very end of time, above which no bound can be.
  Status Begin();
  // Every match that starts then or later is in the fetch's view, or missing there.
  uint64_t complete_from_ns() const;
  // One step down, at most to `floor_ns`: about `rows` matches of one part.
  // REQUIRES: complete_from_ns() > floor_ns.
  Status Step(uint64_t floor_ns, uint32_t rows);

 private:
  struct Part {
    uint64_t bound_ns = 0;  // no match that starts later is still to be fetched
    const ColdEntry* entry = nullptr;
  };
  static bool Earlier(const Part& a, const Part& b) { return a.bound_ns < b.bound_ns; }

  ColdFetch* const fetch_;
  const FilterNode& filter_;
  const TimeRange range_;
  std::vector<Part> parts_;  // a heap, latest bound first
};

}  // namespace larder
