// Builds the index of several segments in passes over their trace ids. A pass takes the traces of
// one shard (of equal first bits of the hash), so that what is held is bounded however many rows
// there are. Within a shard all runs are sorted by hash: neighbours of equal hash in different
// segments are a split trace. Only of split traces the facts are read; the calls of all others are
// what their segment says.
#include <algorithm>
#include <functional>
#include <span>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "storage/base/check.h"
#include "storage/query/edges/service_pairs.h"
#include "storage/query/edges/trace_edges.h"
#include "storage/query/edges/trace_runs.h"
#include "storage/query/index/partition_index.h"
#include "storage/query/index/partition_index_format.h"
#include "storage/query/query_context.h"
#include "storage/segment/encoding/numbered_calls.h"
#include "storage/segment/page/page_writer.h"

namespace larder {
namespace {

constexpr uint64_t kMinuteNs = 60'000'000'000;

class IndexBuilder {
 public:
  IndexBuilder(const std::vector<SourceEntry>& segments, const PartitionIndexOptions& options)
      : options_(options),
        context_(Unbounded(), {.cancelled = options.cancelled}),
        pages_(options.zstd_level) {
    view_.entries = segments;
    uint64_t rows = 0;
    for (uint32_t i = 0; i < segments.size(); ++i) {
      places_.push_back({i, {}});
      header_.segment_ids.push_back(segments[i].id);
      rows += segments[i].source->row_count();
    }
    header_.index_id = options.index_id;
    header_.tenant = options.tenant;
    header_.shards.bits = ShardBitsFor(rows, options.rows_per_pass, kIndexShardBitsMax);
  }

  Result<PartitionIndexInfo> Write(PageSink* sink) {
    for (uint32_t shard = 0; shard < header_.shards.count(); ++shard) {
      LARDER_RETURN_IF_ERROR(CollectRuns(shard));
      AddTraceIndex();
      LARDER_RETURN_IF_ERROR(JoinSplitTraces());
    }
    for (uint32_t i = 0; i < view_.entries.size(); ++i) {
      LARDER_RETURN_IF_ERROR(AddSegmentTables(i).With(view_.entries[i].name));
    }
    AddEdges();
    header_.services = pairs_.names();
    pages_.Add(kIndexHeaderKey, EncodeIndexHeader(header_));
    // A trace was read in part: its calls would be wrong for ever.
    LARDER_RETURN_IF_ERROR(context_.first_failure());
    LARDER_RETURN_IF_ERROR(pages_.Flush(sink));
    return PartitionIndexInfo{header_.index_id, header_.tenant, header_.segment_ids,
                              pages_.size_bytes()};
  }

 private:
  static QueryBounds Unbounded() {
    QueryBounds bounds;
    bounds.memory_bytes_max = UINT64_MAX;
    return bounds;
  }

  // ---- the shard's runs, by hash and then by segment ----

  Status CollectRuns(uint32_t shard) {
    runs_.clear();
    const auto is_of_shard = [&](uint64_t hash) { return header_.shards.ShardOf(hash) == shard; };
    for (uint32_t i = 0; i < view_.entries.size(); ++i) {
      LARDER_RETURN_IF_ERROR(
          CollectTraceRuns(view_, i, is_of_shard, &context_, &runs_).With(view_.entries[i].name));
    }
    std::sort(runs_.begin(), runs_.end(), [](const TraceRun& a, const TraceRun& b) {
      return std::tie(a.hash, a.entry, a.first_row) < std::tie(b.hash, b.entry, b.first_row);
    });
    return Status::Ok();
  }

  void AddTraceIndex() {
    std::vector<TraceIndexEntry> entries;
    entries.reserve(runs_.size());
    for (size_t i = 0; i < runs_.size(); ++i) {
      const bool is_known =
          i > 0 && runs_[i - 1].hash == runs_[i].hash && runs_[i - 1].entry == runs_[i].entry;
      if (is_known) continue;
      entries.push_back({runs_[i].hash, runs_[i].entry});
    }
    AddTraceShard(std::move(entries), kTraceIndexCheckBits, &header_.shards, &pages_);
  }

