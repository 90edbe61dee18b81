#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "bench/latencies.h"
#include "bench/process_facts.h"
#include "bench/query_facts.h"
#include "bench/query_filters.h"
#include "bench/report.h"
#include "bench/session.h"
#include "bench/verbs.h"
#include "tests/support/seed.h"

namespace larder::bench {
namespace {

constexpr double kShapeSecondsMax = 10;
constexpr int64_t kMillisecondNs = 1'000'000;

// One kind of query: asks, and checks what comes back.
struct Shape {
  std::string name;
  std::string goal;
  std::function<Status()> ask;
};

Constant Text(std::string text) {
  return {.type = Constant::Type::kLegacyText, .text = std::move(text)};
}

LegacySearch OfService(const std::string& service) {
  LegacySearch search;
  search.service = service;
  return search;
}

class QueryBench {
 public:
  QueryBench(const Session& session, const Workload& load, Store* store, QueryFacts facts,
             std::vector<NamedFilter> filters)
      : session_(session),
        load_(load),
        store_(store),
        facts_(std::move(facts)),
        filters_(std::move(filters)),
        random_(session.load.seed) {}

  Status Run(uint64_t runs) {
    for (const Shape& shape : Shapes()) {
      LARDER_RETURN_IF_ERROR(Measure(shape, runs).With(shape.name));
    }
    return MeasureAfterSeal();
  }

 private:
  std::vector<Shape> Shapes() {
    std::vector<Shape> shapes = {
        {"trace by id", "p99 <= 5 ms", [this] { return AskTrace(); }},
        {"trace by id, absent", "p99 <= 5 ms", [this] { return AskAbsentTrace(); }},
        {"services", "<= 1 ms", [this] { return AskServices(); }},
        {"operations of a service", "<= 1 ms", [this] { return AskOperations(); }},
        {"dependencies, 24 h", "<= 20 ms", [this] { return AskDependencies(); }},
    };
    for (auto& [name, search, depth] : Searches()) {
      shapes.push_back({name, "p99 <= 10 ms", [this, search = search, depth = depth] {
                          return AskTraces(search, depth);
                        }});
    }
    shapes.push_back({"ids of 20 traces of a service", "", [this] { return AskIds(); }});
    shapes.push_back({"20 summaries of a service", "", [this] { return AskSummaries(); }});
    for (const NamedFilter& each : filters_) {
      shapes.push_back({"filter: " + each.name, "", [this, &each] { return AskFilter(each); }});
    }
    return shapes;
  }

  struct NamedSearch {
    std::string name;
    LegacySearch search;
    uint32_t depth = 20;
  };

  std::vector<NamedSearch> Searches() const {
    const LegacySearch service = OfService(facts_.service);
    const auto with = [&](const std::function<void(LegacySearch*)>& change) {
      LegacySearch search = service;
      change(&search);
      return search;
    };
    const auto attribute = [](const QueryFacts::TextAttribute& pair) {
      return std::pair(pair.first, Text(pair.second));
    };
    std::vector<NamedSearch> searches;
    searches.push_back({"service", service});
    searches.push_back({"rare service", OfService(facts_.rare_service)});
    searches.push_back({"service, an hour's middle", with([&](LegacySearch* search) {
                          const uint64_t now_ns = Clock::System().NowUnixNanos();
                          const uint64_t half_ns = (now_ns - session_.load.epoch_ns) / 2;
                          search->start = {session_.load.epoch_ns, now_ns - half_ns};
                        })});
    searches.push_back({"service + operation",
                        with([&](LegacySearch* search) { search->operation = facts_.operation; })});
    searches.push_back({"service + duration >= 100 ms", with([&](LegacySearch* search) {
                          search->duration_min_ns = 100 * kMillisecondNs;
                        })});
    searches.push_back({"service + duration >= 300 s (none)", with([&](LegacySearch* search) {
                          search->duration_min_ns = 300'000 * kMillisecondNs;
                        })});
    searches.push_back({"service + frequent attribute", with([&](LegacySearch* search) {
                          search->attributes = {attribute(facts_.frequent)};
                        })});
    searches.push_back({"service + absent attribute", with([&](LegacySearch* search) {
                          search->attributes = {{"no.such.key", Text("no such value")}};
                        })});
    searches.push_back({"service + 3 attributes", with([&](LegacySearch* search) {
                          for (const auto& pair : facts_.three) {
                            search->attributes.push_back(attribute(pair));
                          }
                        })});
    if (!facts_.never_meet.empty()) {
      LegacySearch apart;
      std::string names;
      for (const auto& pair : facts_.never_meet) {
        apart.attributes.push_back(attribute(pair));
        names += " " + pair.first + "=" + pair.second;
      }
      searches.push_back({"two frequent attributes that never meet:" + names, apart});
    }
    LegacySearch alone;
    alone.attributes = {attribute(facts_.frequent)};
    searches.push_back({"attribute without service", alone});
    searches.push_back({"200 traces of a service", service, 200});
    return searches;
  }

