#include "storage/query/cold/cold_fetch.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include "storage/model/table/span_filter.h"
#include "storage/query/cold/cold_part.h"
#include "storage/query/cold/missing_source.h"
#include "storage/segment/table/table_source.h"

namespace larder {
namespace {

// A place among the queries that wait for the tier.
class Turn {
 public:
  explicit Turn(const ColdOptions& options) : options_(options) {
    if (options.waiting == nullptr) return;
    has_turn_ = options.waiting->fetch_add(1) < options.waiting_max;
  }
  ~Turn() {
    if (options_.waiting != nullptr) options_.waiting->fetch_sub(1);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Status Check() const {
    if (has_turn_) return Status::Ok();
    return Status::Unavailable(std::to_string(options_.waiting_max) +
                               " queries wait for it already; ask again");
  }

 private:
  const ColdOptions& options_;
  bool has_turn_ = true;
};

// "2023-11-14T22Z"
std::string HourText(uint64_t hour) {
  const auto seconds = static_cast<std::time_t>(hour * 3600);
  std::tm parts{};
  char text[32];
  if (gmtime_r(&seconds, &parts) == nullptr) return std::to_string(hour);
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%HZ", &parts)};
}

}  // namespace

ColdTime::ColdTime(Clock* clock, uint64_t time_ns_max, const QueryLimits& limits)
    : clock_(clock), left_ns_(time_ns_max) {
  const uint64_t now_ns = clock_->MonotonicNanos();
  const uint64_t left_ns =
      limits.deadline_monotonic_ns > now_ns ? limits.deadline_monotonic_ns - now_ns : 0;
  end_ns_ = now_ns + (left_ns - left_ns / 4);
}

uint64_t ColdTime::deadline_ns() const {
  const uint64_t now_ns = clock_->MonotonicNanos();
  return now_ns >= end_ns_ ? now_ns : now_ns + std::min(left_ns_, end_ns_ - now_ns);
}

ColdTime::Wait::~Wait() {
  const uint64_t took_ns = time_->clock_->MonotonicNanos() - began_ns_;
  time_->left_ns_ -= std::min(time_->left_ns_, took_ns);
}

class ColdFetch::Rows : public ColdRows {
 public:
  // `tally` may be null.
  Rows(ColdFetch* fetch, ColdTally* tally) : fetch_(fetch), tally_(tally) {}

  Status Add(uint64_t segment, std::string_view traces_data) override {
    if (fetch_->table_ == nullptr) fetch_->table_ = std::make_shared<SpanTable>();
    const SpanTable& table = *fetch_->table_;
    const uint32_t first_row = table.published_rows();
    LARDER_ASSIGN_OR_RETURN(const AppendResult added,
                            fetch_->table_->Append(traces_data, AppendLimits::None()));
    fetch_->table_->Publish();
    for (uint32_t i = first_row; tally_ != nullptr && i < table.published_rows(); ++i) {
      tally_->Note(segment, table.row(i).trace_id, table.row(i).span_id);
    }
    LARDER_RETURN_IF_ERROR(Charge());
    if (added.rejected_spans == 0) return Status::Ok();
    return Status::DataLoss("the tier returned spans that are none: " + added.first_rejection);
  }

  Status Hold(uint64_t bytes) override {
    held_bytes_ = bytes;
    return Charge();
  }

 private:
  Status Charge() {
    const uint64_t table_bytes = fetch_->table_ ? fetch_->table_->memory_bytes() : 0;
    return fetch_->memory_.Resize(table_bytes + held_bytes_);
  }