  // ---- traces that lie in several segments ----

  Status JoinSplitTraces() {
    KeepSplitRuns();
    std::vector<RunSpan> spans;
    for (size_t first = 0; first < runs_.size();) {
      size_t last = first;
      while (last < runs_.size() && runs_[last].entry == runs_[first].entry) ++last;
      const std::span<const TraceRun> of_segment(&runs_[first], last - first);
      LARDER_RETURN_IF_ERROR(ReadRunSpans(view_, of_segment, &context_, &spans)
                                 .With(view_.entries[runs_[first].entry].name));
      first = last;
    }
    std::sort(spans.begin(), spans.end(), [](const RunSpan& a, const RunSpan& b) {
      return std::tie(a.hash, a.span.ref) < std::tie(b.hash, b.span.ref);
    });
    for (auto first = spans.begin(); first != spans.end();) {
      auto last = first + 1;
      while (last != spans.end() && last->hash == first->hash) ++last;
      LARDER_RETURN_IF_ERROR(JoinTrace({first, last}));
      first = last;
    }
    return Status::Ok();
  }

  // Leaves the runs of split traces, by segment and row.
  void KeepSplitRuns() {
    size_t kept = 0;
    for (size_t first = 0; first < runs_.size();) {
      size_t last = first;
      while (last < runs_.size() && runs_[last].hash == runs_[first].hash) ++last;
      const bool is_split = runs_[first].entry != runs_[last - 1].entry;
      while (first < last) {
        if (is_split) runs_[kept++] = runs_[first];
        ++first;
      }
    }
    runs_.resize(kept);
    std::sort(runs_.begin(), runs_.end(), [](const TraceRun& a, const TraceRun& b) {
      return std::tie(a.entry, a.first_row) < std::tie(b.entry, b.first_row);
    });
  }

  // Adds what the segments do not count of a trace; `spans` are sorted by span id.
  Status JoinTrace(std::span<const RunSpan> spans) {
    const auto has_same_id = [](const RunSpan& a, const RunSpan& b) {
      return a.span.ref.span_id == b.span.ref.span_id;
    };
    if (std::adjacent_find(spans.begin(), spans.end(), has_same_id) != spans.end()) {
      return JoinClashingTrace(spans);
    }
    // Where every span has its own id the segments are right as far as they go, and only calls
    // over their borders are missing.
    for (const RunSpan& split : spans) {
      const TraceSpan& child = split.span;
      if (child.parent.is_zero() || child.service.empty()) continue;
      const auto parent = std::lower_bound(
          spans.begin(), spans.end(), child.parent,
          [](const RunSpan& a, const SpanId& id) { return a.span.ref.span_id < id; });
      if (parent == spans.end() || parent->span.ref.span_id != child.parent) continue;
      if (parent->span.ref.place == child.ref.place) continue;
      const std::string_view from = parent->span.service;
      if (from.empty() || from == child.service) continue;
      ++counts_[{child.start_ns / kMinuteNs, pairs_.IdOf(from, child.service)}];
    }
    return Status::Ok();
  }

  // Counts the trace's calls over all segments, and takes away what each segment counts by itself.
  Status JoinClashingTrace(std::span<const RunSpan> split) {
    std::vector<TraceSpan> spans;
    for (const RunSpan& span : split) spans.push_back(span.span);
    std::sort(spans.begin(), spans.end(),
              [](const TraceSpan& a, const TraceSpan& b) { return a.ref.place < b.ref.place; });
    std::vector<TraceEdge> edges;
    for (auto first = spans.begin(); first != spans.end();) {
      const auto last = std::find_if(first, spans.end(), [&](const TraceSpan& span) {
        return span.ref.place != first->ref.place;
      });
      std::vector<TraceSpan> of_segment(first, last);
      LARDER_RETURN_IF_ERROR(JoinTraceSpans(view_, places_, &context_, &of_segment, &edges));
      first = last;
    }
    Count(edges, -1);
    edges.clear();
    LARDER_RETURN_IF_ERROR(JoinTraceSpans(view_, places_, &context_, &spans, &edges));
    Count(edges, +1);
    return Status::Ok();
  }

