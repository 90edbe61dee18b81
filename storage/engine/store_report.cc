// What the store says of itself: counters, and what lies on disk.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "storage/engine/store_impl.h"

namespace larder {
namespace {

std::string_view StateName(const PartitionStatus& partition) {
  switch (partition.record.state) {
    case PartitionState::kOpen:
      return partition.full ? "full" : "open";
    case PartitionState::kClosed:
      return "closed";
    case PartitionState::kDropping:
      return "dropping";
    case PartitionState::kUploading:
      return "uploading";
    case PartitionState::kUploaded:
      return "uploaded";
    case PartitionState::kEvicted:
      return partition.record.is_fetched() ? "fetched" : "evicted";
  }
  return "unknown";
}

StoredPartition Summary(const PartitionStatus& partition) {
  StoredPartition summary{.id = partition.record.id,
                          .state = StateName(partition),
                          .is_archive = partition.record.is_archive,
                          .arrival_min_ns = partition.arrival_min_ns,
                          .segments = partition.segments.size(),
                          .rows = partition.rows,
                          .bytes = partition.bytes,
                          .tier = partition.record.tier};
  std::set<TenantId> tenants;
  for (const StoredSegment& segment : partition.segments) {
    tenants.insert(OwnerOf(segment.entry.tenant));
    if (segment.is_broken) ++summary.broken_segments;
    summary.arrival_max_ns = std::max(summary.arrival_max_ns, segment.info.identity.arrival_max_ns);
  }
  for (const ColdStatus& cold : partition.cold) {
    tenants.insert(OwnerOf(cold.tenant));
    if (!partition.record.is_fetched()) summary.cold_rows += cold.rows;
    summary.cold_local_bytes += cold.local_bytes;
    summary.arrival_max_ns = std::max(summary.arrival_max_ns, cold.arrival_max_ns);
    if (summary.arrival_min_ns == 0 || cold.arrival_min_ns < summary.arrival_min_ns) {
      summary.arrival_min_ns = cold.arrival_min_ns;
    }
  }
  summary.tenants = tenants.size();
  return summary;
}

}  // namespace

std::vector<TenantStatus> StoreImpl::TenantStatuses() {
  std::map<TenantId, TenantStatus> tenants;
  for (const auto& [id, name] : tenants_->Names()) tenants[id] = {.id = id, .name = name};
  for (const PartitionStatus& partition : shelf_->Partitions()) {
    for (const StoredSegment& segment : partition.segments) {
      TenantStatus& tenant = tenants[OwnerOf(segment.entry.tenant)];
      const bool is_archive = IsArchive(segment.entry.tenant);
      (is_archive ? tenant.archive_rows : tenant.rows) += segment.info.row_count;
      (is_archive ? tenant.archive_bytes : tenant.bytes) += segment.file_bytes;
    }
    for (const auto& [id, bytes] : partition.index_bytes) {
      TenantStatus& tenant = tenants[OwnerOf(id)];
      (IsArchive(id) ? tenant.archive_bytes : tenant.bytes) += bytes;
    }
  }
  std::vector<TenantStatus> all;
  for (auto& [id, tenant] : tenants) {
    tenant.id = id;
    all.push_back(std::move(tenant));
  }
  return all;
}

std::vector<StoredPartition> StoreImpl::Partitions() {
  std::vector<StoredPartition> summaries;
  for (const PartitionStatus& partition : shelf_->Partitions()) {
    summaries.push_back(Summary(partition));
  }
  return summaries;
}

Status StoreImpl::SectionSizes(std::vector<std::pair<std::string, uint64_t>>* sizes) {
  std::map<std::string, uint64_t> sums;
  const auto view = views_->Everything();
  for (const SourceEntry& entry : view->entries) {
    if (entry.segment == nullptr) continue;
    std::vector<std::pair<std::string, uint64_t>> sections;
    LARDER_RETURN_IF_ERROR(entry.segment->SectionSizes(&sections));
    for (const auto& [name, bytes] : sections) sums[name] += bytes;
  }
  sizes->insert(sizes->end(), sums.begin(), sums.end());
  return Status::Ok();
}

TierStats StoreImpl::StatsOfTier(const std::vector<PartitionStatus>& partitions) const {
  TierStats tier;
  if (options_.tier != nullptr) tier.name = options_.tier->name();
  if (mover_ != nullptr) tier.last_error = mover_->last_error();
  tier.spans_uploaded = counters_.tier_spans_uploaded;
  tier.bytes_uploaded = counters_.tier_bytes_uploaded;
  tier.packs_uploaded = counters_.tier_packs_uploaded;
  tier.packs_resent = counters_.tier_packs_resent;
  tier.requests = counters_.tier_requests;
  tier.failures = counters_.tier_failures;
  tier.partitions_evicted = counters_.partitions_evicted;
  tier.partitions_kept = counters_.partitions_kept;
  tier.partitions_lost = counters_.partitions_lost;
  tier.cpu_ns = counters_.tier_cpu_ns;
  tier.partitions_fetched = counters_.tier_partitions_fetched;
  tier.spans_fetched = counters_.tier_spans_fetched;
  const std::string named = shelf_->tier();
  for (const PartitionStatus& partition : partitions) {
    const PartitionState state = partition.record.state;
    const bool is_waiting = state == PartitionState::kClosed || state == PartitionState::kUploading;
    if (is_waiting && options_.tier != nullptr) {
      ++tier.waiting_partitions;
      for (const StoredSegment& segment : partition.segments) {
        if (segment.entry.id > partition.record.uploaded_segment) {
          tier.waiting_rows += segment.info.row_count;
        }
      }
    }
    const bool is_fetched = partition.record.is_fetched();
    if (is_fetched) {
      ++tier.fetched_partitions;
      tier.fetched_rows += partition.rows;
      tier.fetched_bytes += partition.bytes;
    } else if (!partition.cold.empty()) {
      ++tier.cold_partitions;
    }
    const std::string& lies_in = partition.record.tier;
    const bool is_elsewhere = !named.empty() && !lies_in.empty() && lies_in != named;
    if (!partition.cold.empty() && is_elsewhere && !is_fetched) ++tier.elsewhere_partitions;
    for (const ColdStatus& cold : partition.cold) {
      if (!is_fetched) tier.cold_rows += cold.rows;
      tier.cold_local_bytes += cold.local_bytes;
    }
  }
  return tier;
}

StoreStats StoreImpl::stats() const {
  StoreStats stats;
  stats.spans_accepted = counters_.spans_accepted;
  stats.spans_rejected = counters_.spans_rejected;
  stats.spans_duplicate = counters_.spans_duplicate;
  stats.requests_refused = counters_.requests_refused;
  stats.journal_bytes_written = counters_.journal_bytes_written;
  stats.journal_syncs = counters_.journal_syncs;
  stats.segment_bytes_written = counters_.segment_bytes_written;
  stats.index_bytes_written = counters_.index_bytes_written;
  stats.merge_bytes_written = counters_.merge_bytes_written;
  stats.records_set_aside = counters_.records_set_aside;
  stats.read_gaps = queries_->gaps();
  stats.head_bytes = counters_.active_head_bytes + counters_.archive_head_bytes;
  if (sealer_ != nullptr) stats.head_bytes += sealer_->waiting_bytes();
  stats.cache_bytes = cache_->memory_bytes();
  stats.query_bytes = queries_->memory_bytes();
  stats.partitions_dropped = counters_.partitions_dropped;
  stats.append_cpu_ns = counters_.append_cpu_ns;
  stats.journal_cpu_ns = counters_.journal_cpu_ns;
  stats.seal_cpu_ns = counters_.seal_cpu_ns;
  stats.maintenance_cpu_ns = counters_.maintenance_cpu_ns;
  const auto view = views_->Everything();
  for (const SourceEntry& entry : view->entries) {
    if (entry.segment == nullptr) stats.head_rows += entry.source->row_count();
  }
  const std::vector<PartitionStatus> partitions = shelf_->Partitions();
  stats.tier = StatsOfTier(partitions);
  for (const PartitionStatus& partition : partitions) {
    if (partition.segments.empty()) continue;
    stats.segments += partition.segments.size();
    stats.stored_rows += partition.rows;
    stats.stored_bytes += partition.bytes;
    if (partition.record.is_archive) {
      stats.archive_rows += partition.rows;
      stats.archive_bytes += partition.bytes;
      continue;
    }
    ++stats.partitions;
    if (stats.oldest_arrival_ns == 0) stats.oldest_arrival_ns = partition.arrival_min_ns;
  }
  const std::string journals = directory_->journal_path();
  const auto names = options_.file_system->List(journals);
  for (const std::string& name : names.ok() ? *names : std::vector<std::string>()) {
    const auto size = options_.file_system->FileSize(journals + "/" + name);
    if (size.ok()) stats.journal_bytes += *size;
  }
  stats.not_writable_reason = not_writable_reason_;
  if (stats.not_writable_reason.empty() && disk_ != nullptr) {
    stats.not_writable_reason = std::string(disk_->CheckIngest().message());
  }
  stats.writable = stats.not_writable_reason.empty();
  return stats;
}

}  // namespace larder
