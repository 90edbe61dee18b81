// The store's parts put together. Opening and closing order is the order of the members.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/engine/catalog/data_directory.h"
#include "storage/engine/catalog/tenants.h"
#include "storage/engine/ingest/archiver.h"
#include "storage/engine/ingest/committer.h"
#include "storage/engine/ingest/sealer.h"
#include "storage/engine/shelf/disk_guard.h"
#include "storage/engine/shelf/retention_clock.h"
#include "storage/engine/shelf/shelf.h"
#include "storage/engine/shelf/store_counters.h"
#include "storage/engine/shelf/view_keeper.h"
#include "storage/engine/store.h"
#include "storage/engine/upkeep/fetcher.h"
#include "storage/engine/upkeep/maintenance.h"
#include "storage/engine/upkeep/mover.h"
#include "storage/kv/kv_store.h"
#include "storage/query/query_engine.h"
#include "storage/segment/page/page_cache.h"

namespace larder {

class StoreImpl : public Store {
 public:
  explicit StoreImpl(const StoreOptions& options);
  ~StoreImpl() override;

  // As Store::Open, for a directory that can be written.
  Status OpenForWriting();
  // Serves what is there and takes nothing; `why` is said to those who write.
  Status OpenForReading(const Status& why);

  Result<TenantId> OpenTenant(std::string_view name) override;
  TenantId FindTenant(std::string_view name) override;
  std::vector<TenantStatus> TenantStatuses() override;
  std::vector<StoredPartition> Partitions() override;
  void WriteAsync(WriteRequest request, std::function<void(WriteResult)> done) override;
  std::unique_ptr<TraceCursor> GetTraces(TenantId tenant, std::vector<TraceId> ids,
                                         const QueryLimits& limits) override;
  std::unique_ptr<TraceCursor> FindTraces(TraceQuery query, const QueryLimits& limits) override;
  Result<Answer<FoundTrace>> FindTraceIds(const TraceQuery& query,
                                          const QueryLimits& limits) override;
  Result<Answer<TraceSummary>> FindSummaries(const TraceQuery& query,
                                             const QueryLimits& limits) override;
  std::unique_ptr<SpanCursor> FindSpans(SpanQuery query, const QueryLimits& limits) override;
  Result<Answer<std::string>> Services(TenantId tenant, const QueryLimits& limits) override;
  Result<Answer<Operation>> Operations(TenantId tenant, std::string_view service, int32_t kind,
                                       const QueryLimits& limits) override;
  Result<Answer<Dependency>> Dependencies(TenantId tenant, TimeRange child_start,
                                          const QueryLimits& limits) override;
  Status Flush() override;
  Status Settle() override;
  Result<FetchProgress> PlanFetch(const FetchRequest& request) override;
  Result<FetchProgress> Fetch(const FetchRequest& request, const FetchWatch& watch) override;
  Status Purge() override;
  Status PurgeTenant(TenantId tenant) override;
  Status Verify(std::vector<std::string>* faults) override;
  Status SectionSizes(std::vector<std::pair<std::string, uint64_t>>* sizes) override;
  StoreStats stats() const override;

 private:
  Status OpenShelf(bool read_only);
  Status Recover(bool read_only);
  void MakeWriters();
  void StartArchiver();
  Status MakeMover();
  TierStats StatsOfTier(const std::vector<PartitionStatus>& partitions) const;
  uint64_t DiskCap();
  Status CheckWritable() const;
  // Runs `operation` between groups of both data sets.
  void RunBetweenGroups(const std::function<void()>& operation);
  Status VerifyJournals(std::vector<std::string>* faults);

  const StoreOptions options_;
  const AppendLimits append_limits_;
  StoreCounters counters_;
  std::string not_writable_reason_;  // empty: writable
  uint64_t disk_cap_ = 0;            // 0: not looked at yet

  std::unique_ptr<DataDirectory> directory_;
  std::unique_ptr<DiskGuard> disk_;
  std::unique_ptr<KvStore> kv_;
  std::unique_ptr<PageCache> cache_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Tenants> tenants_;
  std::unique_ptr<RetentionClock> retention_clock_;
  std::unique_ptr<ViewKeeper> views_;
  std::unique_ptr<Shelf> shelf_;
  std::unique_ptr<QueryEngine> queries_;
  std::vector<std::shared_ptr<Generation>> replayed_;  // read-only: heads that are never sealed
  std::unique_ptr<Sealer> sealer_;
  std::unique_ptr<Maintenance> maintenance_;
  std::unique_ptr<Fetcher> fetcher_;
  std::unique_ptr<Mover> mover_;  // null: there is no tier
  // Gone first: nothing comes in any more.
  std::unique_ptr<Committer> archive_committer_;
  std::unique_ptr<Archiver> archiver_;
  std::unique_ptr<Committer> committer_;
};

}  // namespace larder