  void Count(const std::vector<TraceEdge>& edges, int64_t by) {
    for (const TraceEdge& edge : edges) {
      counts_[{edge.child_start_ns / kMinuteNs, pairs_.IdOf(edge.parent, edge.child)}] += by;
    }
  }

  // ---- what the segments say, and the pages ----

  Status AddSegmentTables(uint32_t segment) {
    const Segment& source = *view_.entries[segment].segment;
    std::vector<EdgeCount> edges;
    LARDER_RETURN_IF_ERROR(source.Edges(&edges));
    for (const EdgeCount& edge : edges) {
      counts_[{edge.minute, pairs_.IdOf(edge.parent, edge.child)}] +=
          static_cast<int64_t>(edge.count);
    }
    return Status::Ok();
  }

  void AddEdges() {
    std::vector<NumberedCall> calls;
    for (const auto& [key, count] : counts_) {
      if (count <= 0) continue;
      calls.push_back({key.minute, ServicePairs::ParentNumber(key.call),
                       ServicePairs::ChildNumber(key.call), static_cast<uint64_t>(count)});
    }
    std::sort(calls.begin(), calls.end());
    for (size_t first = 0; first < calls.size(); first += kIndexEdgesPerPage) {
      const size_t count = std::min<size_t>(kIndexEdgesPerPage, calls.size() - first);
      std::string body;
      EncodeNumberedCalls(std::span(calls).subspan(first, count), &body);
      pages_.Add(IndexEdgesKey(header_.edge_pages++), body);
    }
  }

  struct CountKey {
    uint64_t minute = 0;
    CallId call = 0;
    friend bool operator==(const CountKey&, const CountKey&) = default;
  };
  struct CountKeyHasher {
    size_t operator()(const CountKey& key) const {
      return std::hash<uint64_t>()(key.minute * 0x9e3779b97f4a7c15 ^ key.call);
    }
  };

  const PartitionIndexOptions options_;
  QueryContext context_;
  View view_;                       // the segments alone; a place is its number in it
  std::vector<TracePlace> places_;  // so that places of spans are entries of view_
  PageWriter pages_;
  PartitionIndexHeader header_;
  std::vector<TraceRun> runs_;
  ServicePairs pairs_;
  std::unordered_map<CountKey, int64_t, CountKeyHasher> counts_;
};

}  // namespace

std::vector<std::vector<SourceEntry>> SplitForIndexes(const std::vector<SourceEntry>& segments) {
  constexpr size_t kSegmentsMax = 64;
  constexpr uint64_t kRowsMax = 1 << 24;
  std::vector<std::vector<SourceEntry>> runs;
  uint64_t rows = 0;
  for (const SourceEntry& segment : segments) {
    const bool is_full = runs.empty() || runs.back().size() == kSegmentsMax ||
                         rows + segment.source->row_count() > kRowsMax;
    if (is_full) {
      runs.emplace_back();
      rows = 0;
    }
    runs.back().push_back(segment);
    rows += segment.source->row_count();
  }
  return runs;
}

Result<PartitionIndexInfo> WritePartitionIndex(const std::vector<SourceEntry>& segments,
                                               const PartitionIndexOptions& options,
                                               PageSink* sink) {
  LARDER_CHECK(!segments.empty());
  LARDER_CHECK(segments.size() <= kIndexSegmentsMax);
  return IndexBuilder(segments, options).Write(sink);
}

}  // namespace larder
