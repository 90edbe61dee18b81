#include "storage/engine/ingest/committer.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/cpu_meter.h"

namespace larder {
namespace {

constexpr uint64_t kDuplicateWindowNs = 600ull * 1'000'000'000;
constexpr size_t kDuplicatesMax = 1 << 18;
constexpr uint64_t kGroupBytesMax = 8 << 20;
constexpr size_t kGroupRequestsMax = 1024;
constexpr size_t kAliveGenerationsMax = 2;  // one takes spans, one is sealed
constexpr std::chrono::milliseconds kSealPatience{2000};
constexpr std::chrono::nanoseconds kCompanyWaitMax{5'000'000};
constexpr std::chrono::milliseconds kIdleLook{250};
constexpr uint32_t kRetryOverloadMs = 200;
constexpr uint32_t kRetryFailureMs = 1000;

WriteResult Refusal(Status status, uint32_t retry_after_ms) {
  WriteResult result;
  result.status = std::move(status);
  result.retry_after_ms = retry_after_ms;
  return result;
}

// Of an AppendResult or a WriteResult.
template <typename T>
DuplicateWindow::Outcome OutcomeOf(const T& result) {
  DuplicateWindow::Outcome outcome{.accepted_spans = result.accepted_spans,
                                   .rejected_spans = result.rejected_spans};
  if (result.rejected_spans > 0) {
    outcome.first_rejection = std::make_shared<const std::string>(result.first_rejection);
  }
  return outcome;
}

}  // namespace

Committer::Committer(const CommitterOptions& options, const CommitterParts& parts)
    : options_(options), parts_(parts), window_(kDuplicateWindowNs, kDuplicatesMax) {}

Committer::~Committer() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    work_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
  EndGeneration();
}

void Committer::Remember(TenantId tenant, std::string_view otlp, const AppendResult& result) {
  window_.Add(tenant, RequestIdentity(tenant, otlp), OutcomeOf(result),
              parts_.clock->MonotonicNanos());
}

void Committer::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Committer::Submit(WriteRequest request, std::function<void(WriteResult)> done) {
  const uint64_t bytes = request.otlp.size();
  if (bytes > options_.request_bytes_max) {
    done(Refusal(Status::InvalidArgument("a request of " + std::to_string(bytes) +
                                         " bytes is above the limit of " +
                                         std::to_string(options_.request_bytes_max) + " bytes"),
                 0));
    return;
  }
  Pending pending;
  pending.identity = RequestIdentity(request.tenant, request.otlp);
  pending.request = std::move(request);
  pending.done = std::move(done);
  {
    MutexLock lock(mu_);
    const bool fits = held_bytes_ == 0 || held_bytes_ + bytes <= options_.held_bytes_max;
    if (fits && !stopping_) {
      queue_bytes_ += bytes;
      held_bytes_ += bytes;
      queue_.push_back(std::move(pending));
      if (queue_.size() >= wake_at_requests_ || queue_bytes_ >= kGroupBytesMax) work_.Signal();
      return;
    }
  }
  parts_.counters->requests_refused.fetch_add(1);
  pending.done(Refusal(Status::ResourceExhausted("too many spans are waiting to be written"),
                       kRetryOverloadMs));
}

void Committer::RunBetweenGroups(const std::function<void()>& operation) {
  Operation mine;
  mine.run = &operation;
  MutexLock lock(mu_);
  operations_.push_back(&mine);
  work_.Signal();
  while (!mine.done) operation_done_.Wait(mu_);
}

void Committer::Run() {
  std::vector<Pending> group;
  std::vector<Operation*> operations;
  while (TakeGroup(&group, &operations)) {
    if (!group.empty()) CommitGroup(&group);
    group.clear();
    EndGenerationIfDue();
    RunOperations(operations);
    operations.clear();
  }
}

