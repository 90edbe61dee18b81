#include "plugin/admin/metrics.h"

#include <algorithm>
#include <ctime>
#include <fstream>
#include <string_view>

#include <unistd.h>

namespace larder {
namespace {

constexpr double kNanosPerSecond = 1e9;
constexpr size_t kTenantsShown = 100;

// One metric that is a number of the store.
struct StoreMetric {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  double (*value)(const StoreStats& stats);
};

template <auto kMember>
double Plain(const StoreStats& stats) {
  return static_cast<double>(stats.*kMember);
}
template <auto kMember>
double Seconds(const StoreStats& stats) {
  return static_cast<double>(stats.*kMember) / kNanosPerSecond;
}

using S = StoreStats;
using T = TierStats;

template <auto kMember>
double OfTier(const StoreStats& stats) {
  return static_cast<double>(stats.tier.*kMember);
}

constexpr StoreMetric kStoreMetrics[] = {
    {"larder_spans_accepted_total", "counter", "Spans stored.", Plain<&S::spans_accepted>},
    {"larder_spans_rejected_total", "counter", "Spans refused one by one as malformed.",
     Plain<&S::spans_rejected>},
    {"larder_spans_duplicate_total", "counter", "Spans of requests that had been stored before.",
     Plain<&S::spans_duplicate>},
    {"larder_requests_refused_total", "counter", "Requests refused for overload or a full disk.",
     Plain<&S::requests_refused>},
    {"larder_journal_written_bytes_total", "counter", "Bytes written to journals.",
     Plain<&S::journal_bytes_written>},
    {"larder_journal_syncs_total", "counter", "Syncs of journals.", Plain<&S::journal_syncs>},
    {"larder_segment_written_bytes_total", "counter", "Bytes written to segments by sealing.",
     Plain<&S::segment_bytes_written>},
    {"larder_index_written_bytes_total", "counter", "Bytes written to partition indexes.",
     Plain<&S::index_bytes_written>},
    {"larder_merge_written_bytes_total", "counter", "Bytes written to segments by merging.",
     Plain<&S::merge_bytes_written>},
    {"larder_journal_records_set_aside_total", "counter", "Damaged journal records set aside.",
     Plain<&S::records_set_aside>},
    {"larder_read_gaps_total", "counter", "Parts that a query could not read.",
     Plain<&S::read_gaps>},
    {"larder_partitions_dropped_total", "counter", "Partitions dropped by retention.",
     Plain<&S::partitions_dropped>},
    {"larder_head_spans", "gauge", "Spans in memory, not yet in a segment.", Plain<&S::head_rows>},
    {"larder_head_bytes", "gauge", "Memory of those spans.", Plain<&S::head_bytes>},
    {"larder_cache_bytes", "gauge", "Memory of the page cache.", Plain<&S::cache_bytes>},
    {"larder_query_bytes", "gauge", "Memory of running queries.", Plain<&S::query_bytes>},
    {"larder_segments", "gauge", "Segments on disk.", Plain<&S::segments>},
    {"larder_partitions", "gauge", "Partitions on disk.", Plain<&S::partitions>},
    {"larder_stored_spans", "gauge", "Spans in segments.", Plain<&S::stored_rows>},
    {"larder_stored_bytes", "gauge", "Bytes of segments and indexes on disk.",
     Plain<&S::stored_bytes>},
    {"larder_archive_spans", "gauge", "Spans in segments of the archive, among the stored ones.",
     Plain<&S::archive_rows>},
    {"larder_archive_bytes", "gauge", "Bytes of the archive on disk, among the stored ones.",
     Plain<&S::archive_bytes>},
    {"larder_journal_bytes", "gauge", "Bytes of journals on disk.", Plain<&S::journal_bytes>},
    {"larder_oldest_arrival_timestamp_seconds", "gauge",
     "When the oldest partition began to fill; 0 when there is none.",
     Seconds<&S::oldest_arrival_ns>},
    {"larder_append_cpu_seconds_total", "counter", "CPU time of walking and appending requests.",
     Seconds<&S::append_cpu_ns>},
    {"larder_journal_cpu_seconds_total", "counter", "CPU time of writing journals.",
     Seconds<&S::journal_cpu_ns>},
    {"larder_seal_cpu_seconds_total", "counter", "CPU time of sealing segments.",
     Seconds<&S::seal_cpu_ns>},
    {"larder_maintenance_cpu_seconds_total", "counter",
     "CPU time of closing, merging and retention.", Seconds<&S::maintenance_cpu_ns>},
    {"larder_tier_spans_uploaded_total", "counter",
     "Spans that the cold tier has taken and confirmed.", OfTier<&T::spans_uploaded>},
    {"larder_tier_uploaded_bytes_total", "counter",
     "Bytes that brought packs to the cold tier, compressed, as they went over the wire.",
     OfTier<&T::bytes_uploaded>},
    {"larder_tier_packs_uploaded_total", "counter", "Packs sent to the cold tier.",
     OfTier<&T::packs_uploaded>},
    {"larder_tier_packs_resent_total", "counter",
     "Packs sent again because they did not arrive whole.", OfTier<&T::packs_resent>},
    {"larder_tier_requests_total", "counter", "Requests that carried packs.", OfTier<&T::requests>},
    {"larder_tier_failures_total", "counter", "Failed attempts to move spans to the cold tier.",
     OfTier<&T::failures>},
    {"larder_tier_partitions_evicted_total", "counter",
     "Partitions whose local copy went, since the cold tier has them.",
     OfTier<&T::partitions_evicted>},
    {"larder_tier_partitions_kept_total", "counter",
     "Partitions that are in the cold tier and stay here, since a page of them cannot be read.",
     OfTier<&T::partitions_kept>},
    {"larder_tier_partitions_lost_total", "counter",
     "Partitions dropped for space before the cold tier had them.", OfTier<&T::partitions_lost>},
    {"larder_tier_partitions_fetched_total", "counter",
     "Evicted partitions that were fetched back, each time anew.", OfTier<&T::partitions_fetched>},
    {"larder_tier_spans_fetched_total", "counter", "Spans of those.", OfTier<&T::spans_fetched>},
    {"larder_tier_cpu_seconds_total", "counter", "CPU time of packing and sending spans.",
     [](const S& stats) { return static_cast<double>(stats.tier.cpu_ns) / kNanosPerSecond; }},
    {"larder_tier_waiting_partitions", "gauge",
     "Closed partitions that are not whole in the cold tier.", OfTier<&T::waiting_partitions>},
    {"larder_tier_waiting_spans", "gauge", "Spans of those that are still to be sent.",
     OfTier<&T::waiting_rows>},
    {"larder_cold_partitions", "gauge", "Partitions that lie in the cold tier alone.",
     OfTier<&T::cold_partitions>},
    {"larder_cold_spans", "gauge", "Spans of those.", OfTier<&T::cold_rows>},
    {"larder_cold_elsewhere_partitions", "gauge",
     "Partitions that lie in another cold tier than the settings name: gaps in answers.",
     OfTier<&T::elsewhere_partitions>},
    {"larder_fetched_partitions", "gauge",
     "Evicted partitions of which a copy is kept here for a while.",
     OfTier<&T::fetched_partitions>},
    {"larder_fetched_spans", "gauge", "Spans of those; larder_stored_spans counts them too.",
     OfTier<&T::fetched_rows>},
    {"larder_fetched_bytes", "gauge", "Bytes of those; larder_stored_bytes counts them too.",
     OfTier<&T::fetched_bytes>},
    {"larder_cold_local_bytes", "gauge", "Bytes on the local disk that tell what lies there.",
     OfTier<&T::cold_local_bytes>},
    {"larder_writable", "gauge", "1 when spans are taken, 0 when the store only reads.",
     Plain<&S::writable>},
};

class Page {
 public:
  void Describe(std::string_view name, std::string_view type, std::string_view help) {
    text_ += "# HELP " + std::string(name) + " " + std::string(help) + "\n# TYPE " +
             std::string(name) + " " + std::string(type) + "\n";
  }
  // `labels` as in {a="b"}, or empty.
  void Sample(std::string_view name, std::string_view labels, double value) {
    char number[32];
    snprintf(number, sizeof number, " %.15g\n", value);
    text_ += name;
    text_ += labels;
    text_ += number;
  }
  std::string Finish() { return std::move(text_); }

