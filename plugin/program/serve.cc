#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

#include <sys/stat.h>

#include "plugin/admin/admin_server.h"
#include "plugin/forward/ownership.h"
#include "plugin/otlp_http/otlp_http_server.h"
#include "plugin/program/commands.h"
#include "plugin/program/environment.h"
#include "plugin/program/open_store.h"
#include "plugin/program/stop_signal.h"
#include "plugin/security/security.h"
#include "plugin/server/server.h"
#include "plugin/settings/local_disk.h"
#include "plugin/settings/settings.h"
#include "plugin/version.h"
#include "storage/base/log.h"
#include "storage/engine/store.h"

namespace larder {
namespace {

int Fail(const Status& status, int exit_code) {
  std::fprintf(stderr, "larder serve: %.*s\n", static_cast<int>(status.message().size()),
               status.message().data());
  return exit_code;
}

// Opens the store behind servers that listen already, serves until a signal comes, and closes from
// the outside in: calls, admin requests, store.
int Serve(const Settings& settings, StopSignal* stop, Server* server, OtlpHttpServer* otlp_http,
          std::unique_ptr<AdminServer> admin, Ownership* ownership) {
  const auto listen = [server](const std::string& address) { return server->ServeOthers(address); };
  ownership->Serve(listen);
  StoreOptions options = settings.store;
  options.lock = ownership->lock();
  auto opened = OpenStore(options);
  if (!opened.ok()) {
    server->Drain(std::chrono::milliseconds(0));
    return Fail(opened.status(), ExitCodeOfOpen(opened.status()));
  }
  std::unique_ptr<Store> store = std::move(opened).value();
  server->Open(store.get());
  const StoreStats stats = store->stats();
  Log(stats.writable ? LogLevel::kInfo : LogLevel::kError,
      stats.writable ? "ready" : "ready to read, not to write: " + stats.not_writable_reason,
      {{"version", kVersion},
       {"data_dir", settings.store.data_dir},
       {"grpc", settings.server.listen},
       {"admin", settings.admin_listen},
       {"spans", stats.stored_rows + stats.head_rows},
       {"partitions", stats.partitions}});
  ownership->KeepServing(listen, [stop](uint64_t ms) { return stop->WaitFor(ms); });
  server->Drain(std::chrono::milliseconds(settings.shutdown_grace_ms));
  if (otlp_http != nullptr) {
    otlp_http->Drain(std::chrono::milliseconds(settings.shutdown_grace_ms));
  }
  admin.reset();
  const Status flushed = store->Flush();
  if (!flushed.ok()) {
    Log(LogLevel::kWarning, "not everything was sealed; the next start replays the journal",
        {{"why", flushed.ToString()}});
  }
  store.reset();
  Log(LogLevel::kInfo, "stopped");
  return kExitOk;
}

// Null when it is not asked for.
Result<std::unique_ptr<OtlpHttpServer>> StartOtlpHttp(const Settings& settings, Server* server) {
  if (settings.otlp_http_listen.empty()) return std::unique_ptr<OtlpHttpServer>();
  return OtlpHttpServer::Start({.listen = settings.otlp_http_listen,
                                .request_bytes_max = settings.server.request_bytes_max,
                                .memory_bytes_max = settings.server.memory_bytes_max,
                                .tenancy = settings.server.tenancy,
                                .security = settings.server.security,
                                .gate = &server->gate(),
                                .metrics = &server->metrics()});
}

}  // namespace

int RunServe(const std::vector<std::string>& arguments) {
  auto settings = LoadSettings({.arguments = arguments, .environment = Environment()});
  if (!settings.ok()) return Fail(settings.status(), kExitUsage);
  if (const Status status = CheckSettings(*settings); !status.ok()) return Fail(status, kExitUsage);
  SetLogToStderr(settings->log_level, settings->log_format);
  if (const Status status = CheckLocalDisk(settings->store.data_dir); !status.ok()) {
    return Fail(status, kExitNotWritable);
  }
  auto tier = UseTier(&*settings);
  if (!tier.ok()) return Fail(tier.status(), kExitUsage);
  auto security = Security::Open(settings->security);
  if (!security.ok()) return Fail(security.status(), kExitUsage);
  settings->server.security = security->get();
  StopSignal stop;
  umask(077);  // the owner's socket is this user's alone from its first moment
  const auto ownership = Ownership::Take(settings->store.data_dir);
  if (!ownership.ok()) return Fail(ownership.status(), ExitCodeOfOpen(ownership.status()));
  auto server = Server::Start(ServerOptionsOf(*settings));
  if (!server.ok()) return Fail(server.status(), kExitFailure);
  auto otlp_http = StartOtlpHttp(*settings, server->get());
  if (!otlp_http.ok()) return Fail(otlp_http.status(), kExitFailure);
  auto admin = AdminServer::Start({.listen = settings->admin_listen,
                                   .enable_purge = settings->enable_purge,
                                   .gate = &(*server)->gate(),
                                   .metrics = &(*server)->metrics(),
                                   .streams = &(*server)->streams(),
                                   .security = security->get(),
                                   .settings = *settings});
  if (!admin.ok()) return Fail(admin.status(), kExitFailure);
  Log(LogLevel::kInfo, "listening",
      {{"grpc_port", (*server)->port()},
       {"otlp_grpc_port", (*server)->otlp_port()},
       {"otlp_http_port", *otlp_http == nullptr ? 0 : (*otlp_http)->port()},
       {"admin_port", (*admin)->port()}});
  return Serve(*settings, &stop, server->get(), otlp_http->get(), std::move(admin).value(),
               ownership->get());
}

}  // namespace larder