bool Committer::TakeGroup(std::vector<Pending>* group, std::vector<Operation*>* operations) {
  MutexLock lock(mu_);
  while (queue_.empty() && operations_.empty() && !stopping_) {
    if (generation_ == nullptr) {
      work_.Wait(mu_);
    } else if (!work_.WaitFor(mu_, kIdleLook)) {
      return true;  // to look whether the generation has been idle for long enough
    }
  }
  if (!queue_.empty()) WaitForCompany();
  uint64_t group_bytes = 0;
  while (!queue_.empty() && group->size() < kGroupRequestsMax) {
    const uint64_t bytes = queue_.front().request.otlp.size();
    if (!group->empty() && group_bytes + bytes > kGroupBytesMax) break;
    group_bytes += bytes;
    group->push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  queue_bytes_ -= group_bytes;
  operations->assign(operations_.begin(), operations_.end());
  operations_.clear();
  return !group->empty() || !operations->empty() || !stopping_;
}

// Callers that were answered together tend to come back together: a sync is worth sharing with
// them. A lone caller never waits.
void Committer::WaitForCompany() {
  const auto patience =
      std::min(kCompanyWaitMax, std::chrono::nanoseconds(static_cast<int64_t>(last_commit_ns_)));
  const auto until = std::chrono::steady_clock::now() + patience;
  wake_at_requests_ = last_group_size_;
  while (queue_.size() < last_group_size_ && queue_bytes_ < kGroupBytesMax && operations_.empty() &&
         !stopping_) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0 || !work_.WaitFor(mu_, left)) break;
  }
  wake_at_requests_ = 1;
}

void Committer::RunOperations(const std::vector<Operation*>& operations) {
  if (operations.empty()) return;
  EndGeneration();
  for (Operation* operation : operations) (*operation->run)();
  MutexLock lock(mu_);
  for (Operation* operation : operations) operation->done = true;
  operation_done_.SignalAll();
}

void Committer::CommitGroup(std::vector<Pending>* group) {
  arrival_ns_ = parts_.clock->NowUnixNanos();
  last_group_size_ = group->size();
  Status status = parts_.disk->CheckIngest();
  for (size_t first = 0; first < group->size();) {
    if (status.ok()) status = EnsureGeneration();
    if (!status.ok()) {
      Settle(group, first, group->size(), status);
      break;
    }
    const size_t end = AppendSome(group, first);
    const Status committed = WriteJournal(*group, first, end);
    Settle(group, first, end, committed);
    if (!committed.ok() || end < group->size()) EndGeneration();
    first = end;
  }
  Answer(group);
}

size_t Committer::AppendSome(std::vector<Pending>* group, size_t first) {
  const CpuMeter meter(&parts_.counters->append_cpu_ns);
  std::unordered_map<uint64_t, size_t> in_group;  // by half an identity: equal bytes are checked
  size_t index = first;
  for (; index < group->size(); ++index) {
    Pending& pending = (*group)[index];
    const auto before = in_group.try_emplace(pending.identity.low, index);
    if (!before.second && (*group)[before.first->second].identity == pending.identity) {
      pending.same_as = before.first->second;
      continue;
    }
    if (!AppendOne(group, first, index)) break;
  }
  return index;
}

// False when the head has no room beside what is in it, requests [first, index) of the group
// perhaps: then nothing was done.
bool Committer::AppendOne(std::vector<Pending>* group, size_t first, size_t index) {
  Pending& pending = (*group)[index];
  WriteResult& result = pending.result;
  const auto seen = window_.Find(pending.identity, parts_.clock->MonotonicNanos());
  if (seen.has_value()) {
    result.accepted_spans = seen->accepted_spans;
    result.rejected_spans = seen->rejected_spans;
    if (seen->first_rejection != nullptr) result.first_rejection = *seen->first_rejection;
    parts_.counters->spans_duplicate.fetch_add(seen->accepted_spans);
    return true;
  }
  const auto appended = AppendToHead(pending.request);
  if (appended.ok()) {
    result.accepted_spans = appended->accepted_spans;
    result.rejected_spans = appended->rejected_spans;
    result.first_rejection = appended->first_rejection;
    pending.in_journal = appended->accepted_spans > 0;
    if (!pending.in_journal && appended->rejected_spans > 0) {
      result.status = Status::InvalidArgument("every span was rejected: " + result.first_rejection);
    }
    return true;
  }
  result.status = appended.status();
  if (result.status.code() != StatusCode::kResourceExhausted) return true;
  if (generation_->published_rows() > 0 || index > first) {
    result.status = Status::Ok();
    return false;
  }
  result.status = Status::InvalidArgument(
      "the request does not fit into one head: send fewer spans and attributes at a time");
  return true;
}

