// A store for tests of the server: answers what it is told to and remembers what it was asked.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/engine/store.h"

namespace larder {

// Set the public members before the server uses the store.
class FakeStore final : public Store {
 public:
  // What each kind of call answers.
  std::function<WriteResult(std::string_view otlp)> on_write = [](std::string_view) {
    return WriteResult{};
  };
  // Writes are not answered before AnswerHeldWrites.
  std::atomic<bool> hold_writes{false};
  // The chunks of every trace cursor, in order; `endless` repeats them for ever.
  std::vector<std::string> chunks;
  bool endless = false;
  Status cursor_end;  // what a cursor ends with
  std::vector<Gap> gaps;
  std::vector<SpanChunk> span_chunks;  // of every span cursor
  std::vector<FoundTrace> found;
  std::optional<TracePosition> next;  // after `found` and `summaries`
  std::vector<TraceSummary> summaries;
  std::vector<std::string> services;
  std::vector<Operation> operations;
  std::vector<Dependency> dependencies;
  StoreStats stats_answer;
  Status purge_answer;
  Result<FetchProgress> fetch_plan = FetchProgress{};
  std::function<Result<FetchProgress>(const FetchRequest&, const FetchWatch&)> on_fetch;
  std::vector<TenantStatus> tenant_statuses;
  size_t tenants_max = 1000;

  // What was asked.
  struct Asked {
    std::string otlp;
    std::vector<TraceId> ids;
    TraceQuery query;
    SpanQuery spans;
    std::string service;
    int32_t kind = 0;
    TimeRange range;
    QueryLimits limits;
    uint64_t chunks_served = 0;
    uint64_t cursors_open = 0;
    uint64_t purges = 0;
    FetchRequest fetch;
    bool saw_cancel = false;
    TenantId tenant = 0;  // of the last write or question
  };
  Asked asked() const {
    const MutexLock lock(mu_);
    return asked_;
  }

  Result<TenantId> OpenTenant(std::string_view name) override {
    const MutexLock lock(mu_);
    if (tenants_.size() >= tenants_max && !tenants_.contains(name)) {
      return Status::FailedPrecondition("too many tenants");
    }
    return tenants_.try_emplace(std::string(name), tenants_.size() + 1).first->second;
  }
  TenantId FindTenant(std::string_view name) override {
    const MutexLock lock(mu_);
    const auto known = tenants_.find(name);
    return known != tenants_.end() ? known->second : kNoTenant;
  }
  std::vector<TenantStatus> TenantStatuses() override { return tenant_statuses; }
  std::vector<StoredPartition> Partitions() override { return {}; }
  Status PurgeTenant(TenantId tenant) override {
    const MutexLock lock(mu_);
    ++asked_.purges;
    asked_.tenant = tenant;
    return purge_answer;
  }

  void AnswerHeldWrites() {
    std::vector<std::function<void(WriteResult)>> held;
    {
      const MutexLock lock(mu_);
      held.swap(held_writes_);
    }
    for (const auto& done : held) done(WriteResult{});
  }

  void WriteAsync(WriteRequest request, std::function<void(WriteResult)> done) override {
    {
      const MutexLock lock(mu_);
      asked_.otlp = std::string(request.otlp);
      asked_.tenant = request.tenant;
      if (hold_writes) {
        held_writes_.push_back(std::move(done));
        return;
      }
    }
    done(on_write(request.otlp));
  }

