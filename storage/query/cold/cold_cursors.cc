// Cursors that fetch what they need before they are asked for the first time.
#include <algorithm>
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
        limits_(limits) {}

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
    fetch_.emplace(view_, tenant_, options_, bounds_, limits_);
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
  size_t next_ = 0;  // of ids_, the first of the next batch
  std::optional<ColdFetch> fetch_;
  std::unique_ptr<TraceCursor> batch_;
  bool any_chunk_ = false;
  Status failed_;
  std::vector<Gap> gaps_;
};

class FindCursor : public TraceCursor {
 public:
  FindCursor(std::shared_ptr<const View> view, TraceQuery query, const ColdOptions& options,
             const QueryBounds& bounds, const QueryLimits& limits)
      : view_(std::move(view)),
        query_(std::move(query)),
        options_(options),
        bounds_(bounds),
        limits_(limits) {}

  Result<TraceChunk> Next() override {
    if (inner_ == nullptr) {
      LARDER_ASSIGN_OR_RETURN(ColdTraceQuery found,
                              FetchForSearch(view_, query_, options_, bounds_, limits_));
      inner_ = NewFindTracesCursor(std::move(found.view), std::move(found.query), bounds_, limits_);
    }
    return inner_->Next();
  }
  const std::vector<Gap>& gaps() const override { return inner_ ? inner_->gaps() : none_; }

 private:
  const std::shared_ptr<const View> view_;
  const TraceQuery query_;
  const ColdOptions options_;
  const QueryBounds bounds_;
  const QueryLimits limits_;
  std::unique_ptr<TraceCursor> inner_;  // null: nothing was fetched yet
  const std::vector<Gap> none_;
};

class SpansCursor : public SpanCursor {
 public:
  SpansCursor(std::shared_ptr<const View> view, SpanQuery query, const ColdOptions& options,
              const QueryBounds& bounds, const QueryLimits& limits)
      : view_(std::move(view)),
        query_(std::move(query)),
        options_(options),
        bounds_(bounds),
        limits_(limits) {}

  Result<SpanChunk> Next() override {
    if (inner_ == nullptr) {
      LARDER_ASSIGN_OR_RETURN(auto found, FetchForSpans(view_, query_, options_, bounds_, limits_));
      inner_ = NewFindSpansCursor(std::move(found), query_, bounds_, limits_);
    }
    return inner_->Next();
  }
  const std::vector<Gap>& gaps() const override { return inner_ ? inner_->gaps() : none_; }

 private:
  const std::shared_ptr<const View> view_;
  const SpanQuery query_;
  const ColdOptions options_;
  const QueryBounds bounds_;
  const QueryLimits limits_;
  std::unique_ptr<SpanCursor> inner_;  // null: nothing was fetched yet
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

std::unique_ptr<TraceCursor> NewColdFindCursor(std::shared_ptr<const View> view, TraceQuery query,
                                               const ColdOptions& options,
                                               const QueryBounds& bounds,
                                               const QueryLimits& limits) {
  return std::make_unique<FindCursor>(std::move(view), std::move(query), options, bounds, limits);
}

std::unique_ptr<SpanCursor> NewColdSpansCursor(std::shared_ptr<const View> view, SpanQuery query,
                                               const ColdOptions& options,
                                               const QueryBounds& bounds,
                                               const QueryLimits& limits) {
  return std::make_unique<SpansCursor>(std::move(view), std::move(query), options, bounds, limits);
}

}  // namespace larder