Result<AppendResult> Committer::AppendToHead(const WriteRequest& request) {
  SpanTable* const head = HeadOf(request.tenant);
  if (touched_.empty() || touched_.back() != head) touched_.push_back(head);
  const uint64_t bytes_before = head->memory_bytes();
  auto appended = head->Append(request.otlp, options_.append_limits);
  generation_->memory_bytes += head->memory_bytes() - bytes_before;
  return appended;
}

Status Committer::WriteJournal(const std::vector<Pending>& group, size_t first, size_t end) {
  const CpuMeter meter(&parts_.counters->journal_cpu_ns);
  std::vector<JournalRecord> records;
  for (size_t i = first; i < end; ++i) {
    if (!group[i].in_journal) continue;
    records.push_back({.tenant = group[i].request.tenant,
                       .arrival_ns = arrival_ns_,
                       .request = group[i].request.otlp});
  }
  if (records.empty()) return Status::Ok();
  LARDER_CRASH_POINT("commit.appended");
  const uint64_t began_ns = parts_.clock->MonotonicNanos();
  const uint64_t bytes_before = generation_->journal->size_bytes();
  Status committed = generation_->journal->Commit(records);
  LARDER_CRASH_POINT("commit.journalled");
  last_commit_ns_ = parts_.clock->MonotonicNanos() - began_ns;
  if (!committed.ok()) {
    Log(LogLevel::kError, "a group of requests cannot be journalled; a new journal is begun",
        {{"generation", generation_->id}, {"reason", committed.ToString()}});
    if (committed.code() == StatusCode::kResourceExhausted) parts_.disk->NoteFull();
    return committed;
  }
  parts_.counters->journal_bytes_written.fetch_add(generation_->journal->size_bytes() -
                                                   bytes_before);
  if (options_.sync) parts_.counters->journal_syncs.fetch_add(1);
  return Status::Ok();
}

// Gives requests [first, end) their outcome, and makes their rows visible or undone.
void Committer::Settle(std::vector<Pending>* group, size_t first, size_t end,
                       const Status& committed) {
  for (SpanTable* const head : touched_) {
    if (committed.ok()) {
      head->Publish();
    } else {
      head->Rollback();
    }
  }
  touched_.clear();
  for (size_t i = first; i < end; ++i) {
    Pending& pending = (*group)[i];
    if (!committed.ok()) {
      const bool own_fault = !pending.result.status.ok() && !pending.in_journal;
      if (own_fault) continue;
      parts_.counters->requests_refused.fetch_add(1);
      pending.result = Refusal(committed, kRetryFailureMs);
      continue;
    }
    if (!pending.in_journal) {
      if (pending.same_as == SIZE_MAX) {
        parts_.counters->spans_rejected.fetch_add(pending.result.rejected_spans);
      }
      continue;
    }
    const WriteResult& result = pending.result;
    parts_.counters->spans_accepted.fetch_add(result.accepted_spans);
    parts_.counters->spans_rejected.fetch_add(result.rejected_spans);
    window_.Add(pending.request.tenant, pending.identity, OutcomeOf(result),
                parts_.clock->MonotonicNanos());
    generation_->NoteArrival(arrival_ns_);
    generation_->last_write_monotonic_ns = parts_.clock->MonotonicNanos();
  }
}