  ColdFetch* const fetch_;
  ColdTally* const tally_;
  uint64_t held_bytes_ = 0;  // by the tier
};

ColdFetch::ColdFetch(std::shared_ptr<const View> view, TenantId tenant, const ColdOptions& options,
                     const QueryBounds& bounds, const QueryLimits& limits, ColdTime* time)
    : local_(std::move(view)),
      tenant_(tenant),
      options_(options),
      limits_(limits),
      time_(time),
      context_(bounds, limits),
      memory_(&context_) {}

ColdFetch::~ColdFetch() = default;

QueryLimits ColdFetch::CallLimits() const {
  return {.deadline_monotonic_ns = time_->deadline_ns(), .cancelled = limits_.cancelled};
}

Status ColdFetch::CheckTier(const ColdScope& scope) const {
  const std::string place = scope.tier.empty() ? "" : "; the spans lie in '" + scope.tier + "'";
  if (options_.tier == nullptr) {
    return Status::Unavailable("none is configured (tier.kind)" + place);
  }
  if (scope.tier.empty()) return Status::Ok();
  LARDER_ASSIGN_OR_RETURN(const std::string named, options_.tier->identity());
  if (named == scope.tier) return Status::Ok();
  return Status::Unavailable("the settings (tier.*) name '" + named + "'" + place);
}

Status ColdFetch::Reason(const Status& failed) const {
  if (limits_.cancelled != nullptr && limits_.cancelled->load(std::memory_order_relaxed)) {
    return Status::Cancelled("the caller cancelled the query");
  }
  const std::string where = TierName();
  switch (failed.code()) {
    case StatusCode::kNotFound:
      return Status::DataLoss("gone from " + where + ": " + failed.ToString());
    case StatusCode::kDataLoss:
      return failed.With(where);
    default:
      return Status::Unavailable(where + ": " + failed.ToString());
  }
}

std::string ColdFetch::TierName() const {
  return options_.tier != nullptr ? options_.tier->name() : "the cold tier";
}

Status ColdFetch::Lost(uint64_t found, uint64_t expected, const std::string& which) const {
  return Status::DataLoss("gone from " + TierName() + ": " + std::to_string(expected - found) +
                          " of " + std::to_string(expected) + " spans " + which);
}

Result<bool> ColdFetch::FetchTraces(const std::vector<TraceId>& ids) {
  std::vector<TraceId> fresh;
  for (const TraceId& id : ids) {
    if (asked_.insert(id).second) fresh.push_back(id);
  }
  bool any = false;
  for (const ColdEntry& entry : local_->cold) {
    if (entry.scope.tenant != tenant_ || entry.is_fetched) continue;
    std::vector<ColdTrace> traces;
    ColdTally tally;
    for (const TraceId& id : fresh) {
      ColdTrace trace{id, {}};
      std::vector<ColdPlace> places;
      if (entry.part->FindTrace(id, &places).ok()) {
        for (const ColdPlace& place : places) trace.segments.push_back(place.segment);
      } else {
        // Without its index a part may have any trace, with any number of spans.
        places.clear();
        trace.segments = entry.part->facts().segment_ids;
        for (const uint64_t segment : trace.segments) places.push_back({segment, 0});
      }
      if (trace.segments.empty()) continue;
      tally.Expect(id, places);
      traces.push_back(std::move(trace));
    }
    if (traces.empty()) continue;
    any = true;
    LARDER_RETURN_IF_ERROR(FetchFrom(entry, traces, &tally));
  }
  return any;
}

Status ColdFetch::FetchFrom(const ColdEntry& entry, const std::vector<ColdTrace>& traces,
                            ColdTally* tally) {
  view_.reset();
  const Turn turn(options_);
  const ColdTime::Wait wait(time_);
  Status read = turn.Check();
  if (read.ok()) read = CheckTier(entry.scope);
  if (read.ok()) {
    Rows rows(this, tally);
    read = options_.tier->ReadTraces(entry.scope, traces, CallLimits(), &rows);
  }
  Status why = read.ok() ? Status::Ok() : Reason(read);
  if (why.code() == StatusCode::kCancelled) return why;
  for (const ColdTrace& trace : traces) {
    const std::optional<ColdTally::Count> count = tally->CountOf(trace.trace_id);
    const bool is_whole = count.has_value() ? count->found == count->expected : why.ok();
    if (is_whole) continue;
    Status& missing = missing_[entry.part->Name()].traces[trace.trace_id];
    missing = !why.ok() ? why
                        : Lost(count->found, count->expected,
                               "of trace " + HexText(trace.trace_id.view()));
  }
  return Status::Ok();
}

Result<uint64_t> ColdFetch::Search(const ColdEntry& entry, const ColdSearch& search) {
  view_.reset();
  const Turn turn(options_);
  const ColdTime::Wait wait(time_);
  Status why = turn.Check();
  if (why.ok()) why = CheckTier(entry.scope);
  if (why.ok()) {
    Rows rows(this, nullptr);
    auto found = options_.tier->Search(entry.scope, search, CallLimits(), &rows);
    if (found.ok()) {
      CheckHours(entry, {std::max(*found, search.start.min_ns), search.start.max_ns});
      return found;
    }
    why = found.status();
  }
  why = Reason(why);
  if (why.code() == StatusCode::kCancelled) return why;
  missing_[entry.part->Name()].search_why = why;
  return 0;
}

void ColdFetch::CheckHours(const ColdEntry& entry, TimeRange searched) {
  const std::string name = entry.part->Name();
  const ColdFacts& facts = entry.part->facts();
  uint64_t found = 0;
  const auto [known, is_new] = short_parts_.try_emplace(name, false);
  if (is_new) known->second = IsShort(entry, facts.start, facts.rows, &found);
  if (!known->second) return;
  const uint64_t first = searched.min_ns / kColdHourNs;
  const uint64_t last = searched.max_ns / kColdHourNs;
  uint64_t expected = 0;
  for (const ColdHour& hour : facts.hours) {
    if (hour.hour >= first && hour.hour <= last) expected += hour.rows;
  }
  const TimeRange hours{first * kColdHourNs, last == UINT64_MAX / kColdHourNs
                                                 ? UINT64_MAX
                                                 : (last + 1) * kColdHourNs - 1};
  if (expected == 0 || !IsShort(entry, hours, expected, &found)) return;
  Status& why = missing_[name].search_why;
  if (!why.ok()) return;
  why = Lost(found, expected, "that start from " + HourText(first) + " to " + HourText(last));
}

// A tier that does not say how many it has is believed to have them all.
bool ColdFetch::IsShort(const ColdEntry& entry, TimeRange start, uint64_t expected,
                        uint64_t* found) {
  const auto count = options_.tier->CountSpans(entry.scope, start, CallLimits());
  if (!count.ok() || !count->has_value()) return false;
  *found = **count;
  return *found < expected;
}

std::shared_ptr<const View> ColdFetch::view() {
  if (view_ != nullptr) return view_;
  if (table_ == nullptr && missing_.empty()) return view_ = local_;
  auto view = std::make_shared<View>(*local_);
  if (table_ != nullptr) {
    SourceEntry entry;
    entry.source = MakeTableSource(table_);
    entry.tenant = tenant_;
    entry.name = "spans from the cold tier";
    view->entries.push_back(std::move(entry));
  }
  for (const auto& [name, missing] : missing_) {
    SourceEntry entry;
    entry.source = MakeMissingSource(missing.traces, missing.search_why);
    entry.tenant = tenant_;
    entry.name = name;
    view->entries.push_back(std::move(entry));
  }
  return view_ = std::move(view);
}

ColdWalk::ColdWalk(ColdFetch* fetch, const FilterNode& filter, TimeRange range)
    : fetch_(fetch), filter_(filter), range_(range) {
  for (const ColdEntry& entry : fetch->local_->cold) {
    if (entry.scope.tenant != fetch->tenant_ || entry.is_fetched) continue;
    if (!entry.part->MayStartIn(range)) continue;
    parts_.push_back({std::min(range.max_ns, entry.part->facts().start.max_ns), &entry});
  }
  std::make_heap(parts_.begin(), parts_.end(), Earlier);
}

Status ColdWalk::Begin() {
  while (!parts_.empty() && parts_.front().bound_ns == UINT64_MAX) {
    LARDER_RETURN_IF_ERROR(Step(UINT64_MAX, UINT32_MAX));
  }
  return Status::Ok();
}

uint64_t ColdWalk::complete_from_ns() const {
  return parts_.empty() ? range_.min_ns : parts_.front().bound_ns + 1;
}

Status ColdWalk::Step(uint64_t floor_ns, uint32_t rows) {
  std::pop_heap(parts_.begin(), parts_.end(), Earlier);
  Part part = parts_.back();
  parts_.pop_back();
  ColdSearch search;
  search.filter = &filter_;
  search.start = {std::max(range_.min_ns, floor_ns), part.bound_ns};
  search.rows_wanted = rows;
  uint64_t complete_ns = search.start.min_ns;
  if (part.entry->part->MayStartIn(search.start)) {
    LARDER_ASSIGN_OR_RETURN(const uint64_t reached_ns, fetch_->Search(*part.entry, search));
    // 0: it cannot be reached, now or further down.
    if (reached_ns == 0) return Status::Ok();
    complete_ns = std::max(reached_ns, search.start.min_ns);
  }
  const uint64_t lowest_ns = std::max(range_.min_ns, part.entry->part->facts().start.min_ns);
  if (complete_ns <= lowest_ns) return Status::Ok();
  part.bound_ns = complete_ns - 1;
  parts_.push_back(part);
  std::push_heap(parts_.begin(), parts_.end(), Earlier);
  return Status::Ok();
}

}  // namespace larder
