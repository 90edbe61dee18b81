// larder tier: the operator's verbs of the cold tier. `check` tries its configuration before a
// server relies on it.
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "plugin/program/commands.h"
#include "plugin/program/environment.h"
#include "plugin/settings/settings.h"
#include "tiering/directory/directory_tier.h"
#include "tiering/sls_tier/sls_check.h"

namespace larder {
namespace {

int Fail(const Status& status, int exit_code) {
  std::fprintf(stderr, "larder tier check: %s\n", std::string(status.message()).c_str());
  return exit_code;
}

int Report(const std::vector<TierCheckStep>& steps) {
  for (const TierCheckStep& step : steps) {
    const std::string text = step.status.ok() ? step.note : std::string(step.status.message());
    std::printf("%-12s %-6s %s\n", step.what.c_str(), step.status.ok() ? "ok" : "FAILED",
                text.c_str());
  }
  if (!steps.empty() && !steps.back().status.ok()) return kExitFailure;
  std::printf("the tier is ready\n");
  return kExitOk;
}

Status CheckDirectory(const std::string& path, bool create) {
  return create ? CreateDirectoryTier({.path = path}) : CheckDirectoryTier({.path = path});
}

int Check(std::vector<std::string> arguments) {
  // Shorter than the setting's own name, for the one time that it is wanted.
  for (std::string& argument : arguments) {
    if (argument == "--create") argument = "--tier.sls.create";
  }
  auto settings = LoadSettings({.arguments = arguments, .environment = Environment()});
  if (!settings.ok()) return Fail(settings.status(), kExitUsage);
  const TierOptions& tier = settings->tier;
  if (const Status status = CheckTierOptions(tier); !status.ok()) return Fail(status, kExitUsage);
  switch (tier.kind) {
    case TierKind::kDirectory:
      return Report(
          {{"directory", CheckDirectory(tier.directory, tier.sls.create), tier.directory}});
    case TierKind::kSls: {
      const auto client = SlsClient::Make(tier.sls);
      if (!client.ok()) return Fail(client.status(), kExitUsage);
      return Report(CheckSlsTier(tier, client->get()));
    }
    default:
      return Fail(Status::InvalidArgument("the tier is off; say where it is with tier.kind"),
                  kExitUsage);
  }
}

}  // namespace

int RunTier(const std::vector<std::string>& arguments) {
  if (!arguments.empty() && arguments[0] == "check") {
    return Check({arguments.begin() + 1, arguments.end()});
  }
  if (!arguments.empty() && arguments[0] == "status") {
    return RunTierStatus({arguments.begin() + 1, arguments.end()});
  }
  if (!arguments.empty() && arguments[0] == "fetch") {
    return RunTierFetch({arguments.begin() + 1, arguments.end()});
  }
  std::fputs(HelpText("tier").c_str(), stderr);
  return kExitUsage;
}

}  // namespace larder