  // CPU beside the wall clock: on a busy machine only that says what a query costs.
  Status Measure(const Shape& shape, uint64_t runs) {
    Latencies wall;
    Latencies cpu;
    double first_ms = 0;
    double first_cpu_ms = 0;
    const double start_us = NowUs();
    found_ = UINT64_MAX;
    checks_ = true;  // once: checking costs more than asking
    for (uint64_t run = 0; run < runs && NowUs() - start_us < kShapeSecondsMax * 1e6; ++run) {
      checking_us_ = 0;
      checking_cpu_us_ = 0;
      const double asked_us = NowUs();
      const double asked_cpu_us = ThreadCpuUs();
      LARDER_RETURN_IF_ERROR(shape.ask());
      wall.Add(NowUs() - asked_us - checking_us_);
      cpu.Add(ThreadCpuUs() - asked_cpu_us - checking_cpu_us_);
      if (run == 0) first_ms = wall.PercentileMs(1);
      if (run == 0) first_cpu_ms = cpu.PercentileMs(1);
      checks_ = false;
    }
    const std::string found = found_ == UINT64_MAX ? "" : ", " + std::to_string(found_) + " found";
    PrintTitle(shape.name + found);
    PrintFigure("first", first_ms, "ms");
    PrintFigure("p50", wall.PercentileMs(0.5), "ms");
    PrintFigure("p99", wall.PercentileMs(0.99), "ms", shape.goal);
    PrintFigure("CPU first", first_cpu_ms, "ms");
    PrintFigure("CPU p50", cpu.PercentileMs(0.5), "ms");
    PrintFigure("CPU p99", cpu.PercentileMs(0.99), "ms");
    return Status::Ok();
  }

  // Runs a check and leaves its time out of the query's.
  Status Check(const std::function<Status()>& check) {
    const double start_us = NowUs();
    const double start_cpu_us = ThreadCpuUs();
    Status outcome = check();
    checking_us_ += NowUs() - start_us;
    checking_cpu_us_ += ThreadCpuUs() - start_cpu_us;
    return outcome;
  }

  Status AskTrace() {
    const uint64_t trace = random_.Below(load_.trace_count());
    LARDER_ASSIGN_OR_RETURN(const std::string bytes, ReadTrace(load_.trace_id(trace)));
    return Check([&]() -> Status {
      LARDER_ASSIGN_OR_RETURN(const std::vector<Span> spans, DecodeSpans(bytes));
      const uint64_t sent = load_.trace_template(trace).span_count;
      return spans.size() == sent ? Status::Ok() : Status::DataLoss("spans are missing");
    });
  }

  Status AskAbsentTrace() {
    TraceId id;
    for (uint8_t& byte : id.bytes) byte = static_cast<uint8_t>(random_.Next());
    LARDER_ASSIGN_OR_RETURN(const uint64_t count, CountSpans(store_, id));
    return count == 0 ? Status::Ok() : Status::DataLoss("a trace that was never sent");
  }

  Status AskServices() {
    LARDER_ASSIGN_OR_RETURN(const Answer<std::string> answer, store_->Services(0, {}));
    if (!checks_) return Status::Ok();
    std::set<std::string> sent(session_.templates.services.begin(),
                               session_.templates.services.end());
    sent.erase("");
    const std::set<std::string> found(answer.values.begin(), answer.values.end());
    const bool plausible = std::includes(sent.begin(), sent.end(), found.begin(), found.end()) &&
                           found.contains(facts_.service);
    return plausible ? Status::Ok() : Status::DataLoss("not the services that were sent");
  }

