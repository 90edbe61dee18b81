#include "plugin/server/server.h"

#include <algorithm>
#include <array>
#include <climits>
#include <functional>
#include <utility>

#include <absl/synchronization/mutex.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include "plugin/calls/query_call.h"
#include "plugin/calls/worker_pool.h"
#include "plugin/forward/forwarder.h"
#include "plugin/security/grpc_credentials.h"
#include "plugin/services/export_service.h"
#include "plugin/services/small_services.h"
#include "plugin/services/trace_reader_service.h"
#include "plugin/v1/span_batcher.h"
#include "plugin/v1/span_reader_service.h"
#include "plugin/v1/span_writer_service.h"

namespace larder {
namespace {

// The names that Jaeger's own storage server answers health for, and OTLP's. The empty name is the
// server as a whole; TraceWriter is a name with no service behind it.
constexpr const char* kHealthNames[] = {
    "",
    "jaeger.storage.v2.TraceReader",
    "jaeger.storage.v2.TraceWriter",
    "jaeger.storage.v2.DependencyReader",
    "jaeger.storage.v2.Capabilities",
    "opentelemetry.proto.collector.trace.v1.TraceService",
    "jaeger.storage.v1.SpanReaderPlugin",
    "jaeger.storage.v1.SpanWriterPlugin",
    "jaeger.storage.v1.StreamingSpanWriterPlugin",
    "jaeger.storage.v1.ArchiveSpanReaderPlugin",
    "jaeger.storage.v1.ArchiveSpanWriterPlugin",
    "jaeger.storage.v1.DependenciesReaderPlugin",
    "jaeger.storage.v1.PluginCapabilities",
};

constexpr int kBlockingThreadsMax = 8;
// What requests of Export may hold of the memory limit until they are answered.
constexpr uint64_t kExportShare = 8;
// Spans of v1 clients that wait for the owner of the store.
constexpr size_t kHeldBytesMax = 64 << 20;
constexpr size_t kArchiveHeldBytesMax = 8 << 20;  // of those for the archive

void Configure(const ServerOptions& options, grpc::ServerBuilder* builder) {
  const uint64_t message_bytes_max = std::min<uint64_t>(options.request_bytes_max, INT_MAX);
  builder->SetMaxReceiveMessageSize(static_cast<int>(message_bytes_max));
  builder->SetMaxSendMessageSize(INT_MAX);
  // gRPC would unpack a message whole before it looks at its size (gunzip.h); so services unpack,
  // and only gzip is offered. Health and reflection, which are gRPC's own, take no packed requests.
  builder->AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
  builder->SetCompressionAlgorithmSupportStatus(GRPC_COMPRESS_DEFLATE, false);
  // Two servers on one port would share its calls in silence.
  builder->AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  // Clients may ping as often as they like: an answer to a ping is cheaper than a lost connection.
  builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
  grpc::ResourceQuota quota("larder");
  quota.Resize(options.memory_bytes_max / 4 + options.request_bytes_max);
  // Reflection is the one service of gRPC's own that takes a thread for each call.
  quota.SetMaxThreads(kBlockingThreadsMax);
  builder->SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
  builder->SetResourceQuota(quota);
}

// Reflection is gRPC's own and cannot be guarded. It is set for the whole process, so what one
// server lets in a later one has too; a program has one.
void OfferReflection(const CallGuard& guard) {
  if (!guard.asks_for_token()) grpc::reflection::InitProtoReflectionServerBuilderPlugin();
}

}  // namespace

// The archive's port: what Jaeger asks of its archive storage.
struct Server::ArchivePort {
  // All must outlive this. The guard of `parts` answers for the archive.
  ArchivePort(const ServiceParts& parts, v1::SpanBatcher* batcher, v1::ServiceOptions options)
      : shared(parts), v1_batcher(batcher), v1_options(std::move(options)) {
    v1_options.has_archive = false;
  }
  std::array<grpc::Service*, 9> Services() {
    return {&export_service, &trace_reader,        &dependency_reader, &capabilities,   &v1_reader,
            &v1_writer,      &v1_streaming_writer, &v1_dependencies,   &v1_capabilities};
  }

