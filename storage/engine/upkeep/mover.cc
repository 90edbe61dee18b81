#include "storage/engine/upkeep/mover.h"

#include <algorithm>
#include <chrono>
#include <deque>
#include <numeric>
#include <unordered_set>
#include <utility>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/cpu_meter.h"
#include "storage/engine/upkeep/cold_policy.h"

namespace larder {
namespace {

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kLookEveryNs = 1000 * kMs;
constexpr uint64_t kBackoffMaxNs = 60'000 * kMs;
constexpr uint64_t kRemoveAgainNs = 60'000 * kMs;
constexpr uint64_t kCallNs = 60'000 * kMs;
// A pack ends when its spans have so many bytes, so that few requests carry it.
constexpr uint64_t kPackBytesTarget = 2 << 20;
// What was written may take seconds until it can be read.
constexpr uint64_t kConfirmFirstNs = 100 * kMs;
constexpr uint64_t kConfirmRestMaxNs = 2000 * kMs;
constexpr int kSendsMax = 3;
// A pack that took a second of CPU rests for one: ingest comes first.
constexpr uint64_t kRestPerCpu = 1;

// The spans of a pack, with the bytes that its views show.
class PackBuilder : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t /*row*/, std::string_view resource, std::string_view scope,
             std::string_view span) override {
    PackedSpan packed;
    packed.resource = *envelopes_.emplace(resource).first;
    packed.scope = *envelopes_.emplace(scope).first;
    packed.span = spans_.emplace_back(span);
    bytes_ += span.size();
    pack.spans.push_back(packed);
    return bytes_ < kPackBytesTarget;
  }
  uint64_t bytes() const { return bytes_; }

  Pack pack;

 private:
  std::unordered_set<std::string> envelopes_;  // nodes stay where they are
  std::deque<std::string> spans_;
  uint64_t bytes_ = 0;
};

Status FillPack(const Segment& segment, uint32_t first_row, PackBuilder* builder) {
  std::vector<uint32_t> rows(std::min(kPackRowsMax, segment.row_count() - first_row));
  std::iota(rows.begin(), rows.end(), first_row);
  LARDER_RETURN_IF_ERROR(segment.EncodeRows(rows, builder));
  std::vector<PackedSpan>& spans = builder->pack.spans;
  rows.resize(spans.size());
  std::vector<TraceId> ids;
  LARDER_RETURN_IF_ERROR(segment.TraceIds(first_row, static_cast<uint32_t>(spans.size()), &ids));
  std::vector<SpanFacts> facts;
  LARDER_RETURN_IF_ERROR(segment.Facts(rows, &facts));
  LARDER_CHECK(ids.size() == spans.size());
  LARDER_CHECK(facts.size() == spans.size());
  for (size_t i = 0; i < spans.size(); ++i) {
    spans[i].trace_id = ids[i];
    spans[i].start_ns = facts[i].start_ns;
  }
  builder->pack.id = {.segment = segment.info().identity.segment_id, .first_row = first_row};
  return Status::Ok();
}

}  // namespace

Mover::Mover(const MoverOptions& options, const MoverParts& parts)
    : options_(options), parts_(parts) {}

Mover::~Mover() {
  cancelled_ = true;
  {
    MutexLock lock(mu_);
    stopping_ = true;
    wake_.SignalAll();
  }
  if (thread_.joinable()) thread_.join();
}

void Mover::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Mover::Run() {
  uint64_t backoff_ns = kLookEveryNs;
  while (Rest(backoff_ns)) {
    bool did = false;
    const Status status = Step(&did);
    NoteOutcome(status);
    if (!status.ok()) {
      backoff_ns = std::min(2 * backoff_ns, kBackoffMaxNs);
    } else {
      backoff_ns = did ? 0 : kLookEveryNs;
    }
  }
}

void Mover::NoteOutcome(const Status& status) {
  const std::string text = status.ok() ? std::string() : status.ToString();
  bool is_news = false;
  {
    MutexLock lock(mu_);
    is_news = text != last_error_;
    last_error_ = text;
  }
  if (status.code() == StatusCode::kCancelled) return;
  if (!status.ok()) parts_.counters->tier_failures.fetch_add(1);
  if (!is_news) return;
  if (status.ok()) {
    Log(LogLevel::kInfo, "the cold tier takes spans again", {{"tier", parts_.tier->name()}});
  } else {
    Log(LogLevel::kWarning, "spans cannot be moved to the cold tier; it is tried again",
        {{"tier", parts_.tier->name()}, {"reason", text}});
  }
}

std::string Mover::last_error() {
  MutexLock lock(mu_);
  return last_error_.empty() ? remove_error_ : last_error_;
}

Status Mover::Settle(bool* did) {
  for (bool more = true; more;) {
    more = false;
    LARDER_RETURN_IF_ERROR(Step(&more));
    *did = *did || more;
  }
  return Status::Ok();
}

