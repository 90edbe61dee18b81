// Every setting of `larder serve`: one name, three spellings.
//
//   flag         --memory.limit=256MiB     wins over
//   environment  LARDER_MEMORY_LIMIT       wins over
//   file         memory: {limit: 256MiB}   (YAML, named by --config or LARDER_CONFIG)
//
// settings_table.cc is the list; help, parsing and the status page are all made from it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "plugin/security/security.h"
#include "plugin/server/server.h"
#include "storage/base/log.h"
#include "storage/base/status.h"
#include "storage/engine/store.h"
#include "tiering/tier_options.h"

namespace larder {

struct Settings {
  StoreOptions store;
  ServerOptions server;
  SecurityOptions security;
  TierOptions tier;
  std::string admin_listen = "127.0.0.1:17270";
  std::string otlp_http_listen;  // empty: off
  std::string tenants;           // names, as written
  std::string tenant_limits;     // as written; LoadSettings reads both into `server` and `store`
  bool insecure_listen = false;
  bool enable_purge = false;
  uint64_t shutdown_grace_ms = 10'000;
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
};

// Where a setting's value lies, and which values it takes.
struct TextField {
  std::string& (*at)(Settings& settings);
  std::string_view hint = "DIR";  // what the text is, for the help
  bool is_secret = false;         // never shown
};
struct SwitchField {
  bool& (*at)(Settings& settings);
};
struct NumberField {
  enum class Unit : uint8_t { kDuration, kSize, kCount };
  uint64_t (*get)(const Settings& settings);
  void (*set)(Settings& settings, uint64_t value);
  Unit unit;
  uint64_t min;
  uint64_t max;
  bool zero_is_auto = false;  // the word "auto" stands for 0
};
struct ChoiceField {
  std::span<const std::string_view> words;
  size_t (*get)(const Settings& settings);
  void (*set)(Settings& settings, size_t index);
};

struct Setting {
  std::string_view name;   // "memory.limit"
  std::string_view group;  // heading of the help
  std::string_view help;   // one sentence or two
  std::variant<TextField, SwitchField, NumberField, ChoiceField> field;
};

// In the order of the help; groups lie together. Lives for ever.
std::span<const Setting> SettingsTable();

std::string FlagName(const Setting& setting);         // "--memory.limit"
std::string EnvironmentName(const Setting& setting);  // "LARDER_MEMORY_LIMIT"
// "SIZE", "DURATION", "sync|async"; empty for a switch.
std::string ValueHint(const Setting& setting);

// Reads a value as a user spells it. kInvalidArgument says what is accepted.
Status ApplySetting(const Setting& setting, std::string_view text, Settings* settings);
// The value as a user would spell it; of a secret that is set, a word in its place.
std::string SettingText(const Setting& setting, const Settings& settings);

// What LoadSettings reads from.
struct SettingSources {
  std::vector<std::string> arguments;              // behind `larder serve`
  std::map<std::string, std::string> environment;  // all of it
};

// kInvalidArgument, naming the source and the setting, for a name that is unknown (with the name
// that was probably meant) and for a value that is not accepted. A variable LARDER_... that
// is no setting is passed over, since the environment may be shared with other programs of ours;
// when it looks like a mistyped setting, that is logged.
Result<Settings> LoadSettings(const SettingSources& sources);

// The same from the text of a YAML file alone. `name` is the file, for messages.
Status ApplySettingsFile(std::string_view yaml, const std::string& name, Settings* settings);

// "acme=3d/10GiB, beta=12h, gamma=/1GiB": retention and quota of tenants by name, to `limits`.
Status ParseTenantLimits(std::string_view text,
                         std::vector<std::pair<std::string, TenantLimits>>* limits);

// What must hold between settings: a data directory is given; a certificate has its key; listeners
// are on loopback unless there is a certificate, a token or --insecure-listen; a tier has what its
// kind needs.
Status CheckSettings(const Settings& settings);

}  // namespace larder