 private:
  std::string text_;
};

std::string Labels(Rpc rpc, std::string_view name = "", const std::string& value = "") {
  std::string labels = "{rpc=\"" + std::string(RpcName(rpc)) + "\"";
  if (!name.empty()) labels += "," + std::string(name) + "=\"" + value + "\"";
  return labels + "}";
}

double Load(const std::atomic<uint64_t>& counter) {
  return static_cast<double>(counter.load(std::memory_order_relaxed));
}

template <typename Body>
void ForEachRpc(Body body) {
  for (size_t i = 0; i < kRpcCount; ++i) body(static_cast<Rpc>(i));
}

void RenderLatency(const RpcMetrics& rpcs, Page* page) {
  constexpr std::string_view kName = "larder_rpc_seconds";
  page->Describe(kName, "histogram", "How long calls took, from their start to their outcome.");
  ForEachRpc([&](Rpc rpc) {
    const RpcMetrics::Method& method = rpcs.of(rpc);
    double cumulative = 0;
    for (size_t i = 0; i < method.by_latency.size(); ++i) {
      cumulative += Load(method.by_latency[i]);
      char bound[32] = "+Inf";
      if (i < RpcMetrics::kBoundsNs.size()) {
        snprintf(bound, sizeof bound, "%g",
                 static_cast<double>(RpcMetrics::kBoundsNs[i]) / kNanosPerSecond);
      }
      page->Sample("larder_rpc_seconds_bucket", Labels(rpc, "le", bound), cumulative);
    }
    page->Sample("larder_rpc_seconds_sum", Labels(rpc),
                 Load(method.latency_sum_ns) / kNanosPerSecond);
    page->Sample("larder_rpc_seconds_count", Labels(rpc), cumulative);
  });
}

void RenderRpcs(const RpcMetrics& rpcs, Page* page) {
  page->Describe("larder_rpc_total", "counter", "Calls that ended, by method and status code.");
  ForEachRpc([&](Rpc rpc) {
    for (size_t code = 0; code < kStatusCodeCount; ++code) {
      const double count = Load(rpcs.of(rpc).by_code[code]);
      const auto name = StatusCodeName(static_cast<StatusCode>(code));
      if (code != 0 && count == 0) continue;
      page->Sample("larder_rpc_total", Labels(rpc, "code", std::string(name)), count);
    }
  });
  page->Describe("larder_rpc_active", "gauge", "Calls that run now.");
  ForEachRpc([&](Rpc rpc) {
    const auto active = rpcs.of(rpc).active.load(std::memory_order_relaxed);
    page->Sample("larder_rpc_active", Labels(rpc), static_cast<double>(active));
  });
  RenderLatency(rpcs, page);
}

// As a label's value: the format asks for these three to be escaped, and for UTF-8.
std::string TenantLabel(std::string_view name) {
  std::string label = "{tenant=\"";
  for (const char c : name) {
    if (c == '\n') {
      label += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') label += '\\';
    label += c < 0x20 || c > 0x7e ? '?' : c;
  }
  return label + "\"}";
}

void RenderTenants(std::vector<TenantStatus> tenants, Page* page) {
  std::erase_if(tenants, [](const TenantStatus& tenant) { return tenant.name.empty(); });
  page->Describe("larder_tenants", "gauge", "Tenants that have ever written.");
  page->Sample("larder_tenants", "", static_cast<double>(tenants.size()));
  std::stable_sort(tenants.begin(), tenants.end(), [](const auto& a, const auto& b) {
    return a.bytes + a.archive_bytes > b.bytes + b.archive_bytes;
  });
  if (tenants.size() > kTenantsShown) {
    TenantStatus rest{.name = "(others)"};
    for (size_t i = kTenantsShown; i < tenants.size(); ++i) {
      rest.rows += tenants[i].rows + tenants[i].archive_rows;
      rest.bytes += tenants[i].bytes + tenants[i].archive_bytes;
    }
    tenants.resize(kTenantsShown);
    tenants.push_back(std::move(rest));
  }
  page->Describe("larder_tenant_stored_spans", "gauge",
                 "Spans in segments by tenant, its archive's among them.");
  for (const TenantStatus& tenant : tenants) {
    page->Sample("larder_tenant_stored_spans", TenantLabel(tenant.name),
                 static_cast<double>(tenant.rows + tenant.archive_rows));
  }
  page->Describe("larder_tenant_stored_bytes", "gauge",
                 "Bytes on disk by tenant, its archive's among them.");
  for (const TenantStatus& tenant : tenants) {
    page->Sample("larder_tenant_stored_bytes", TenantLabel(tenant.name),
                 static_cast<double>(tenant.bytes + tenant.archive_bytes));
  }
}

// The names are Prometheus' own for every process.
void RenderProcess(Page* page) {
  page->Describe("process_cpu_seconds_total", "counter", "CPU time of the process.");
  timespec cpu{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
  page->Sample(
      "process_cpu_seconds_total", "",
      static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) / kNanosPerSecond);
  page->Describe("process_resident_memory_bytes", "gauge", "Resident memory of the process.");
  uint64_t pages = 0;
  uint64_t resident_pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident_pages;
  page->Sample("process_resident_memory_bytes", "",
               static_cast<double>(resident_pages) * static_cast<double>(sysconf(_SC_PAGESIZE)));
}

}  // namespace

std::string RenderMetrics(const StoreStats* stats, const std::vector<TenantStatus>& tenants,
                          const RpcMetrics& rpcs, const StreamWatchNumbers& streams) {
  Page page;
  page.Describe("larder_ready", "gauge", "1 when the store is open, 0 while it opens or closes.");
  page.Sample("larder_ready", "", stats != nullptr ? 1 : 0);
  if (stats != nullptr) {
    for (const StoreMetric& metric : kStoreMetrics) {
      page.Describe(metric.name, metric.type, metric.help);
      page.Sample(metric.name, "", metric.value(*stats));
    }
    RenderTenants(tenants, &page);
  }
  RenderRpcs(rpcs, &page);
  page.Describe("larder_stream_pending_bytes", "gauge",
                "Reply bytes made and not yet taken by their readers.");
  page.Sample("larder_stream_pending_bytes", "", static_cast<double>(streams.pending_bytes));
  page.Describe("larder_streams_stalled_total", "counter",
                "Streams ended because their reader took nothing for too long.");
  page.Sample("larder_streams_stalled_total", "",
              static_cast<double>(streams.stalled_streams_ended));
  RenderProcess(&page);
  return page.Finish();
}

}  // namespace larder
