// larder tier status: what a server that runs says of its cold tier.
#include <cinttypes>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include <httplib.h>
#include <nlohmann/json.hpp>

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

constexpr char kDefaultAdmin[] = "http://127.0.0.1:17270";

struct Asked {
  std::string admin = kDefaultAdmin;
  std::string token_file;
  bool as_json = false;
};

bool Parse(const std::vector<std::string>& arguments, Asked* asked) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool has_value = i + 1 < arguments.size();
    if (arguments[i] == "--json") {
      asked->as_json = true;
    } else if (arguments[i] == "--admin" && has_value) {
      asked->admin = arguments[++i];
    } else if (arguments[i] == "--token-file" && has_value) {
      asked->token_file = arguments[++i];
    } else {
      return false;
    }
  }
  return true;
}

int Fail(const std::string& why) {
  std::fprintf(stderr, "larder tier status: %s\n", why.c_str());
  return kExitFailure;
}

void PrintLine(const char* name, const nlohmann::json& value) {
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  std::printf("%-28s %s\n", name, text.c_str());
}

void PrintTable(const nlohmann::json& tier) {
  PrintLine("tier", tier["name"]);
  PrintLine("partitions to be uploaded", tier["partitions_waiting"]);
  PrintLine("spans to be uploaded", tier["spans_waiting"]);
  PrintLine("spans uploaded since start", tier["spans_uploaded"]);
  PrintLine("partitions in the tier alone", tier["partitions_cold"]);
  PrintLine("spans in the tier alone", tier["spans_cold"]);
  PrintLine("partitions in another tier", tier["partitions_elsewhere"]);
  PrintLine("partitions lost for space", tier["partitions_lost"]);
  PrintLine("failed attempts", tier["failures"]);
  PrintLine("last error", tier["last_error"] == "" ? nlohmann::json("none") : tier["last_error"]);
}

}  // namespace

int RunTierStatus(const std::vector<std::string>& arguments) {
  Asked asked;
  if (!Parse(arguments, &asked)) {
    std::fputs(kUsage, stderr);
    return kExitUsage;
  }
  httplib::Headers headers;
  if (!asked.token_file.empty()) {
    std::string token;
    std::ifstream file(asked.token_file);
    if (!std::getline(file, token)) return Fail(asked.token_file + " cannot be read");
    headers.emplace("Authorization", "Bearer " + token);
  }
  httplib::Client client(asked.admin);
  const auto reply = client.Get("/status", headers);
  if (!reply) return Fail(asked.admin + " does not answer: is the server running?");
  if (reply->status != 200) {
    return Fail(asked.admin + " answers " + std::to_string(reply->status) + ": " + reply->body);
  }
  const auto status = nlohmann::json::parse(reply->body, nullptr, /*allow_exceptions=*/false);
  if (!status.is_object()) return Fail(asked.admin + " is no admin port of larder");
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
