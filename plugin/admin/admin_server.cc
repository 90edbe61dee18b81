#include "plugin/admin/admin_server.h"

#include <optional>
#include <thread>
#include <utility>

#include <httplib.h>

#include "plugin/admin/fetch_endpoint.h"
#include "plugin/admin/metrics.h"
#include "plugin/security/tls_context.h"
#include "plugin/settings/listen_address.h"
#include "storage/base/log.h"

namespace larder {
namespace {

constexpr size_t kThreads = 4;
constexpr char kText[] = "text/plain; charset=utf-8";

// What a request sees of the store.
struct Look {
  std::optional<StoreStats> stats;
  std::vector<TenantStatus> tenants;
  std::string why_not_ready;  // empty: ready
};

Look LookAt(const StoreGate& gate) {
  Look look;
  const Result<Store*> store = gate.Get();
  if (!store.ok()) {
    look.why_not_ready = store.status().message();
    return look;
  }
  look.stats = (*store)->stats();
  look.tenants = (*store)->TenantStatuses();
  if (!look.stats->writable) {
    look.why_not_ready = "reads are served, writes are not: " + look.stats->not_writable_reason;
  }
  return look;
}

class HttpMetadata final : public CallMetadata {
 public:
  explicit HttpMetadata(const httplib::Headers& headers) : headers_(headers) {}

  std::vector<std::string_view> Values(std::string_view name) const override {
    std::vector<std::string_view> values;
    const auto [begin, end] = headers_.equal_range(std::string(name));
    for (auto it = begin; it != end; ++it) values.emplace_back(it->second);
    return values;
  }

 private:
  const httplib::Headers& headers_;
};

std::unique_ptr<httplib::Server> MakeHttpServer(const Security* security) {
  if (security == nullptr || security->tls() == nullptr) return std::make_unique<httplib::Server>();
  return std::make_unique<httplib::SSLServer>([tls = security->tls()](SSL_CTX& context) {
    UseTlsFiles(&context, tls, ClientCertificate::kOptional);
    return true;
  });
}

}  // namespace

struct AdminServer::Parts {
  explicit Parts(AdminOptions asked) : options(std::move(asked)), fetches(options.gate) {}

  const AdminOptions options;
  FetchEndpoint fetches;
  std::unique_ptr<httplib::Server> http;
  std::thread thread;
  int port = 0;

  void Route();
  Status Admit(const httplib::Request& request) const;
  void Purge(const httplib::Request& request, httplib::Response& response) const;
};

void AdminServer::Parts::Route() {
  using Handled = httplib::Server::HandlerResponse;
  http->set_pre_routing_handler(
      [this](const httplib::Request& request, httplib::Response& response) {
        if (request.path == "/healthz" || request.path == "/readyz") return Handled::Unhandled;
        if (request.method == "POST" && request.has_header("Origin")) {
          response.status = 403;
          response.set_content("this is not for web pages: no Origin, please\n", kText);
          return Handled::Handled;
        }
        const Status admitted = Admit(request);
        if (admitted.ok()) return Handled::Unhandled;
        response.status = 401;
        response.set_header("WWW-Authenticate", "Bearer");
        response.set_content(std::string(admitted.message()) + "\n", kText);
        return Handled::Handled;
      });
  http->Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("ok\n", kText);
  });
  http->Get("/readyz", [this](const httplib::Request&, httplib::Response& response) {
    const Look look = LookAt(*options.gate);
    const bool ready = look.why_not_ready.empty();
    response.status = ready ? 200 : 503;
    response.set_content(ready ? "ready\n" : "not ready: " + look.why_not_ready + "\n", kText);
  });
  http->Get("/metrics", [this](const httplib::Request&, httplib::Response& response) {
    const Look look = LookAt(*options.gate);
    response.set_content(RenderMetrics(look.stats ? &*look.stats : nullptr, look.tenants,
                                       *options.metrics, options.streams->numbers()),
                         "text/plain; version=0.0.4; charset=utf-8");
  });
  http->Get("/status", [this](const httplib::Request&, httplib::Response& response) {
    const Look look = LookAt(*options.gate);
    response.set_content(
        StatusJson(look.stats ? &*look.stats : nullptr, look.why_not_ready, options.settings),
        "application/json");
  });
  http->Post("/tier/fetch", [this](const httplib::Request& request, httplib::Response& response) {
    fetches.Handle(request, response);
  });
  http->Post("/purge", [this](const httplib::Request& request, httplib::Response& response) {
    Purge(request, response);
  });
}