  Status AskOperations() {
    LARDER_ASSIGN_OR_RETURN(const Answer<Operation> answer,
                            store_->Operations(0, facts_.service, -1, {}));
    const bool found =
        std::any_of(answer.values.begin(), answer.values.end(),
                    [&](const Operation& operation) { return operation.name == facts_.operation; });
    return found ? Status::Ok() : Status::DataLoss("an operation is missing");
  }

  // What the first question after a seal costs: of all that a question remembers, only what is new
  // is to be read.
  Status MeasureAfterSeal() {
    PrintTitle("dependencies, first after one more segment");
    std::vector<Dependency> expected = ExpectedDependencies(session_.templates, load_);
    for (uint64_t i = 1; i <= 3; ++i) {
      WorkloadOptions options = session_.load;
      options.seed += 1000 + i;
      options.spans = 250'000;
      options.epoch_ns = Clock::System().NowUnixNanos();
      options.spans_per_s = 100'000;
      Workload more(&session_.templates, options);
      LARDER_RETURN_IF_ERROR(Fill(session_, &more, store_).status());
      LARDER_RETURN_IF_ERROR(store_->Flush());
      expected = Sum(expected, ExpectedDependencies(session_.templates, more));
      const double asked_us = NowUs();
      const double asked_cpu_us = ThreadCpuUs();
      LARDER_ASSIGN_OR_RETURN(const Answer<Dependency> answer, store_->Dependencies(0, {}, {}));
      const double cpu_us = ThreadCpuUs() - asked_cpu_us;
      PrintFigure("wall", (NowUs() - asked_us) / 1000, "ms", "<= 100 ms");
      PrintFigure("CPU", cpu_us / 1000, "ms");
      if (answer.values != expected) return Status::DataLoss("not the calls that were sent");
    }
    PrintFigure("what queries remember", static_cast<double>(store_->stats().query_bytes) / 1024,
                "KiB");
    return Status::Ok();
  }

  static std::vector<Dependency> Sum(const std::vector<Dependency>& a,
                                     const std::vector<Dependency>& b) {
    std::map<std::pair<std::string, std::string>, uint64_t> calls;
    for (const Dependency& call : a) calls[{call.parent, call.child}] += call.call_count;
    for (const Dependency& call : b) calls[{call.parent, call.child}] += call.call_count;
    std::vector<Dependency> sum;
    for (const auto& [pair, count] : calls) sum.push_back({pair.first, pair.second, count});
    return sum;
  }

  Status AskDependencies() {
    const uint64_t now_ns = Clock::System().NowUnixNanos();
    const TimeRange day = {now_ns - 24 * 3600 * 1'000'000'000ull, now_ns + 3600 * 1'000'000'000ull};
    LARDER_ASSIGN_OR_RETURN(const Answer<Dependency> answer, store_->Dependencies(0, day, {}));
    if (!checks_) return Status::Ok();
    return Check([&] {
      const bool equal = answer.values == ExpectedDependencies(session_.templates, load_);
      return equal ? Status::Ok() : Status::DataLoss("not the calls that were sent");
    });
  }

  TraceQuery Query(const LegacySearch& search, uint32_t depth) const {
    TraceQuery query;
    query.start = search.start;
    query.filter = LowerLegacySearch(search);
    query.depth = depth;
    return query;
  }

  Status AskTraces(const LegacySearch& search, uint32_t depth) {
    const std::unique_ptr<TraceCursor> cursor = store_->FindTraces(Query(search, depth), {});
    std::vector<std::string> traces;
    TraceId last;
    while (true) {
      LARDER_ASSIGN_OR_RETURN(TraceChunk chunk, cursor->Next());
      if (chunk.end) break;
      if (traces.empty() || chunk.trace_id != last) traces.emplace_back();
      last = chunk.trace_id;
      traces.back() += chunk.traces_data;
    }
    if (!checks_) return Status::Ok();
    found_ = traces.size();
    if (traces.size() > depth) return Status::DataLoss("more traces than asked for");
    return Check([&]() -> Status {
      for (const std::string& trace : traces) {
        LARDER_ASSIGN_OR_RETURN(const std::vector<Span> spans, DecodeSpans(trace));
        if (!TraceMatches(spans, search)) return Status::DataLoss("a trace that does not match");
      }
      return Status::Ok();
    });
  }

