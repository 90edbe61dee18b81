#include "plugin/otlp_http/otlp_http_server.h"

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <pthread.h>

#include "plugin/otlp_http/connection.h"
#include "plugin/security/tls_context.h"
#include "plugin/settings/listen_address.h"
#include "storage/base/log.h"

namespace larder {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr size_t kThreads = 2;
constexpr std::chrono::milliseconds kAcceptPause(100);
// Every request that is with the store is answered; this bounds how long an abort may take to run.
constexpr std::chrono::seconds kAbortTime(60);

}  // namespace

struct OtlpHttpServer::Parts {
  explicit Parts(const OtlpHttpOptions& options)
      : budget(options.memory_bytes_max / 4 + options.request_bytes_max),
        connections(options.connections_max),
        acceptor(asio::make_strand(io)),
        pause(acceptor.get_executor()) {
    const Security& security = options.security != nullptr ? *options.security : nobody_checked;
    guard.emplace(&security.guard(), options.gate, options.tenancy, /*is_archive=*/false);
    if (security.tls() != nullptr) {
      tls.emplace(asio::ssl::context::tls_server);
      UseTlsFiles(tls->native_handle(), security.tls(), ClientCertificate::kRequired);
    }
    shared = {.exports = {.guard = &*guard,
                          .gate = options.gate,
                          .metrics = options.metrics,
                          .clock = options.clock,
                          .budget = &budget,
                          .request_bytes_max = options.request_bytes_max},
              .connections = &connections,
              .idle_max = std::chrono::milliseconds(options.idle_ms_max),
              .transfer_max = std::chrono::milliseconds(options.transfer_ms_max),
              .tls = tls ? &*tls : nullptr};
  }

  error_code Listen(const ListenAddress& address);
  void Accept();
  void OnAccepted(error_code error, tcp::socket socket);

  const Security nobody_checked;
  std::optional<TenantGuard> guard;
  ByteBudget budget;
  ConnectionSet connections;
  ConnectionParts shared;
  std::optional<asio::ssl::context> tls;
  asio::io_context io;  // behind what connections refer to: they end with it
  // What is posted to a connection must run even when nothing else is under way.
  const asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  std::vector<std::thread> threads;
};

error_code OtlpHttpServer::Parts::Listen(const ListenAddress& address) {
  error_code error;
  tcp::resolver resolver(io);
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port), tcp::resolver::passive, error);
  if (error) return error;
  const tcp::endpoint endpoint = *found.begin();
  acceptor.open(endpoint.protocol(), error);
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  return error;
}

void OtlpHttpServer::Parts::Accept() {
  acceptor.async_accept(asio::make_strand(io), [this](error_code error, tcp::socket socket) {
    OnAccepted(error, std::move(socket));
  });
}

void OtlpHttpServer::Parts::OnAccepted(error_code error, tcp::socket socket) {
  if (!acceptor.is_open()) return;
  if (!error) {
    socket.set_option(tcp::no_delay(true), error);
    ServeConnection(std::move(socket), shared);
    return Accept();
  }
  // Out of file descriptors, mostly: at once would be a busy loop.
  Log(LogLevel::kWarning, "OTLP/HTTP cannot take a connection", {{"why", error.message()}});
  pause.expires_after(kAcceptPause);
  pause.async_wait([this](error_code cancelled) {
    if (!cancelled && acceptor.is_open()) Accept();
  });
}

Result<std::unique_ptr<OtlpHttpServer>> OtlpHttpServer::Start(const OtlpHttpOptions& options) {
  LARDER_ASSIGN_OR_RETURN(const ListenAddress address, ParseListenAddress(options.listen));
  if (address.host.empty()) {
    return Status::InvalidArgument("OTLP/HTTP listens on HOST:PORT only (--otlp.http-listen)");
  }
  auto parts = std::make_unique<Parts>(options);
  if (const error_code error = parts->Listen(address)) {
    return Status::Unavailable("cannot listen for OTLP/HTTP on " + options.listen + ": " +
                               error.message() + " (choose another with --otlp.http-listen)");
  }
  parts->Accept();
  for (size_t i = 0; i < kThreads; ++i) {
    std::thread& thread = parts->threads.emplace_back([io = &parts->io] { io->run(); });
    pthread_setname_np(thread.native_handle(), "larder-http");
  }
  return std::unique_ptr<OtlpHttpServer>(new OtlpHttpServer(std::move(parts)));
}

OtlpHttpServer::OtlpHttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

OtlpHttpServer::~OtlpHttpServer() { Drain(std::chrono::milliseconds(0)); }

void OtlpHttpServer::Drain(std::chrono::milliseconds grace) {
  if (parts_->threads.empty()) return;
  asio::post(parts_->acceptor.get_executor(), [parts = parts_.get()] {
    error_code ignored;
    parts->acceptor.close(ignored);
    parts->pause.cancel();
    parts->connections.CloseIdle();
  });
  if (!parts_->connections.WaitUntilEmpty(grace)) {
    parts_->connections.AbortAll();
    // A request that is with the store holds its connection until the store has answered.
    while (!parts_->connections.WaitUntilEmpty(kAbortTime)) parts_->connections.AbortAll();
  }
  parts_->io.stop();
  for (std::thread& thread : parts_->threads) thread.join();
  parts_->threads.clear();
}

int OtlpHttpServer::port() const {
  error_code ignored;
  return parts_->acceptor.local_endpoint(ignored).port();
}

}  // namespace larder
