// larder-bench: what the store costs as a whole. bench/README.md says how to run and read it.
#include <cstdio>
#include <string>
#include <string_view>

#include "bench/flags.h"
#include "bench/verbs.h"

namespace {

constexpr std::string_view kUsage = R"(larder-bench VERB [--flag=value ...]

Verbs
  ingest       how much the store (or, with --server=ADDR, a server) takes, and what a span costs
  query        how long each shape of query takes on a store of --spans
  pages        what a late page costs beside the first, in every order of spans
  restart      how soon a store is ready after kill -9
  lone-client  what one client that waits for each answer pays
  drop         serves OTLP over gRPC and keeps nothing, to compare a store with
  tenants      what it costs that many tenants send at once
  writers      the same load by OTLP and by Jaeger v1, unary and by streams, into one server

Flags of every verb
  --profile=P        capture (of LARDER_CAPTURE), otel-demo, grafana, alibaba
  --spans=N          10k, 1m ...
  --seed=N           the same seed sends the same spans
  --rate=N           spans per second of the load's own time (decides how traces scatter)
  --span-hours=N     instead of --rate: the spans cover this time
  --skewed           some clocks are off
  --in-flight=N      requests waiting for an answer at once (64)
  --data-dir=DIR     default: a directory of its own that goes afterwards
  --durability=D     sync, async
  --memory-mib=N     256
ingest   --server=HOST:PORT (OTLP/gRPC) or --server=http://HOST:PORT (OTLP/HTTP), --server-pid=PID
         (then --data-dir is the server's)
query    --runs=N of each shape (200)
lone-client  --spans-per-request=N (10)
drop     --listen=HOST:PORT (127.0.0.1:17271), no other flag
tenants  --tenants=N (1000)
writers  --workers=N of a v1 collector (50); --in-flight is OTLP's
)";

}  // namespace

int main(int count, char** arguments) {
  using larder::Status;
  const std::string verb = count > 1 ? arguments[1] : "";
  if (verb.empty() || verb == "--help" || verb == "help") {
    std::fputs(std::string(kUsage).c_str(), stdout);
    return verb.empty() ? 2 : 0;
  }
  larder::Result<larder::bench::Flags> flags = larder::bench::Flags::Parse(arguments + 2);
  Status outcome = flags.status();
  if (outcome.ok()) {
    outcome = verb == "ingest"    ? larder::bench::RunIngest(&*flags)
              : verb == "query"   ? larder::bench::RunQuery(&*flags)
              : verb == "pages"   ? larder::bench::RunPages(&*flags)
              : verb == "restart" ? larder::bench::RunRestart(&*flags)
              : verb == "drop"    ? larder::bench::RunDrop(&*flags)
              : verb == "tenants" ? larder::bench::RunTenants(&*flags)
              : verb == "writers" ? larder::bench::RunWriters(&*flags)
              : verb == "lone-client"
                  ? larder::bench::RunLoneClient(&*flags)
                  : Status::InvalidArgument(verb + ": no such verb; see --help");
  }
  if (outcome.ok()) return 0;
  std::fprintf(stderr, "larder-bench: %s\n", outcome.ToString().c_str());
  return 1;
}