  const ServiceParts& shared;
  v1::SpanBatcher* const v1_batcher;
  v1::ServiceOptions v1_options;
  ExportService export_service{shared};
  TraceReaderService trace_reader{shared};
  DependencyReaderService dependency_reader{shared};
  CapabilitiesService capabilities{shared};
  v1::SpanReaderService v1_reader{shared, v1_options};
  v1::SpanWriterService v1_writer{shared, v1_batcher};
  v1::StreamingSpanWriterService v1_streaming_writer{shared, v1_batcher};
  v1::DependenciesReaderService v1_dependencies{shared};
  v1::PluginCapabilitiesService v1_capabilities{shared, v1_options};
  std::unique_ptr<grpc::Server> server;
  int port = 0;
};

// Where other processes on the data directory come: what a Forwarder sends. Writers of
// jaeger.storage.v1 are not here, since their spans come as requests of OTLP.
struct Server::OwnerPort {
  // Both must outlive this. Whoever may open the socket may read the data directory, so no token is
  // asked for; nothing is forwarded any further.
  OwnerPort(const ServiceParts& parts, const CallGuard* nobody_checked,
            const ServerOptions& options)
      : guard(nobody_checked, parts.gate, options.tenancy, /*is_archive=*/false),
        archive_guard(nobody_checked, parts.gate, options.tenancy, /*is_archive=*/true),
        exports(options.memory_bytes_max / kExportShare),
        shared(parts),
        v1_options(options.v1) {
    shared.guard = &guard;
    shared.forwarder = nullptr;
    shared.exports = &exports;
    archive_shared = shared;
    archive_shared.guard = &archive_guard;
    v1_options.span_bytes_max = SIZE_MAX;  // a sidecar's host takes messages of any size
  }
  std::array<grpc::Service*, 6> Services() {
    return {&export_service, &trace_reader,      &dependency_reader,
            &v1_reader,      &v1_archive_reader, &v1_dependencies};
  }

  const TenantGuard guard;
  const TenantGuard archive_guard;
  // Of its own: what this process held before it took over is charged to the other one still.
  ByteBudget exports;
  ServiceParts shared;
  ServiceParts archive_shared;
  v1::ServiceOptions v1_options;
  ExportService export_service{shared};
  TraceReaderService trace_reader{shared};
  DependencyReaderService dependency_reader{shared};
  v1::SpanReaderService v1_reader{shared, v1_options};
  v1::ArchiveSpanReaderService v1_archive_reader{archive_shared, v1_options};
  v1::DependenciesReaderService v1_dependencies{shared};
  std::unique_ptr<grpc::Server> server;
};

struct Server::Parts {
  explicit Parts(const ServerOptions& server_options)
      : options(server_options),
        security(options.security != nullptr ? *options.security : nobody_checked),
        credentials(options.credentials != nullptr ? options.credentials
                                                   : MakeGrpcCredentials(security.tls())),
        exports(options.memory_bytes_max / kExportShare),
        queries("larder-query", options.query_threads),
        replies("larder-reply", 1),
        streams({.pending_bytes_max = options.pending_reply_bytes_max,
                 .stall_ms_max = options.stall_ms_max,
                 .clock = options.clock},
                &queries),
        v1_batcher(BatcherOptions()),
        v1_archive_batcher(ArchiveBatcherOptions()),
        guard(&security.guard(), &gate, options.tenancy, /*is_archive=*/false),
        archive_guard(&security.guard(), &gate, options.tenancy, /*is_archive=*/true) {
    v1_options = options.v1;
    // Jaeger shares its streams between tenants.
    v1_options.has_streaming = options.v1.has_streaming && !options.tenancy.enabled;
    shared = {.guard = &guard,
              .gate = &gate,
              .forwarder = options.forwarder,
              .queries = &queries,
              .replies = &replies,
              .streams = &streams,
              .exports = &exports,
              .metrics = &metrics,
              .clock = options.clock,
              .active_queries_max = options.active_queries_max,
              .search_depth_max = options.search_depth_max,
              .page_size_max = options.page_size_max,
              .request_bytes_max = options.request_bytes_max};
    archive_shared = shared;
    archive_shared.guard = &archive_guard;
  }

  v1::SpanBatcherOptions BatcherOptions() {
    v1::SpanBatcherOptions made{.gate = &gate, .replies = &replies};
    made.request_bytes_max = options.request_bytes_max;
    made.forwarder = options.forwarder;
    if (options.forwarder == nullptr) return made;
    // Spans wait here while the owner changes.
    made.pending_bytes_max = kHeldBytesMax;
    made.retry_ms_max = static_cast<uint64_t>(options.forwarder->hold().count());
    return made;
  }

  v1::SpanBatcherOptions ArchiveBatcherOptions() {
    v1::SpanBatcherOptions made = BatcherOptions();
    made.pending_bytes_max = kArchiveHeldBytesMax;
    return made;
  }