Status Mover::Bind() {
  MutexLock lock(work_mu_);
  return BindTier();
}

// Asked before each step: under the same path another disk may be mounted by now.
Status Mover::BindTier() {
  LARDER_ASSIGN_OR_RETURN(const std::string tier, parts_.tier->identity());
  if (tier == parts_.shelf->tier()) return Status::Ok();
  return parts_.maintenance->RunBetweenSteps([&] { return parts_.shelf->BindTier(tier); });
}

Status Mover::Step(bool* did) {
  MutexLock lock(work_mu_);
  const Status bound = BindTier();
  const auto partition =
      PickUpload(parts_.shelf->Partitions(), parts_.retention_clock->AgeNanos(), options_.after_ns);
  // A tier that is away is no failure while nothing is to go there.
  if (!partition.has_value() && !parts_.shelf->NextForgotten().has_value()) return Status::Ok();
  LARDER_RETURN_IF_ERROR(bound);
  LARDER_RETURN_IF_ERROR(RemoveForgotten(did));
  if (!partition.has_value()) return Status::Ok();
  *did = true;
  for (const StoredSegment& segment : partition->segments) {
    if (segment.entry.id > partition->record.uploaded_segment) {
      return UploadSegment(*partition, segment);
    }
  }
  LARDER_CRASH_POINT("tier.uploaded");
  Log(LogLevel::kInfo, "a partition is in the cold tier, every span of it",
      {{"partition", partition->record.id}, {"tier", parts_.tier->name()}});
  return parts_.maintenance->RunBetweenSteps(
      [&] { return parts_.shelf->NoteUploaded(partition->record.id); });
}

ColdScope Mover::ScopeOf(uint64_t partition, TenantId tenant) {
  ColdScope scope;
  scope.store = options_.store_id;
  scope.partition = partition;
  scope.tenant = tenant;
  scope.tenant_name = parts_.tenants->Names()[tenant];
  return scope;
}

QueryLimits Mover::Limits() const {
  return {.deadline_monotonic_ns = parts_.clock->MonotonicNanos() + kCallNs,
          .cancelled = &cancelled_};
}

Status Mover::UploadSegment(const PartitionStatus& partition, const StoredSegment& stored) {
  const ColdScope scope = ScopeOf(partition.record.id, stored.entry.tenant);
  std::vector<SentPack> sent;
  bool is_there = false;
  LARDER_RETURN_IF_ERROR(parts_.maintenance->RunBetweenSteps(
      [&] { return parts_.shelf->BeginUpload(partition.record.id, stored.entry.id, &is_there); }));
  if (!is_there) return Status::Ok();
  LARDER_CRASH_POINT("tier.segment");
  UploadProgress progress;
  const Status packed = SendPacks(scope, *stored.entry.segment, &sent);
  if (packed.code() == StatusCode::kAborted) {
    progress.keeps_rows = true;
    Log(LogLevel::kError,
        "spans that cannot be read stay out of the cold tier, and their partition "
        "stays here",
        {{"place", stored.entry.name}, {"reason", packed.ToString()}});
  } else {
    LARDER_RETURN_IF_ERROR(packed);
  }
  LARDER_CRASH_POINT("tier.sent");
  LARDER_RETURN_IF_ERROR(Confirm(scope, *stored.entry.segment, &sent));
  LARDER_CRASH_POINT("tier.confirmed");
  progress.segment = stored.entry.id;
  for (const SentPack& pack : sent) {
    progress.filed.Add(pack.receipt.filed);
    progress.keeps_rows = progress.keeps_rows || !pack.receipt.refused.empty();
  }
  LARDER_RETURN_IF_ERROR(parts_.maintenance->RunBetweenSteps(
      [&] { return parts_.shelf->NoteProgress(partition.record.id, progress); }));
  LARDER_CRASH_POINT("tier.noted");
  parts_.counters->tier_spans_uploaded.fetch_add(stored.info.row_count);
  return Status::Ok();
}

Status Mover::SendPacks(const ColdScope& scope, const Segment& segment,
                        std::vector<SentPack>* sent) {
  for (uint32_t row = 0; row < segment.row_count();) {
    LARDER_ASSIGN_OR_RETURN(SentPack pack, SendPack(scope, segment, row));
    row += pack.row_count;
    sent->push_back(std::move(pack));
  }
  return Status::Ok();
}

