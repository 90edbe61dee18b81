// The services of jaeger.storage.v1 that write. Spans go through one SpanBatcher, those for the
// archive's services through a second.
#pragma once

#include <atomic>
#include <unordered_set>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>
#include <jaeger/storage/v1/storage.grpc.pb.h>

#include "plugin/calls/query_call.h"
#include "plugin/v1/span_batcher.h"
#include "storage/base/mutex.h"

namespace larder::v1 {

namespace internal {
using SpanWriterPlugin = jaeger::storage::v1::SpanWriterPlugin;
using RawSpanWriter = SpanWriterPlugin::WithRawCallbackMethod_WriteSpan<
    SpanWriterPlugin::WithRawCallbackMethod_Close<SpanWriterPlugin::Service>>;
using StreamingSpanWriterPlugin = jaeger::storage::v1::StreamingSpanWriterPlugin;
using RawStreamingSpanWriter = StreamingSpanWriterPlugin::WithRawCallbackMethod_WriteSpanStream<
    StreamingSpanWriterPlugin::Service>;
}  // namespace internal

class SpanWriterService final : public internal::RawSpanWriter {
 public:
  // Both must outlive this.
  SpanWriterService(const ServiceParts& parts, SpanBatcher* batcher)
      : parts_(parts), batcher_(batcher) {}

  grpc::ServerUnaryReactor* WriteSpan(grpc::CallbackServerContext* context,
                                      const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* reply) override;
  // A collector's goodbye, which others may outlive: answered when what came before is durable.
  // From everybody: Jaeger says it without a tenant and without a token.
  grpc::ServerUnaryReactor* Close(grpc::CallbackServerContext* context,
                                  const grpc::ByteBuffer* request,
                                  grpc::ByteBuffer* reply) override;

 private:
  const ServiceParts& parts_;
  SpanBatcher* const batcher_;
};

// The archive of Jaeger up to v1.65; later ones send plain spans to the archive's port. A span that
// is there already is not stored again.
class ArchiveSpanWriterService final
    : public jaeger::storage::v1::ArchiveSpanWriterPlugin::WithRawCallbackMethod_WriteArchiveSpan<
          jaeger::storage::v1::ArchiveSpanWriterPlugin::Service> {
 public:
  // Both must outlive this. The guard of `parts` answers for the archive.
  ArchiveSpanWriterService(const ServiceParts& parts, SpanBatcher* batcher)
      : parts_(parts), batcher_(batcher) {}

  grpc::ServerUnaryReactor* WriteArchiveSpan(grpc::CallbackServerContext* context,
                                             const grpc::ByteBuffer* request,
                                             grpc::ByteBuffer* reply) override;

 private:
  const ServiceParts& parts_;
  SpanBatcher* const batcher_;
};

class WriteStream;

// Jaeger keeps up to a thousand streams open and writes one span at a time to each. It never learns
// what became of a span, and a stream that ends early costs it one: so a stream ends only with its
// client or with the server, and reads no further while the store cannot take what it brought.
class StreamingSpanWriterService final : public internal::RawStreamingSpanWriter {
 public:
  // Both must outlive this.
  StreamingSpanWriterService(const ServiceParts& parts, SpanBatcher* batcher)
      : parts_(parts), batcher_(batcher) {}

  grpc::ServerReadReactor<grpc::ByteBuffer>* WriteSpanStream(grpc::CallbackServerContext* context,
                                                             grpc::ByteBuffer* reply) override;
  // Ends the streams that are open, each when what it brought has its outcome; new ones end at
  // once.
  void Stop();

 private:
  friend class WriteStream;
  // False: the service was stopped.
  bool Enter(WriteStream* stream);
  void Leave(WriteStream* stream);
  // What gRPC had received of such a stream and not handed on is lost: said once, since a client
  // that ends its streams so will do it again and again.
  void NoteCancelled();

  const ServiceParts& parts_;
  SpanBatcher* const batcher_;
  std::atomic<bool> has_warned_ = false;
  Mutex mu_;
  std::unordered_set<WriteStream*> streams_ GUARDED_BY(mu_);
  bool stopped_ GUARDED_BY(mu_) = false;
};

}  // namespace larder::v1