  const ServerOptions options;
  const Security nobody_checked;
  const Security& security;
  const std::shared_ptr<grpc::ServerCredentials> credentials;
  // Each asks the guard first, in each of its methods.
  std::vector<std::pair<std::string, grpc::Service*>> Services() {
    namespace v1api = jaeger::storage::v1;
    namespace v2 = jaeger::storage::v2;
    namespace otlp = opentelemetry::proto::collector::trace::v1;
    return {{otlp::TraceService::service_full_name(), &export_service},
            {v2::TraceReader::service_full_name(), &trace_reader},
            {v2::DependencyReader::service_full_name(), &dependency_reader},
            {v2::Capabilities::service_full_name(), &capabilities},
            {v1api::SpanReaderPlugin::service_full_name(), &v1_reader},
            {v1api::SpanWriterPlugin::service_full_name(), &v1_writer},
            {v1api::StreamingSpanWriterPlugin::service_full_name(), &v1_streaming_writer},
            {v1api::ArchiveSpanReaderPlugin::service_full_name(), &v1_archive_reader},
            {v1api::ArchiveSpanWriterPlugin::service_full_name(), &v1_archive_writer},
            {v1api::DependenciesReaderPlugin::service_full_name(), &v1_dependencies},
            {v1api::PluginCapabilities::service_full_name(), &v1_capabilities}};
  }