  // Ids alone: what the filter costs, without the encoding of the traces it finds.
  Status AskFilter(const NamedFilter& named) {
    TraceQuery query;
    query.filter = named.filter;
    query.depth = 20;
    LARDER_ASSIGN_OR_RETURN(const Answer<FoundTrace> answer, store_->FindTraceIds(query, {}));
    if (!checks_) return Status::Ok();
    found_ = answer.values.size();
    return Check([&]() -> Status {
      for (const FoundTrace& found : answer.values) {
        LARDER_ASSIGN_OR_RETURN(const std::string bytes, ReadTrace(found.trace_id));
        LARDER_ASSIGN_OR_RETURN(const std::vector<Span> spans, DecodeSpans(bytes));
        if (!TraceMatches(spans, named.filter)) {
          return Status::DataLoss("a trace that does not match");
        }
      }
      return Status::Ok();
    });
  }

  // The TracesData messages of a trace, one after another.
  Result<std::string> ReadTrace(const TraceId& id) {
    const std::unique_ptr<TraceCursor> cursor = store_->GetTraces(0, {id}, {});
    std::string bytes;
    while (true) {
      LARDER_ASSIGN_OR_RETURN(const TraceChunk chunk, cursor->Next());
      if (chunk.end) return bytes;
      bytes += chunk.traces_data;
    }
  }

  Status AskIds() {
    LARDER_ASSIGN_OR_RETURN(const Answer<FoundTrace> answer,
                            store_->FindTraceIds(Query(OfService(facts_.service), 20), {}));
    const bool sorted = std::is_sorted(answer.values.begin(), answer.values.end(),
                                       [](const FoundTrace& a, const FoundTrace& b) {
                                         return a.latest_match_ns > b.latest_match_ns;
                                       });
    if (!sorted) return Status::DataLoss("not the latest match first");
    return answer.values.empty() ? Status::DataLoss("nothing found") : Status::Ok();
  }

  Status AskSummaries() {
    LARDER_ASSIGN_OR_RETURN(const Answer<TraceSummary> answer,
                            store_->FindSummaries(Query(OfService(facts_.service), 20), {}));
    for (const TraceSummary& summary : answer.values) {
      const bool has = std::any_of(
          summary.services.begin(), summary.services.end(),
          [&](const ServiceSummary& service) { return service.service == facts_.service; });
      if (!has) return Status::DataLoss("a summary without the service asked for");
    }
    return answer.values.empty() ? Status::DataLoss("nothing found") : Status::Ok();
  }

  const Session& session_;
  const Workload& load_;
  Store* const store_;
  const QueryFacts facts_;
  const std::vector<NamedFilter> filters_;
  Random random_;
  bool checks_ = false;
  uint64_t found_ = UINT64_MAX;  // traces that a search answered with; UINT64_MAX: no search
  double checking_us_ = 0;       // of the query that runs, to be left out
  double checking_cpu_us_ = 0;
};

}  // namespace

Status RunQuery(Flags* flags) {
  LARDER_ASSIGN_OR_RETURN(const Session session, ReadSession(flags, 1'000'000, 1));
  const uint64_t runs = flags->Number("runs", 200);
  LARDER_RETURN_IF_ERROR(flags->CheckAllKnown());
  LARDER_ASSIGN_OR_RETURN(const std::vector<Span> spans, LookAt(session.templates, session.load));
  LARDER_ASSIGN_OR_RETURN(std::vector<NamedFilter> filters, FiltersByShape(spans));
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, Store::Open(session.store));
  Workload load(&session.templates, session.load);
  LARDER_ASSIGN_OR_RETURN(const PumpResult sent, Fill(session, &load, store.get()));
  LARDER_RETURN_IF_ERROR(store->Settle());
  const StoreStats stats = store->stats();
  PrintTitle("the store");
  PrintFigure("spans", static_cast<double>(sent.spans), "");
  PrintFigure("segments", static_cast<double>(stats.segments), "");
  PrintFigure("partitions", static_cast<double>(stats.partitions), "");
  LARDER_RETURN_IF_ERROR(
      QueryBench(session, load, store.get(), PickFacts(spans), std::move(filters)).Run(runs));
  PrintTitle("memory");
  PrintFigure("peak, filling included", static_cast<double>(FactsOf(0).peak_rss_bytes) / (1 << 20),
              "MiB");
  return Status::Ok();
}

}  // namespace larder::bench
