// larder tier status: what a server that runs says of its cold tier.
#include <cinttypes>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <httplib.h>
#include <nlohmann/json.hpp>

#include "plugin/program/admin_client.h"
#include "plugin/program/commands.h"

namespace larder {
namespace {

constexpr char kUsage[] =
    "usage: larder tier status [--admin URL] [--token-file FILE] [--json]\n\n"
    "Asks a server that runs how far its spans are on their way to the cold tier. URL is its "
    "admin\n"
    "port (default http://127.0.0.1:17270); FILE has the bearer token, when one is asked for. Of "
    "a\n"
    "stopped server larder inspect DIR tells. The settings are tier.* of larder help serve.\n";

struct Asked {
  AdminAddress address;
  bool as_json = false;
};

bool Parse(const std::vector<std::string>& arguments, Asked* asked) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--json") {
      asked->as_json = true;
    } else if (!TakeAdminFlag(arguments, &i, &asked->address)) {
      return false;
    }
  }
  return true;
}

int Fail(std::string_view why, int exit_code = kExitFailure) {
  std::fprintf(stderr, "larder tier status: %.*s\n", static_cast<int>(why.size()), why.data());
  return exit_code;
}

void PrintLine(const char* name, const nlohmann::json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  std::printf("%-28s %s\n", name, text.c_str());
}

void PrintTable(const nlohmann::json& tier) {
  constexpr std::pair<const char*, const char*> kLines[] = {
      {"tier", "name"},
      {"partitions to be uploaded", "partitions_waiting"},
      {"spans to be uploaded", "spans_waiting"},
      {"spans uploaded since start", "spans_uploaded"},
      {"partitions in the tier alone", "partitions_cold"},
      {"spans in the tier alone", "spans_cold"},
      {"partitions in another tier", "partitions_elsewhere"},
      {"partitions fetched for now", "partitions_fetched"},
      {"spans of those", "spans_fetched"},
      {"bytes of those", "bytes_fetched"},
      {"partitions lost for space", "partitions_lost"},
      {"failed attempts", "failures"},
  };
  for (const auto& [name, key] : kLines) {
    // The server may be older than this program.
    if (tier.contains(key)) PrintLine(name, tier[key]);
  }
  const std::string error = tier.value("last_error", "");
  PrintLine("last error", error.empty() ? "none" : error);
}

}  // namespace

int RunTierStatus(const std::vector<std::string>& arguments) {
  Asked asked;
  if (!Parse(arguments, &asked)) {
    std::fputs(kUsage, stderr);
    return kExitUsage;
  }
  const auto access = AccessTo(asked.address);
  if (!access.ok()) return Fail(access.status().message(), ExitCodeOf(access.status()));
  const std::string& admin = access->url;
  httplib::Client client(admin);
  const auto reply = client.Get("/status", access->headers);
  if (!reply) return Fail(admin + " does not answer: is the server running?");
  if (reply->status != 200) {
    return Fail(admin + " answers " + std::to_string(reply->status) + ": " + reply->body);
  }
  const auto status = nlohmann::json::parse(reply->body, nullptr, /*allow_exceptions=*/false);
  if (!status.is_object()) return Fail(admin + " is no admin port of larder");
  if (!status.contains("tier"))
    return Fail("the server has no cold tier (tier.kind), or opens yet");
  if (asked.as_json) {
    std::printf("%s\n", status["tier"].dump(2).c_str());
  } else {
    PrintTable(status["tier"]);
  }
  return kExitOk;
}

}  // namespace larder
