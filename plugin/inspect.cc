#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "plugin/commands.h"
#include "plugin/open_store.h"

namespace larder {
namespace {

void PrintLine(const std::string& name, const std::string& value) {
  std::printf("%-28s %s\n", name.c_str(), value.c_str());
}

}  // namespace

int RunInspect(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1) {
    std::fputs("usage: larder inspect DIR\n", stderr);
    return kExitUsage;
  }
  auto store = OpenExistingStore(arguments[0]);
  if (!store.ok()) {
    std::fprintf(stderr, "larder inspect: %s\n", store.status().ToString().c_str());
    return ExitCodeOfOpen(store.status());
  }
  const StoreStats stats = (*store)->stats();
  PrintLine("partitions", std::to_string(stats.partitions));
  PrintLine("segments", std::to_string(stats.segments));
  PrintLine("spans in segments", std::to_string(stats.stored_rows));
  PrintLine("spans in journals", std::to_string(stats.head_rows));
  PrintLine("bytes of segments, indexes", std::to_string(stats.stored_bytes));
  PrintLine("bytes of journals", std::to_string(stats.journal_bytes));
  std::vector<std::pair<std::string, uint64_t>> sizes;
  if (const Status status = (*store)->SectionSizes(&sizes); !status.ok()) {
    std::fprintf(stderr, "larder inspect: %s\n", status.ToString().c_str());
    return kExitFailure;
  }
  std::printf("\n%-28s %14s %10s\n", "section", "bytes", "per span");
  const double spans = stats.stored_rows == 0 ? 1 : static_cast<double>(stats.stored_rows);
  for (const auto& [section, bytes] : sizes) {
    std::printf("%-28s %14s %10.2f\n", section.c_str(), std::to_string(bytes).c_str(),
                static_cast<double>(bytes) / spans);
  }
  return kExitOk;
}

}  // namespace larder
