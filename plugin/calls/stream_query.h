// A query with a stream of reply messages, pulled by its reader: the next message is made when
// the one before has been taken by the connection. A stream whose reader is slow or asleep holds
// one message and no thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "plugin/calls/query_call.h"

namespace larder {

// Where the messages of a stream come from. Not thread-safe.
class MessageSource {
 public:
  virtual ~MessageSource() = default;
  // Nothing at the end.
  virtual Result<std::optional<std::string>> Next() = 0;
  virtual const std::vector<Gap>& gaps() const = 0;
};

// Deletes itself when gRPC is done with it.
class StreamQuery final : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  // Parses and opens; runs on a thread of the pool, as every Next does.
  using Open = std::function<Result<std::unique_ptr<MessageSource>>(const Question& asked)>;

  // The owner of the data directory is asked when that is another process.
  static grpc::ServerWriteReactor<grpc::ByteBuffer>* Start(const ServiceParts& parts, Rpc rpc,
                                                           grpc::CallbackServerContext* context,
                                                           const grpc::ByteBuffer* request,
                                                           Open open);

  void OnWriteDone(bool ok) override;
  void OnCancel() override { call_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  StreamQuery(const ServiceParts& parts, Rpc rpc, grpc::CallbackServerContext* context,
              const grpc::ByteBuffer& request, Open open);
  ~StreamQuery() override = default;
  // gRPC then ends the call where it is instead of handing it to one more thread; what runs there
  // (OnCancel, OnDone) is short.
  bool InternalInlineable() override { return true; }
  void Begin();
  void Step();
  void End(const Status& outcome);

  const ServiceParts& parts_;
  grpc::CallbackServerContext* const context_;
  QueryCall call_;
  Open open_;
  // Touched by one step at a time: a step ends in a write or in the end of the call, and only the
  // end of that write schedules the next one.
  std::unique_ptr<MessageSource> source_;
  grpc::ByteBuffer message_;
};

}  // namespace larder
