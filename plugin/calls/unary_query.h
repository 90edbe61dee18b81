// A query with one reply message: run once on the pool of queries.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "plugin/calls/query_call.h"

namespace larder {

struct UnaryReply {
  std::string message;
  std::vector<Gap> gaps;
};

// Deletes itself when gRPC is done with it.
class UnaryQuery final : public grpc::ServerUnaryReactor {
 public:
  // Parses, asks the store, encodes. Runs on a thread of the pool.
  using Work = std::function<Result<UnaryReply>(const Question& asked)>;

  // `reply` is gRPC's and lives until the call is done. The owner of the data directory is asked
  // when that is another process.
  static grpc::ServerUnaryReactor* Start(const ServiceParts& parts, Rpc rpc,
                                         grpc::CallbackServerContext* context,
                                         const grpc::ByteBuffer* request, grpc::ByteBuffer* reply,
                                         Work work);

  void OnCancel() override { call_.Cancel(); }
  void OnDone() override { delete this; }

 private:
  UnaryQuery(const ServiceParts& parts, Rpc rpc, grpc::CallbackServerContext* context,
             const grpc::ByteBuffer& request, grpc::ByteBuffer* reply, Work work);
  ~UnaryQuery() override = default;
  // gRPC then ends the call where it is instead of handing it to one more thread; what runs there
  // (OnCancel, OnDone) is short.
  bool InternalInlineable() override { return true; }
  void Run();

  QueryCall call_;
  grpc::ByteBuffer* const reply_;
  Work work_;
};

}  // namespace larder
