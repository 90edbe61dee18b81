// Cursors that fetch what they need before they are asked for the first time.
#include <algorithm>
#include <functional>
#include <optional>
#include <unordered_set>
#include <utility>

#include "storage/query/cold/cold_queries.h"
#include "storage/query/spans/span_cursor.h"
#include "storage/query/traces/trace_cursor.h"

namespace larder {
namespace {

// What is fetched at a time.
constexpr size_t kTracesPerFetch = 64;

std::vector<TraceId> EachOnce(std::vector<TraceId> ids) {
  std::unordered_set<TraceId, TraceIdHasher> seen;
  std::erase_if(ids, [&seen](const TraceId& id) { return !seen.insert(id).second; });
  return ids;
}

class GetCursor : public TraceCursor {
 public:
  GetCursor(std::shared_ptr<const View> view, TenantId tenant, std::vector<TraceId> ids,
            const ColdOptions& options, const QueryBounds& bounds, const QueryLimits& limits)
      : view_(std::move(view)),
        tenant_(tenant),
        ids_(EachOnce(std::move(ids))),
        options_(options),
        bounds_(bounds),
        limits_(limits),
        time_(bounds.clock, options.time_ns_max, limits) {}

  Result<TraceChunk> Next() override {
    for (;;) {
      if (batch_ == nullptr) {
        if (next_ == ids_.size()) return End();
        LARDER_RETURN_IF_ERROR(OpenBatch());
      }
      Result<TraceChunk> chunk = batch_->Next();
      if (chunk.ok() && !chunk->end) {
        any_chunk_ = true;
        return chunk;
      }
      KeepGaps();
      batch_.reset();
      if (chunk.ok()) continue;
      if (!IsOfAPart(chunk.status())) return chunk.status();
      // Of this batch nothing could be read. Others may be there.
      if (failed_.ok()) failed_ = chunk.status();
    }
  }

  const std::vector<Gap>& gaps() const override { return gaps_; }

 private:
  static bool IsOfAPart(const Status& status) {
    return status.code() == StatusCode::kDataLoss || status.code() == StatusCode::kUnavailable;
  }

  Result<TraceChunk> End() const {
    if (!any_chunk_ && !failed_.ok()) return failed_;
    TraceChunk end;
    end.end = true;
    return end;
  }

  Status OpenBatch() {
    const size_t count = std::min(kTracesPerFetch, ids_.size() - next_);
    const auto first = ids_.begin() + static_cast<std::ptrdiff_t>(next_);
    std::vector<TraceId> ids(first, first + static_cast<std::ptrdiff_t>(count));
    next_ += count;
    fetch_.emplace(view_, tenant_, options_, bounds_, limits_, &time_);
    LARDER_RETURN_IF_ERROR(fetch_->FetchTraces(ids).status());
    batch_ = NewGetTracesCursor(fetch_->view(), tenant_, std::move(ids), bounds_, limits_);
    return Status::Ok();
  }

  void KeepGaps() {
    gaps_.insert(gaps_.end(), batch_->gaps().begin(), batch_->gaps().end());
    if (gaps_.size() > QueryContext::kGapsMax) gaps_.resize(QueryContext::kGapsMax);
  }

  const std::shared_ptr<const View> view_;
  const TenantId tenant_;
  const std::vector<TraceId> ids_;
  const ColdOptions options_;
  const QueryBounds bounds_;
  const QueryLimits limits_;
  ColdTime time_;    // of all batches
  size_t next_ = 0;  // of ids_, the first of the next batch
  std::optional<ColdFetch> fetch_;
  std::unique_ptr<TraceCursor> batch_;
  bool any_chunk_ = false;
  Status failed_;
  std::vector<Gap> gaps_;
};

// Another cursor, which is made by the first Next: making it waits for the tier.
template <typename Cursor, typename Chunk>
class LateCursor : public Cursor {
 public:
  using Make = std::function<Result<std::unique_ptr<Cursor>>()>;
  explicit LateCursor(Make make) : make_(std::move(make)) {}

  Result<Chunk> Next() override {
    if (inner_ == nullptr) {
      LARDER_ASSIGN_OR_RETURN(inner_, make_());
    }
    return inner_->Next();
  }
  const std::vector<Gap>& gaps() const override { return inner_ ? inner_->gaps() : none_; }

 private:
  const Make make_;
  std::unique_ptr<Cursor> inner_;
  const std::vector<Gap> none_;
};

}  // namespace

std::unique_ptr<TraceCursor> NewColdGetCursor(std::shared_ptr<const View> view, TenantId tenant,
                                              std::vector<TraceId> ids, const ColdOptions& options,
                                              const QueryBounds& bounds,
                                              const QueryLimits& limits) {
  return std::make_unique<GetCursor>(std::move(view), tenant, std::move(ids), options, bounds,
                                     limits);
}

std::unique_ptr<TraceCursor> NewColdFindCursor(const std::shared_ptr<const View>& view,
                                               TraceQuery query, const ColdOptions& options,
                                               const QueryBounds& bounds,
                                               const QueryLimits& limits) {
  return std::make_unique<LateCursor<TraceCursor, TraceChunk>>(
      [=, query = std::move(query)]() -> Result<std::unique_ptr<TraceCursor>> {
        LARDER_ASSIGN_OR_RETURN(ColdTraceQuery found,
                                FetchForSearch(view, query, options, bounds, limits));
        return NewFindTracesCursor(std::move(found.view), std::move(found.query), bounds, limits);
      });
}

std::unique_ptr<SpanCursor> NewColdSpansCursor(const std::shared_ptr<const View>& view,
                                               SpanQuery query, const ColdOptions& options,
                                               const QueryBounds& bounds,
                                               const QueryLimits& limits) {
  return std::make_unique<LateCursor<SpanCursor, SpanChunk>>(
      [=, query = std::move(query)]() -> Result<std::unique_ptr<SpanCursor>> {
        LARDER_ASSIGN_OR_RETURN(auto found, FetchForSpans(view, query, options, bounds, limits));
        return NewFindSpansCursor(std::move(found), query, bounds, limits);
      });
}

}  // namespace larder
