// Messages between gRPC's slices and plain bytes. Messages with users' bytes never pass a generated
// parser, which would refuse all of a message for one string that is not UTF-8.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include "storage/base/status.h"

namespace larder {

// A message in one piece. `view` lives as long as a copy of `owner`.
struct MessageBytes {
  std::shared_ptr<const void> owner;
  std::string_view view;
};

// Copies only when the message came in several slices.
Result<MessageBytes> ContiguousBytes(const grpc::ByteBuffer& buffer);

// The same for a request, which may be packed with gzip. kInvalidArgument when it cannot be
// unpacked to at most `size_bytes_max`.
Result<MessageBytes> ReadRequest(const grpc::ByteBuffer& request, uint64_t size_bytes_max);

// ReadRequest, and gives the request's slices back at once: gRPC would keep them until the call
// ends, which makes a large request lie in memory twice.
Result<MessageBytes> TakeRequest(const grpc::ByteBuffer* request, uint64_t size_bytes_max);

// Takes the string over without copying it.
grpc::ByteBuffer ToByteBuffer(std::string message);

}  // namespace larder
