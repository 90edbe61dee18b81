#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <malloc.h>

#include "plugin/program/commands.h"
#include "plugin/settings/setting_value.h"
#include "plugin/version.h"

namespace larder {
namespace {

void Print(std::FILE* to, const std::string& text) { std::fputs(text.c_str(), to); }

bool IsHelp(const std::string& word) { return word == "help" || word == "--help" || word == "-h"; }

int Help(const std::vector<std::string>& arguments) {
  Print(stdout, HelpText(arguments.empty() ? "" : arguments[0]));
  return kExitOk;
}

// glibc gives memory in arenas, up to eight for each core, and what one thread frees no thread of
// another arena gets. Few are enough for this program, which hardly allocates in its hot paths.
void BoundArenas() {
  constexpr int kArenasMax = 4;
  const char* const tunables = std::getenv("GLIBC_TUNABLES");
  const bool is_told = std::getenv("MALLOC_ARENA_MAX") != nullptr ||
                       (tunables != nullptr && std::strstr(tunables, "arena_max") != nullptr);
  if (!is_told) ::mallopt(M_ARENA_MAX, kArenasMax);
}

int Run(const std::vector<std::string>& words) {
  // A verb means a person, though that person's environment may be Jaeger's.
  if (IsSidecar() && (words.empty() || words[0] == "--config")) return RunSidecar(words);
  if (words.empty()) {
    Print(stderr, HelpText(""));
    return kExitUsage;
  }
  const std::string& verb = words[0];
  const std::vector<std::string> arguments(words.begin() + 1, words.end());
  if (IsHelp(verb)) return Help(arguments);
  if (verb == "--version" || verb == "version") {
    Print(stdout, "larder " + std::string(kVersion) + "\n");
    return kExitOk;
  }
  for (const std::string& argument : arguments) {
    if (argument == "--help" || argument == "-h") return Help({verb});
  }
  if (verb == "serve") return RunServe(arguments);
  if (verb == "inspect") return RunInspect(arguments);
  if (verb == "verify") return RunVerify(arguments);
  if (verb == "tier") return RunTier(arguments);
  Print(stderr, "larder: unknown verb '" + verb + "'" +
                    Suggestion(verb, {"serve", "inspect", "verify", "tier", "help"}) +
                    " (larder --help lists all)\n");
  return kExitUsage;
}

}  // namespace
}  // namespace larder

int main(int argc, char** argv) {
  larder::BoundArenas();
  return larder::Run({argv + 1, argv + argc});
}
