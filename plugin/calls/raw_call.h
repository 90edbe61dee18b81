// Calls with one reply and any bytes, for tests: what no generated client would send.
#pragma once

#include <memory>
#include <string>

#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include "plugin/wire/byte_buffer.h"

namespace larder {

// `method` is "/package.Service/Method". The first message of the reply goes to `reply`, which may
// be null. A stream with more than one message is an error. `encoding`, when not null, is the
// wish of the metadata larder-reply-encoding.
inline grpc::Status RawCall(const std::shared_ptr<grpc::Channel>& channel,
                            const std::string& method, const std::string& request,
                            std::string* reply = nullptr, const char* encoding = nullptr) {
  grpc::GenericStub stub(channel);
  grpc::ClientContext context;
  if (encoding != nullptr) context.AddMetadata("larder-reply-encoding", encoding);
  grpc::CompletionQueue queue;
  auto call = stub.PrepareUnaryCall(&context, method, ToByteBuffer(request), &queue);
  call->StartCall();
  grpc::ByteBuffer buffer;
  grpc::Status status;
  call->Finish(&buffer, &status, &queue);
  void* tag = nullptr;
  bool ok = false;
  queue.Next(&tag, &ok);
  if (status.ok() && reply != nullptr) *reply = ContiguousBytes(buffer).value().view;
  return status;
}

}  // namespace larder
