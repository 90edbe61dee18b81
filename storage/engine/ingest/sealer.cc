#include "storage/engine/ingest/sealer.h"

#include <algorithm>
#include <utility>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/cpu_meter.h"

namespace larder {
namespace {

constexpr std::chrono::milliseconds kFirstRetry{100};
constexpr std::chrono::milliseconds kLastRetry{5000};

}  // namespace

Sealer::Sealer(const SealerParts& parts) : parts_(parts) {}

Sealer::~Sealer() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    changed_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Sealer::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Sealer::Push(std::shared_ptr<Generation> generation) {
  MutexLock lock(mu_);
  waiting_.push_back(std::move(generation));
  changed_.SignalAll();
}

bool Sealer::WaitForRoom(size_t waiting_max, std::chrono::milliseconds timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  MutexLock lock(mu_);
  while (waiting_.size() >= waiting_max) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0 || !changed_.WaitFor(mu_, left)) return waiting_.size() < waiting_max;
  }
  return true;
}

Status Sealer::WaitUntilSealed() {
  MutexLock lock(mu_);
  if (waiting_.empty()) return Status::Ok();
  // Two committers push, so their ids are in no order.
  const std::shared_ptr<Generation> last = waiting_.back();
  const uint64_t failures = failures_;
  changed_.SignalAll();  // an attempt that is put off is made now
  while (std::find(waiting_.begin(), waiting_.end(), last) != waiting_.end() && !stopping_) {
    if (failures_ != failures) return last_failure_;
    changed_.Wait(mu_);
  }
  return Status::Ok();
}

Status Sealer::SealWaiting() {
  Status status;
  while (status.ok() && SealOldest(&status)) {
  }
  return status;
}

void Sealer::Discard() {
  MutexLock seal_lock(seal_mu_);
  std::deque<std::shared_ptr<Generation>> discarded;
  {
    MutexLock lock(mu_);
    discarded.swap(waiting_);
    last_failure_ = Status::Ok();
    changed_.SignalAll();
  }
  for (const auto& generation : discarded) {
    RemoveJournal(*generation);
    parts_.shelf->Leave(generation->partition);
    parts_.views->ReplaceHeads(generation->id, {});
  }
}

Status Sealer::last_failure() {
  MutexLock lock(mu_);
  return last_failure_;
}

uint64_t Sealer::failures() {
  MutexLock lock(mu_);
  return failures_;
}

uint64_t Sealer::waiting_bytes() {
  MutexLock lock(mu_);
  uint64_t bytes = 0;
  for (const auto& generation : waiting_) bytes += generation->memory_bytes;
  return bytes;
}

void Sealer::Run() {
  std::chrono::milliseconds retry = kFirstRetry;
  for (;;) {
    {
      MutexLock lock(mu_);
      while (waiting_.empty() && !stopping_) changed_.Wait(mu_);
      if (waiting_.empty()) return;
    }
    Status status;
    SealOldest(&status);
    if (status.ok()) {
      retry = kFirstRetry;
      continue;
    }
    MutexLock lock(mu_);
    if (stopping_) return;
    changed_.WaitFor(mu_, retry);
    retry = std::min(retry * 2, kLastRetry);
  }
}

bool Sealer::SealOldest(Status* status) {
  MutexLock seal_lock(seal_mu_);
  std::shared_ptr<Generation> oldest;
  {
    MutexLock lock(mu_);
    if (waiting_.empty()) return false;
    oldest = waiting_.front();
  }
  *status = Seal(*oldest);
  if (status->ok()) RemoveJournal(*oldest);
  MutexLock lock(mu_);
  if (status->ok()) {
    waiting_.pop_front();
  } else {
    ++failures_;
    Log(LogLevel::kError, "a generation cannot be sealed; its spans stay in memory and journal",
        {{"generation", oldest->id}, {"reason", status->ToString()}});
  }
  last_failure_ = *status;
  changed_.SignalAll();
  return true;
}

Status Sealer::Seal(const Generation& generation) {
  const CpuMeter meter(&parts_.counters->seal_cpu_ns);
  if (generation.published_rows() == 0) {
    parts_.shelf->Leave(generation.partition);
    parts_.views->ReplaceHeads(generation.id, {});
    return Status::Ok();
  }
  LARDER_CRASH_POINT("seal.begin");
  Status status = parts_.shelf->Seal(generation);
  if (status.code() == StatusCode::kResourceExhausted) parts_.disk->NoteFull();
  return status;
}

// The header on the shelf names the generation, so a journal that a crash leaves behind is removed
// by the next start, unreplayed. The removal is made durable here: a merge forgets the names of
// generations whose journals are gone, and must not be proven wrong by a power loss.
void Sealer::RemoveJournal(const Generation& generation) {
  LARDER_CRASH_POINT("seal.remove_journal");
  const std::string name = JournalFileName(generation.id);
  if (generation.journal_is_damaged) {
    parts_.directory->SetAsideJournal(name);
  } else {
    left_journals_.push_back(parts_.directory->journal_path() + "/" + name);
  }
  RemoveLeftJournals();
  LARDER_CRASH_POINT("seal.journal_removed");
}

void Sealer::RemoveLeftJournals() {
  std::erase_if(left_journals_, [this](const std::string& path) {
    Status removed;
    if (parts_.file_system->Exists(path)) removed = parts_.file_system->Remove(path);
    if (removed.ok()) {
      removed = parts_.file_system->SyncDirectory(parts_.directory->journal_path());
    }
    if (removed.ok()) return true;
    Log(LogLevel::kWarning, "a sealed journal cannot be removed; it is tried again",
        {{"file", path}, {"reason", removed.ToString()}});
    return false;
  });
}

}  // namespace larder
