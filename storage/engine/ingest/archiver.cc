#include "storage/engine/ingest/archiver.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "storage/base/log.h"

namespace larder {
namespace {

constexpr uint32_t kRetryOverloadMs = 200;

}  // namespace

Archiver::Archiver(const ArchiverOptions& options, const ArchiverParts& parts)
    : options_(options), parts_(parts), thread_([this] { Run(); }) {}

Archiver::~Archiver() {
  {
    const MutexLock lock(mu_);
    stopping_ = true;
    work_.SignalAll();
  }
  thread_.join();
}

void Archiver::Submit(WriteRequest request, std::function<void(WriteResult)> done) {
  const uint64_t bytes = request.otlp.size();
  {
    const MutexLock lock(mu_);
    if (held_bytes_ == 0 || held_bytes_ + bytes <= options_.held_bytes_max) {
      held_bytes_ += bytes;
      queue_.push_back({std::move(request), std::move(done)});
      work_.Signal();
      return;
    }
  }
  parts_.counters->requests_refused.fetch_add(1);
  WriteResult refused;
  refused.status = Status::ResourceExhausted("too many spans are waiting to be archived");
  refused.retry_after_ms = kRetryOverloadMs;
  done(std::move(refused));
}

void Archiver::Run() {
  for (;;) {
    Pending pending;
    {
      const MutexLock lock(mu_);
      while (queue_.empty() && !stopping_) work_.Wait(mu_);
      if (queue_.empty()) return;
      pending = std::move(queue_.front());
      queue_.pop_front();
    }
    const uint64_t bytes = pending.request.otlp.size();
    const std::function<void()> pass_on = LookUp(std::move(pending));
    {
      // First, so that nobody who has an answer is refused for what he sent before.
      const MutexLock lock(mu_);
      held_bytes_ -= bytes;
    }
    pass_on();
  }
}

std::function<void()> Archiver::LookUp(Pending pending) {
  WriteRequest& request = pending.request;
  Result<std::optional<NewSpans>> looked_up = parts_.queries->LeaveKnownOut(
      parts_.views->Current(request.tenant), request.tenant, request.otlp, options_.append_limits);
  if (!looked_up.ok() && looked_up.status().code() != StatusCode::kInvalidArgument) {
    Log(LogLevel::kWarning, "spans are archived without a look at what is there",
        {{"reason", looked_up.status().ToString()}});
  }
  // Reads leave equal spans out; and what is not OTLP is refused by the committer.
  std::optional<NewSpans> fresh = looked_up.ok() ? *std::move(looked_up) : std::nullopt;
  if (fresh && fresh->otlp.empty()) {
    WriteResult known;
    known.accepted_spans = fresh->known_spans;
    known.rejected_spans = fresh->rejected_spans;
    known.first_rejection = std::move(fresh->first_rejection);
    return [done = std::move(pending.done), known] { done(known); };
  }
  if (parts_.shelf->archive_bytes() >= options_.archive_bytes_max) {
    WriteResult full;
    full.status = Status::FailedPrecondition(
        "the archive is full: it may hold " + std::to_string(options_.archive_bytes_max) +
        " bytes, and nothing in it ever goes by itself (raise archive.cap)");
    return [done = std::move(pending.done), full] { done(full); };
  }
  if (fresh) TakeOver(*std::move(fresh), &pending);
  const auto kept = std::make_shared<Pending>(std::move(pending));
  return
      [this, kept] { parts_.committer->Submit(std::move(kept->request), std::move(kept->done)); };
}

void Archiver::TakeOver(NewSpans fresh, Pending* pending) {
  const auto kept = std::make_shared<const NewSpans>(std::move(fresh));
  pending->request.otlp = kept->otlp;
  pending->request.owner = kept;
  pending->done = [done = std::move(pending->done), kept](WriteResult written) {
    if (written.status.ok()) {
      written.accepted_spans += kept->known_spans;
      written.rejected_spans += kept->rejected_spans;
      if (kept->rejected_spans > 0) written.first_rejection = kept->first_rejection;
    }
    done(std::move(written));
  };
}

}  // namespace larder
