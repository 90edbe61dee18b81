// The verb inspect: what a data directory holds, as tables or as JSON.
#include <cinttypes>
#include <cstdio>
#include <ctime>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "plugin/program/commands.h"
#include "plugin/program/open_store.h"

namespace larder {
namespace {

constexpr uint64_t kNanosPerSecond = 1'000'000'000;

struct Contents {
  StoreStats stats;
  std::vector<StoredPartition> partitions;
  std::vector<TenantStatus> tenants;
  std::vector<std::pair<std::string, uint64_t>> sections;  // name, bytes
};

// "2026-11-22 17:30:05" in UTC.
std::string TimeText(uint64_t unix_ns) {
  const auto seconds = static_cast<std::time_t>(unix_ns / kNanosPerSecond);
  std::tm parts{};
  char text[32];
  if (unix_ns == 0 || gmtime_r(&seconds, &parts) == nullptr ||
      std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) == 0) {
    return "-";
  }
  return text;
}

void PrintLine(const char* name, uint64_t value) {
  std::printf("%-28s %" PRIu64 "\n", name, value);
}

void PrintTotals(const StoreStats& stats) {
  PrintLine("partitions", stats.partitions);
  PrintLine("segments", stats.segments);
  PrintLine("spans in segments", stats.stored_rows);
  PrintLine("spans in journals", stats.head_rows);
  PrintLine("bytes of segments, indexes", stats.stored_bytes);
  PrintLine("bytes of journals", stats.journal_bytes);
  if (stats.tier.fetched_partitions > 0) {
    PrintLine("partitions fetched for now", stats.tier.fetched_partitions);
    PrintLine("spans of those", stats.tier.fetched_rows);
  }
  if (stats.tier.cold_partitions == 0) return;
  PrintLine("partitions in the cold tier", stats.tier.cold_partitions);
  PrintLine("spans in the cold tier", stats.tier.cold_rows);
  PrintLine("bytes that stay here of them", stats.tier.cold_local_bytes);
}

void PrintPartitions(const std::vector<StoredPartition>& partitions) {
  std::printf("\n%9s %-9s %-19s   %-19s %8s %12s %14s %7s\n", "partition", "state",
              "first came in (UTC)", "last", "segments", "spans", "bytes", "tenants");
  for (const StoredPartition& partition : partitions) {
    const std::string state = partition.is_archive ? "archive" : std::string(partition.state);
    std::printf("%9" PRIu64 " %-9s %-19s   %-19s %8" PRIu64 " %12" PRIu64 " %14" PRIu64
                " %7" PRIu64,
                partition.id, state.c_str(), TimeText(partition.arrival_min_ns).c_str(),
                TimeText(partition.arrival_max_ns).c_str(), partition.segments,
                partition.rows + partition.cold_rows, partition.bytes + partition.cold_local_bytes,
                partition.tenants);
    if (partition.broken_segments > 0) {
      std::printf("  %" PRIu64 " segments cannot be opened", partition.broken_segments);
    }
    if (!partition.tier.empty()) std::printf("  %s", partition.tier.c_str());
    std::printf("\n");
  }
}

void PrintTenants(const std::vector<TenantStatus>& tenants) {
  std::printf("\n%9s %-28s %12s %14s %14s %14s\n", "tenant", "name", "spans", "bytes",
              "archived spans", "archived bytes");
  for (const TenantStatus& tenant : tenants) {
    std::printf("%9" PRIu64 " %-28s %12" PRIu64 " %14" PRIu64 " %14" PRIu64 " %14" PRIu64 "\n",
                uint64_t{tenant.id}, tenant.name.empty() ? "-" : tenant.name.c_str(), tenant.rows,
                tenant.bytes, tenant.archive_rows, tenant.archive_bytes);
  }
}

void PrintSections(const Contents& contents) {
  std::printf("\n%-28s %14s %10s\n", "section", "bytes", "per span");
  const uint64_t rows = contents.stats.stored_rows;
  const double spans = rows == 0 ? 1 : static_cast<double>(rows);
  for (const auto& [section, bytes] : contents.sections) {
    std::printf("%-28s %14" PRIu64 " %10.2f\n", section.c_str(), bytes,
                static_cast<double>(bytes) / spans);
  }
}

void PrintTables(const Contents& contents) {
  PrintTotals(contents.stats);
  PrintPartitions(contents.partitions);
  PrintTenants(contents.tenants);
  PrintSections(contents);
}

void PrintJson(const Contents& contents) {
  nlohmann::ordered_json document = {
      {"spans_stored", contents.stats.stored_rows},
      {"spans_in_journals", contents.stats.head_rows},
      {"bytes_stored", contents.stats.stored_bytes},
      {"bytes_of_journals", contents.stats.journal_bytes},
      {"partitions", nlohmann::ordered_json::array()},
      {"tenants", nlohmann::ordered_json::array()},
      {"section_bytes", nlohmann::ordered_json::object()},
  };
  for (const StoredPartition& partition : contents.partitions) {
    document["partitions"].push_back({{"id", partition.id},
                                      {"state", partition.state},
                                      {"archive", partition.is_archive},
                                      {"first_arrival_unix_ns", partition.arrival_min_ns},
                                      {"last_arrival_unix_ns", partition.arrival_max_ns},
                                      {"segments", partition.segments},
                                      {"broken_segments", partition.broken_segments},
                                      {"spans", partition.rows},
                                      {"bytes", partition.bytes},
                                      {"cold_spans", partition.cold_rows},
                                      {"cold_local_bytes", partition.cold_local_bytes},
                                      {"tier", partition.tier},
                                      {"tenants", partition.tenants}});
  }
  for (const TenantStatus& tenant : contents.tenants) {
    document["tenants"].push_back({{"id", tenant.id},
                                   {"name", tenant.name},
                                   {"spans", tenant.rows},
                                   {"bytes", tenant.bytes},
                                   {"archived_spans", tenant.archive_rows},
                                   {"archived_bytes", tenant.archive_bytes}});
  }
  for (const auto& [section, bytes] : contents.sections) document["section_bytes"][section] = bytes;
  // Names need not be UTF-8 when the disk flipped a bit of one.
  const std::string text =
      document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  std::fputs(text.c_str(), stdout);
}

}  // namespace

int RunInspect(const std::vector<std::string>& arguments) {
  std::vector<std::string> directories;
  bool as_json = false;
  for (const std::string& argument : arguments) {
    if (argument == "--json") {
      as_json = true;
    } else {
      directories.push_back(argument);
    }
  }
  if (directories.size() != 1 || directories[0].starts_with("-")) {
    std::fputs("usage: larder inspect DIR [--json]\n", stderr);
    return kExitUsage;
  }
  auto store = OpenExistingStore(directories[0]);
  if (!store.ok()) {
    std::fprintf(stderr, "larder inspect: %s\n", store.status().ToString().c_str());
    return ExitCodeOfOpen(store.status());
  }
  Contents contents{.stats = (*store)->stats(),
                    .partitions = (*store)->Partitions(),
                    .tenants = (*store)->TenantStatuses(),
                    .sections = {}};
  if (const Status status = (*store)->SectionSizes(&contents.sections); !status.ok()) {
    std::fprintf(stderr, "larder inspect: %s\n", status.ToString().c_str());
    return kExitFailure;
  }
  as_json ? PrintJson(contents) : PrintTables(contents);
  return kExitOk;
}

}  // namespace larder
