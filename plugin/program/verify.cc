#include <cstdio>
#include <string>
#include <vector>

#include "plugin/program/commands.h"
#include "plugin/program/open_store.h"

namespace larder {

int RunVerify(const std::vector<std::string>& arguments) {
  if (arguments.size() != 1) {
    std::fputs("usage: larder verify DIR\n", stderr);
    return kExitUsage;
  }
  auto store = OpenExistingStore(arguments[0]);
  if (!store.ok()) {
    std::fprintf(stderr, "larder verify: %s\n", store.status().ToString().c_str());
    return ExitCodeOfOpen(store.status());
  }
  std::vector<std::string> faults;
  const Status status = (*store)->Verify(&faults);
  for (const std::string& fault : faults) std::printf("%s\n", fault.c_str());
  if (!status.ok()) {
    std::fprintf(stderr, "larder verify: %s\n", status.ToString().c_str());
    return kExitFailure;
  }
  const StoreStats stats = (*store)->stats();
  const std::string summary = std::to_string(faults.size()) + " faults in " +
                              std::to_string(stats.segments) + " segments of " +
                              std::to_string(stats.partitions) + " partitions";
  std::printf("%s\n", summary.c_str());
  return faults.empty() ? kExitOk : kExitFailure;
}

}  // namespace larder
