#include <algorithm>
#include <string>

#include "bench/process_facts.h"
#include "bench/report.h"
#include "bench/session.h"
#include "bench/verbs.h"

namespace larder::bench {
namespace {

// Deals requests out to tenants in turns.
class TenantsTarget : public Target {
 public:
  TenantsTarget(Store* store, std::vector<TenantId> tenants)
      : store_(store), tenants_(std::move(tenants)) {}

  void Send(const std::string& otlp, std::function<void(SendOutcome)> done) override {
    const TenantId tenant = tenants_[next_++ % tenants_.size()];
    const std::shared_ptr<const void> borrowed(&otlp, [](const void*) {});
    store_->WriteAsync({.tenant = tenant, .otlp = otlp, .owner = borrowed},
                       [done = std::move(done)](WriteResult written) {
                         done({.status = std::move(written.status),
                               .rejected_spans = written.rejected_spans,
                               .retry_after_ms = written.retry_after_ms});
                       });
  }

 private:
  Store* const store_;
  const std::vector<TenantId> tenants_;
  size_t next_ = 0;
};

Result<std::vector<TenantId>> OpenTenants(Store* store, uint64_t count) {
  std::vector<TenantId> tenants;
  for (uint64_t i = 0; i < count; ++i) {
    LARDER_ASSIGN_OR_RETURN(tenants.emplace_back(), store->OpenTenant("t" + std::to_string(i)));
  }
  return tenants;
}

// What a tenant takes that has sent one request.
Status PrintSmallHeads(Store* store, Workload* load, const std::vector<TenantId>& tenants,
                       uint64_t* spans) {
  Request request;
  for (const TenantId tenant : tenants) {
    if (!load->Next(&request)) return Status::InvalidArgument("--spans: too few for the tenants");
    const WriteResult written = store->Write({.tenant = tenant, .otlp = request.otlp});
    LARDER_RETURN_IF_ERROR(written.status);
    *spans += written.accepted_spans;
  }
  const StoreStats stats = store->stats();
  PrintTitle("one request of each tenant");
  PrintFigure("spans", static_cast<double>(*spans), "");
  PrintFigure("still in the head", static_cast<double>(stats.head_rows), "spans");
  PrintFigure("head, a tenant",
              static_cast<double>(stats.head_bytes) / 1024 / static_cast<double>(tenants.size()),
              "KiB");
  return Status::Ok();
}

Status CheckTenants(Store* store, uint64_t tenants, uint64_t spans) {
  uint64_t rows = 0;
  uint64_t found = 0;
  for (const TenantStatus& tenant : store->TenantStatuses()) {
    rows += tenant.rows;
    found += tenant.rows > 0 ? 1 : 0;
  }
  if (rows == spans && found == tenants) return Status::Ok();
  return Status::DataLoss("sent " + std::to_string(spans) + " spans of " + std::to_string(tenants) +
                          " tenants, the store has " + std::to_string(rows) + " of " +
                          std::to_string(found));
}

}  // namespace

// Many tenants that all send at once.
Status RunTenants(Flags* flags) {
  LARDER_ASSIGN_OR_RETURN(Session session, ReadSession(flags, 1'000'000, 0));
  const uint64_t count = std::max<uint64_t>(flags->Number("tenants", 1000), 1);
  LARDER_RETURN_IF_ERROR(flags->CheckAllKnown());
  session.store.tenants.tenants_max = static_cast<uint32_t>(count);
  LARDER_ASSIGN_OR_RETURN(const std::unique_ptr<Store> store, Store::Open(session.store));
  LARDER_ASSIGN_OR_RETURN(const std::vector<TenantId> tenants, OpenTenants(store.get(), count));
  Workload load(&session.templates, session.load);
  uint64_t first_spans = 0;
  LARDER_RETURN_IF_ERROR(PrintSmallHeads(store.get(), &load, tenants, &first_spans));
  const ProcessFacts before = FactsOf(0);
  TenantsTarget target(store.get(), tenants);
  LARDER_ASSIGN_OR_RETURN(PumpResult sent, Pump(&load, &target, session.in_flight));
  const ProcessFacts filled = FactsOf(0);
  const StoreStats unsettled = store->stats();
  LARDER_RETURN_IF_ERROR(store->Settle());
  const ProcessFacts settled = FactsOf(0);
  LARDER_RETURN_IF_ERROR(CheckTenants(store.get(), count, first_spans + sent.spans));
  const StoreStats stats = store->stats();
  const auto spans = static_cast<double>(std::max<uint64_t>(sent.spans, 1));
  PrintTitle("all of them at once");
  PrintFigure("spans", spans, "");
  PrintFigure("acknowledged", spans * 1e6 / sent.wall_us, "spans/s");
  PrintFigure("acknowledged after, p99", sent.acks.PercentileMs(0.99), "ms");
  PrintFigure("refused for the moment and sent again", static_cast<double>(sent.retries),
              "requests");
  PrintFigure("segments a tenant, not settled",
              static_cast<double>(unsettled.segments) / static_cast<double>(count), "");
  PrintFigure("store, CPU, everything settled",
              (settled.cpu_us - before.cpu_us - sent.client_cpu_us) / spans, "us/span");
  PrintFigure("  seal", static_cast<double>(stats.seal_cpu_ns) / 1e3 / spans, "us/span");
  PrintFigure("  merge, close, retention",
              static_cast<double>(stats.maintenance_cpu_ns) / 1e3 / spans, "us/span");
  PrintFigure("segments, settled", static_cast<double>(stats.segments), "");
  PrintFigure("on disk, settled", static_cast<double>(stats.stored_bytes) / spans, "B/span");
  PrintFigure("peak while ingesting, generator included",
              static_cast<double>(filled.peak_rss_bytes) / (1 << 20), "MiB");
  PrintFigure("of it the generator's, about", static_cast<double>(load.memory_bytes()) / (1 << 20),
              "MiB");
  return Status::Ok();
}

}  // namespace larder::bench