  std::unique_ptr<TraceCursor> GetTraces(TenantId tenant, std::vector<TraceId> ids,
                                         const QueryLimits& limits) override {
    const MutexLock lock(mu_);
    asked_.ids = std::move(ids);
    asked_.tenant = tenant;
    return NewCursor(limits);
  }
  std::unique_ptr<TraceCursor> FindTraces(TraceQuery query, const QueryLimits& limits) override {
    const MutexLock lock(mu_);
    asked_.tenant = query.tenant;
    asked_.query = std::move(query);
    return NewCursor(limits);
  }
  Result<Answer<FoundTrace>> FindTraceIds(const TraceQuery& query,
                                          const QueryLimits& limits) override {
    Remember(query, limits);
    return Answer<FoundTrace>{found, gaps, next};
  }
  Result<Answer<TraceSummary>> FindSummaries(const TraceQuery& query,
                                             const QueryLimits& limits) override {
    Remember(query, limits);
    return Answer<TraceSummary>{summaries, gaps, next};
  }
  std::unique_ptr<SpanCursor> FindSpans(SpanQuery query, const QueryLimits& /*limits*/) override {
    const MutexLock lock(mu_);
    asked_.tenant = query.tenant;
    asked_.spans = std::move(query);
    return std::make_unique<Spans>(this);
  }
  Result<Answer<std::string>> Services(TenantId tenant, const QueryLimits& /*limits*/) override {
    const MutexLock lock(mu_);
    asked_.tenant = tenant;
    return Answer<std::string>{services, gaps, {}};
  }
  Result<Answer<Operation>> Operations(TenantId tenant, std::string_view service, int32_t kind,
                                       const QueryLimits& /*limits*/) override {
    const MutexLock lock(mu_);
    asked_.tenant = tenant;
    asked_.service = std::string(service);
    asked_.kind = kind;
    return Answer<Operation>{operations, gaps, {}};
  }
  Result<Answer<Dependency>> Dependencies(TenantId tenant, TimeRange child_start,
                                          const QueryLimits& /*limits*/) override {
    const MutexLock lock(mu_);
    asked_.tenant = tenant;
    asked_.range = child_start;
    return Answer<Dependency>{dependencies, gaps, {}};
  }

  Status Flush() override { return Status::Ok(); }
  Status Settle() override { return Status::Ok(); }
  Result<FetchProgress> PlanFetch(const FetchRequest& request) override {
    const MutexLock lock(mu_);
    asked_.fetch = request;
    return fetch_plan;
  }
  Result<FetchProgress> Fetch(const FetchRequest& request, const FetchWatch& watch) override {
    if (on_fetch) return on_fetch(request, watch);
    return fetch_plan;
  }
  Status Purge() override {
    const MutexLock lock(mu_);
    ++asked_.purges;
    return purge_answer;
  }
  Status Verify(std::vector<std::string>* /*faults*/) override { return Status::Ok(); }
  Status SectionSizes(std::vector<std::pair<std::string, uint64_t>>* /*sizes*/) override {
    return Status::Ok();
  }
  StoreStats stats() const override { return stats_answer; }

 private:
  class Cursor final : public TraceCursor {
   public:
    Cursor(FakeStore* store, const QueryLimits& limits) : store_(store), limits_(limits) {}
    ~Cursor() override {
      const MutexLock lock(store_->mu_);
      --store_->asked_.cursors_open;
    }
    Result<TraceChunk> Next() override {
      const MutexLock lock(store_->mu_);
      if (limits_.cancelled->load()) {
        store_->asked_.saw_cancel = true;
        return Status::Cancelled("asked to stop");
      }
      if (next_ == store_->chunks.size() && store_->endless) next_ = 0;
      TraceChunk chunk;
      if (next_ == store_->chunks.size()) {
        if (!store_->cursor_end.ok()) return store_->cursor_end;
        chunk.end = true;
        return chunk;
      }
      chunk.traces_data = store_->chunks[next_++];
      ++store_->asked_.chunks_served;
      return chunk;
    }
    const std::vector<Gap>& gaps() const override { return store_->gaps; }

   private:
    FakeStore* const store_;
    const QueryLimits limits_;
    size_t next_ = 0;
  };

  class Spans final : public SpanCursor {
   public:
    explicit Spans(FakeStore* store) : store_(store) {}
    Result<SpanChunk> Next() override {
      const MutexLock lock(store_->mu_);
      if (next_ < store_->span_chunks.size()) return store_->span_chunks[next_++];
      SpanChunk end;
      end.end = true;
      return end;
    }
    const std::vector<Gap>& gaps() const override { return store_->gaps; }

   private:
    FakeStore* const store_;
    size_t next_ = 0;
  };

  std::unique_ptr<TraceCursor> NewCursor(const QueryLimits& limits) REQUIRES(mu_) {
    asked_.limits = limits;
    ++asked_.cursors_open;
    return std::make_unique<Cursor>(this, limits);
  }
  void Remember(const TraceQuery& query, const QueryLimits& limits) {
    const MutexLock lock(mu_);
    asked_.tenant = query.tenant;
    asked_.query = query;
    asked_.limits = limits;
  }

  mutable Mutex mu_;
  std::vector<std::function<void(WriteResult)>> held_writes_ GUARDED_BY(mu_);
  Asked asked_ GUARDED_BY(mu_);
  std::map<std::string, TenantId, std::less<>> tenants_ GUARDED_BY(mu_);
};

}  // namespace larder