  StoreGate gate;
  RpcMetrics metrics;
  ByteBudget exports;
  ServiceParts shared;
  ServiceParts archive_shared;  // the same, but for the guard
  ExportService export_service{shared};
  TraceReaderService trace_reader{shared};
  DependencyReaderService dependency_reader{shared};
  CapabilitiesService capabilities{shared};
  v1::ServiceOptions v1_options;
  v1::SpanReaderService v1_reader{shared, v1_options};
  v1::DependenciesReaderService v1_dependencies{shared};
  v1::PluginCapabilitiesService v1_capabilities{shared, v1_options};
  v1::ArchiveSpanReaderService v1_archive_reader{archive_shared, v1_options};
  v1::ArchiveSpanWriterService v1_archive_writer{archive_shared, &v1_archive_batcher};
  v1::SpanWriterService v1_writer{shared, &v1_batcher};
  v1::StreamingSpanWriterService v1_streaming_writer{shared, &v1_batcher};
  std::unique_ptr<ArchivePort> archive;  // null: not asked for
  std::unique_ptr<OwnerPort> owner;      // null: not asked for
  std::unique_ptr<OwnerPort> held;       // for the forwarder alone; null: not asked for
  // Behind the services, so that they end first: what they still run refers to the services.
  WorkerPool queries;
  WorkerPool replies;
  StreamWatch streams;
  v1::SpanBatcher v1_batcher;
  v1::SpanBatcher v1_archive_batcher;  // so that nobody waits while an archive is looked through
  std::unique_ptr<grpc::Server> server;
  std::vector<std::string> more_names;  // of ServerOptions::more_services
  int port = 0;
  int otlp_port = 0;
  const TenantGuard guard;
  const TenantGuard archive_guard;
};

Result<std::unique_ptr<Server>> Server::Start(const ServerOptions& options) {
  // Debian builds Abseil with the search for lock cycles on, which costs every lock of gRPC.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  grpc::EnableDefaultHealthCheckService(true);
  auto parts = std::make_unique<Parts>(options);
  grpc::ServerBuilder builder;
  Configure(options, &builder);
  builder.AddListeningPort(options.listen, parts->credentials, &parts->port);
  if (!options.otlp_listen.empty()) {
    builder.AddListeningPort(options.otlp_listen, parts->credentials, &parts->otlp_port);
  }
  OfferReflection(parts->security.guard());
  for (const auto& [name, service] : parts->Services()) builder.RegisterService(service);
  for (const auto& [name, service] : options.more_services) {
    builder.RegisterService(service);
    parts->more_names.push_back(name);
  }
  parts->server = builder.BuildAndStart();
  if (parts->server == nullptr) {
    const std::string second = options.otlp_listen.empty() ? "" : " and " + options.otlp_listen;
    return Status::Unavailable("cannot listen for gRPC on " + options.listen + second +
                               ": an address is in use or is not one of this machine "
                               "(choose another with --grpc-listen, --otlp.grpc-listen)");
  }
  auto server = std::unique_ptr<Server>(new Server(std::move(parts)));
  if (!options.archive_listen.empty()) LARDER_RETURN_IF_ERROR(server->StartArchive(options));
  server->SetServing(false);
  return server;
}

Status Server::StartArchive(const ServerOptions& options) {
  auto archive = std::make_unique<ArchivePort>(parts_->archive_shared, &parts_->v1_archive_batcher,
                                               parts_->v1_options);
  grpc::ServerBuilder builder;
  Configure(options, &builder);
  builder.AddListeningPort(options.archive_listen, parts_->credentials, &archive->port);
  for (grpc::Service* service : archive->Services()) builder.RegisterService(service);
  archive->server = builder.BuildAndStart();
  if (archive->server == nullptr) {
    return Status::Unavailable("cannot listen for the archive on " + options.archive_listen +
                               ": the address is in use or is not one of this machine "
                               "(choose another with --archive.listen)");
  }
  parts_->archive = std::move(archive);
  return Status::Ok();
}

std::unique_ptr<Server::OwnerPort> Server::StartOwnerPort(const std::string& address) {
  auto port =
      std::make_unique<OwnerPort>(parts_->shared, &parts_->nobody_checked.guard(), parts_->options);
  grpc::ServerBuilder builder;
  Configure(parts_->options, &builder);
  if (!address.empty()) builder.AddListeningPort(address, grpc::InsecureServerCredentials());
  for (grpc::Service* service : port->Services()) builder.RegisterService(service);
  port->server = builder.BuildAndStart();
  return port->server == nullptr ? nullptr : std::move(port);
}

Status Server::ServeOthers(const std::string& address) {
  auto port = StartOwnerPort(address);
  if (port == nullptr) return Status::Unavailable("cannot listen on " + address);
  parts_->owner = std::move(port);
  return Status::Ok();
}

void Server::ServeHeld() {
  if (parts_->options.forwarder == nullptr || parts_->held != nullptr) return;
  parts_->held = StartOwnerPort("");
  if (parts_->held == nullptr) return;
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(INT_MAX);
  arguments.SetMaxSendMessageSize(INT_MAX);
  parts_->options.forwarder->Redirect(parts_->held->server->InProcessChannel(arguments));
}

void Server::CloseOwnerPorts(std::chrono::system_clock::time_point until) {
  for (const auto& port : {std::ref(parts_->owner), std::ref(parts_->held)}) {
    if (port.get() != nullptr) port.get()->server->Shutdown(until);
  }
  for (const auto& port : {std::ref(parts_->owner), std::ref(parts_->held)}) {
    if (port.get() != nullptr) port.get()->server->Wait();
  }
  if (parts_->held != nullptr) parts_->options.forwarder->Redirect(nullptr);
}

void Server::ServeNobody() {
  CloseOwnerPorts(std::chrono::system_clock::now());
  parts_->owner.reset();
  parts_->held.reset();
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Server::~Server() { Drain(std::chrono::milliseconds(0)); }

void Server::Open(Store* store) {
  parts_->gate.Open(store);
  SetServing(true);
}

void Server::Forward() { SetServing(true); }

void Server::FlushV1(std::function<void()> done, std::chrono::milliseconds patience) {
  // One after the other: `done` runs once, when both are through.
  parts_->v1_batcher.Flush([this, done = std::move(done)](const Status& /*outcome*/) {
    parts_->v1_archive_batcher.Flush([done](const Status& /*of_archive*/) { done(); });
  });
  parts_->v1_batcher.Hurry(patience);
  parts_->v1_archive_batcher.Hurry(patience);
}

void Server::Drain(std::chrono::milliseconds grace) {
  SetServing(false);
  // Streams of writers would stay for the whole grace; what they brought is still written.
  parts_->v1_streaming_writer.Stop();
  if (parts_->archive != nullptr) parts_->archive->v1_streaming_writer.Stop();
  parts_->v1_batcher.Stop();
  parts_->v1_archive_batcher.Stop();
  parts_->gate.Close("the server is shutting down");
  const auto until = std::chrono::system_clock::now() + grace;
  // What others sent first: their calls go on elsewhere.
  CloseOwnerPorts(until);
  if (parts_->archive != nullptr) parts_->archive->server->Shutdown(until);
  parts_->server->Shutdown(until);
  if (parts_->archive != nullptr) parts_->archive->server->Wait();
  parts_->server->Wait();
}

int Server::port() const { return parts_->port; }

int Server::otlp_port() const { return parts_->otlp_port; }

int Server::archive_port() const { return parts_->archive != nullptr ? parts_->archive->port : 0; }

std::vector<std::string> Server::service_names() const {
  std::vector<std::string> names;
  for (const auto& [name, service] : parts_->Services()) names.push_back(name);
  return names;
}

StoreGate& Server::gate() { return parts_->gate; }

RpcMetrics& Server::metrics() { return parts_->metrics; }

const StreamWatch& Server::streams() const { return parts_->streams; }

void Server::SetServing(bool serving) {
  grpc::HealthCheckServiceInterface* health = parts_->server->GetHealthCheckService();
  for (const char* name : kHealthNames) health->SetServingStatus(name, serving);
  for (const std::string& name : parts_->more_names) health->SetServingStatus(name, serving);
  if (parts_->archive == nullptr) return;
  parts_->archive->server->GetHealthCheckService()->SetServingStatus(serving);
}

}  // namespace larder
