// Calls of our own clients that the owner of the data directory answers: message by message, status
// and trailers included. Nothing is parsed on the way.
#pragma once

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "plugin/calls/query_call.h"

namespace larder {

// Whether this process has to ask another one: it has no store open, and knows where to ask.
bool MustForward(const ServiceParts& parts);

// Both answer as the owner does. A call that got lost with an owner, or met none, is sent again for
// as long as the forwarder holds calls; a stream, until its first message was passed on. Then the
// client gets UNAVAILABLE. Spans that find the budget for exports spent are refused with
// RESOURCE_EXHAUSTED, to be sent again. REQUIRES: MustForward was true. All must outlive the call.
grpc::ServerUnaryReactor* ForwardUnary(const ServiceParts& parts, Rpc rpc,
                                       grpc::CallbackServerContext* context,
                                       const grpc::ByteBuffer* request, grpc::ByteBuffer* reply);
grpc::ServerWriteReactor<grpc::ByteBuffer>* ForwardStream(const ServiceParts& parts, Rpc rpc,
                                                          grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request);

}  // namespace larder
