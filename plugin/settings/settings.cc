#include "plugin/settings/settings.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "plugin/settings/listen_address.h"
#include "plugin/settings/setting_value.h"
#include "storage/base/file_system.h"

namespace larder {
namespace {

constexpr uint64_t kConfigBytesMax = 1 << 20;
constexpr std::string_view kEnvironmentPrefix = "LARDER_";
constexpr std::string_view kConfigVariable = "LARDER_CONFIG";

const Setting* FindSetting(std::string_view name) {
  for (const Setting& setting : SettingsTable()) {
    if (setting.name == name) return &setting;
  }
  return nullptr;
}

// All names, as one of the sources spells them.
template <typename Spell>
std::vector<std::string> AllNames(Spell spell) {
  std::vector<std::string> names;
  for (const Setting& setting : SettingsTable()) names.emplace_back(spell(setting));
  return names;
}

struct Flag {
  std::string name;  // without the dashes
  std::optional<std::string> value;
};

// A flag's value may follow behind '=' or as the next argument; a switch needs none.
class FlagReader {
 public:
  explicit FlagReader(const std::vector<std::string>& arguments) : arguments_(arguments) {}

  bool done() const { return next_ == arguments_.size(); }

  Result<Flag> Next() {
    const std::string& argument = arguments_[next_++];
    if (!argument.starts_with("--")) {
      return Status::InvalidArgument("unexpected argument '" + argument + "'; flags start with --");
    }
    Flag flag;
    const size_t equals = argument.find('=');
    flag.name = argument.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (equals != std::string::npos) flag.value = argument.substr(equals + 1);
    const Setting* setting = FindSetting(flag.name);
    if (setting == nullptr && flag.name != "config") {
      return Status::InvalidArgument("unknown flag --" + flag.name +
                                     Suggestion("--" + flag.name, AllNames(FlagName)) +
                                     " (larder help serve lists all)");
    }
    const bool is_switch =
        setting != nullptr && std::holds_alternative<SwitchField>(setting->field);
    if (!flag.value && is_switch) flag.value = "true";
    if (!flag.value) {
      if (done()) return Status::InvalidArgument("flag --" + flag.name + " needs a value");
      flag.value = arguments_[next_++];
    }
    return flag;
  }

