#include "storage/engine/catalog/catalog.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <random>
#include <string_view>
#include <utility>

#include "storage/base/coding.h"
#include "storage/base/hash.h"
#include "storage/engine/catalog/catalog_generated.h"

namespace larder {
namespace {

namespace fbs = ::larder::catalog;

constexpr std::string_view kMetaKey = "meta";
constexpr std::string_view kPartitionPrefix = "partition/";
constexpr std::string_view kTenantPrefix = "tenant/";
constexpr uint64_t kIdsWrittenAhead = 1000;

std::string FamilyName(char kind, uint64_t id) {
  char name[24];
  std::snprintf(name, sizeof name, "%c%016" PRIu64, kind, id);
  return name;
}

bool ParseFamilyName(char kind, std::string_view name, uint64_t* id) {
  if (name.size() < 2 || name.size() > 20 || name[0] != kind) return false;
  uint64_t value = 0;
  for (const char c : name.substr(1)) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  *id = value;
  return FamilyName(kind, value) == name;
}

std::string PartitionKey(uint64_t id) {
  return std::string(kPartitionPrefix) + PartitionFamilyName(id);
}

std::string TenantKey(TenantId id) {
  char digits[12];
  std::snprintf(digits, sizeof digits, "%010" PRIu32, id);
  return std::string(kTenantPrefix) + digits;
}

std::string Seal(flatbuffers::FlatBufferBuilder* builder, fbs::Record type,
                 flatbuffers::Offset<void> record) {
  builder->Finish(fbs::CreateEnvelope(*builder, type, record));
  const std::string_view body(reinterpret_cast<const char*>(builder->GetBufferPointer()),
                              builder->GetSize());
  std::string value;
  PutFixed32(&value, Checksum32(body));
  value.append(body);
  return value;
}

// The envelope inside a value whose checksum and structure are right; null otherwise. The buffer is
// copied to `aligned`, which must outlive the envelope.
const fbs::Envelope* Unseal(std::string_view value, std::vector<uint64_t>* aligned) {
  if (value.size() < 4) return nullptr;
  const std::string_view body = value.substr(4);
  if (Checksum32(body) != LoadFixed32(value.data())) return nullptr;
  aligned->assign(body.size() / 8 + 1, 0);
  std::memcpy(aligned->data(), body.data(), body.size());
  const auto* bytes = reinterpret_cast<const uint8_t*>(aligned->data());
  flatbuffers::Verifier verifier(bytes, body.size());
  if (!fbs::VerifyEnvelopeBuffer(verifier)) return nullptr;
  return fbs::GetEnvelope(bytes);
}

}  // namespace

bool MayLieInTier(const PartitionRecord& partition) {
  return partition.state == PartitionState::kUploading ||
         partition.state == PartitionState::kUploaded ||
         partition.state == PartitionState::kEvicted;
}

std::string PartitionFamilyName(uint64_t id) { return FamilyName('p', id); }

bool ParsePartitionFamilyName(std::string_view name, uint64_t* id) {
  return ParseFamilyName('p', name, id);
}

std::string FetchedFamilyName(uint64_t id) { return FamilyName('f', id); }

bool ParseFetchedFamilyName(std::string_view name, uint64_t* id) {
  return ParseFamilyName('f', name, id);
}

std::string EncodeRecord(const CatalogMeta& meta) {
  flatbuffers::FlatBufferBuilder builder;
  const auto record =
      fbs::CreateMeta(builder, meta.format_version, meta.next_id, meta.next_partition, meta.age_ns,
                      meta.age_unix_ns, meta.store_id);
  return Seal(&builder, fbs::Record_Meta, record.Union());
}

std::string EncodeRecord(const PartitionRecord& partition) {
  flatbuffers::FlatBufferBuilder builder;
  flatbuffers::Offset<flatbuffers::String> tier;
  if (!partition.tier.empty()) tier = builder.CreateString(partition.tier);
  const auto record = fbs::CreatePartition(
      builder, partition.id, static_cast<fbs::State>(partition.state), partition.opened_unix_ns,
      partition.opened_age_ns, partition.closed_age_ns, partition.is_archive,
      partition.uploaded_segment, partition.filed.min_s, partition.filed.max_s,
      partition.keeps_rows, tier, partition.fetched_family, partition.fetched_until_age_ns,
      partition.fetched_rows);
  return Seal(&builder, fbs::Record_Partition, record.Union());
}

std::string EncodeRecord(const TenantRecord& tenant) {
  flatbuffers::FlatBufferBuilder builder;
  const auto name = builder.CreateString(tenant.name);
  const auto going = builder.CreateVector(tenant.going_segments);
  const auto record = fbs::CreateTenant(builder, tenant.id, name, tenant.purged_before_id, going);
  return Seal(&builder, fbs::Record_Tenant, record.Union());
}

bool DecodeRecord(std::string_view value, CatalogMeta* meta) {
  std::vector<uint64_t> aligned;
  const fbs::Envelope* envelope = Unseal(value, &aligned);
  const fbs::Meta* record = envelope != nullptr ? envelope->record_as_Meta() : nullptr;
  if (record == nullptr) return false;
  *meta = {.format_version = record->format_version(),
           .next_id = record->next_id(),
           .next_partition = record->next_partition(),
           .age_ns = record->age_ns(),
           .age_unix_ns = record->age_unix_ns(),
           .store_id = record->store_id()};
  return true;
}

bool DecodeRecord(std::string_view value, PartitionRecord* partition) {
  std::vector<uint64_t> aligned;
  const fbs::Envelope* envelope = Unseal(value, &aligned);
  const fbs::Partition* record = envelope != nullptr ? envelope->record_as_Partition() : nullptr;
  if (record == nullptr || record->state() > fbs::State_MAX) return false;
  *partition = {.id = record->id(),
                .state = static_cast<PartitionState>(record->state()),
                .opened_unix_ns = record->opened_unix_ns(),
                .opened_age_ns = record->opened_age_ns(),
                .closed_age_ns = record->closed_age_ns(),
                .is_archive = record->is_archive(),
                .uploaded_segment = record->uploaded_segment(),
                .filed = {.min_s = record->filed_min_s(), .max_s = record->filed_max_s()},
                .keeps_rows = record->keeps_rows(),
                .fetched_family = record->fetched_family(),
                .fetched_until_age_ns = record->fetched_until_age_ns(),
                .fetched_rows = record->fetched_rows()};
  if (record->tier() != nullptr) partition->tier = record->tier()->str();
  return true;
}

bool DecodeRecord(std::string_view value, TenantRecord* tenant) {
  std::vector<uint64_t> aligned;
  const fbs::Envelope* envelope = Unseal(value, &aligned);
  const fbs::Tenant* record = envelope != nullptr ? envelope->record_as_Tenant() : nullptr;
  if (record == nullptr || record->name() == nullptr) return false;
  *tenant = {.id = record->id(),
             .name = record->name()->str(),
             .purged_before_id = record->purged_before_id()};
  if (const auto* going = record->going_segments(); going != nullptr) {
    tenant->going_segments.assign(going->begin(), going->end());
  }
  return true;
}

Result<CatalogContents> Catalog::Load() {
  CatalogContents contents;
  const auto visit = [&contents](std::string_view key, std::string_view value) {
    bool whole = true;
    PartitionRecord partition;
    TenantRecord tenant;
    if (key == kMetaKey) {
      whole = contents.has_meta = DecodeRecord(value, &contents.meta);
    } else if (key.starts_with(kPartitionPrefix)) {
      whole = DecodeRecord(value, &partition);
      if (whole) contents.partitions.push_back(partition);
    } else if (key.starts_with(kTenantPrefix)) {
      whole = DecodeRecord(value, &tenant);
      if (whole) contents.tenants.push_back(std::move(tenant));
    }
    if (!whole) contents.faults.push_back("catalog record " + std::string(key));
    return true;
  };
  const Status scanned = kv_->Scan(*kv_->default_family(), "", visit);
  if (scanned.code() == StatusCode::kDataLoss) {
    contents.faults.push_back("catalog: " + scanned.ToString());
  } else if (!scanned.ok()) {
    return scanned;
  }
  if (contents.meta.format_version > kFormatVersion) {
    return Status::FailedPrecondition("the catalog has format version " +
                                      std::to_string(contents.meta.format_version) +
                                      ", this program knows versions up to " +
                                      std::to_string(kFormatVersion) + ": use a newer program");
  }
  MutexLock lock(mu_);
  meta_ = contents.meta;
  next_id_ = meta_.next_id;
  return contents;
}

void Catalog::RaiseNextId(uint64_t id) {
  MutexLock lock(mu_);
  next_id_ = std::max(next_id_, id);
  meta_.next_id = std::max(meta_.next_id, id);
}

void Catalog::RaiseNextPartition(uint64_t id) {
  MutexLock lock(mu_);
  meta_.next_partition = std::max(meta_.next_partition, id);
}

uint32_t Catalog::format_version() {
  MutexLock lock(mu_);
  return meta_.format_version;
}

Status Catalog::RaiseFormat(uint32_t version) {
  MutexLock lock(mu_);
  if (meta_.format_version >= version) return Status::Ok();
  const uint32_t was = std::exchange(meta_.format_version, version);
  Status saved = SaveMeta();
  if (!saved.ok()) meta_.format_version = was;
  return saved;
}

Result<uint64_t> Catalog::EnsureStoreId() {
  MutexLock lock(mu_);
  if (meta_.store_id != 0) return meta_.store_id;
  std::random_device random;
  while (meta_.store_id == 0) meta_.store_id = uint64_t{random()} << 32 | random();
  const Status saved = SaveMeta();
  if (saved.ok()) return meta_.store_id;
  meta_.store_id = 0;
  return saved;
}

uint64_t Catalog::store_id() {
  MutexLock lock(mu_);
  return meta_.store_id;
}

Result<uint64_t> Catalog::NewId() {
  MutexLock lock(mu_);
  if (next_id_ >= meta_.next_id) {
    meta_.next_id = next_id_ + kIdsWrittenAhead;
    const Status saved = SaveMeta();
    if (!saved.ok()) {
      meta_.next_id = next_id_;
      return saved;
    }
  }
  return next_id_++;
}

Result<uint64_t> Catalog::NewPartitionId() {
  MutexLock lock(mu_);
  ++meta_.next_partition;
  LARDER_RETURN_IF_ERROR(SaveMeta());
  return meta_.next_partition - 1;
}

Status Catalog::SaveAge(uint64_t age_ns, uint64_t age_unix_ns) {
  MutexLock lock(mu_);
  meta_.age_ns = age_ns;
  meta_.age_unix_ns = age_unix_ns;
  return SaveMeta();
}

Status Catalog::SaveMeta() {
  return kv_->Commit(*kv_->default_family(),
                     {{.key = std::string(kMetaKey), .value = EncodeRecord(meta_)}});
}

Status Catalog::Save(const PartitionRecord& partition) {
  return kv_->Commit(*kv_->default_family(),
                     {{.key = PartitionKey(partition.id), .value = EncodeRecord(partition)}});
}

Status Catalog::Save(const TenantRecord& tenant) {
  return kv_->Commit(*kv_->default_family(),
                     {{.key = TenantKey(tenant.id), .value = EncodeRecord(tenant)}});
}

Status Catalog::Remove(uint64_t partition_id) {
  return kv_->Commit(*kv_->default_family(),
                     {{.key = PartitionKey(partition_id), .is_delete = true}});
}

}  // namespace larder
