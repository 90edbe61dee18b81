#include "bench/workload.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "storage/base/coding.h"

namespace larder::bench {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kMillisecondNs = 1'000'000;
constexpr double kMeanPeriodS = 3;
constexpr size_t kBatchSpansMax = 512;  // OpenTelemetry's default export batch
constexpr uint64_t kSampleEvery = 64;
constexpr uint64_t kStartJitterNs = 100'000;
constexpr char kLengthTag1 = 0x0a;
constexpr char kLengthTag2 = 0x12;

// What is drawn for a trace; span numbers are added.
constexpr uint64_t kDrawTemplate = 1;
constexpr uint64_t kDrawBase = 2;
constexpr uint64_t kDrawTraceId = 3;
constexpr uint64_t kDrawStretch = 5;
constexpr uint64_t kDrawExporter = 1ull << 32;
constexpr uint64_t kDrawSpanId = 2ull << 32;
constexpr uint64_t kDrawTimes = 3ull << 32;
constexpr uint64_t kDrawRequestId = 4ull << 32;

// SplitMix64's finisher.
uint64_t Mix(uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

double Unit(uint64_t draw) { return static_cast<double>(draw >> 11) * 0x1p-53; }

size_t VarintBytes(uint64_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

// 32 hexadecimal digits with four dashes, as UUIDs are written.
void StoreUuid(char* to, uint64_t high, uint64_t low) {
  constexpr char kDigits[] = "0123456789abcdef";
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) *to++ = '-';
    uint64_t& half = i < 16 ? high : low;
    *to++ = kDigits[half & 15];
    half >>= 4;
  }
}

}  // namespace

