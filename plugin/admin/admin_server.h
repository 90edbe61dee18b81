// The admin port, HTTP: /healthz, /readyz, /metrics, /status, POST /tier/fetch and, for tests, POST
// /purge. Probes have neither token nor certificate: /healthz and /readyz are for everybody.
#pragma once

#include <memory>
#include <string>

#include "plugin/calls/rpc_metrics.h"
#include "plugin/settings/settings.h"
#include "plugin/store/store_gate.h"
#include "storage/base/status.h"

namespace larder {

struct AdminOptions {
  std::string listen;
  bool enable_purge = false;
  // These must outlive the server.
  StoreGate* gate = nullptr;
  const RpcMetrics* metrics = nullptr;
  const StreamWatch* streams = nullptr;
  const Security* security = nullptr;  // null: everybody, in plain text
  Settings settings;                   // shown by /status
};

// Answers from the constructor's end to the destructor's; no request runs after that, so the store
// may go then.
class AdminServer {
 public:
  // kInvalidArgument or kUnavailable when the address cannot be listened on.
  static Result<std::unique_ptr<AdminServer>> Start(AdminOptions options);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  int port() const;

 private:
  struct Parts;
  explicit AdminServer(std::unique_ptr<Parts> parts);

  const std::unique_ptr<Parts> parts_;
};

// The JSON document of /status: version, readiness, numbers of the store, settings in force.
// `store` is null while there is none; `why_not_ready` is empty when ready.
std::string StatusJson(const StoreStats* stats, const std::string& why_not_ready,
                       const Settings& settings);

}  // namespace larder