 private:
  const std::vector<std::string>& arguments_;
  size_t next_ = 0;
};

Status ApplyFile(const std::string& path, Settings* settings) {
  auto text = FileSystem::Posix().Read(path, 0, kConfigBytesMax);
  if (!text.ok()) return text.status().With("configuration file");
  return ApplySettingsFile(*text, path, settings);
}

// The environment is shared with other programs of ours, so a name that is unknown is no error. One
// that looks like a setting's is told all the same.
void WarnOfTypo(const std::string& variable) {
  const auto behind_prefix = [](const Setting& setting) {
    return EnvironmentName(setting).substr(kEnvironmentPrefix.size());
  };
  const std::string suggestion = Suggestion(variable.substr(kEnvironmentPrefix.size()),
                                            AllNames(behind_prefix), kEnvironmentPrefix);
  if (suggestion.empty()) return;
  Log(LogLevel::kWarning, "environment variable " + variable + " is no setting" + suggestion);
}

Status ApplyEnvironment(const std::map<std::string, std::string>& environment, Settings* settings) {
  std::map<std::string, const Setting*> known;
  for (const Setting& setting : SettingsTable()) known[EnvironmentName(setting)] = &setting;
  for (const auto& [name, value] : environment) {
    if (!name.starts_with(kEnvironmentPrefix)) continue;
    const auto found = known.find(name);
    if (found != known.end()) {
      LARDER_RETURN_IF_ERROR(
          ApplySetting(*found->second, value, settings).With("environment variable " + name));
    } else if (name != kConfigVariable) {
      WarnOfTypo(name);
    }
  }
  return Status::Ok();
}

std::string RangeText(const NumberField& field) {
  const auto text = [&](uint64_t value) {
    switch (field.unit) {
      case NumberField::Unit::kDuration:
        return DurationText(value);
      case NumberField::Unit::kSize:
        return SizeText(value);
      default:
        return std::to_string(value);
    }
  };
  if (field.max == UINT64_MAX) return "at least " + text(field.min);
  return "from " + text(field.min) + " to " + text(field.max);
}

Status ApplyNumber(const NumberField& field, std::string_view text, Settings* settings) {
  if (field.zero_is_auto && text == "auto") {
    field.set(*settings, 0);
    return Status::Ok();
  }
  auto value = field.unit == NumberField::Unit::kDuration ? ParseDurationMs(text)
               : field.unit == NumberField::Unit::kSize   ? ParseSizeBytes(text)
                                                          : ParseCount(text);
  if (!value.ok()) return value.status();
  if (*value < field.min || *value > field.max) {
    return Status::InvalidArgument("'" + std::string(text) + "' is out of bounds; accepted is " +
                                   RangeText(field) + (field.zero_is_auto ? ", or auto" : ""));
  }
  field.set(*settings, *value);
  return Status::Ok();
}

std::string JoinWords(std::span<const std::string_view> words, std::string_view separator) {
  std::string joined;
  for (const std::string_view word : words) {
    if (!joined.empty()) joined += separator;
    joined += word;
  }
  return joined;
}

Status ApplyChoice(const ChoiceField& field, std::string_view text, Settings* settings) {
  const auto found = std::find(field.words.begin(), field.words.end(), text);
  if (found == field.words.end()) {
    return Status::InvalidArgument("'" + std::string(text) + "' is none of " +
                                   JoinWords(field.words, ", "));
  }
  field.set(*settings, static_cast<size_t>(found - field.words.begin()));
  return Status::Ok();
}

Status CheckSecurity(const SecurityOptions& security) {
  const TlsOptions& tls = security.tls;
  if (tls.cert_file.empty() != tls.key_file.empty()) {
    return Status::InvalidArgument(
        "TLS needs both a certificate and its key: --tls.cert-file and --tls.key-file");
  }
  if (!tls.client_ca_file.empty() && !tls.enabled()) {
    return Status::InvalidArgument("--tls.client-ca-file needs --tls.cert-file and --tls.key-file");
  }
  return Status::Ok();
}

// The addresses that are asked for.
std::vector<const std::string*> Listeners(const Settings& settings) {
  std::vector<const std::string*> listeners = {&settings.server.listen, &settings.admin_listen};
  for (const std::string* optional : {&settings.server.otlp_listen, &settings.otlp_http_listen,
                                      &settings.server.archive_listen}) {
    if (!optional->empty()) listeners.push_back(optional);
  }
  return listeners;
}

// The words between commas, blanks around them left out.
std::vector<std::string_view> SplitList(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    std::string_view word = text.substr(0, comma);
    while (word.starts_with(' ')) word.remove_prefix(1);
    while (word.ends_with(' ')) word.remove_suffix(1);
    if (!word.empty()) words.push_back(word);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return words;
}

// A process that forwards sends it on, and gRPC aborts a client over a name that it does not know
// for one; those that begin with grpc- or end with -bin it takes for something else.
Status CheckHeaderName(std::string name) {
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return tolower(c); });
  constexpr std::string_view kLegal = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
  if (!name.empty() && name.find_first_not_of(kLegal) == std::string::npos &&
      !name.starts_with("grpc-") && !name.ends_with("-bin")) {
    return Status::Ok();
  }
  return Status::InvalidArgument(
      "tenancy.header: a name has letters, digits, '-', '_' and '.', does not begin with grpc- and "
      "does not end with -bin");
}

Status ApplyTenancy(Settings* settings) {
  TenancyOptions& tenancy = settings->server.tenancy;
  LARDER_RETURN_IF_ERROR(CheckHeaderName(tenancy.header));
  for (const std::string_view name : SplitList(settings->tenants)) {
    tenancy.allowed.emplace_back(name);
  }
  return ParseTenantLimits(settings->tenant_limits, &settings->store.tenants.by_name)
      .With("tenancy.limits");
}

}  // namespace

std::string FlagName(const Setting& setting) { return "--" + std::string(setting.name); }

std::string EnvironmentName(const Setting& setting) {
  std::string name(kEnvironmentPrefix);
  for (const char c : setting.name) {
    const bool letter = c >= 'a' && c <= 'z';
    name += letter ? static_cast<char>(c - 'a' + 'A') : '_';
  }
  return name;
}

std::string ValueHint(const Setting& setting) {
  if (std::holds_alternative<SwitchField>(setting.field)) return "";
  if (const auto* choice = std::get_if<ChoiceField>(&setting.field)) {
    return JoinWords(choice->words, "|");
  }
  if (const auto* number = std::get_if<NumberField>(&setting.field)) {
    switch (number->unit) {
      case NumberField::Unit::kDuration:
        return "DURATION";
      case NumberField::Unit::kSize:
        return "SIZE";
      default:
        return "COUNT";
    }
  }
  return std::string(std::get<TextField>(setting.field).hint);
}

