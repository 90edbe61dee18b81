#include "storage/engine/shelf/view_keeper.h"

#include <algorithm>
#include <set>
#include <utility>

#include "storage/query/index/partition_index.h"

namespace larder {
namespace {

// A segment that cannot be opened has no known arrival; it goes first.
uint64_t ArrivalOf(const SourceEntry& entry) {
  return entry.segment != nullptr ? entry.segment->info().identity.arrival_min_ns : 0;
}

}  // namespace

// Takes what was published since.
void ViewKeeper::OfTenant::Refresh() {
  for (Head& head : heads) {
    if (head.table->published_rows() == head.rows) continue;
    head.entry.source = head.snapshots->Take();
    head.rows = head.entry.source->row_count();
    current.reset();
  }
}

void ViewKeeper::OfTenant::AddTo(View* view) {
  Refresh();
  view->entries.insert(view->entries.end(), segments.begin(), segments.end());
  for (const Head& head : heads) {
    if (head.rows > 0) view->entries.push_back(head.entry);
  }
  for (const auto& [partition, of_partition] : indexes) {
    view->indexes.insert(view->indexes.end(), of_partition.begin(), of_partition.end());
  }
  for (const auto& [partition, entry] : cold) view->cold.push_back(entry);
}

std::shared_ptr<const View> ViewKeeper::Current(TenantId tenant) {
  MutexLock lock(mu_);
  const auto found = tenants_.find(tenant);
  if (found == tenants_.end()) return std::make_shared<View>();
  OfTenant& it = found->second;
  it.Refresh();
  if (it.current != nullptr) return it.current;
  auto view = std::make_shared<View>();
  view->version = ++version_;
  it.AddTo(view.get());
  it.current = view;
  return view;
}

std::shared_ptr<const View> ViewKeeper::Everything() {
  MutexLock lock(mu_);
  auto view = std::make_shared<View>();
  view->version = ++version_;
  for (auto& [tenant, it] : tenants_) it.AddTo(view.get());
  return view;
}

void ViewKeeper::AddHead(uint64_t generation, uint64_t partition, TenantId tenant,
                         std::shared_ptr<const SpanTable> table) {
  Head head;
  head.entry.id = generation;
  head.entry.partition = partition;
  head.entry.tenant = tenant;
  head.entry.name = "head of generation " + std::to_string(generation);
  head.snapshots = std::make_shared<TableSnapshots>(table);
  head.table = std::move(table);
  MutexLock lock(mu_);
  tenants_[tenant].heads.push_back(std::move(head));
}

void ViewKeeper::ReplaceHeads(uint64_t generation, std::vector<SourceEntry> segments) {
  MutexLock lock(mu_);
  for (auto& [tenant, it] : tenants_) {
    const size_t gone = std::erase_if(
        it.heads, [generation](const Head& head) { return head.entry.id == generation; });
    if (gone > 0) it.current.reset();
  }
  for (SourceEntry& segment : segments) Add(std::move(segment));
}

void ViewKeeper::ReplaceSegments(TenantId tenant, const std::vector<uint64_t>& removed_ids,
                                 std::vector<SourceEntry> added) {
  MutexLock lock(mu_);
  OfTenant& it = tenants_[tenant];
  const std::set<uint64_t> removed(removed_ids.begin(), removed_ids.end());
  std::erase_if(it.segments,
                [&removed](const SourceEntry& entry) { return removed.contains(entry.id); });
  it.current.reset();
  for (SourceEntry& segment : added) Add(std::move(segment));
}

void ViewKeeper::AddSegments(std::vector<SourceEntry> segments) {
  MutexLock lock(mu_);
  for (SourceEntry& segment : segments) Add(std::move(segment));
}

void ViewKeeper::RemovePartition(uint64_t partition) {
  MutexLock lock(mu_);
  Remove(partition);
}

void ViewKeeper::EvictPartition(uint64_t partition, const std::vector<ColdEntry>& cold) {
  MutexLock lock(mu_);
  Remove(partition);
  for (const ColdEntry& entry : cold) {
    OfTenant& it = tenants_[entry.scope.tenant];
    it.cold[partition] = entry;
    it.current.reset();
  }
}

void ViewKeeper::RemoveCold(uint64_t partition, TenantId tenant) {
  MutexLock lock(mu_);
  OfTenant& it = tenants_[tenant];
  it.cold.erase(partition);
  it.current.reset();
}

void ViewKeeper::ShowFetched(uint64_t partition, std::vector<SourceEntry> segments,
                             const Indexes& indexes) {
  MutexLock lock(mu_);
  MarkFetched(partition, true);
  for (SourceEntry& segment : segments) Add(std::move(segment));
  AddIndexes(partition, indexes);
}

void ViewKeeper::HideFetched(uint64_t partition) {
  MutexLock lock(mu_);
  MarkFetched(partition, false);
  RemoveSegments(partition);
}

void ViewKeeper::MarkFetched(uint64_t partition, bool is_fetched) {
  for (auto& [tenant, it] : tenants_) {
    const auto found = it.cold.find(partition);
    if (found == it.cold.end()) continue;
    found->second.is_fetched = is_fetched;
    it.current.reset();
  }
}

void ViewKeeper::Remove(uint64_t partition) {
  RemoveSegments(partition);
  for (auto& [tenant, it] : tenants_) it.cold.erase(partition);
}

void ViewKeeper::RemoveSegments(uint64_t partition) {
  for (auto& [tenant, it] : tenants_) {
    std::erase_if(it.segments,
                  [partition](const SourceEntry& entry) { return entry.partition == partition; });
    it.indexes.erase(partition);
    it.current.reset();
  }
}

void ViewKeeper::SetIndexes(uint64_t partition, const Indexes& indexes) {
  MutexLock lock(mu_);
  for (auto& [tenant, it] : tenants_) {
    if (it.indexes.erase(partition) > 0) it.current.reset();
  }
  AddIndexes(partition, indexes);
}

void ViewKeeper::AddIndexes(uint64_t partition, const Indexes& indexes) {
  for (const auto& index : indexes) {
    OfTenant& it = tenants_[index->info().tenant];
    it.indexes[partition].push_back(index);
    it.current.reset();
  }
}

void ViewKeeper::Add(SourceEntry segment) {
  OfTenant& it = tenants_[segment.tenant];
  const auto place = std::upper_bound(
      it.segments.begin(), it.segments.end(), segment,
      [](const SourceEntry& a, const SourceEntry& b) { return ArrivalOf(a) < ArrivalOf(b); });
  it.segments.insert(place, std::move(segment));
  it.current.reset();
}

}  // namespace larder
