#include "storage/engine/upkeep/tenant_policy.h"

#include <algorithm>
#include <map>

#include "storage/engine/upkeep/cold_policy.h"

namespace larder {
namespace {

constexpr uint64_t kNanosPerMs = 1'000'000;

uint64_t RetentionNs(TenantId tenant, uint64_t store_retention_ns, const LimitsOf& limits) {
  const uint64_t own_ms = limits(tenant).retention_ms;
  return own_ms != 0 ? own_ms * kNanosPerMs : store_retention_ns;
}

bool NamesAny(const StoredSegment& segment, const std::set<uint64_t>& journals) {
  const std::vector<uint64_t>& names = segment.info.identity.generations;
  return std::any_of(names.begin(), names.end(),
                     [&journals](uint64_t generation) { return journals.contains(generation); });
}

struct Place {
  uint64_t partition = 0;
  const StoredSegment* segment = nullptr;
};

std::vector<SegmentPick> ToPicks(TenantId tenant, const std::vector<Place>& places) {
  std::map<uint64_t, SegmentPick> picks;
  for (const Place& place : places) {
    SegmentPick& pick = picks[place.partition];
    pick.partition = place.partition;
    pick.tenant = tenant;
    pick.segment_ids.push_back(place.segment->entry.id);
    pick.bytes += place.segment->file_bytes;
  }
  std::vector<SegmentPick> all;
  for (auto& [partition, pick] : picks) all.push_back(std::move(pick));
  return all;
}

// What one tenant has outside of its archive.
struct Holdings {
  uint64_t bytes = 0;  // indexes included
  std::vector<Place> expired;
  std::vector<Place> all;
};

bool ArrivedBefore(const Place& a, const Place& b) {
  const uint64_t a_ns = a.segment->info.identity.arrival_max_ns;
  const uint64_t b_ns = b.segment->info.identity.arrival_max_ns;
  return a_ns != b_ns ? a_ns < b_ns : a.segment->entry.id < b.segment->entry.id;
}

// The oldest, until the rest is within the quota.
std::vector<Place> AboveQuota(Holdings holdings, uint64_t quota_bytes) {
  std::sort(holdings.all.begin(), holdings.all.end(), ArrivedBefore);
  std::vector<Place> oldest;
  uint64_t bytes = holdings.bytes;
  for (size_t i = 0; i + 1 < holdings.all.size() && bytes > quota_bytes; ++i) {
    oldest.push_back(holdings.all[i]);
    bytes -= std::min(bytes, holdings.all[i].segment->file_bytes);
  }
  return oldest;
}

}  // namespace

uint64_t PartitionRetentionNs(const PartitionStatus& partition, uint64_t store_retention_ns,
                              const LimitsOf& limits) {
  uint64_t longest_ns = 0;
  TenantId last = kNoTenant;
  for (const StoredSegment& segment : partition.segments) {
    if (segment.entry.tenant == last) continue;
    last = segment.entry.tenant;
    longest_ns = std::max(longest_ns, RetentionNs(last, store_retention_ns, limits));
  }
  return longest_ns;
}

std::vector<SegmentPick> PickForTenant(const std::vector<PartitionStatus>& partitions,
                                       uint64_t age_ns, uint64_t store_retention_ns,
                                       const LimitsOf& limits, const std::set<uint64_t>& journals,
                                       bool spares_uploaded) {
  std::map<TenantId, Holdings> tenants;
  for (const PartitionStatus& partition : partitions) {
    const PartitionRecord& record = partition.record;
    if (record.is_archive || record.state == PartitionState::kDropping) continue;
    if (record.is_fetched()) continue;  // a cache, which goes whole
    const bool is_closed = record.state != PartitionState::kOpen && age_ns > record.closed_age_ns;
    const bool is_spared = spares_uploaded && MayBeEvicted(partition);
    const uint64_t kept_ns = is_spared ? UINT64_MAX : store_retention_ns;
    for (const StoredSegment& segment : partition.segments) {
      const TenantId tenant = segment.entry.tenant;
      Holdings& holdings = tenants[tenant];
      holdings.bytes += segment.file_bytes;
      if (NamesAny(segment, journals)) continue;
      const Place place{record.id, &segment};
      holdings.all.push_back(place);
      if (is_closed && age_ns - record.closed_age_ns >= RetentionNs(tenant, kept_ns, limits)) {
        holdings.expired.push_back(place);
      }
    }
    for (const auto& [tenant, bytes] : partition.index_bytes) tenants[tenant].bytes += bytes;
  }
  for (const auto& [tenant, holdings] : tenants) {
    if (!holdings.expired.empty()) return ToPicks(tenant, holdings.expired);
    const uint64_t quota_bytes = limits(tenant).disk_bytes_max;
    if (quota_bytes == 0 || holdings.bytes <= quota_bytes) continue;
    std::vector<SegmentPick> picks = ToPicks(tenant, AboveQuota(holdings, quota_bytes));
    if (!picks.empty()) return picks;
  }
  return {};
}

}  // namespace larder
