// jaeger.storage.v2.TraceReader: parse, ask the store, encode; no logic of its own.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <jaeger/storage/v2/trace_storage.grpc.pb.h>

#include "plugin/calls/query_call.h"
#include "plugin/services/requests.h"

namespace larder {

namespace internal {
using TraceReader = jaeger::storage::v2::TraceReader;
// Every method raw and by callback.
using RawTraceReader = TraceReader::WithRawCallbackMethod_GetTraces<
    TraceReader::WithRawCallbackMethod_FindTraces<TraceReader::WithRawCallbackMethod_FindTraceIDs<
        TraceReader::WithRawCallbackMethod_FindTraceSummaries<
            TraceReader::WithRawCallbackMethod_FindSpans<
                TraceReader::WithRawCallbackMethod_GetServices<
                    TraceReader::WithRawCallbackMethod_GetOperations<TraceReader::Service>>>>>>>;
}  // namespace internal

class TraceReaderService final : public internal::RawTraceReader {
 public:
  using Context = grpc::CallbackServerContext;
  using Buffer = grpc::ByteBuffer;
  using Stream = grpc::ServerWriteReactor<Buffer>;

  // `parts` must outlive this.
  explicit TraceReaderService(const ServiceParts& parts) : parts_(parts) {}

  Stream* GetTraces(Context* context, const Buffer* request) override;
  Stream* FindTraces(Context* context, const Buffer* request) override;
  Stream* FindTraceSummaries(Context* context, const Buffer* request) override;
  Stream* FindSpans(Context* context, const Buffer* request) override;
  grpc::ServerUnaryReactor* FindTraceIDs(Context* context, const Buffer* request,
                                         Buffer* reply) override;
  grpc::ServerUnaryReactor* GetServices(Context* context, const Buffer* request,
                                        Buffer* reply) override;
  grpc::ServerUnaryReactor* GetOperations(Context* context, const Buffer* request,
                                          Buffer* reply) override;

 private:
  SearchLimits Limits() const { return {parts_.search_depth_max, parts_.page_size_max}; }

  const ServiceParts& parts_;
};

}  // namespace larder
