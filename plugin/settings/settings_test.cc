#include "plugin/settings/settings.h"

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "plugin/program/commands.h"
#include "plugin/settings/listen_address.h"
#include "plugin/settings/setting_value.h"
#include "plugin/settings/time_value.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

const Setting& Named(std::string_view name) {
  for (const Setting& setting : SettingsTable()) {
    if (setting.name == name) return setting;
  }
  std::abort();
}

TEST(SettingValue, ReadsDurations) {
  const struct {
    const char* text;
    uint64_t ms;
  } kGood[] = {{"7d", 604'800'000}, {"1h30m", 5'400'000},  {"5ms", 5},        {"1.5s", 1500},
               {"0s", 0},           {"2w", 1'209'600'000}, {"90m", 5'400'000}};
  for (const auto& good : kGood) {
    const auto parsed = ParseDurationMs(good.text);
    ASSERT_TRUE(parsed.ok()) << good.text;
    EXPECT_EQ(*parsed, good.ms) << good.text;
  }
  for (const char* bad : {"", "7", "d", "7 d", "-7d", "1m1h", "1h1h", "1.5ms", "7D", "1e3s",
                          "99999999999999999w", "1..5s", "7d "}) {
    EXPECT_EQ(ParseDurationMs(bad).status().code(), StatusCode::kInvalidArgument) << bad;
  }
}

TEST(SettingValue, ReadsTimes) {
  constexpr uint64_t kSecond = 1'000'000'000;
  constexpr uint64_t kNow = 1'795'341'600 * kSecond;  // 2026-11-22T10:00:00Z
  const struct {
    const char* text;
    uint64_t ns;
  } kGood[] = {{"2026-11-22T10:00:00Z", kNow},
               {"2026-11-22 10:00:00", kNow},
               {"2026-11-22T10:00", kNow},
               {"2026-11-22T12:00:00+02:00", kNow},
               {"2026-11-22T04:30:00-05:30", kNow},
               {"2026-11-22T10:00:00.25Z", kNow + kSecond / 4},
               {"2026-11-22", kNow - 10 * 3600 * kSecond},
               {"1970-01-01", 0},
               {"now", kNow},
               {"now-1h30m", kNow - 5400 * kSecond}};
  for (const auto& good : kGood) {
    const auto parsed = ParseTimeNs(good.text, kNow);
    ASSERT_TRUE(parsed.ok()) << good.text;
    EXPECT_EQ(*parsed, good.ns) << good.text;
  }
  for (const char* bad : {"", "yesterday", "now+1h", "now-", "nowhere", "2026-11-22T10:00:00X",
                          "2026-13-22", "1969-12-31", "2026-11-22T10:00:00+2", "9999-01-01"}) {
    EXPECT_EQ(ParseTimeNs(bad, kNow).status().code(), StatusCode::kInvalidArgument) << bad;
  }
}

TEST(SettingValue, ReadsSizes) {
  EXPECT_EQ(*ParseSizeBytes("256MiB"), 256U << 20);
  EXPECT_EQ(*ParseSizeBytes("1.5GB"), 1'500'000'000U);
  EXPECT_EQ(*ParseSizeBytes("4096"), 4096U);
  for (const char* bad : {"", "MiB", "1mib", "-1B", "1 MiB", "0.3B", "20000000TiB", "0x10"}) {
    EXPECT_EQ(ParseSizeBytes(bad).status().code(), StatusCode::kInvalidArgument) << bad;
  }
}

TEST(SettingValue, WritesWhatItReads) {
  for (const uint64_t value : {0ull, 1ull, 999ull, 1000ull, 60'000ull, 5'400'000ull, 604'800'000ull,
                               1024ull, 1ull << 30, (1ull << 20) + 1}) {
    EXPECT_EQ(*ParseDurationMs(DurationText(value)), value);
    EXPECT_EQ(*ParseSizeBytes(SizeText(value)), value);
  }
}

TEST(SettingValue, CountsEdits) {
  EXPECT_EQ(EditDistance("", "abc"), 3U);
  EXPECT_EQ(EditDistance("abc", "abc"), 0U);
  EXPECT_EQ(EditDistance("kitten", "sitting"), 3U);
  EXPECT_EQ(EditDistance("retnetion", "retention"), 1U);
}

TEST(Settings, EveryDefaultIsAValueThatIsAccepted) {
  std::set<std::string> names;
  for (const Setting& setting : SettingsTable()) {
    EXPECT_TRUE(names.insert(EnvironmentName(setting)).second) << setting.name;
    EXPECT_FALSE(setting.help.empty());
    Settings settings;
    const std::string standard = SettingText(setting, settings);
    const std::set<std::string_view> others_off = {
        "tenancy.tenants", "tenancy.default", "tenancy.limits", "archive.listen", "tier.directory"};
    const bool may_be_off =
        setting.name.starts_with("otlp.") || setting.name.ends_with("-file") ||
        others_off.contains(setting.name) ||
        (setting.name.starts_with("tier.sls.") && std::holds_alternative<TextField>(setting.field));
    EXPECT_EQ(standard.empty(), setting.name == "data-dir" || may_be_off) << setting.name;
    const Status status = ApplySetting(setting, standard, &settings);
    EXPECT_TRUE(status.ok()) << setting.name << ": " << status.ToString();
    EXPECT_EQ(SettingText(setting, settings), standard);
  }
}

TEST(Settings, TenantsAndTheirLimitsAreLists) {
  const auto settings =
      LoadSettings({.arguments = {"--tenancy.tenants", "acme, beta", "--tenancy.limits",
                                  "acme=3d/10GiB, beta=12h,gamma=/1MiB"},
                    .environment = {}});
  ASSERT_TRUE(settings.ok()) << settings.status().ToString();
  EXPECT_EQ(settings->server.tenancy.allowed, (std::vector<std::string>{"acme", "beta"}));
  const auto& limits = settings->store.tenants.by_name;
  ASSERT_EQ(limits.size(), 3U);
  EXPECT_EQ(limits[0].first, "acme");
  EXPECT_EQ(limits[0].second.retention_ms, 3U * 24 * 3600 * 1000);
  EXPECT_EQ(limits[0].second.disk_bytes_max, 10ULL << 30);
  EXPECT_EQ(limits[1].second.disk_bytes_max, 0U);
  EXPECT_EQ(limits[2].second.retention_ms, 0U);
  for (const char* wrong : {"acme", "=3d", "acme=soon", "acme=3d/much"}) {
    EXPECT_FALSE(LoadSettings({.arguments = {"--tenancy.limits", wrong}, .environment = {}}).ok());
  }
}

TEST(Settings, SecretsAreNeverShown) {
  const auto settings = LoadSettings(
      {.arguments = {"--tier.sls.access-key-secret", "hush", "--tier.sls.security-token", "hush",
                     "--tier.sls.access-key-id", "me"},
       .environment = {}});
  ASSERT_TRUE(settings.ok()) << settings.status().ToString();
  EXPECT_EQ(settings->tier.sls.access_key_secret, "hush");
  EXPECT_EQ(SettingText(Named("tier.sls.access-key-secret"), *settings), "(set)");
  EXPECT_EQ(SettingText(Named("tier.sls.access-key-id"), *settings), "me");
  for (const Setting& setting : SettingsTable()) {
    EXPECT_EQ(SettingText(setting, *settings).find("hush"), std::string::npos) << setting.name;
  }
}

TEST(Settings, ATierNeedsWhatItsKindNeeds) {
  const std::vector<std::pair<std::string, std::string>> kNeeds = {
      {"--tier.sls.endpoint", "cn-hangzhou.log.aliyuncs.com"},
      {"--tier.sls.project", "p"},
      {"--tier.sls.instance", "i"},
      {"--tier.sls.access-key-id", "me"},
      {"--tier.sls.access-key-secret-file", "/secret"},
      {"--tier.sls.region", "cn-hangzhou"},
  };
  std::vector<std::string> arguments = {"--data-dir=d", "--tier.kind=sls",
                                        "--tier.sls.signature=v4"};
  for (const auto& [flag, value] : kNeeds) {
    const auto settings = LoadSettings({.arguments = arguments, .environment = {}});
    ASSERT_TRUE(settings.ok()) << settings.status().ToString();
    EXPECT_NE(CheckSettings(*settings).message().find(flag.substr(2)), std::string::npos) << flag;
    arguments.push_back(flag + "=" + value);
  }
  const auto whole = LoadSettings({.arguments = arguments, .environment = {}});
  EXPECT_TRUE(CheckSettings(*whole).ok()) << CheckSettings(*whole).ToString();
  EXPECT_EQ(whole->tier.sls.LogstoreName(), "i-traces");
  const auto directory =
      LoadSettings({.arguments = {"--data-dir=d", "--tier.kind", "directory"}, .environment = {}});
  EXPECT_NE(CheckSettings(*directory).message().find("tier.directory"), std::string::npos);
}

TEST(Settings, FlagBeatsEnvironmentBeatsFile) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("settings.yaml");
  std::ofstream(path) << "memory: {limit: 1GiB}\nretention: 1d\nlog.level: debug\n";
  const auto settings =
      LoadSettings({.arguments = {"--retention=3d", "--enable-purge", "--config", path},
                    .environment = {{"LARDER_RETENTION", "2d"}, {"LARDER_LOG_LEVEL", "error"}}});
  ASSERT_TRUE(settings.ok()) << settings.status().ToString();
  EXPECT_EQ(settings->store.retention_ms, 3U * 24 * 3600 * 1000);
  EXPECT_EQ(settings->log_level, LogLevel::kError);
  EXPECT_EQ(settings->store.memory_bytes_max, 1U << 30);
  EXPECT_TRUE(settings->enable_purge);
}

TEST(Settings, UnknownNamesAreErrorsWithASuggestion) {
  const auto flag = LoadSettings({.arguments = {"--retnetion", "3d"}, .environment = {}});
  EXPECT_EQ(flag.status().message(),
            "unknown flag --retnetion; did you mean --retention? (larder help serve lists all)");
  Settings settings;
  EXPECT_EQ(ApplySettingsFile("a: 1\n", "f.yaml", &settings).message(),
            "f.yaml line 1: unknown key a");
  EXPECT_EQ(ApplySettingsFile("\nmemory:\n  limt: 1GiB\n", "f.yaml", &settings).message(),
            "f.yaml line 3: unknown key memory.limt; did you mean memory.limit?");
  // The environment is shared: a variable that is none of ours is passed over.
  EXPECT_TRUE(LoadSettings({.arguments = {}, .environment = {{"LARDER_NO_SUCH", "1"}}}).ok());
}

TEST(Settings, BadValuesSayWhatIsAccepted) {
  const struct {
    std::vector<std::string> arguments;
    const char* says;
  } kCases[] = {
      {{"--durability", "maybe"}, "flag --durability: 'maybe' is none of sync, async"},
      {{"--retention", "1s"}, "accepted is from 10m to 36600d"},
      {{"--memory.limit", "1MiB"}, "accepted is at least 32MiB"},
      {{"--disk.cap", "lots"}, "is not a size"},
      {{"--query.threads", "two"}, "is not a whole number"},
      {{"--tenancy.header", "x tenant"}, "tenancy.header: a name has letters"},
      {{"--tenancy.header", "Grpc-Tenant"}, "does not begin with grpc-"},
      {{"--tenancy.header", "tenant-BIN"}, "does not end with -bin"},
      {{"--retention"}, "flag --retention needs a value"},
      {{"--enable-purge=perhaps"}, "neither true nor false"},
      {{"serve"}, "flags start with --"},
      {{"--config", "/no/such/file"}, "/no/such/file"},
  };
  for (const auto& bad : kCases) {
    const auto settings = LoadSettings({.arguments = bad.arguments, .environment = {}});
    ASSERT_FALSE(settings.ok()) << bad.says;
    EXPECT_NE(settings.status().message().find(bad.says), std::string::npos)
        << settings.status().message();
  }
}

TEST(Settings, HostileFilesAreErrors) {
  for (const char* text : {"[1, 2]", "retention: [1d]", "retention: {x: 1d}", "? [a]\n: b\n",
                           "a: b: c", "{unclosed", "retention:", "just words"}) {
    Settings settings;
    EXPECT_EQ(ApplySettingsFile(text, "f", &settings).code(), StatusCode::kInvalidArgument) << text;
  }
  Settings settings;
  EXPECT_TRUE(ApplySettingsFile("", "f", &settings).ok());
}

TEST(Settings, AutoStandsForZero) {
  Settings settings;
  ASSERT_TRUE(ApplySetting(Named("disk.cap"), "1GiB", &settings).ok());
  EXPECT_EQ(settings.store.disk_bytes_max, 1U << 30);
  ASSERT_TRUE(ApplySetting(Named("disk.cap"), "auto", &settings).ok());
  EXPECT_EQ(settings.store.disk_bytes_max, 0U);
  EXPECT_FALSE(ApplySetting(Named("retention"), "auto", &settings).ok());
}

TEST(Settings, SizeOfRequestsHoldsForServerAndStore) {
  Settings settings;
  ASSERT_TRUE(ApplySetting(Named("request.size-max"), "1MiB", &settings).ok());
  EXPECT_EQ(settings.store.request_bytes_max, 1U << 20);
  EXPECT_EQ(settings.server.request_bytes_max, 1U << 20);
}

TEST(Settings, ListenersBeyondLoopbackNeedConsent) {
  Settings settings;
  EXPECT_NE(CheckSettings(settings).message().find("--data-dir"), std::string::npos);
  settings.store.data_dir = "/tmp/x";
  EXPECT_TRUE(CheckSettings(settings).ok());
  for (const char* open : {"0.0.0.0:17271", "[::]:17271", "192.168.1.5:1", "example.org:80"}) {
    settings.server.listen = open;
    EXPECT_NE(CheckSettings(settings).message().find("--insecure-listen"), std::string::npos);
  }
  settings.insecure_listen = true;
  EXPECT_TRUE(CheckSettings(settings).ok());
  settings.insecure_listen = false;
  settings.security.token_file = "token";
  EXPECT_TRUE(CheckSettings(settings).ok());
  settings.security = {.tls = {.cert_file = "cert", .key_file = "key"}};
  EXPECT_TRUE(CheckSettings(settings).ok());
  settings.security.tls.key_file = "";
  EXPECT_NE(CheckSettings(settings).message().find("--tls.key-file"), std::string::npos);
  settings.security.tls = {.client_ca_file = "ca"};
  EXPECT_NE(CheckSettings(settings).message().find("--tls.cert-file"), std::string::npos);
  settings.security = {};
  settings.server.listen = "127.0.0.1:1";
  settings.otlp_http_listen = "0.0.0.0:4318";
  EXPECT_NE(CheckSettings(settings).message().find("0.0.0.0:4318"), std::string::npos);
  settings.otlp_http_listen = "";
  settings.admin_listen = "17270";
  EXPECT_FALSE(CheckSettings(settings).ok());
}

TEST(ListenAddress, ReadsHostsAndPorts) {
  const auto v6 = ParseListenAddress("[::1]:5");
  ASSERT_TRUE(v6.ok());
  EXPECT_EQ(v6->host, "::1");
  EXPECT_EQ(v6->port, 5);
  EXPECT_TRUE(v6->is_loopback);
  EXPECT_TRUE(ParseListenAddress("127.9.9.9:0")->is_loopback);
  EXPECT_TRUE(ParseListenAddress("localhost:1")->is_loopback);
  EXPECT_FALSE(ParseListenAddress("128.0.0.1:1")->is_loopback);
  for (const char* bad : {"", ":1", "host", "host:", "host:65536", "::1:5", "host:x"}) {
    EXPECT_FALSE(ParseListenAddress(bad).ok()) << bad;
  }
}

TEST(Help, NamesEverySettingAndExitCode) {
  const std::string help = HelpText("serve");
  for (const Setting& setting : SettingsTable()) {
    EXPECT_NE(help.find("  " + FlagName(setting) + " "), std::string::npos) << setting.name;
  }
  for (const char* text :
       {"  3  the data directory was written by a newer", "  4  another process",
        "  5  the data directory cannot be written", "(default 256MiB)", "LARDER_MEMORY_LIMIT"}) {
    EXPECT_NE(help.find(text), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace larder
