#include "storage/engine/store_impl.h"

#include <utility>

#include "storage/query/cold/cold_part.h"

namespace larder {

StoreImpl::StoreImpl(const StoreOptions& options)
    : options_(options),
      append_limits_{.attribute_value_bytes_max = options.attribute_value_bytes_max} {}

// The parts go from the last to the first: the committer answers what waits and hands its
// generation over, the sealer seals it.
StoreImpl::~StoreImpl() {
  committer_.reset();
  archiver_.reset();
  archive_committer_.reset();
  mover_.reset();
  maintenance_.reset();
  sealer_.reset();
  if (catalog_ != nullptr && retention_clock_ != nullptr && CheckWritable().ok()) {
    // What is lost here is made up for by the next start.
    (void)catalog_->SaveAge(retention_clock_->AgeNanos(), options_.clock->NowUnixNanos()).ok();
  }
}

Status StoreImpl::CheckWritable() const {
  if (not_writable_reason_.empty()) return Status::Ok();
  return Status::Unavailable("the store is open for reading only: " + not_writable_reason_);
}

Result<TenantId> StoreImpl::OpenTenant(std::string_view name) {
  const TenantId known = tenants_->Find(name);
  if (known != kNoTenant) return known;
  LARDER_RETURN_IF_ERROR(CheckWritable());
  return tenants_->Open(name);
}

TenantId StoreImpl::FindTenant(std::string_view name) { return tenants_->Find(name); }

void StoreImpl::WriteAsync(WriteRequest request, std::function<void(WriteResult)> done) {
  const Status writable = CheckWritable();
  if (OwnerOf(request.tenant) == kNoTenant) {
    WriteResult refused;
    refused.status = Status::InvalidArgument("no tenant was opened to write with");
    return done(std::move(refused));
  }
  if (writable.ok()) {
    if (IsArchive(request.tenant)) return archiver_->Submit(std::move(request), std::move(done));
    committer_->Submit(std::move(request), std::move(done));
    return;
  }
  WriteResult refused;
  refused.status = writable;
  refused.retry_after_ms = 30'000;
  done(std::move(refused));
}

void StoreImpl::RunBetweenGroups(const std::function<void()>& operation) {
  // Always in this order, so that two of them cannot wait for each other.
  committer_->RunBetweenGroups([&] { archive_committer_->RunBetweenGroups(operation); });
}

WriteResult Store::Write(const WriteRequest& request) {
  struct Waiting {
    Mutex mu;
    CondVar answered;
    bool done GUARDED_BY(mu) = false;
    WriteResult result GUARDED_BY(mu);
  } waiting;
  WriteAsync(request, [&waiting](WriteResult result) {
    MutexLock lock(waiting.mu);
    waiting.result = std::move(result);
    waiting.done = true;
    waiting.answered.Signal();
  });
  MutexLock lock(waiting.mu);
  while (!waiting.done) waiting.answered.Wait(waiting.mu);
  return std::move(waiting.result);
}

std::unique_ptr<TraceCursor> StoreImpl::GetTraces(TenantId tenant, std::vector<TraceId> ids,
                                                  const QueryLimits& limits) {
  return queries_->GetTraces(views_->Current(tenant), tenant, std::move(ids), limits);
}

std::unique_ptr<TraceCursor> StoreImpl::FindTraces(TraceQuery query, const QueryLimits& limits) {
  auto view = views_->Current(query.tenant);
  return queries_->FindTraces(std::move(view), std::move(query), limits);
}

Result<Answer<FoundTrace>> StoreImpl::FindTraceIds(const TraceQuery& query,
                                                   const QueryLimits& limits) {
  return queries_->FindTraceIds(views_->Current(query.tenant), query, limits);
}

Result<Answer<TraceSummary>> StoreImpl::FindSummaries(const TraceQuery& query,
                                                      const QueryLimits& limits) {
  return queries_->FindSummaries(views_->Current(query.tenant), query, limits);
}

std::unique_ptr<SpanCursor> StoreImpl::FindSpans(SpanQuery query, const QueryLimits& limits) {
  auto view = views_->Current(query.tenant);
  return queries_->FindSpans(std::move(view), std::move(query), limits);
}

Result<Answer<std::string>> StoreImpl::Services(TenantId tenant, const QueryLimits& limits) {
  return queries_->Services(views_->Current(tenant), tenant, limits);
}

Result<Answer<Operation>> StoreImpl::Operations(TenantId tenant, std::string_view service,
                                                int32_t kind, const QueryLimits& limits) {
  return queries_->Operations(views_->Current(tenant), tenant, service, kind, limits);
}

Result<Answer<Dependency>> StoreImpl::Dependencies(TenantId tenant, TimeRange child_start,
                                                   const QueryLimits& limits) {
  return queries_->Dependencies([this](TenantId of) { return views_->Current(of); }, tenant,
                                child_start, limits);
}

Status StoreImpl::Flush() {
  LARDER_RETURN_IF_ERROR(CheckWritable());
  RunBetweenGroups([] {});
  return sealer_->WaitUntilSealed();
}

Status StoreImpl::Settle() {
  LARDER_RETURN_IF_ERROR(Flush());
  for (bool did = true; did;) {
    did = false;
    LARDER_RETURN_IF_ERROR(maintenance_->Settle());
    if (mover_ != nullptr) LARDER_RETURN_IF_ERROR(mover_->Settle(&did));
  }
  return Status::Ok();
}

Result<FetchProgress> StoreImpl::PlanFetch(const FetchRequest& request) {
  LARDER_RETURN_IF_ERROR(CheckWritable());
  return fetcher_->Plan(request);
}

Result<FetchProgress> StoreImpl::Fetch(const FetchRequest& request, const FetchWatch& watch) {
  LARDER_RETURN_IF_ERROR(CheckWritable());
  return fetcher_->Run(request, watch);
}

Status StoreImpl::Purge() {
  LARDER_RETURN_IF_ERROR(CheckWritable());
  Status purged;
  RunBetweenGroups([this, &purged] {
    sealer_->Discard();
    committer_->ForgetDuplicates();
    archive_committer_->ForgetDuplicates();
    purged = maintenance_->DropAll();
  });
  return purged;
}

Status StoreImpl::PurgeTenant(TenantId tenant) {
  LARDER_RETURN_IF_ERROR(CheckWritable());
  Status purged;
  RunBetweenGroups([&] {
    // So that all of it lies in segments.
    purged = sealer_->WaitUntilSealed();
    if (!purged.ok()) return;
    committer_->ForgetDuplicates(OwnerOf(tenant));
    archive_committer_->ForgetDuplicates(ArchiveOf(tenant));
    purged = maintenance_->PurgeTenant(OwnerOf(tenant));
  });
  return purged;
}

Status StoreImpl::Verify(std::vector<std::string>* faults) {
  for (const std::string& fault : kv_->Faults()) faults->push_back(fault);
  const auto view = views_->Everything();
  for (const SourceEntry& entry : view->entries) {
    std::vector<std::string> found;
    if (entry.segment != nullptr) {
      LARDER_RETURN_IF_ERROR(entry.segment->Verify(&found));
    } else if (entry.source->row_count() == 0) {  // it could not be opened, and says why
      std::vector<TraceId> none;
      found.push_back(entry.source->TraceIds(0, 0, &none).ToString());
    }
    for (const std::string& fault : found) faults->push_back(entry.name + ": " + fault);
  }
  for (const ColdEntry& cold : view->cold) {
    std::vector<std::string> found;
    LARDER_RETURN_IF_ERROR(cold.part->Verify(&found));
    faults->insert(faults->end(), found.begin(), found.end());
  }
  return VerifyJournals(faults);
}

Status StoreImpl::VerifyJournals(std::vector<std::string>* faults) {
  const std::string path = directory_->journal_path();
  const auto names = options_.file_system->List(path);
  if (!names.ok()) return names.status();
  for (const std::string& name : *names) {
    uint64_t generation = 0;
    if (!ParseJournalFileName(name, &generation)) continue;
    const auto replay = ReplayJournal(options_.file_system, path + "/" + name,
                                      [](const JournalRecord&) { return Status::Ok(); });
    if (!replay.ok()) {
      // It may have been sealed and removed while we looked.
      if (options_.file_system->Exists(path + "/" + name)) {
        faults->push_back(name + ": " + replay.status().ToString());
      }
      continue;
    }
    for (const JournalDamage& damage : replay->damages) {
      faults->push_back(name + " offset " + std::to_string(damage.offset) + ": " + damage.reason);
    }
  }
  return Status::Ok();
}

}  // namespace larder
