#include "storage/query/cold/cold_fetch.h"

#include <algorithm>
#include <utility>

#include "storage/query/cold/cold_part.h"
#include "storage/segment/table/table_source.h"

namespace larder {
namespace {

// What could not be reached of a cold part.
class MissingSource : public SpanSource {
 public:
  MissingSource(std::set<TraceId> traces, Status traces_why, Status search_why)
      : traces_(std::move(traces)),
        traces_why_(std::move(traces_why)),
        search_why_(std::move(search_why)),
        nothing_(MakeTableSource(std::make_shared<SpanTable>())) {}

  uint32_t row_count() const override { return 0; }
  // Searches that missed it look into it, whatever their range, and find out.
  TimeRange start_range() const override {
    return search_why_.ok() ? TimeRange{UINT64_MAX, 0} : TimeRange{};
  }
  uint64_t latest_end_ns() const override { return 0; }
  Status FindTrace(const TraceId& trace_id, std::vector<uint32_t>* /*rows*/) const override {
    return traces_.contains(trace_id) ? traces_why_ : Status::Ok();
  }
  Status Facts(const std::vector<uint32_t>&, std::vector<SpanFacts>*) const override {
    return Status::Ok();
  }
  Status EncodeRows(const std::vector<uint32_t>&, RowVisitor*) const override {
    return Status::Ok();
  }
  Result<std::unique_ptr<BlockSearch>> Search(const FilterNode& filter, TimeRange start,
                                              SearchBudget* budget) const override {
    if (!search_why_.ok()) return search_why_;
    return nothing_->Search(filter, start, budget);
  }
  Status TraceIds(uint32_t, uint32_t, std::vector<TraceId>*) const override { return Status::Ok(); }
  Status Operations(std::vector<ServiceOperation>*) const override { return Status::Ok(); }

 private:
  const std::set<TraceId> traces_;
  const Status traces_why_;
  const Status search_why_;
  const std::shared_ptr<const SpanSource> nothing_;
};

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

// A quarter of the caller's time is left to answer with what is there.
uint64_t ColdDeadline(Clock* clock, uint64_t time_ns_max, const QueryLimits& limits) {
  const uint64_t now_ns = clock->MonotonicNanos();
  const uint64_t left_ns =
      limits.deadline_monotonic_ns > now_ns ? limits.deadline_monotonic_ns - now_ns : 0;
  return now_ns + std::min(time_ns_max, left_ns - left_ns / 4);
}

}  // namespace

class ColdFetch::Rows : public ColdRows {
 public:
  explicit Rows(ColdFetch* fetch) : fetch_(fetch) {}

  Status Add(std::string_view traces_data) override {
    if (fetch_->table_ == nullptr) fetch_->table_ = std::make_shared<SpanTable>();
    LARDER_ASSIGN_OR_RETURN(const AppendResult added,
                            fetch_->table_->Append(traces_data, AppendLimits::None()));
    fetch_->table_->Publish();
    LARDER_RETURN_IF_ERROR(fetch_->memory_.Resize(fetch_->table_->memory_bytes()));
    if (added.rejected_spans == 0) return Status::Ok();
    return Status::DataLoss("the tier returned spans that are none: " + added.first_rejection);
  }

 private:
  ColdFetch* const fetch_;
};

ColdFetch::ColdFetch(std::shared_ptr<const View> view, TenantId tenant, const ColdOptions& options,
                     const QueryBounds& bounds, const QueryLimits& limits)
    : local_(std::move(view)),
      tenant_(tenant),
      options_(options),
      limits_(limits),
      deadline_ns_(ColdDeadline(bounds.clock, options.time_ns_max, limits)),
      context_(bounds, limits),
      memory_(&context_) {}

ColdFetch::~ColdFetch() = default;

QueryLimits ColdFetch::CallLimits() const {
  return {.deadline_monotonic_ns = deadline_ns_, .cancelled = limits_.cancelled};
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
  const std::string where = options_.tier != nullptr ? options_.tier->name() : "the cold tier";
  switch (failed.code()) {
    case StatusCode::kNotFound:
      return Status::DataLoss("gone from " + where + ": " + failed.ToString());
    case StatusCode::kDataLoss:
      return failed.With(where);
    default:
      return Status::Unavailable(where + ": " + failed.ToString());
  }
}

Result<bool> ColdFetch::FetchTraces(const std::vector<TraceId>& ids) {
  std::vector<TraceId> fresh;
  for (const TraceId& id : ids) {
    if (asked_.insert(id).second) fresh.push_back(id);
  }
  bool any = false;
  for (const ColdEntry& entry : local_->cold) {
    if (entry.scope.tenant != tenant_) continue;
    std::vector<ColdTrace> traces;
    for (const TraceId& id : fresh) {
      ColdTrace trace{id, {}};
      // Without its index a part may have any trace.
      const Status looked = entry.part->FindTrace(id, &trace.segments);
      if (!looked.ok()) trace.segments = entry.part->facts().segment_ids;
      if (!trace.segments.empty()) traces.push_back(std::move(trace));
    }
    if (traces.empty()) continue;
    any = true;
    LARDER_RETURN_IF_ERROR(FetchFrom(entry, traces));
  }
  return any;
}

Status ColdFetch::FetchFrom(const ColdEntry& entry, const std::vector<ColdTrace>& traces) {
  view_.reset();
  const Turn turn(options_);
  Status read = turn.Check();
  if (read.ok()) read = CheckTier(entry.scope);
  if (read.ok()) {
    Rows rows(this);
    read = options_.tier->ReadTraces(entry.scope, traces, CallLimits(), &rows);
  }
  if (read.ok()) return Status::Ok();
  Status why = Reason(read);
  if (why.code() == StatusCode::kCancelled) return why;
  Missing& missing = missing_[entry.part->Name()];
  missing.traces_why = why;
  for (const ColdTrace& trace : traces) missing.traces.insert(trace.trace_id);
  return Status::Ok();
}

Result<uint64_t> ColdFetch::Search(const ColdEntry& entry, const ColdSearch& search) {
  view_.reset();
  const Turn turn(options_);
  Status why = turn.Check();
  if (why.ok()) why = CheckTier(entry.scope);
  if (why.ok()) {
    Rows rows(this);
    auto found = options_.tier->Search(entry.scope, search, CallLimits(), &rows);
    if (found.ok()) return found;
    why = found.status();
  }
  why = Reason(why);
  if (why.code() == StatusCode::kCancelled) return why;
  missing_[entry.part->Name()].search_why = why;
  return 0;
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
    entry.source =
        std::make_shared<MissingSource>(missing.traces, missing.traces_why, missing.search_why);
    entry.tenant = tenant_;
    entry.name = name;
    view->entries.push_back(std::move(entry));
  }
  return view_ = std::move(view);
}

ColdWalk::ColdWalk(ColdFetch* fetch, const FilterNode& filter, TimeRange range)
    : fetch_(fetch), filter_(filter), range_(range) {
  for (const ColdEntry& entry : fetch->local_->cold) {
    if (entry.scope.tenant != fetch->tenant_ || !entry.part->MayStartIn(range)) continue;
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
