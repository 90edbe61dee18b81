#include "storage/engine/upkeep/maintenance.h"

#include <algorithm>
#include <chrono>

#include "storage/base/log.h"
#include "storage/engine/shelf/cpu_meter.h"

namespace larder {
namespace {

constexpr std::chrono::milliseconds kLookEvery{1000};
constexpr int kRestPerWork = 4;  // a merge that took a second rests for four: ingest comes first
// A pass over what is new looks at the trace ids of all that is stored: for many segments at once,
// or seldom.
constexpr size_t kPrepareSegments = kIndexGroupSegments;
constexpr uint64_t kPrepareEveryNs = 10ull * 1'000'000'000;
constexpr uint64_t kSaveAgeEveryNs = 60ull * 1'000'000'000;
constexpr uint64_t kMergeAgainNs = 60ull * 1'000'000'000;
// So often in a row an eviction may fail, a second apart, before spans are lost to the disk cap.
constexpr int kFailedEvictionsMax = 5;

}  // namespace

Maintenance::Maintenance(const MaintenanceOptions& options, const MaintenanceParts& parts)
    : options_(options), parts_(parts), saved_age_ns_(parts.retention_clock->AgeNanos()) {}

Maintenance::~Maintenance() {
  parts_.shelf->CancelWork();
  cancelled_ = true;
  {
    MutexLock lock(mu_);
    stopping_ = true;
    wake_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Maintenance::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Maintenance::Run() {
  std::chrono::nanoseconds rest = kLookEvery;
  for (;;) {
    {
      MutexLock lock(mu_);
      if (!stopping_) wake_.WaitFor(mu_, rest);
      if (stopping_) return;
    }
    const auto began = std::chrono::steady_clock::now();
    bool did = false;
    const Status status = Step(&did);
    if (!status.ok()) {
      Log(LogLevel::kWarning, "maintenance of partitions failed; it is tried again",
          {{"reason", status.ToString()}});
    }
    const auto worked = std::chrono::steady_clock::now() - began;
    rest = did && status.ok() ? kRestPerWork * worked : std::chrono::nanoseconds(kLookEvery);
  }
}

Status Maintenance::Settle() {
  bool did = true;
  while (did) LARDER_RETURN_IF_ERROR(Step(&did));
  MutexLock lock(work_mu_);
  return PrepareQueries(1);
}

Status Maintenance::Step(bool* did) {
  MutexLock lock(work_mu_);
  const CpuMeter meter(&parts_.counters->maintenance_cpu_ns);
  *did = false;
  SaveAgeIfDue();
  parts_.shelf->MarkAged();
  const std::vector<PartitionStatus> partitions = parts_.shelf->Partitions();
  LARDER_RETURN_IF_ERROR(HelpFullDisk(partitions, did));
  if (*did) return Status::Ok();
  LARDER_RETURN_IF_ERROR(parts_.shelf->DeleteRetired(did));
  if (*did) return Status::Ok();
  if (const auto expired =
          PickExpired(partitions, parts_.retention_clock->AgeNanos(), options_.retention_ns,
                      Limits(), /*spares_uploaded=*/!options_.has_tier)) {
    *did = true;
    Log(LogLevel::kInfo, "a partition is older than the retention and goes",
        {{"partition", *expired}});
    return parts_.shelf->Drop(*expired);
  }
  LARDER_RETURN_IF_ERROR(KeepTenantLimits(partitions, did));
  if (*did) return Status::Ok();
  LARDER_RETURN_IF_ERROR(TryTendCold(partitions, did));
  if (*did) return Status::Ok();
  LARDER_RETURN_IF_ERROR(MakeSpace(partitions, did));
  if (*did) return Status::Ok();
  LARDER_RETURN_IF_ERROR(TryMerge(partitions, did));
  if (*did) return Status::Ok();
  if (const auto group = PickIndex(partitions)) {
    *did = true;
    return parts_.shelf->IndexGroup(group->partition, group->tenant, group->segment_ids);
  }
  if (const auto close = PickClose(partitions)) {
    *did = true;
    return parts_.shelf->Close(*close);
  }
  const uint64_t since_prepared_ns = parts_.clock->MonotonicNanos() - prepared_at_ns_;
  TryPrepareQueries(since_prepared_ns >= kPrepareEveryNs ? 1 : kPrepareSegments);
  if (!parts_.disk->is_full()) parts_.disk->RestoreReserve();
  return Status::Ok();
}

LimitsOf Maintenance::Limits() const {
  return [this](TenantId tenant) { return parts_.tenants->LimitsOf(tenant); };
}

void Maintenance::TryPrepareQueries(size_t segments_min) {
  const Status prepared = PrepareQueries(segments_min);
  if (!prepared.ok()) {
    Log(LogLevel::kWarning, "preparing queries failed; the next query does it",
        {{"reason", prepared.ToString()}});
  }
}

Status Maintenance::PrepareQueries(size_t segments_min) {
  if (segments_min == 1) prepared_at_ns_ = parts_.clock->MonotonicNanos();
  return parts_.queries->Prepare(*parts_.views->Everything(),
                                 [this](TenantId of) { return parts_.views->Current(of); },
                                 segments_min, {.cancelled = &cancelled_});
}

// While merges fail, partitions are indexed, closed and dropped all the same.
Status Maintenance::TryMerge(const std::vector<PartitionStatus>& partitions, bool* did) {
  if (parts_.clock->MonotonicNanos() < merge_from_ns_) return Status::Ok();
  const auto merge = PickMerge(partitions);
  if (!merge.has_value()) return Status::Ok();
  TryPrepareQueries(1);  // a merger of what is counted need not be counted
  Status merged = MergeSome(*merge);
  *did = merged.ok();
  if (merged.ok() || merged.code() == StatusCode::kCancelled) return merged;
  merge_from_ns_ = parts_.clock->MonotonicNanos() + kMergeAgainNs;
  Log(LogLevel::kWarning, "small segments cannot be merged; it is tried again in a minute",
      {{"partition", merge->partition}, {"reason", merged.ToString()}});
  return Status::Ok();
}

Status Maintenance::MergeSome(const SegmentPick& pick) {
  const auto space = parts_.file_system->Space(parts_.directory->path());
  if (parts_.disk->is_full() || (space.ok() && space->free_bytes < 2 * pick.bytes)) {
    return Status::ResourceExhausted("no space to merge small segments");
  }
  // A journal that could not be removed when it was sealed must find its generation named still.
  LARDER_ASSIGN_OR_RETURN(const auto journals, JournalsThere());
  return parts_.shelf->Merge(pick.partition, pick.tenant, pick.segment_ids, journals);
}

Result<std::set<uint64_t>> Maintenance::JournalsThere() {
  LARDER_ASSIGN_OR_RETURN(const auto names,
                          parts_.file_system->List(parts_.directory->journal_path()));
  std::set<uint64_t> journals;
  for (const std::string& name : names) {
    uint64_t generation = 0;
    if (ParseJournalFileName(name, &generation)) journals.insert(generation);
  }
  return journals;
}

Status Maintenance::KeepTenantLimits(const std::vector<PartitionStatus>& partitions, bool* did) {
  if (!options_.has_tenant_limits) return Status::Ok();
  LARDER_ASSIGN_OR_RETURN(const auto journals, JournalsThere());
  const std::vector<SegmentPick> picks =
      PickForTenant(partitions, parts_.retention_clock->AgeNanos(), options_.retention_ns, Limits(),
                    journals, /*spares_uploaded=*/!options_.has_tier);
  if (picks.empty()) return Status::Ok();
  *did = true;
  Log(LogLevel::kInfo, "spans of a tenant are past its retention or above its quota, and go",
      {{"tenant", picks.front().tenant}, {"partition", picks.front().partition}});
  return parts_.shelf->RemoveSegments(picks);
}

Status Maintenance::MakeSpace(const std::vector<PartitionStatus>& partitions, bool* did) {
  const uint64_t used_bytes = UsedBytes();
  const auto oldest = PickForSpace(partitions, used_bytes, options_.disk_bytes_max);
  if (!oldest.has_value()) return Status::Ok();
  if (const auto copy = PickCopy(partitions, UINT64_MAX)) {
    *did = true;
    Log(LogLevel::kInfo, "the disk cap is reached; what was fetched from the cold tier goes again",
        {{"partition", *copy}, {"used_bytes", used_bytes}});
    return parts_.shelf->DropCopy(*copy);
  }
  if (const auto uploaded = PickEvict(partitions, UINT64_MAX, 0)) {
    *did = true;
    Log(LogLevel::kInfo, "the disk cap is reached; a partition that is in the cold tier goes",
        {{"partition", *uploaded}, {"used_bytes", used_bytes}});
    Status evicted = Evict(*uploaded);
    failed_evictions_ = evicted.ok() ? 0 : failed_evictions_ + 1;
    const bool may_pass = failed_evictions_ < kFailedEvictionsMax;
    if (evicted.ok() || evicted.code() == StatusCode::kCancelled || may_pass) return evicted;
    Log(LogLevel::kWarning, "it could not go, and the oldest partition has to",
        {{"partition", *uploaded}, {"reason", evicted.ToString()}});
  }
  parts_.shelf->MarkFull(oldest->record.id);
  if (oldest->generations > 0) return Status::Ok();  // they end at the border; soon
  *did = true;
  Log(options_.has_tier ? LogLevel::kError : LogLevel::kInfo,
      options_.has_tier ? "the disk cap is reached; the oldest partition goes, which could not be "
                          "left to the cold tier"
                        : "the disk cap is reached; the oldest partition goes",
      {{"partition", oldest->record.id}, {"used_bytes", used_bytes}});
  if (options_.has_tier) parts_.counters->partitions_lost.fetch_add(1);
  return parts_.shelf->Drop(oldest->record.id);
}

// What fails here must hold up nothing else.
Status Maintenance::TryTendCold(const std::vector<PartitionStatus>& partitions, bool* did) {
  Status tended = TendCold(partitions, did);
  if (tended.ok() || tended.code() == StatusCode::kCancelled) return tended;
  *did = false;
  Log(LogLevel::kWarning, "a partition in the cold tier cannot be seen to; it is tried again",
      {{"reason", tended.ToString()}});
  return Status::Ok();
}

Status Maintenance::TendCold(const std::vector<PartitionStatus>& partitions, bool* did) {
  const uint64_t age_ns = parts_.retention_clock->AgeNanos();
  // What is in a tier that nobody names any more may be asked for again when somebody does.
  if (!options_.has_tier) {
    const auto expired = PickEvictExpired(partitions, age_ns, options_.retention_ns, Limits());
    if (!expired.has_value()) return Status::Ok();
    *did = true;
    Log(LogLevel::kInfo,
        "a partition is older than the retention; the cold tier has it, though none is configured, "
        "and its local copy goes",
        {{"partition", *expired}});
    return Evict(*expired);
  }
  if (const auto forgotten = PickForgotten(partitions, age_ns, options_.retention_ns, Limits())) {
    *did = true;
    LARDER_RETURN_IF_ERROR(parts_.shelf->DropCopy(forgotten->partition));
    Log(LogLevel::kInfo, "spans in the cold tier are past their retention and are forgotten",
        {{"partition", forgotten->partition}, {"tenant", forgotten->tenant}});
    return parts_.shelf->ForgetCold(forgotten->partition, forgotten->tenant);
  }
  // While the tier cannot say which one it is, what is uploaded may lie in another.
  const std::string tier = parts_.shelf->tier();
  if (tier.empty()) return Status::Ok();
  if (const auto copy = PickCopy(partitions, age_ns, tier)) {
    *did = true;
    Log(LogLevel::kInfo, "what was fetched from the cold tier was kept long enough, and goes again",
        {{"partition", *copy}});
    return parts_.shelf->DropCopy(*copy);
  }
  if (const auto evicted = PickEvict(partitions, age_ns, options_.evict_after_ns)) {
    *did = true;
    Log(LogLevel::kInfo, "the local copy of a partition in the cold tier goes",
        {{"partition", *evicted}});
    return Evict(*evicted);
  }
  return Status::Ok();
}

// One of which not everything can be read stays: what it has here would be all that is left.
Status Maintenance::Evict(uint64_t partition) {
  Status evicted = parts_.shelf->Evict(partition, [&](TenantId tenant) {
    return parts_.queries->CallsOfPartition(
        [this](TenantId of) { return parts_.views->Current(of); }, tenant, partition,
        {.cancelled = &cancelled_});
  });
  if (evicted.code() != StatusCode::kDataLoss) return evicted;
  Log(LogLevel::kError,
      "a partition that is in the cold tier cannot be read whole, and its local copy stays",
      {{"partition", partition}, {"reason", evicted.ToString()}});
  LARDER_RETURN_IF_ERROR(parts_.shelf->KeepRows(partition));
  parts_.counters->partitions_kept.fetch_add(1);
  return Status::Ok();
}

Status Maintenance::RunBetweenSteps(const std::function<Status()>& change) {
  MutexLock lock(work_mu_);
  return change();
}

// A seal found no space. Copies go first, then the reserve; when the next attempt fails too, our
// oldest data goes: one step for each failure.
Status Maintenance::HelpFullDisk(const std::vector<PartitionStatus>& partitions, bool* did) {
  const Status failure = parts_.sealer->last_failure();
  const uint64_t failures = parts_.sealer->failures();
  if (failure.ok() || failures == helped_failures_) return Status::Ok();
  helped_failures_ = failures;
  if (failure.code() != StatusCode::kResourceExhausted) return Status::Ok();
  if (const auto copy = PickCopy(partitions, UINT64_MAX)) {
    *did = true;
    Log(LogLevel::kWarning, "the disk is full; what was fetched from the cold tier goes again",
        {{"partition", *copy}});
    return parts_.shelf->DropCopy(*copy);
  }
  if (parts_.disk->ReleaseReserve()) return Status::Ok();
  if (const auto uploaded = PickEvict(partitions, UINT64_MAX, 0)) {
    *did = true;
    Log(LogLevel::kWarning, "the disk is full; a partition that is in the cold tier goes",
        {{"partition", *uploaded}});
    // What stays of it needs some space too.
    if (Evict(*uploaded).ok()) return Status::Ok();
  }
  for (const PartitionStatus& partition : partitions) {
    if (partition.bytes == 0 || partition.generations > 0 || partition.record.is_archive) continue;
    *did = true;
    Log(LogLevel::kWarning, "the disk is full; the oldest partition goes",
        {{"partition", partition.record.id}});
    return parts_.shelf->Drop(partition.record.id);
  }
  return Status::Ok();
}

Status Maintenance::DropAll() {
  MutexLock lock(work_mu_);
  for (const PartitionStatus& partition : parts_.shelf->Partitions()) {
    LARDER_RETURN_IF_ERROR(parts_.shelf->Drop(partition.record.id));
  }
  return Status::Ok();
}

Status Maintenance::PurgeTenant(TenantId tenant) {
  MutexLock lock(work_mu_);
  LARDER_ASSIGN_OR_RETURN(const uint64_t before_id, parts_.catalog->NewId());
  // A copy is whole or not there.
  for (const PartitionStatus& partition : parts_.shelf->Partitions()) {
    if (!MayDropCopy(partition)) continue;
    LARDER_RETURN_IF_ERROR(parts_.shelf->DropCopy(partition.record.id));
  }
  return parts_.shelf->PurgeTenant(tenant, before_id);
}

void Maintenance::SaveAgeIfDue() {
  const uint64_t age_ns = parts_.retention_clock->AgeNanos();
  if (age_ns - saved_age_ns_ < kSaveAgeEveryNs) return;
  saved_age_ns_ = age_ns;
  const Status saved = parts_.catalog->SaveAge(age_ns, parts_.clock->NowUnixNanos());
  if (!saved.ok()) {
    Log(LogLevel::kWarning, "the age of the data cannot be saved", {{"reason", saved.ToString()}});
  }
}

uint64_t Maintenance::UsedBytes() const {
  uint64_t bytes = parts_.shelf->stored_bytes();
  const std::string path = parts_.directory->journal_path();
  const auto names = parts_.file_system->List(path);
  if (!names.ok()) return bytes;
  for (const std::string& name : *names) {
    const auto size = parts_.file_system->FileSize(path + "/" + name);
    if (size.ok()) bytes += *size;
  }
  return bytes;
}

}  // namespace larder
