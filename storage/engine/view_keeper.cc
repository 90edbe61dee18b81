#include "storage/engine/view_keeper.h"

#include <algorithm>
#include <utility>

namespace larder {
namespace {

// A segment that cannot be opened has no known arrival; it goes first.
uint64_t ArrivalOf(const SourceEntry& entry) {
  return entry.segment != nullptr ? entry.segment->info().identity.arrival_min_ns : 0;
}

}  // namespace

std::shared_ptr<const View> ViewKeeper::Current() {
  MutexLock lock(mu_);
  for (Head& head : heads_) {
    if (head.table->published_rows() == head.rows) continue;
    head.entry.source = head.snapshots->Take();
    head.rows = head.entry.source->row_count();
    current_.reset();
  }
  if (current_ != nullptr) return current_;
  auto view = std::make_shared<View>();
  view->version = ++version_;
  view->entries = segments_;
  for (const Head& head : heads_) {
    if (head.rows > 0) view->entries.push_back(head.entry);
  }
  for (const auto& [partition, indexes] : indexes_) {
    view->indexes.insert(view->indexes.end(), indexes.begin(), indexes.end());
  }
  current_ = view;
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
  heads_.push_back(std::move(head));
}

void ViewKeeper::ReplaceHeads(uint64_t generation, std::vector<SourceEntry> segments) {
  MutexLock lock(mu_);
  std::erase_if(heads_, [&](const Head& head) { return head.entry.id == generation; });
  AddSegments(std::move(segments));
}

void ViewKeeper::ReplaceSegments(const std::vector<uint64_t>& removed_ids,
                                 std::vector<SourceEntry> added) {
  MutexLock lock(mu_);
  std::erase_if(segments_, [&](const SourceEntry& entry) {
    return std::find(removed_ids.begin(), removed_ids.end(), entry.id) != removed_ids.end();
  });
  AddSegments(std::move(added));
}

void ViewKeeper::RemovePartition(uint64_t partition) {
  MutexLock lock(mu_);
  std::erase_if(segments_, [&](const SourceEntry& entry) { return entry.partition == partition; });
  indexes_.erase(partition);
  current_.reset();
}

void ViewKeeper::SetIndexes(uint64_t partition,
                            std::vector<std::shared_ptr<const PartitionIndex>> indexes) {
  MutexLock lock(mu_);
  indexes_[partition] = std::move(indexes);
  current_.reset();
}

void ViewKeeper::AddSegments(std::vector<SourceEntry> segments) {
  for (SourceEntry& entry : segments) {
    const auto place = std::upper_bound(
        segments_.begin(), segments_.end(), entry,
        [](const SourceEntry& a, const SourceEntry& b) { return ArrivalOf(a) < ArrivalOf(b); });
    segments_.insert(place, std::move(entry));
  }
  current_.reset();
}

}  // namespace larder
