#include <algorithm>

#include "bench/process_facts.h"
#include "bench/report.h"
#include "bench/server_process.h"
#include "bench/session.h"
#include "bench/v1_writers.h"
#include "bench/verbs.h"

namespace larder::bench {
namespace {

struct Way {
  const char* name;
  bool is_otlp;
  V1Way v1;
};

constexpr Way kWays[] = {
    {"OTLP/gRPC", true, {}},
    {"jaeger.storage.v1, unary", false, V1Way::kUnary},
    {"jaeger.storage.v1, streams", false, V1Way::kStream},
};

Result<PumpResult> Write(const Way& way, Workload* load, const std::string& address,
                         uint32_t in_flight) {
  if (!way.is_otlp) return WriteByV1(load, address, way.v1, in_flight);
  const std::unique_ptr<Target> target = MakeServerTarget(address);
  return Pump(load, target.get(), in_flight);
}

// Returns the spans per second.
double PrintWay(const Way& way, PumpResult* sent, double cpu_us, double otlp_spans_per_s) {
  const auto spans = static_cast<double>(std::max<uint64_t>(sent->spans, 1));
  const double spans_per_s = spans * 1e6 / sent->wall_us;
  PrintTitle(way.name);
  PrintFigure("acknowledged", spans_per_s, "spans/s");
  if (otlp_spans_per_s > 0) {
    PrintFigure("  OTLP's share of that", otlp_spans_per_s / spans_per_s, "times");
  }
  PrintFigure("server, CPU until the last answer", cpu_us / spans, "us/span");
  if (sent->acks.count() > 0) {
    PrintFigure("acknowledged after, p50", sent->acks.PercentileMs(0.5), "ms");
    PrintFigure("acknowledged after, p99", sent->acks.PercentileMs(0.99), "ms");
  }
  return spans_per_s;
}

}  // namespace

// The same load by every protocol that writes, one after the other into one server.
Status RunWriters(Flags* flags) {
  const auto workers = static_cast<uint32_t>(flags->Number("workers", 50));
  LARDER_ASSIGN_OR_RETURN(Session session, ReadSession(flags, 200'000, 0));
  LARDER_RETURN_IF_ERROR(flags->CheckAllKnown());
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<ServerProcess> server,
                          ServerProcess::Start(session.store));
  uint64_t spans = 0;
  double otlp_spans_per_s = 0;
  for (const Way& way : kWays) {
    Workload load(&session.templates, session.load);
    ++session.load.seed;  // the next one sends spans of its own
    const double before_us = FactsOf(server->pid()).cpu_us;
    const uint32_t in_flight = way.is_otlp ? session.in_flight : std::max(workers, 1U);
    LARDER_ASSIGN_OR_RETURN(PumpResult sent, Write(way, &load, server->address(), in_flight));
    const double cpu_us = FactsOf(server->pid()).cpu_us - before_us;
    const double spans_per_s = PrintWay(way, &sent, cpu_us, otlp_spans_per_s);
    if (way.is_otlp) otlp_spans_per_s = spans_per_s;
    spans += sent.spans;
  }
  return server->Stop(spans);
}

}  // namespace larder::bench
