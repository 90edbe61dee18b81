#include "storage/engine/upkeep/fetcher.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/shelf/shelf_copy.h"
#include "storage/engine/upkeep/part_reader.h"
#include "storage/engine/upkeep/partition_policy.h"
#include "storage/query/cold/cold_part.h"

namespace larder {
namespace {

constexpr uint64_t kNanosPerMs = 1'000'000;
constexpr uint64_t kKeepMsMax = 100ull * 365 * 24 * 3600 * 1000;
constexpr std::chrono::seconds kPatience{2};
constexpr uint64_t kCallNs = 600'000 * kNanosPerMs;  // a step reads a minute of spans at least
// Until enough spans lie here to tell what one takes.
constexpr uint64_t kRowBytesGuess = 64;
constexpr uint64_t kRowsToTell = 1000;

bool StartsIn(const ColdParts& cold, TimeRange range) {
  return std::any_of(cold.begin(), cold.end(), [range](const auto& it) {
    return it.second.entry.part != nullptr && it.second.entry.part->MayStartIn(range);
  });
}

uint64_t RowsOf(const PartitionStatus& partition) {
  uint64_t rows = 0;
  for (const ColdStatus& cold : partition.cold) rows += cold.rows;
  return rows;
}

// What a span takes on the local disk.
uint64_t BytesPerRow(const std::vector<PartitionStatus>& partitions) {
  uint64_t rows = 0;
  uint64_t bytes = 0;
  for (const PartitionStatus& partition : partitions) {
    rows += partition.rows;
    bytes += partition.bytes;
  }
  return rows < kRowsToTell ? kRowBytesGuess : bytes / rows + 1;
}

}  // namespace

Result<FetchProgress> Fetcher::Plan(const FetchRequest& request) {
  LARDER_ASSIGN_OR_RETURN(Work work, FindWork(request));
  return std::move(work.progress);
}

Result<Fetcher::Work> Fetcher::FindWork(const FetchRequest& request) {
  if (parts_.tier == nullptr) {
    return Status::FailedPrecondition(
        "there is no cold tier to fetch from: start the server with tier.kind (larder help serve)");
  }
  Work work;
  FetchProgress& progress = work.progress;
  const std::vector<PartitionStatus> partitions = parts_.shelf->Partitions();
  const uint64_t row_bytes = BytesPerRow(partitions);
  const std::string tier = parts_.shelf->tier();
  for (const PartitionStatus& partition : partitions) {
    const PartitionRecord& record = partition.record;
    if (record.state != PartitionState::kEvicted) continue;
    if (!StartsIn(parts_.shelf->ColdPartsOf(record.id), request.start)) continue;
    const uint64_t rows = RowsOf(partition);
    ++progress.partitions;
    progress.rows += rows;
    const bool is_elsewhere = !record.tier.empty() && !tier.empty() && record.tier != tier;
    if (is_elsewhere && !record.is_fetched()) {
      progress.missing.push_back(
          "partition " + std::to_string(record.id) +
          " lies in another cold tier than the settings name: " + record.tier);
    } else if (record.is_fetched()) {
      work.here.push_back(record.id);
      ++progress.partitions_done;
      progress.rows_done += rows;
    } else {
      work.to_fetch.push_back(record.id);
      progress.bytes_expected += rows * row_bytes;
    }
  }
  if (progress.partitions == 0) {
    return Status::NotFound(
        "no span that starts in that time lies in the cold tier alone: what there is of it is on "
        "the local disk already (larder tier status says what was evicted)");
  }
  if (request.keep_ms > 0) LARDER_RETURN_IF_ERROR(CheckRoom(progress.bytes_expected));
  return work;
}

Status Fetcher::CheckRoom(uint64_t bytes) const {
  const auto refused = [bytes](const char* what, uint64_t left, const char* cure) {
    const auto mib = [](uint64_t size) { return std::to_string((size >> 20) + 1) + " MiB"; };
    return Status::ResourceExhausted("some " + mib(bytes) + " more are needed here, and " + what +
                                     " leaves less than " + mib(left) +
                                     ": fetch a shorter time, or " + cure);
  };
  const uint64_t used = parts_.maintenance->UsedBytes();
  const uint64_t left = options_.disk_bytes_max - std::min(used, options_.disk_bytes_max);
  if (bytes > left) return refused("the disk cap", left, "raise disk.cap");
  const uint64_t room = parts_.disk->RoomBytes();
  if (bytes > room) return refused("the disk, which is nearly full,", room, "free some space");
  return Status::Ok();
}

uint64_t Fetcher::UntilAge(const FetchRequest& request) const {
  const uint64_t keep_ms = std::min(request.keep_ms, kKeepMsMax);
  return parts_.retention_clock->AgeNanos() + keep_ms * kNanosPerMs;
}

QueryLimits Fetcher::LimitsOf(const Job& job) const {
  return {.deadline_monotonic_ns = parts_.clock->MonotonicNanos() + kCallNs,
          .cancelled = job.watch.cancelled};
}

Result<FetchProgress> Fetcher::Run(const FetchRequest& request, const FetchWatch& watch) {
  {
    // One that was interrupted ends soon.
    MutexLock lock(mu_);
    if (is_running_) ended_.WaitFor(mu_, kPatience);
    if (is_running_) {
      return Status(StatusCode::kAborted,
                    "another fetch is on its way: wait for its end, or interrupt it (one that was "
                    "interrupted may take a moment to notice)");
    }
    is_running_ = true;
  }
  auto fetched = RunAlone(request, watch);
  MutexLock lock(mu_);
  is_running_ = false;
  ended_.Signal();
  return fetched;
}

Result<FetchProgress> Fetcher::RunAlone(const FetchRequest& request, const FetchWatch& watch) {
  LARDER_ASSIGN_OR_RETURN(Work work, FindWork(request));
  Job job{request, watch, std::move(work.progress)};
  for (const uint64_t partition : work.here) {
    LARDER_RETURN_IF_ERROR(parts_.maintenance->RunBetweenSteps(
        [&] { return parts_.shelf->KeepCopyUntil(partition, UntilAge(request)); }));
  }
  if (request.keep_ms == 0) work.to_fetch.clear();
  for (const uint64_t partition : work.to_fetch) {
    const uint64_t rows_before = job.progress.rows_done;
    const uint64_t bytes_before = job.progress.bytes_done;
    const Status fetched = FetchPartition(partition, &job);
    if (!fetched.ok()) {
      job.progress.rows_done = rows_before;
      job.progress.bytes_done = bytes_before;
      // The others may be there.
      const bool is_its_own =
          fetched.code() == StatusCode::kDataLoss || fetched.code() == StatusCode::kNotFound ||
          fetched.code() == StatusCode::kAborted || fetched.code() == StatusCode::kOutOfRange;
      if (!is_its_own) return fetched;
      job.progress.missing.push_back("partition " + std::to_string(partition) + ": " +
                                     std::string(fetched.message()));
      Log(LogLevel::kError, "a partition cannot be fetched from the cold tier",
          {{"partition", partition}, {"reason", fetched.ToString()}});
    }
    if (watch.on_progress) watch.on_progress(job.progress);
  }
  return std::move(job.progress);
}

Status Fetcher::FetchPartition(uint64_t partition, Job* job) {
  LARDER_ASSIGN_OR_RETURN(const auto copy, parts_.shelf->BeginCopy(partition));
  Status made = Fill(copy.get(), job);
  if (made.ok()) {
    made = parts_.maintenance->RunBetweenSteps(
        [&] { return parts_.shelf->KeepCopy(copy.get(), UntilAge(job->request)); });
  }
  if (!made.ok()) {
    parts_.shelf->DiscardCopy(*copy);
    return made;
  }
  ++job->progress.partitions_done;
  parts_.counters->tier_partitions_fetched.fetch_add(1);
  Log(LogLevel::kInfo, "a partition was fetched from the cold tier",
      {{"partition", partition}, {"spans", copy->rows}, {"bytes", copy->bytes}});
  return Status::Ok();
}

Status Fetcher::Fill(Shelf::Copy* copy, Job* job) {
  for (const auto& [tenant, stored] : copy->cold) {
    if (stored.entry.part == nullptr) {
      return Status::DataLoss("what stayed of it here cannot be read (larder verify)");
    }
    LARDER_RETURN_IF_ERROR(FillPart(copy, stored.entry, job));
  }
  const uint64_t bytes_before = copy->bytes;
  LARDER_RETURN_IF_ERROR(parts_.shelf->IndexCopy(copy));
  job->progress.bytes_done += copy->bytes - bytes_before;
  return Status::Ok();
}

Status Fetcher::FillPart(Shelf::Copy* copy, const ColdEntry& part, Job* job) {
  FetchProgress& progress = job->progress;
  const uint64_t rows_before = progress.rows_done;
  PartReader reader(parts_.tier, part, options_.memory_bytes_max);
  auto table = std::make_unique<SpanTable>();
  uint64_t distinct = 0;
  const auto tell = [&](uint64_t rows) {
    progress.rows_done = rows_before + std::min(rows, part.part->facts().rows);
    if (job->watch.on_progress) job->watch.on_progress(progress);
  };
  while (!reader.is_done()) {
    const uint64_t rows_read = distinct + table->published_rows();
    LARDER_RETURN_IF_ERROR(reader.Step(
        LimitsOf(*job), [&](uint64_t rows) { tell(rows_read + rows); }, table.get()));
    table->Publish();
    const uint32_t rows = table->published_rows();
    const bool is_full =
        rows >= kMergeRowsMax || table->memory_bytes() >= options_.memory_bytes_max / 2;
    if (rows > 0 && (is_full || reader.is_done())) {
      LARDER_RETURN_IF_ERROR(CheckRoom(copy->bytes + table->memory_bytes()));
      const uint64_t bytes_before = copy->bytes;
      LARDER_ASSIGN_OR_RETURN(const uint64_t added,
                              parts_.shelf->AddToCopy(copy, *part.part, *table));
      distinct += added;
      progress.bytes_done += copy->bytes - bytes_before;
      table = std::make_unique<SpanTable>();
    }
    tell(distinct + table->published_rows());
  }
  LARDER_RETURN_IF_ERROR(reader.Check(distinct));
  progress.rows_done = rows_before + part.part->facts().rows;
  parts_.counters->tier_spans_fetched.fetch_add(distinct);
  return Status::Ok();
}

}  // namespace larder
