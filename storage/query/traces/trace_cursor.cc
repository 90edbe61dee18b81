#include "storage/query/traces/trace_cursor.h"

#include <algorithm>
#include <optional>
#include <unordered_set>
#include <utility>

#include "storage/query/traces/trace_reader.h"
#include "storage/query/traces/trace_walk.h"

namespace larder {
namespace {

// Trace ids, one after the other.
class TraceIdSource {
 public:
  virtual ~TraceIdSource() = default;
  virtual Result<std::optional<TraceId>> Next() = 0;
};

class AskedIds : public TraceIdSource {
 public:
  explicit AskedIds(std::vector<TraceId> ids) : ids_(std::move(ids)) {}

  Result<std::optional<TraceId>> Next() override {
    while (next_ < ids_.size()) {
      const TraceId& id = ids_[next_++];
      if (seen_.insert(id).second) return std::optional<TraceId>(id);
    }
    return std::optional<TraceId>();
  }

 private:
  const std::vector<TraceId> ids_;
  size_t next_ = 0;
  std::unordered_set<TraceId, TraceIdHasher> seen_;
};

class FoundIds : public TraceIdSource {
 public:
  FoundIds(const View& view, TraceQuery query, QueryContext* context)
      : query_(std::move(query)), walk_(view, query_, context) {}

  Result<std::optional<TraceId>> Next() override {
    LARDER_ASSIGN_OR_RETURN(const std::optional<TracePosition> found, walk_.Next());
    if (!found) return std::optional<TraceId>();
    return std::optional<TraceId>(found->trace_id);
  }

 private:
  const TraceQuery query_;
  TraceWalk walk_;
};

class Cursor : public TraceCursor {
 public:
  Cursor(std::shared_ptr<const View> view, TenantId tenant, const QueryBounds& bounds,
         const QueryLimits& limits)
      : view_(std::move(view)), context_(bounds, limits), reader_(*view_, tenant, &context_) {}

  void set_ids(std::unique_ptr<TraceIdSource> ids) { ids_ = std::move(ids); }
  const View& view() const { return *view_; }
  QueryContext* context() { return &context_; }

  Result<TraceChunk> Next() override {
    const QueryContext::Work work(&context_);
    if (ended_.has_value()) return End();
    Result<TraceChunk> chunk = Read();
    if (chunk.ok() && !chunk->end) {
      any_chunk_ = true;
      return chunk;
    }
    ended_ = context_.Finish(chunk.status(), any_chunk_);
    // Found, but nothing of it readable: "not found" would be a lie.
    if (ended_->ok() && !any_chunk_ && any_trace_lost_) ended_ = context_.first_failure();
    return End();
  }

  const std::vector<Gap>& gaps() const override { return context_.gaps(); }

 private:
  Result<TraceChunk> End() const {
    if (!ended_->ok()) return *ended_;
    TraceChunk end;
    end.end = true;
    return end;
  }

  Result<TraceChunk> Read() {
    for (;;) {
      if (!trace_.has_value()) {
        LARDER_ASSIGN_OR_RETURN(trace_, ids_->Next());
        if (!trace_.has_value()) break;
        failed_reads_before_ = context_.failed_reads();
        LARDER_RETURN_IF_ERROR(reader_.Open(*trace_));
      }
      LARDER_ASSIGN_OR_RETURN(std::string bytes, reader_.NextChunk());
      if (!bytes.empty()) {
        TraceChunk chunk;
        chunk.trace_id = *trace_;
        chunk.traces_data = std::move(bytes);
        return chunk;
      }
      if (context_.failed_reads() != failed_reads_before_) any_trace_lost_ = true;
      trace_.reset();
    }
    TraceChunk end;
    end.end = true;
    return end;
  }

  // Members in this order: what is below borrows from what is above.
  const std::shared_ptr<const View> view_;
  QueryContext context_;
  TraceReader reader_;
  std::unique_ptr<TraceIdSource> ids_;
  std::optional<TraceId> trace_;  // being read
  uint64_t failed_reads_before_ = 0;
  bool any_chunk_ = false;
  bool any_trace_lost_ = false;
  std::optional<Status> ended_;
};

}  // namespace

std::unique_ptr<TraceCursor> NewGetTracesCursor(std::shared_ptr<const View> view, TenantId tenant,
                                                std::vector<TraceId> ids, const QueryBounds& bounds,
                                                const QueryLimits& limits) {
  auto cursor = std::make_unique<Cursor>(std::move(view), tenant, bounds, limits);
  cursor->set_ids(std::make_unique<AskedIds>(std::move(ids)));
  return cursor;
}

std::unique_ptr<TraceCursor> NewFindTracesCursor(std::shared_ptr<const View> view, TraceQuery query,
                                                 const QueryBounds& bounds,
                                                 const QueryLimits& limits) {
  const TenantId tenant = query.tenant;
  auto cursor = std::make_unique<Cursor>(std::move(view), tenant, bounds, limits);
  cursor->set_ids(std::make_unique<FoundIds>(cursor->view(), std::move(query), cursor->context()));
  return cursor;
}

}  // namespace larder
