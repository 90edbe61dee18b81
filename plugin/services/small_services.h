// The two services of jaeger.storage.v2 with a single method: DependencyReader and Capabilities.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <jaeger/storage/v2/capabilities.grpc.pb.h>
#include <jaeger/storage/v2/dependency_storage.grpc.pb.h>

#include "plugin/calls/query_call.h"

namespace larder {

class DependencyReaderService final
    : public jaeger::storage::v2::DependencyReader::WithRawCallbackMethod_GetDependencies<
          jaeger::storage::v2::DependencyReader::Service> {
 public:
  // `parts` must outlive this.
  explicit DependencyReaderService(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* GetDependencies(grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* reply) override;

 private:
  const ServiceParts& parts_;
};

// Answers without a store: Jaeger keeps the answer for its life, and asks when it starts.
class CapabilitiesService final
    : public jaeger::storage::v2::Capabilities::WithRawCallbackMethod_GetCapabilities<
          jaeger::storage::v2::Capabilities::Service> {
 public:
  explicit CapabilitiesService(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* GetCapabilities(grpc::CallbackServerContext* context,
                                            const grpc::ByteBuffer* request,
                                            grpc::ByteBuffer* reply) override;

 private:
  const ServiceParts& parts_;
};

}  // namespace larder
