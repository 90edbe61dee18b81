#include "storage/engine/catalog/tenants.h"

#include <algorithm>
#include <utility>

#include "storage/base/crash_point.h"

namespace larder {

Tenants::Tenants(TenantOptions options, Catalog* catalog)
    : options_(std::move(options)), catalog_(catalog) {}

void Tenants::Load(const std::vector<TenantRecord>& records) {
  MutexLock lock(mu_);
  for (const TenantRecord& record : records) {
    if (IsArchive(record.id) || record.id == kNoTenant) continue;
    records_[record.id] = record;
    if (!record.name.empty()) by_name_[record.name] = record.id;
    next_ = std::max(next_, record.id + 1);
  }
}

void Tenants::NoteUsed(TenantId tenant) {
  MutexLock lock(mu_);
  next_ = std::max(next_, OwnerOf(tenant) + 1);
}

Result<TenantId> Tenants::Open(std::string_view name) {
  MutexLock lock(mu_);
  const auto known = by_name_.find(name);
  if (known != by_name_.end()) return known->second;
  if (name.empty() || name.size() > kTenantNameBytesMax) {
    return Status::InvalidArgument("a tenant's name has from 1 to " +
                                   std::to_string(kTenantNameBytesMax) + " bytes");
  }
  if (by_name_.size() >= options_.tenants_max || next_ >= kNoTenant) {
    return Status::FailedPrecondition("there are " + std::to_string(by_name_.size()) +
                                      " tenants already, and each keeps its place for ever: use "
                                      "one of them, or raise tenancy.tenants-max");
  }
  TenantRecord record;
  record.id = next_;
  record.name = name;
  LARDER_CRASH_POINT("tenant.begin");
  // The number is spent even when saving fails: the record may be there all the same.
  ++next_;
  LARDER_RETURN_IF_ERROR(Save(record));
  LARDER_CRASH_POINT("tenant.saved");
  by_name_[record.name] = record.id;
  return record.id;
}

TenantId Tenants::Find(std::string_view name) {
  MutexLock lock(mu_);
  const auto known = by_name_.find(name);
  return known != by_name_.end() ? known->second : kNoTenant;
}

std::map<TenantId, std::string> Tenants::Names() {
  MutexLock lock(mu_);
  std::map<TenantId, std::string> names;
  names[0] = "";
  for (const auto& [id, record] : records_) names[id] = record.name;
  return names;
}

TenantLimits Tenants::LimitsOf(TenantId tenant) {
  MutexLock lock(mu_);
  TenantLimits limits = options_.each;
  const auto record = records_.find(OwnerOf(tenant));
  if (record == records_.end()) return limits;
  for (const auto& [name, own] : options_.by_name) {
    if (name != record->second.name) continue;
    if (own.retention_ms != 0) limits.retention_ms = own.retention_ms;
    if (own.disk_bytes_max != 0) limits.disk_bytes_max = own.disk_bytes_max;
  }
  return limits;
}

uint64_t Tenants::LongestRetentionMs(const TenantOptions& options, uint64_t store_ms) {
  uint64_t longest_ms = std::max(store_ms, options.each.retention_ms);
  for (const auto& [name, limits] : options.by_name) {
    longest_ms = std::max(longest_ms, limits.retention_ms);
  }
  return longest_ms;
}

Status Tenants::MarkGoing(TenantId tenant, const std::vector<uint64_t>& segment_ids) {
  MutexLock lock(mu_);
  TenantRecord record = RecordOf(tenant);
  record.going_segments.insert(record.going_segments.end(), segment_ids.begin(), segment_ids.end());
  return Save(std::move(record));
}

Status Tenants::MarkPurged(TenantId tenant, uint64_t before_id,
                           const std::vector<uint64_t>& segment_ids) {
  MutexLock lock(mu_);
  TenantRecord record = RecordOf(tenant);
  record.purged_before_id = before_id;
  record.going_segments.insert(record.going_segments.end(), segment_ids.begin(), segment_ids.end());
  return Save(std::move(record));
}

Status Tenants::ForgetGoing(TenantId tenant) {
  MutexLock lock(mu_);
  TenantRecord record = RecordOf(tenant);
  if (record.going_segments.empty()) return Status::Ok();
  record.going_segments.clear();
  return Save(std::move(record));
}

bool Tenants::IsGoing(TenantId tenant, uint64_t segment_id) {
  MutexLock lock(mu_);
  const auto record = records_.find(OwnerOf(tenant));
  if (record == records_.end()) return false;
  const std::vector<uint64_t>& going = record->second.going_segments;
  return std::find(going.begin(), going.end(), segment_id) != going.end();
}

bool Tenants::IsPurged(TenantId tenant, uint64_t generation) {
  MutexLock lock(mu_);
  const auto record = records_.find(OwnerOf(tenant));
  return record != records_.end() && generation < record->second.purged_before_id;
}

TenantRecord Tenants::RecordOf(TenantId tenant) {
  const auto record = records_.find(OwnerOf(tenant));
  if (record != records_.end()) return record->second;
  TenantRecord made;
  made.id = OwnerOf(tenant);
  return made;
}

// What is in memory is what was saved.
Status Tenants::Save(TenantRecord record) {
  LARDER_RETURN_IF_ERROR(catalog_->Save(record));
  records_[record.id] = std::move(record);
  return Status::Ok();
}

}  // namespace larder