// Whether a request that is not a probe may pass.
Status AdminServer::Parts::Admit(const httplib::Request& request) const {
  const Security* security = options.security;
  if (security == nullptr) return Status::Ok();
  const TlsFiles* tls = security->tls();
  if (tls != nullptr && tls->asks_for_client_certificate() && !HasClientCertificate(*request.ssl)) {
    return Status::Unauthenticated("a client certificate is asked for");
  }
  return security->guard().Admit(HttpMetadata(request.headers)).status();
}

void AdminServer::Parts::Purge(const httplib::Request& request, httplib::Response& response) const {
  if (!options.enable_purge) {
    response.status = 403;
    response.set_content("purging is off; start the server with --enable-purge\n", kText);
    return;
  }
  const Result<Store*> store = options.gate->Get();
  const bool is_one_tenant = request.has_param("tenant");
  Status status = store.status();
  if (store.ok() && is_one_tenant) {
    const TenantId tenant = (*store)->FindTenant(request.get_param_value("tenant"));
    if (tenant == kNoTenant) {
      response.status = 404;
      response.set_content("there is no tenant of that name\n", kText);
      return;
    }
    status = (*store)->PurgeTenant(tenant);
  } else if (store.ok()) {
    status = (*store)->Purge();
  }
  if (!status.ok()) {
    response.status = store.ok() ? 500 : 503;
    response.set_content(status.ToString() + "\n", kText);
    return;
  }
  const std::string what = is_one_tenant ? "everything of one tenant" : "everything";
  Log(LogLevel::kWarning, what + " was purged, as asked on the admin port");
  response.set_content(what + " is gone\n", kText);
}

Result<std::unique_ptr<AdminServer>> AdminServer::Start(AdminOptions options) {
  LARDER_ASSIGN_OR_RETURN(const ListenAddress address, ParseListenAddress(options.listen));
  if (address.host.empty()) {
    return Status::InvalidArgument("the admin port listens on HOST:PORT only (--admin-listen)");
  }
  const std::string listen = options.listen;
  auto parts = std::make_unique<Parts>(std::move(options));
  parts->http = MakeHttpServer(parts->options.security);
  // NOLINTNEXTLINE(cppcoreguidelines-owning-memory): httplib takes it over.
  parts->http->new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  // A connection that waits for its next request holds a thread.
  parts->http->set_keep_alive_timeout(1);
  parts->http->set_payload_max_length(64 << 10);
  // httplib's own default would let a second server share the port.
  parts->http->set_socket_options([](socket_t socket) {
    const int on = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  });
  parts->Route();
  if (address.port == 0) {
    parts->port = parts->http->bind_to_any_port(address.host);
  } else if (parts->http->bind_to_port(address.host, address.port)) {
    parts->port = address.port;
  }
  if (parts->port <= 0) {
    return Status::Unavailable("cannot listen for admin requests on " + listen +
                               ": the address is in use or is not one of this machine "
                               "(choose another with --admin-listen)");
  }
  parts->thread = std::thread([http = parts->http.get()] { http->listen_after_bind(); });
  while (!parts->http->is_running()) std::this_thread::yield();
  return std::unique_ptr<AdminServer>(new AdminServer(std::move(parts)));
}

AdminServer::AdminServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

AdminServer::~AdminServer() {
  parts_->fetches.Stop();
  parts_->http->stop();
  parts_->thread.join();
}

int AdminServer::port() const { return parts_->port; }

}  // namespace larder