Status ApplySetting(const Setting& setting, std::string_view text, Settings* settings) {
  if (const auto* number = std::get_if<NumberField>(&setting.field)) {
    return ApplyNumber(*number, text, settings);
  }
  if (const auto* choice = std::get_if<ChoiceField>(&setting.field)) {
    return ApplyChoice(*choice, text, settings);
  }
  if (const auto* on_off = std::get_if<SwitchField>(&setting.field)) {
    LARDER_ASSIGN_OR_RETURN(on_off->at(*settings), ParseSwitch(text));
    return Status::Ok();
  }
  std::get<TextField>(setting.field).at(*settings) = text;
  return Status::Ok();
}

std::string SettingText(const Setting& setting, const Settings& settings) {
  if (const auto* number = std::get_if<NumberField>(&setting.field)) {
    const uint64_t value = number->get(settings);
    if (number->zero_is_auto && value == 0) return "auto";
    if (number->unit == NumberField::Unit::kDuration) return DurationText(value);
    if (number->unit == NumberField::Unit::kSize) return SizeText(value);
    return std::to_string(value);
  }
  if (const auto* choice = std::get_if<ChoiceField>(&setting.field)) {
    return std::string(choice->words[choice->get(settings)]);
  }
  Settings copy = settings;  // fields give places to write to
  if (const auto* on_off = std::get_if<SwitchField>(&setting.field)) {
    return on_off->at(copy) ? "true" : "false";
  }
  const auto& text = std::get<TextField>(setting.field);
  if (text.is_secret && !text.at(copy).empty()) return "(set)";
  return text.at(copy);
}

Result<Settings> LoadSettings(const SettingSources& sources) {
  std::vector<Flag> flags;
  std::string config_path;
  if (const auto found = sources.environment.find(std::string(kConfigVariable));
      found != sources.environment.end()) {
    config_path = found->second;
  }
  for (FlagReader reader(sources.arguments); !reader.done();) {
    LARDER_ASSIGN_OR_RETURN(Flag flag, reader.Next());
    if (flag.name == "config") {
      config_path = *flag.value;
    } else {
      flags.push_back(std::move(flag));
    }
  }
  // From the weakest source to the strongest.
  Settings settings;
  if (!config_path.empty()) LARDER_RETURN_IF_ERROR(ApplyFile(config_path, &settings));
  LARDER_RETURN_IF_ERROR(ApplyEnvironment(sources.environment, &settings));
  for (const Flag& flag : flags) {
    LARDER_RETURN_IF_ERROR(
        ApplySetting(*FindSetting(flag.name), *flag.value, &settings).With("flag --" + flag.name));
  }
  LARDER_RETURN_IF_ERROR(ApplyTenancy(&settings));
  return settings;
}

Status ParseTenantLimits(std::string_view text,
                         std::vector<std::pair<std::string, TenantLimits>>* limits) {
  for (const std::string_view word : SplitList(text)) {
    const size_t equals = word.find('=');
    if (equals == 0 || equals == std::string_view::npos) {
      return Status::InvalidArgument("'" + std::string(word) +
                                     "' is not of the form NAME=RETENTION/QUOTA");
    }
    const std::string_view value = word.substr(equals + 1);
    const size_t slash = std::min(value.find('/'), value.size());
    TenantLimits own;
    if (slash > 0) {
      LARDER_ASSIGN_OR_RETURN(own.retention_ms, ParseDurationMs(value.substr(0, slash)));
    }
    if (slash < value.size()) {
      LARDER_ASSIGN_OR_RETURN(own.disk_bytes_max, ParseSizeBytes(value.substr(slash + 1)));
    }
    limits->emplace_back(word.substr(0, equals), own);
  }
  return Status::Ok();
}

Status CheckSettings(const Settings& settings) {
  if (settings.store.data_dir.empty()) {
    return Status::InvalidArgument(
        "no data directory; name one with --data-dir, LARDER_DATA_DIR or data-dir in the file");
  }
  LARDER_RETURN_IF_ERROR(CheckSecurity(settings.security));
  LARDER_RETURN_IF_ERROR(CheckTierOptions(settings.tier));
  const bool secure = settings.security.tls.enabled() || !settings.security.token_file.empty();
  for (const std::string* address : Listeners(settings)) {
    LARDER_ASSIGN_OR_RETURN(const ListenAddress parsed, ParseListenAddress(*address));
    if (!parsed.is_loopback && !secure && !settings.insecure_listen) {
      return Status::InvalidArgument(
          *address +
          " is reachable from other machines, and anybody there could read and write traces; "
          "listen on 127.0.0.1, or give a certificate (--tls.cert-file) or a token "
          "(--auth.token-file), or add --insecure-listen to allow it");
    }
  }
  return Status::Ok();
}

}  // namespace larder