Workload::Workload(const TemplateSet* templates, const WorkloadOptions& options)
    : templates_(*templates), options_(options) {
  if (options_.spans_per_s == 0) {
    options_.spans_per_s = std::min(300'000.0, static_cast<double>(options_.spans) / 30);
  }
  const double spans_per_trace =
      static_cast<double>(templates_.spans.size()) / static_cast<double>(templates_.traces.size());
  trace_gap_ns_ = static_cast<uint64_t>(
      std::max(1.0, spans_per_trace * static_cast<double>(kSecondNs) / options_.spans_per_s));
  MakeExporters();
}

uint64_t Workload::Draw(uint64_t trace, uint64_t what) const {
  return Mix(Mix(options_.seed * 0x9e3779b97f4a7c15 + trace) + what * 0xd1342543de82ef95);
}

void Workload::MakeExporters() {
  std::vector<double> share(templates_.resources.size(), 0);
  for (const SpanTemplate& span : templates_.spans) share[span.resource] += 1;
  const double all_exporters = options_.spans_per_s * kMeanPeriodS / options_.spans_per_request;
  for (uint32_t resource = 0; resource < share.size(); ++resource) {
    first_exporter_.push_back(static_cast<uint32_t>(exporters_.size()));
    share[resource] /= static_cast<double>(templates_.spans.size());
    const auto count = std::max<int64_t>(1, std::llround(all_exporters * share[resource]));
    for (int64_t i = 0; i < count; ++i) {
      const uint64_t number = exporters_.size();
      const uint64_t period_ns = kSecondNs + Draw(number, kDrawExporter) % (4 * kSecondNs);
      const uint64_t luck = Draw(number, kDrawExporter + 1) % 100;
      int64_t offset_ns = 0;
      if (options_.skewed_clocks && luck < 6) {
        const double most_s = luck == 0 ? 3.0 * 3600 : 2.0;
        offset_ns =
            static_cast<int64_t>((Unit(Draw(number, kDrawExporter + 2)) - 0.5) * 2e9 * most_s);
      }
      exporters_.push_back({.resource = resource,
                            .period_ns = period_ns,
                            .clock_offset_ns = offset_ns,
                            .pending = {}});
      ticks_.push({.at_ns = Draw(number, kDrawExporter + 3) % period_ns,
                   .exporter = static_cast<uint32_t>(number)});
    }
  }
  first_exporter_.push_back(static_cast<uint32_t>(exporters_.size()));
}

TraceId Workload::trace_id(uint64_t trace) const {
  TraceId id;
  const uint64_t halves[2] = {Draw(trace, kDrawTraceId) | 1, Draw(trace, kDrawTraceId + 1)};
  std::memcpy(id.bytes.data(), halves, sizeof halves);
  return id;
}

const TraceTemplate& Workload::trace_template(uint64_t trace) const {
  return templates_.traces[Draw(trace, kDrawTemplate) % templates_.traces.size()];
}

uint64_t Workload::trace_start_ns(uint64_t trace) const {
  return options_.epoch_ns + trace * trace_gap_ns_ + Draw(trace, kDrawBase) % (8 * trace_gap_ns_);
}

// A trace is stretched as a whole by up to a tenth, each of its spans moved and stretched on its
// own.
Workload::Times Workload::TimesOf(uint64_t trace, const SpanTemplate& span) const {
  const double stretch = 0.9 + 0.2 * Unit(Draw(trace, kDrawStretch));
  const uint64_t draw = Draw(trace, kDrawTimes + span.number);
  const double own = 0.85 + 0.3 * Unit(draw);
  Times times;
  times.start_ns = trace_start_ns(trace) +
                   static_cast<uint64_t>(stretch * static_cast<double>(span.start_in_trace_ns)) +
                   Mix(draw) % kStartJitterNs;
  const auto duration = static_cast<int64_t>(own * static_cast<double>(span.duration_ns));
  times.end_ns = times.start_ns + static_cast<uint64_t>(duration);
  return times;
}

void Workload::BeginTrace() {
  const uint64_t trace = next_trace_++;
  const TraceTemplate& shape = trace_template(trace);
  for (uint32_t span = shape.first_span; span < shape.first_span + shape.span_count; ++span) {
    const SpanTemplate& made = templates_.spans[span];
    const uint32_t first = first_exporter_[made.resource];
    const uint32_t count = first_exporter_[made.resource + 1] - first;
    const uint64_t pick = Draw(trace, kDrawExporter + 4 + made.resource) % count;
    const uint64_t end_ns = TimesOf(trace, made).end_ns - options_.epoch_ns;
    exporters_[first + pick].pending.push_back(
        {.trace = trace, .span = span, .ready_ms = static_cast<uint32_t>(end_ns / kMillisecondNs)});
  }
  spans_begun_ += shape.span_count;
  if (trace % kSampleEvery == 0) {
    const std::vector<uint64_t> unseen(shape.span_count, UINT64_MAX);
    samples_.push_back({.trace = trace, .request = unseen, .row = unseen, .arrival_ns = unseen});
  }
}

bool Workload::Next(Request* request) {
  while (spans_sent_ < spans_begun_ || spans_begun_ < options_.spans) {
    const Tick tick = ticks_.top();
    while (spans_begun_ < options_.spans && next_trace_ * trace_gap_ns_ <= tick.at_ns) BeginTrace();
    Exporter& exporter = exporters_[tick.exporter];
    if (!TakeBatch(&exporter, tick.at_ns)) {
      ticks_.pop();
      ticks_.push({.at_ns = tick.at_ns + exporter.period_ns, .exporter = tick.exporter});
      continue;
    }
    EncodeBatch(exporter, &request->otlp);
    request->span_count = static_cast<uint32_t>(batch_.size());
    request->arrival_ns = options_.epoch_ns + tick.at_ns;
    NoteArrival(request->arrival_ns);
    return true;
  }
  return false;
}

bool Workload::TakeBatch(Exporter* exporter, uint64_t now_ns) {
  batch_.clear();
  const auto now_ms = static_cast<uint32_t>(now_ns / kMillisecondNs);
  std::vector<Pending>& pending = exporter->pending;
  size_t kept = 0;
  for (const Pending& span : pending) {
    if (span.ready_ms <= now_ms && batch_.size() < kBatchSpansMax) {
      batch_.push_back(span);
    } else {
      pending[kept++] = span;
    }
  }
  pending.resize(kept);
  std::stable_sort(batch_.begin(), batch_.end(), [&](const Pending& a, const Pending& b) {
    return templates_.spans[a.span].scope < templates_.spans[b.span].scope;
  });
  return !batch_.empty();
}

void Workload::EncodeBatch(const Exporter& exporter, std::string* otlp) {
  const auto scope_of = [&](size_t i) { return templates_.spans[batch_[i].span].scope; };
  const std::string& resource = templates_.resources[exporter.resource];
  // Lengths first: every span keeps the length of its template.
  std::vector<std::pair<size_t, size_t>> runs;  // end in batch_, bytes of the ScopeSpans message
  size_t resource_bytes = resource.size();
  for (size_t i = 0; i < batch_.size();) {
    const uint32_t scope = scope_of(i);
    size_t bytes = templates_.scopes[scope].size();
    for (; i < batch_.size() && scope_of(i) == scope; ++i) {
      const size_t span_bytes = templates_.spans[batch_[i].span].bytes.size();
      bytes += 1 + VarintBytes(span_bytes) + span_bytes;
    }
    runs.emplace_back(i, bytes);
    resource_bytes += 1 + VarintBytes(bytes) + bytes;
  }
  otlp->clear();
  otlp->reserve(resource_bytes + 16);
  otlp->push_back(kLengthTag1);
  PutVarint(otlp, resource_bytes);
  otlp->append(resource);
  size_t next = 0;
  for (const auto& [end, bytes] : runs) {
    otlp->push_back(kLengthTag2);
    PutVarint(otlp, bytes);
    otlp->append(templates_.scopes[scope_of(next)]);
    for (; next < end; ++next) AppendSpan(batch_[next], exporter.clock_offset_ns, otlp);
  }
}

void Workload::AppendSpan(const Pending& pending, int64_t clock_offset_ns,
                          std::string* otlp) const {
  const SpanTemplate& span = templates_.spans[pending.span];
  otlp->push_back(kLengthTag2);
  PutVarint(otlp, span.bytes.size());
  const size_t at = otlp->size();
  otlp->append(span.bytes);
  char* const to = otlp->data() + at;

  const TraceId id = trace_id(pending.trace);
  std::memcpy(to + span.trace_id_offset, id.bytes.data(), id.bytes.size());
  StoreFixed64(to + span.span_id_offset, Draw(pending.trace, kDrawSpanId + span.number) | 1);
  if (span.parent_offset != 0) {
    StoreFixed64(to + span.parent_offset,
                 Draw(pending.trace, kDrawSpanId + span.parent_number) | 1);
  }
  Times times = TimesOf(pending.trace, span);
  times.start_ns += static_cast<uint64_t>(clock_offset_ns);
  times.end_ns += static_cast<uint64_t>(clock_offset_ns);
  const uint64_t shift = times.start_ns - LoadFixed64(to + span.start_offset);
  StoreFixed64(to + span.start_offset, times.start_ns);
  StoreFixed64(to + span.end_offset, times.end_ns);
  for (const uint32_t offset : span.event_time_offsets) {
    StoreFixed64(to + offset, LoadFixed64(to + offset) + shift);
  }
  for (const SpanTemplate::RequestId& request_id : span.request_ids) {
    const uint64_t draw = Draw(pending.trace, kDrawRequestId + request_id.number);
    StoreUuid(to + request_id.offset, draw, Mix(draw));
  }
}

void Workload::NoteArrival(uint64_t arrival_ns) {
  for (const Pending& pending : batch_) {
    if (pending.trace % kSampleEvery == 0) {
      Sample& sample = samples_[pending.trace / kSampleEvery];
      const size_t index = pending.span - trace_template(pending.trace).first_span;
      sample.request[index] = requests_;
      sample.row[index] = spans_sent_;
      sample.arrival_ns[index] = arrival_ns;
    }
    ++spans_sent_;
  }
  ++requests_;
}

uint64_t Workload::memory_bytes() const {
  uint64_t bytes = exporters_.capacity() * (sizeof(Exporter) + sizeof(Tick));
  for (const Exporter& exporter : exporters_)
    bytes += exporter.pending.capacity() * sizeof(Pending);
  for (const Sample& sample : samples_) {
    bytes += sizeof sample + 3 * sample.row.capacity() * sizeof(uint64_t);
  }
  return bytes;
}

SplitShares Workload::Splits(uint64_t segment_rows) const {
  SplitShares shares;
  std::vector<double> gaps_s;
  const auto segment = [&](uint64_t row) { return row / std::max<uint64_t>(segment_rows, 1); };
  const auto differs = [](const std::vector<uint64_t>& values, const auto& of) {
    return std::any_of(values.begin(), values.end(),
                       [&](uint64_t value) { return of(value) != of(values[0]); });
  };
  const auto itself = [](uint64_t value) { return value; };
  for (const Sample& sample : samples_) {
    const TraceTemplate& shape = trace_template(sample.trace);
    ++shares.sampled_traces;
    shares.traces_over_requests += differs(sample.request, itself) ? 1 : 0;
    shares.traces_over_segments += differs(sample.row, segment) ? 1 : 0;
    for (uint32_t child = 0; child < shape.span_count; ++child) {
      const SpanTemplate& span = templates_.spans[shape.first_span + child];
      for (uint32_t parent = 0; parent < shape.span_count; ++parent) {
        const SpanTemplate& other = templates_.spans[shape.first_span + parent];
        if (span.parent_offset == 0 || other.number != span.parent_number) continue;
        if (templates_.services[other.resource] == templates_.services[span.resource]) continue;
        ++shares.sampled_edges;
        shares.edges_over_requests += sample.request[child] != sample.request[parent] ? 1 : 0;
        shares.edges_over_segments +=
            segment(sample.row[child]) != segment(sample.row[parent]) ? 1 : 0;
        const auto gap_ns =
            static_cast<int64_t>(sample.arrival_ns[child] - sample.arrival_ns[parent]);
        gaps_s.push_back(std::abs(static_cast<double>(gap_ns)) / 1e9);
      }
    }
  }
  const auto traces = static_cast<double>(std::max<uint64_t>(shares.sampled_traces, 1));
  const auto edges = static_cast<double>(std::max<uint64_t>(shares.sampled_edges, 1));
  shares.traces_over_requests /= traces;
  shares.traces_over_segments /= traces;
  shares.edges_over_requests /= edges;
  shares.edges_over_segments /= edges;
  if (!gaps_s.empty()) {
    std::nth_element(gaps_s.begin(), gaps_s.begin() + static_cast<ptrdiff_t>(gaps_s.size() / 2),
                     gaps_s.end());
    shares.edge_gap_median_s = gaps_s[gaps_s.size() / 2];
  }
  return shares;
}

}  // namespace larder::bench