Result<Mover::SentPack> Mover::SendPack(const ColdScope& scope, const Segment& segment,
                                        uint32_t first_row) {
  const auto began = std::chrono::steady_clock::now();
  const uint64_t cpu_began_ns = ThreadCpuNanos();
  PackBuilder builder;
  SentPack sent;
  {
    const CpuMeter meter(&parts_.counters->tier_cpu_ns);
    const Status filled = FillPack(segment, first_row, &builder);
    // Ours is broken, not the tier's.
    if (filled.code() == StatusCode::kDataLoss) {
      return Status(StatusCode::kAborted, filled.ToString());
    }
    LARDER_RETURN_IF_ERROR(filled);
    sent.first_row = first_row;
    sent.row_count = static_cast<uint32_t>(builder.pack.spans.size());
    LARDER_ASSIGN_OR_RETURN(sent.receipt, parts_.tier->Upload(scope, builder.pack, Limits()));
  }
  parts_.counters->tier_packs_uploaded.fetch_add(1);
  parts_.counters->tier_requests.fetch_add(sent.receipt.parts.size());
  parts_.counters->tier_bytes_uploaded.fetch_add(sent.receipt.bytes_sent);
  LARDER_CRASH_POINT("tier.pack");
  const auto took = static_cast<uint64_t>(
      std::chrono::nanoseconds(std::chrono::steady_clock::now() - began).count());
  uint64_t rest_ns = kRestPerCpu * (ThreadCpuNanos() - cpu_began_ns);
  if (options_.bytes_per_second > 0) {
    const uint64_t due_ns = builder.bytes() * 1000 / options_.bytes_per_second * kMs;
    rest_ns = std::max(rest_ns, due_ns > took ? due_ns - took : 0);
  }
  if (!Rest(rest_ns)) return Status::Cancelled("the store closes");
  return sent;
}

Status Mover::Confirm(const ColdScope& scope, const Segment& segment, std::vector<SentPack>* sent) {
  const PackId id_of_segment{.segment = segment.info().identity.segment_id};
  for (SentPack& pack : *sent) {
    PackId id = id_of_segment;
    id.first_row = pack.first_row;
    uint64_t rest_ns = kConfirmFirstNs;
    uint64_t waited_ns = 0;
    for (int sends = 1;;) {
      LARDER_ASSIGN_OR_RETURN(const bool is_there,
                              parts_.tier->Verify(scope, id, pack.receipt, Limits()));
      if (is_there) break;
      if (waited_ns < options_.confirm_ns_max) {
        if (!Rest(rest_ns)) return Status::Cancelled("the store closes");
        waited_ns += rest_ns;
        rest_ns = std::min(2 * rest_ns, kConfirmRestMaxNs);
        continue;
      }
      if (sends++ == kSendsMax) {
        return Status::Unavailable("not every span of " + PackName(scope, id) +
                                   " can be read back");
      }
      Log(LogLevel::kWarning, "a pack did not arrive whole and is sent again",
          {{"pack", PackName(scope, id)}});
      LARDER_ASSIGN_OR_RETURN(pack, SendPack(scope, segment, pack.first_row));
      parts_.counters->tier_packs_resent.fetch_add(1);
      waited_ns = 0;
      rest_ns = kConfirmFirstNs;
    }
  }
  return Status::Ok();
}

// A failure holds up no upload: the others are tried a minute later, and what failed after them.
Status Mover::RemoveForgotten(bool* did) {
  if (parts_.clock->MonotonicNanos() < remove_not_before_ns_) return Status::Ok();
  for (;;) {
    const auto scope = parts_.shelf->NextForgotten();
    if (!scope.has_value()) return Status::Ok();
    if (!scope->tier.empty() && scope->tier != parts_.shelf->tier()) {
      Log(LogLevel::kWarning,
          "spans that are forgotten lie in another cold tier than the settings name, and stay "
          "there",
          {{"partition", scope->partition}, {"lie_in", scope->tier}});
      parts_.shelf->PopForgotten();
      continue;
    }
    ColdScope named = ScopeOf(scope->partition, scope->tenant);
    named.filed = scope->filed;
    Status removed = parts_.tier->Remove(named, Limits());
    if (removed.code() == StatusCode::kCancelled) return removed;
    NoteRemove(removed);
    if (!removed.ok()) {
      parts_.shelf->DeferForgotten();
      remove_not_before_ns_ = parts_.clock->MonotonicNanos() + kRemoveAgainNs;
      return Status::Ok();
    }
    parts_.shelf->PopForgotten();
    *did = true;
  }
}

void Mover::NoteRemove(const Status& removed) {
  const std::string text = removed.ok() ? std::string() : removed.ToString();
  if (!removed.ok()) parts_.counters->tier_failures.fetch_add(1);
  MutexLock lock(mu_);
  if (text == remove_error_) return;
  remove_error_ = text;
  if (removed.ok()) return;
  Log(LogLevel::kWarning, "spans cannot be removed from the cold tier; it is tried again",
      {{"tier", parts_.tier->name()}, {"reason", text}});
}

bool Mover::Rest(uint64_t ns) {
  MutexLock lock(mu_);
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(ns);
  while (!stopping_) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= std::chrono::nanoseconds(0)) return true;
    wake_.WaitFor(mu_, std::chrono::duration_cast<std::chrono::nanoseconds>(left));
  }
  return false;
}

}  // namespace larder