void Committer::Answer(std::vector<Pending>* group) {
  LARDER_CRASH_POINT("commit.answer");
  for (Pending& pending : *group) {
    if (pending.same_as != SIZE_MAX) {
      pending.result = (*group)[pending.same_as].result;
      parts_.counters->spans_duplicate.fetch_add(pending.result.accepted_spans);
    }
  }
  LetGoOfRequests(group);
  for (Pending& pending : *group) pending.done(std::move(pending.result));
}

// Before the answers, so that nobody who has one is refused for what he sent before.
void Committer::LetGoOfRequests(std::vector<Pending>* group) {
  uint64_t bytes = 0;
  for (Pending& pending : *group) {
    bytes += pending.request.otlp.size();
    pending.request = {};
  }
  MutexLock lock(mu_);
  held_bytes_ -= bytes;
}

Status Committer::EnsureGeneration() {
  if (generation_ != nullptr) return Status::Ok();
  // A sealer that is at work is worth waiting for, one that fails is not.
  const bool failing = !parts_.sealer->last_failure().ok();
  const std::chrono::milliseconds patience = failing ? std::chrono::milliseconds(0) : kSealPatience;
  if (!parts_.sealer->WaitForRoom(kAliveGenerationsMax, patience)) {
    const Status why = parts_.sealer->last_failure();
    if (why.ok()) return Status::ResourceExhausted("sealing lags behind; try again later");
    return Status(StatusCode::kResourceExhausted,
                  "spans cannot be moved to disk: " + std::string(why.message()));
  }
  auto generation = std::make_shared<Generation>();
  LARDER_ASSIGN_OR_RETURN(generation->id, parts_.catalog->NewId());
  LARDER_ASSIGN_OR_RETURN(generation->partition, parts_.shelf->Join(options_.is_archive));
  LARDER_CRASH_POINT("rotate.begin");
  auto journal = JournalWriter::Create(parts_.file_system, parts_.directory->journal_path(),
                                       generation->id, options_.sync);
  LARDER_CRASH_POINT("rotate.created");
  if (!journal.ok()) {
    parts_.shelf->Leave(generation->partition);
    if (journal.status().code() == StatusCode::kResourceExhausted) parts_.disk->NoteFull();
    return journal.status();
  }
  generation->journal = std::move(journal).value();
  generation->last_write_monotonic_ns = parts_.clock->MonotonicNanos();
  generation_ = std::move(generation);
  return Status::Ok();
}

SpanTable* Committer::HeadOf(TenantId tenant) {
  std::shared_ptr<SpanTable>& table = generation_->heads[tenant];
  if (table == nullptr) {
    table = std::make_shared<SpanTable>();
    generation_->memory_bytes += table->memory_bytes();
    parts_.views->AddHead(generation_->id, generation_->partition, tenant, table);
  }
  return table.get();
}

void Committer::EndGenerationIfDue() {
  if (generation_ == nullptr) return;
  const uint64_t bytes = generation_->memory_bytes;
  *parts_.head_bytes = bytes;
  // Requests that were refused leave interned values behind: a head can be full without a row.
  const bool has_rows = generation_->arrival_max_ns != 0;
  if (!has_rows && bytes < options_.head_bytes_max) return;
  const uint64_t idle_ns = parts_.clock->MonotonicNanos() - generation_->last_write_monotonic_ns;
  if (bytes >= options_.head_bytes_max || idle_ns >= options_.head_idle_ns ||
      parts_.shelf->AtBorder(generation_->partition)) {
    EndGeneration();
  }
}

void Committer::EndGeneration() {
  if (generation_ == nullptr) return;
  LARDER_CRASH_POINT("rotate.end");
  generation_->journal.reset();
  *parts_.head_bytes = 0;
  parts_.sealer->Push(std::move(generation_));
  generation_ = nullptr;
}

}  // namespace larder
