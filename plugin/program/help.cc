#include <algorithm>
#include <string>
#include <string_view>

#include "plugin/program/commands.h"
#include "plugin/settings/settings.h"

namespace larder {
namespace {

constexpr std::string_view kOverview = R"(larder: a local trace store for Jaeger

  larder serve --data-dir DIR   take spans by OTLP and answer Jaeger
  larder inspect DIR [--json]   what a data directory holds: partitions, tenants, sizes
  larder verify DIR             read everything there, check every checksum
  larder tier check             try the configuration of the cold tier
  larder tier status            how far spans are on their way to the cold tier
  larder tier fetch             bring a range of time back from the cold tier
  larder help serve             all settings of serve
  larder --version

inspect and verify read the directory of a server that is stopped, and change nothing in it.

Begin with:

  larder serve --data-dir ./larder-data

then point OpenTelemetry SDKs (OTLP/gRPC) and Jaeger's grpc storage at 127.0.0.1:17271, and look at
http://127.0.0.1:17270/status. For OTLP/HTTP add --otlp.http-listen 127.0.0.1:4318.

Jaeger v1.24 to v1.57 can start larder itself, as its storage plugin:

  export SPAN_STORAGE_TYPE=grpc-plugin LARDER_DATA_DIR=/var/lib/larder
  jaeger-all-in-one --grpc-storage-plugin.binary=/usr/local/bin/larder

Settings are those of serve, from LARDER_... or from the YAML file that
--grpc-storage-plugin.configuration-file names (Jaeger hands it on as --config FILE). A collector and
a query with the same data directory share it: one plugin opens it, the others forward to that one,
and another takes over when it goes. larder serve can be the owner too; start it first.
)";

constexpr std::string_view kTier =
    R"(larder tier: try the cold tier, see how it does, and bring spans back

  larder tier check [--create] [--SETTING VALUE]...
  larder tier status [--admin URL] [--token-file FILE] [--json]
  larder tier fetch --from T --to T [--keep-for 7d] [--admin URL] [--token-file FILE] [--json]

status asks a server that runs how far its spans are on their way. check takes the settings of larder
serve, from flags, the environment and --config FILE, and looks step by step whether the tier is fit
to use: for Alibaba Cloud SLS the endpoint, the access key, the project, the Logstore, its index, and
how far the clocks differ. Each failure says what mends it.

  --create   make the Logstore and its index where they are not there (tier.sls.create), or the
             directory a tier; an index that is there is never changed

fetch asks a server that runs to bring the evicted partitions with spans that start between the two
times back to the local disk, whole, so that questions about them need the tier no more. It says how
far it is, and ends with what is there. What is finished stays when it is interrupted, and the same
command goes on from there. After --keep-for the copies go again, by themselves, and sooner when the
disk cap presses: before anything else does. Asked again, copies that are there are kept from then on
as long as --keep-for says; --keep-for 0s lets go of them.

  --from, --to   2026-11-22T17:30:05Z, with an offset (+02:00) too, 2026-11-22, now, or now-3d
  --keep-for     how long, by the server's clock (default 7d)
  --admin        the admin port of the server (default http://127.0.0.1:17270)
  --token-file   a file with the bearer token, when one is asked for
  --json         a line of JSON each time

Examples:

  larder tier fetch --from 2026-11-20 --to 2026-11-22T12:00:00Z --keep-for 3d

  export LARDER_TIER_SLS_ACCESS_KEY_SECRET=...
  larder tier check --create --tier.kind sls --tier.sls.endpoint cn-hangzhou.log.aliyuncs.com \
    --tier.sls.project my-project --tier.sls.instance my-traces --tier.sls.access-key-id LTAI...

Exit codes: 0 fit, or fetched whole; 1 a step failed, or something was not fetched; 2 a setting or an
argument is missing or not accepted.
)";

constexpr std::string_view kServeHead = R"(larder serve: take spans by OTLP and answer Jaeger

  larder serve --data-dir DIR [--SETTING VALUE]...

Every setting has one name and three spellings; the flag wins over the environment, the environment
over the file:

  --memory.limit 1GiB              flag (also --memory.limit=1GiB)
  LARDER_MEMORY_LIMIT=1GiB         environment: upper case, '.' and '-' become '_'
  memory: {limit: 1GiB}            YAML file, named by --config FILE or LARDER_CONFIG

Durations: 500ms, 90s, 1h30m, 7d. Sizes: 64KiB, 256MiB, 10GB. Unknown flags and names in the
file are errors. An unknown variable LARDER_... is not, since others share the environment; one that
looks like a setting's is warned of.
)";

constexpr std::string_view kServeTail = R"(
Examples:

  larder serve --data-dir /var/lib/larder --retention 30d --disk.cap 200GiB
  larder serve --config /etc/larder.yaml --log.format json
  LARDER_DATA_DIR=/data larder serve --durability async

Signals: SIGTERM and SIGINT end calls (shutdown.grace), write everything to segments, and exit with
0; a second one exits at once (nothing acknowledged is lost, the next start replays the journal).

Exit codes:
  0  stopped as asked
  1  any other failure; the message says which
  2  unknown verb, flag or key, or a value that is not accepted
  3  the data directory was written by a newer larder: install that version, or choose another DIR
  4  another process owns the data directory: its pid is named; stop it, or choose another DIR
  5  the data directory cannot be written or is on a network file system: mend that, or choose
     another DIR
)";

constexpr size_t kColumns = 96;
constexpr size_t kIndent = 6;

// Breaks text at blanks, every line indented.
std::string Wrap(std::string_view text) {
  std::string out;
  size_t column = 0;
  while (!text.empty()) {
    const size_t blank = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, blank);
    if (column == 0 || column + 1 + word.size() > kColumns) {
      if (column != 0) out += '\n';
      out.append(kIndent, ' ');
      column = kIndent;
    } else {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return out + "\n";
}

std::string ServeHelp() {
  std::string text(kServeHead);
  const Settings defaults;
  std::string_view group;
  for (const Setting& setting : SettingsTable()) {
    if (setting.group != group) {
      group = setting.group;
      text += "\n" + std::string(group) + ":\n";
    }
    const std::string standard = SettingText(setting, defaults);
    text += "  " + FlagName(setting) + " " + ValueHint(setting);
    if (!standard.empty()) text += " (default " + standard + ")";
    text += "\n" + Wrap(setting.help);
  }
  text += "  --config FILE\n" + Wrap("A YAML file with any of these settings.");
  return text + std::string(kServeTail);
}

}  // namespace

std::string HelpText(const std::string& topic) {
  if (topic == "serve") return ServeHelp();
  return std::string(topic == "tier" ? kTier : kOverview);
}

}  // namespace larder
