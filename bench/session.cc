#include "bench/session.h"

#include <algorithm>
#include <utility>

#include "storage/model/span.h"

namespace larder::bench {

Result<Session> ReadSession(Flags* flags, uint64_t spans, uint64_t span_hours) {
  Session session;
  const uint64_t seed = flags->Number("seed", 1);
  LARDER_ASSIGN_OR_RETURN(session.templates, LoadTemplates(flags->Text("profile"), seed));
  session.load.seed = seed;
  session.load.spans = flags->Number("spans", spans);
  session.load.skewed_clocks = flags->Has("skewed");
  span_hours = flags->Number("span-hours", span_hours);
  const uint64_t rate = flags->Number("rate", 0);
  const auto load_spans = static_cast<double>(session.load.spans);
  if (rate > 0) {
    session.load.spans_per_s = static_cast<double>(rate);
  } else if (span_hours > 0) {
    session.load.spans_per_s = load_spans / (3600.0 * static_cast<double>(span_hours));
  } else {
    session.load.spans_per_s = std::min(300'000.0, load_spans / 30);
  }
  const double length_s = load_spans / session.load.spans_per_s;
  session.load.epoch_ns = Clock::System().NowUnixNanos() - static_cast<uint64_t>(length_s * 1e9);
  session.in_flight = static_cast<uint32_t>(std::max<uint64_t>(flags->Number("in-flight", 64), 1));
  session.store.data_dir = flags->Text("data-dir");
  session.store.memory_bytes_max = flags->Number("memory-mib", 256) << 20;
  const std::string durability = flags->Text("durability", "sync");
  if (durability != "sync" && durability != "async") {
    return Status::InvalidArgument("--durability: sync or async");
  }
  session.store.durability = durability == "sync" ? Durability::kSync : Durability::kAsync;
  if (session.store.data_dir.empty()) {
    session.scratch = std::make_shared<ScratchDirectory>();
    session.store.data_dir = session.scratch->path();
  }
  return session;
}

Result<PumpResult> Fill(const Session& session, Workload* load, Store* store) {
  const std::unique_ptr<Target> target = MakeStoreTarget(store);
  return Pump(load, target.get(), session.in_flight);
}

Result<uint64_t> CountSpans(Store* store, const TraceId& trace_id) {
  const std::unique_ptr<TraceCursor> cursor = store->GetTraces(0, {trace_id}, {});
  uint64_t count = 0;
  while (true) {
    LARDER_ASSIGN_OR_RETURN(const TraceChunk chunk, cursor->Next());
    if (chunk.end) return count;
    LARDER_ASSIGN_OR_RETURN(const std::vector<Span> spans, DecodeSpans(chunk.traces_data));
    for (const Span& span : spans) {
      if (span.trace_id != trace_id) return Status::DataLoss("a span of another trace");
    }
    count += spans.size();
  }
}

Status CheckTraces(const Workload& load, Store* store, uint64_t samples) {
  samples = std::min(samples, load.trace_count());
  for (uint64_t i = 0; i < samples; ++i) {
    const uint64_t trace = load.trace_count() * i / samples;
    const uint64_t sent = load.trace_template(trace).span_count;
    LARDER_ASSIGN_OR_RETURN(const uint64_t found, CountSpans(store, load.trace_id(trace)));
    if (found != sent) {
      return Status::DataLoss("trace " + std::to_string(trace) + ": sent " + std::to_string(sent) +
                              " spans, found " + std::to_string(found));
    }
  }
  return Status::Ok();
}

}  // namespace larder::bench
