#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bench/latencies.h"
#include "bench/process_facts.h"
#include "bench/query_facts.h"
#include "bench/report.h"
#include "bench/session.h"
#include "bench/verbs.h"

namespace larder::bench {
namespace {

constexpr uint32_t kPage = 1000;  // the late page
constexpr uint32_t kPageSpans = 100;
constexpr uint32_t kPageTraces = 20;
constexpr uint32_t kStrideSpans = 10'000;  // of the pages on the way to it
constexpr int kRuns = 10;

struct Order {
  std::string name;
  std::vector<SpanSort> terms;
};

// Those that are led by the field `asked`; all when it is empty.
std::vector<Order> Orders(const std::string& asked) {
  std::vector<Order> orders;
  const std::pair<const char*, SpanSortField> kFields[] = {{"startTime", SpanSortField::kStartTime},
                                                           {"duration", SpanSortField::kDuration},
                                                           {"traceID", SpanSortField::kTraceId},
                                                           {"spanID", SpanSortField::kSpanId}};
  for (const auto& [name, field] : kFields) {
    if (!asked.empty() && asked != name) continue;
    for (const bool descending : {true, false}) {
      orders.push_back(
          {std::string(name) + (descending ? " desc" : " asc"), {{field, descending}}});
    }
  }
  return orders;
}

// Reads one page to its end and checks its order; the position behind it.
Result<std::optional<SpanPosition>> ReadPage(Store* store, const SpanQuery& query) {
  const auto cursor = store->FindSpans(query, {});
  for (;;) {
    LARDER_ASSIGN_OR_RETURN(const SpanChunk chunk, cursor->Next());
    if (chunk.end) return std::optional<SpanPosition>();
    if (chunk.next) return chunk.next;
  }
}

Status MeasurePage(Store* store, const SpanQuery& query, const std::string& name) {
  Latencies cpu;
  double first_ms = 0;
  for (int run = 0; run < kRuns; ++run) {
    const double asked_us = ThreadCpuUs();
    LARDER_ASSIGN_OR_RETURN(const auto next, ReadPage(store, query));
    cpu.Add(ThreadCpuUs() - asked_us);
    if (run == 0) first_ms = cpu.PercentileMs(1);
    const SpanOrder order(query.order);
    if (next && query.after && order.Compare(next->key, query.after->key) < 0) {
      return Status::DataLoss("a page that goes back");
    }
  }
  PrintFigure(name + ", CPU first", first_ms, "ms");
  PrintFigure(name + ", CPU p50", cpu.PercentileMs(0.5), "ms");
  return Status::Ok();
}

Status MeasureSpans(Store* store, const Order& order, const FilterNode& filter) {
  SpanQuery query;
  query.order = order.terms;
  query.filter = filter;
  query.page_size = kPageSpans;
  PrintTitle("spans by " + order.name);
  LARDER_RETURN_IF_ERROR(MeasurePage(store, query, "page 1"));
  query.page_size = kStrideSpans;
  for (uint32_t at = 0; at < (kPage - 1) * kPageSpans; at += query.page_size) {
    query.page_size = std::min(kStrideSpans, (kPage - 1) * kPageSpans - at);
    LARDER_ASSIGN_OR_RETURN(query.after, ReadPage(store, query));
    if (!query.after) return Status::Ok();  // a load with fewer spans
  }
  query.page_size = kPageSpans;
  return MeasurePage(store, query, "page 1,000");
}

Status MeasureTraces(Store* store, const FilterNode& filter) {
  TraceQuery query;
  query.filter = filter;
  query.depth = kPageTraces;
  query.says_next = true;
  Latencies early;
  Latencies late;
  PrintTitle("ids of 20 traces of a service, page by page");
  for (uint32_t page = 1; page <= kPage; ++page) {
    const double asked_us = ThreadCpuUs();
    LARDER_ASSIGN_OR_RETURN(const Answer<FoundTrace> answer, store->FindTraceIds(query, {}));
    const double cpu_us = ThreadCpuUs() - asked_us;
    if (page <= kPage / 10) early.Add(cpu_us);
    if (page > kPage - kPage / 10) late.Add(cpu_us);
    query.after = answer.next;
    if (!query.after) break;
  }
  PrintFigure("pages 1 to 100, CPU p50", early.PercentileMs(0.5), "ms");
  PrintFigure("pages 1 to 100, CPU p99", early.PercentileMs(0.99), "ms");
  if (late.count() == 0) return Status::Ok();
  PrintFigure("pages 901 to 1,000, CPU p50", late.PercentileMs(0.5), "ms");
  PrintFigure("pages 901 to 1,000, CPU p99", late.PercentileMs(0.99), "ms");
  return Status::Ok();
}

}  // namespace

Status RunPages(Flags* flags) {
  LARDER_ASSIGN_OR_RETURN(const Session session, ReadSession(flags, 1'000'000, 1));
  const std::vector<Order> orders = Orders(flags->Text("order"));
  LARDER_RETURN_IF_ERROR(flags->CheckAllKnown());
  LARDER_ASSIGN_OR_RETURN(const std::vector<Span> spans, LookAt(session.templates, session.load));
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, Store::Open(session.store));
  Workload load(&session.templates, session.load);
  LARDER_RETURN_IF_ERROR(Fill(session, &load, store.get()).status());
  LARDER_RETURN_IF_ERROR(store->Settle());
  LegacySearch search;
  search.service = PickFacts(spans).service;
  const FilterNode of_service = LowerLegacySearch(search);
  LARDER_RETURN_IF_ERROR(MeasureTraces(store.get(), of_service));
  for (const Order& order : orders) {
    LARDER_RETURN_IF_ERROR(MeasureSpans(store.get(), order, FilterNode()));
  }
  PrintNote("below: spans of one service");
  for (const Order& order : orders) {
    LARDER_RETURN_IF_ERROR(MeasureSpans(store.get(), order, of_service));
  }
  PrintTitle("memory");
  PrintFigure("peak, filling included", static_cast<double>(FactsOf(0).peak_rss_bytes) / (1 << 20),
              "MiB");
  return Status::Ok();
}

}  // namespace larder::bench
