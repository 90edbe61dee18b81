// The verbs of the program `larder`, one file each.
#pragma once

#include <string>
#include <vector>

namespace larder {

// Exit codes, as `larder help serve` documents them.
enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,      // anything not below; verify: faults were found
  kExitUsage = 2,        // unknown verb, flag or key; bad value
  kExitNewerFormat = 3,  // the data directory was written by a newer version
  kExitLiveOwner = 4,    // another process has the data directory
  kExitNotWritable = 5,  // the data directory cannot be written (or is not on a local disk)
};

// `arguments` are those behind the verb. Each writes to standard output and error, and returns the
// exit code.
int RunServe(const std::vector<std::string>& arguments);
int RunInspect(const std::vector<std::string>& arguments);
int RunVerify(const std::vector<std::string>& arguments);
int RunTier(const std::vector<std::string>& arguments);
int RunTierStatus(const std::vector<std::string>& arguments);
int RunTierFetch(const std::vector<std::string>& arguments);

// Whether Jaeger started this program as its storage plugin, and what it does then: `arguments` are
// all that Jaeger gave.
bool IsSidecar();
int RunSidecar(const std::vector<std::string>& arguments);

// "serve", "tier" or empty.
std::string HelpText(const std::string& topic);

}  // namespace larder
