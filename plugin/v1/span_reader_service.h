// The services of jaeger.storage.v1 that read: parse, ask the store, encode; no logic of their own.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <jaeger/storage/v1/storage.grpc.pb.h>

#include "plugin/calls/query_call.h"
#include "plugin/v1/options.h"

namespace larder::v1 {

namespace internal {
using SpanReader = jaeger::storage::v1::SpanReaderPlugin;
// Every method raw and by callback.
using RawSpanReader = SpanReader::WithRawCallbackMethod_GetTrace<
    SpanReader::WithRawCallbackMethod_FindTraces<SpanReader::WithRawCallbackMethod_FindTraceIDs<
        SpanReader::WithRawCallbackMethod_GetServices<
            SpanReader::WithRawCallbackMethod_GetOperations<SpanReader::Service>>>>>;
}  // namespace internal

class SpanReaderService final : public internal::RawSpanReader {
 public:
  using Context = grpc::CallbackServerContext;
  using Buffer = grpc::ByteBuffer;
  using Stream = grpc::ServerWriteReactor<Buffer>;

  // Both must outlive this.
  SpanReaderService(const ServiceParts& parts, const ServiceOptions& options)
      : parts_(parts), options_(options) {}

  Stream* GetTrace(Context* context, const Buffer* request) override;
  Stream* FindTraces(Context* context, const Buffer* request) override;
  grpc::ServerUnaryReactor* FindTraceIDs(Context* context, const Buffer* request,
                                         Buffer* reply) override;
  grpc::ServerUnaryReactor* GetServices(Context* context, const Buffer* request,
                                        Buffer* reply) override;
  grpc::ServerUnaryReactor* GetOperations(Context* context, const Buffer* request,
                                          Buffer* reply) override;

 private:
  const ServiceParts& parts_;
  const ServiceOptions& options_;
};

// The archive of Jaeger up to v1.65; later ones ask the archive's port for plain traces.
class ArchiveSpanReaderService final
    : public jaeger::storage::v1::ArchiveSpanReaderPlugin::WithRawCallbackMethod_GetArchiveTrace<
          jaeger::storage::v1::ArchiveSpanReaderPlugin::Service> {
 public:
  // Both must outlive this. The guard of `parts` answers for the archive.
  ArchiveSpanReaderService(const ServiceParts& parts, const ServiceOptions& options)
      : parts_(parts), options_(options) {}

  grpc::ServerWriteReactor<grpc::ByteBuffer>* GetArchiveTrace(
      grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) override;

 private:
  const ServiceParts& parts_;
  const ServiceOptions& options_;
};

class DependenciesReaderService final
    : public jaeger::storage::v1::DependenciesReaderPlugin::WithRawCallbackMethod_GetDependencies<
          jaeger::storage::v1::DependenciesReaderPlugin::Service> {
 public:
  // `parts` must outlive this.
  explicit DependenciesReaderService(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* GetDependencies(grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* reply) override;

 private:
  const ServiceParts& parts_;
};

// Answers without a store: Jaeger asks when it starts, and keeps the answer for its life. Answers
// everybody: Jaeger asks without a tenant and without a token, and gives up the archive and streams
// when it is refused.
class PluginCapabilitiesService final
    : public jaeger::storage::v1::PluginCapabilities::WithRawCallbackMethod_Capabilities<
          jaeger::storage::v1::PluginCapabilities::Service> {
 public:
  // Both must outlive this.
  PluginCapabilitiesService(const ServiceParts& parts, const ServiceOptions& options)
      : parts_(parts), options_(options) {}

  grpc::ServerUnaryReactor* Capabilities(grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* reply) override;

 private:
  const ServiceParts& parts_;
  const ServiceOptions& options_;
};

}  // namespace larder::v1
