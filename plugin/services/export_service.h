// OTLP TraceService/Export: hands the wire bytes to the store and answers when it has.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.grpc.pb.h>

#include "plugin/calls/query_call.h"

namespace larder {

class ExportService final
    : public opentelemetry::proto::collector::trace::v1::TraceService::WithRawCallbackMethod_Export<
          opentelemetry::proto::collector::trace::v1::TraceService::Service> {
 public:
  // `parts` must outlive this.
  explicit ExportService(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Export(grpc::CallbackServerContext* context,
                                   const grpc::ByteBuffer* request,
                                   grpc::ByteBuffer* reply) override;

 private:
  const ServiceParts& parts_;
};

}  // namespace larder
