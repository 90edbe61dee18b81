#include "storage/query/calls/trace_gatherer.h"

#include <algorithm>
#include <bit>
#include <string>
#include <tuple>
#include <utility>

#include "storage/base/log.h"

namespace larder {
namespace {

// Looking up more traces than one in so many rows costs more than reading all ids of the segment.
constexpr uint64_t kRowsPerLookUp = 256;
constexpr uint64_t kSpansPerBatch = 1 << 17;

bool ByHash(const TraceRun& a, const TraceRun& b) {
  return std::tie(a.hash, a.entry, a.first_row) < std::tie(b.hash, b.entry, b.first_row);
}

bool ByRow(const TraceRun& a, const TraceRun& b) {
  return std::tie(a.entry, a.first_row) < std::tie(b.entry, b.first_row);
}

uint64_t RowCount(std::span<const TraceRun> runs) {
  uint64_t rows = 0;
  for (const TraceRun& run : runs) rows += run.row_count;
  return rows;
}

}  // namespace

TraceGatherer::TraceGatherer(const View& view, std::vector<CallUnit> units,
                             std::vector<bool> sought, const TraceFilters& filters,
                             QueryContext* context)
    : view_(view),
      units_(std::move(units)),
      sought_(std::move(sought)),
      filters_(filters),
      context_(context),
      memory_(context) {
  places_.reserve(view.entries.size());
  for (uint32_t i = 0; i < view.entries.size(); ++i) places_.push_back({i, {}});
}

Status TraceGatherer::Gather(std::vector<TraceRun> runs, const Keep& keep, const Visit& visit) {
  runs_ = std::move(runs);
  LARDER_RETURN_IF_ERROR(memory_.Resize(runs_.size() * (sizeof(TraceRun) + sizeof(Trace) + 16)));
  ListTraces();
  if (traces_.empty()) return Status::Ok();
  for (const CallUnit& unit : units_) {
    LARDER_RETURN_IF_ERROR(FindIn(unit));
    LARDER_RETURN_IF_ERROR(
        memory_.Resize(runs_.size() * sizeof(TraceRun) + traces_.size() * (sizeof(Trace) + 16)));
  }
  LARDER_RETURN_IF_ERROR(KeepRuns(keep));
  for (size_t first = 0; first < runs_.size();) {
    size_t last = first;
    for (uint64_t rows = 0; last < runs_.size() && rows < kSpansPerBatch;) {
      const uint64_t hash = runs_[last].hash;
      for (; last < runs_.size() && runs_[last].hash == hash; ++last) rows += runs_[last].row_count;
    }
    LARDER_RETURN_IF_ERROR(VisitRuns({&runs_[first], last - first}, visit));
    first = last;
  }
  return Status::Ok();
}

void TraceGatherer::ListTraces() {
  std::sort(runs_.begin(), runs_.end(), ByHash);
  traces_.clear();
  hashes_.clear();
  for (const TraceRun& run : runs_) {
    if (!hashes_.empty() && hashes_.back() == run.hash) continue;
    traces_.push_back({run.hash, run.trace_id});
    hashes_.push_back(run.hash);
  }
  // Eight bits for each, so that few hashes of others are searched for in vain.
  const uint64_t bits = std::bit_ceil(std::max<uint64_t>(traces_.size() * 8, 64));
  filter_.assign(bits / 64, 0);
  filter_shift_ = 64 - std::countr_zero(bits);
  for (const uint64_t hash : hashes_) {
    const uint64_t bit = FilterBit(hash);
    filter_[bit / 64] |= uint64_t{1} << (bit % 64);
  }
}

bool TraceGatherer::IsWanted(uint64_t hash) const {
  const uint64_t bit = FilterBit(hash);
  if ((filter_[bit / 64] >> (bit % 64) & 1) == 0) return false;
  return std::binary_search(hashes_.begin(), hashes_.end(), hash);
}

Status TraceGatherer::FindIn(const CallUnit& unit) {
  LARDER_RETURN_IF_ERROR(context_->Check());
  std::vector<std::vector<uint32_t>> traces_in(unit.entries.size());
  std::vector<TraceMatch> matches;
  const Status found =
      unit.index == nullptr ? Status::Ok() : unit.index->FindTraces(hashes_, &matches);
  if (unit.index == nullptr || !found.ok()) {
    if (!found.ok()) {
      // Nothing is lost: the segments know their traces themselves.
      Log(LogLevel::kWarning, "a partition index cannot be read, asking its segments",
          {{"reason", found.ToString()}});
    }
    for (size_t i = 0; i < unit.entries.size(); ++i) {
      traces_in[i] = CandidatesOf(view_.entries[unit.entries[i]].id);
    }
  } else {
    for (const TraceMatch& match : matches) traces_in[match.segment].push_back(match.trace);
  }
  for (size_t i = 0; i < unit.entries.size(); ++i) {
    const uint32_t entry = unit.entries[i];
    if (!sought_[entry] || traces_in[i].empty()) continue;
    const Status searched = FindInSegment(entry, traces_in[i]);
    LARDER_RETURN_IF_ERROR(context_->Read(view_.entries[entry].name, searched).status());
  }
  return Status::Ok();
}

std::vector<uint32_t> TraceGatherer::CandidatesOf(uint64_t segment_id) const {
  const auto filter = filters_.find(segment_id);
  std::vector<uint32_t> traces;
  for (uint32_t i = 0; i < hashes_.size(); ++i) {
    if (filter == filters_.end() || filter->second.MayHold(hashes_[i])) traces.push_back(i);
  }
  return traces;
}

Status TraceGatherer::FindInSegment(uint32_t entry, std::span<const uint32_t> traces) {
  if (traces.size() * kRowsPerLookUp < view_.entries[entry].source->row_count()) {
    return LookUp(entry, traces);
  }
  const auto is_wanted = [this](uint64_t hash) { return IsWanted(hash); };
  return CollectTraceRuns(view_, entry, is_wanted, context_, &runs_);
}

Status TraceGatherer::LookUp(uint32_t entry, std::span<const uint32_t> traces) {
  std::vector<uint32_t> rows;
  for (size_t i = 0; i < traces.size(); ++i) {
    if (i > 0 && traces[i] == traces[i - 1]) continue;
    const Trace& trace = traces_[traces[i]];
    rows.clear();
    LARDER_RETURN_IF_ERROR(view_.entries[entry].source->FindTrace(trace.id, &rows));
    if (rows.empty()) continue;  // a segment has a trace's rows in one run
    runs_.push_back({trace.hash, trace.id, entry, rows[0], static_cast<uint32_t>(rows.size())});
  }
  return Status::Ok();
}

Status TraceGatherer::KeepRuns(const Keep& keep) {
  std::sort(runs_.begin(), runs_.end(), ByHash);
  size_t kept = 0;
  for (size_t first = 0; first < runs_.size();) {
    size_t last = first;
    while (last < runs_.size() && runs_[last].hash == runs_[first].hash) ++last;
    const std::span<const TraceRun> trace(&runs_[first], last - first);
    bool is_kept = keep(trace);
    if (is_kept && RowCount(trace) > kTraceRowsMax) {
      is_kept = false;
      LARDER_RETURN_IF_ERROR(
          context_
              ->Read(view_.entries[trace[0].entry].name,
                     Status::DataLoss("the calls of a trace of " + std::to_string(RowCount(trace)) +
                                      " spans in several places are not counted"))
              .status());
    }
    while (first < last) {
      if (is_kept) runs_[kept++] = runs_[first];
      ++first;
    }
  }
  runs_.resize(kept);
  return Status::Ok();
}

Status TraceGatherer::VisitRuns(std::span<TraceRun> runs, const Visit& visit) {
  MemoryCharge memory(context_);
  LARDER_RETURN_IF_ERROR(memory.Resize(RowCount(runs) * sizeof(RunSpan)));
  std::sort(runs.begin(), runs.end(), ByRow);
  std::vector<RunSpan> spans;
  spans.reserve(RowCount(runs));
  for (size_t first = 0; first < runs.size();) {
    size_t last = first;
    while (last < runs.size() && runs[last].entry == runs[first].entry) ++last;
    const Status read = ReadRunSpans(view_, runs.subspan(first, last - first), context_, &spans);
    LARDER_RETURN_IF_ERROR(context_->Read(view_.entries[runs[first].entry].name, read).status());
    first = last;
  }
  std::sort(spans.begin(), spans.end(), [](const RunSpan& a, const RunSpan& b) {
    return std::tie(a.hash, a.span.ref) < std::tie(b.hash, b.span.ref);
  });
  for (size_t first = 0; first < spans.size();) {
    size_t last = first;
    while (last < spans.size() && spans[last].hash == spans[first].hash) ++last;
    LARDER_RETURN_IF_ERROR(visit({&spans[first], last - first}));
    first = last;
  }
  return Status::Ok();
}

}  // namespace larder
