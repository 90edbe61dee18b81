#include "plugin/byte_buffer.h"

#include <utility>

#include "plugin/gunzip.h"

namespace larder {

Result<MessageBytes> ContiguousBytes(const grpc::ByteBuffer& buffer) {
  auto slice = std::make_shared<grpc::Slice>();
  if (buffer.Valid() && buffer.Length() > 0) {
    grpc::Status status = buffer.TrySingleSlice(slice.get());
    if (!status.ok()) status = buffer.DumpToSingleSlice(slice.get());
    if (!status.ok()) return Status::Internal("request bytes: " + status.error_message());
  }
  MessageBytes bytes;
  bytes.view = {reinterpret_cast<const char*>(slice->begin()), slice->size()};
  bytes.owner = std::move(slice);
  return bytes;
}

Result<MessageBytes> ReadRequest(const grpc::ByteBuffer& request, uint64_t size_bytes_max) {
  auto bytes = ContiguousBytes(request);
  if (!bytes.ok() || !IsGzip(bytes->view)) return bytes;
  LARDER_ASSIGN_OR_RETURN(std::string unpacked, Gunzip(bytes->view, size_bytes_max));
  const auto owner = std::make_shared<const std::string>(std::move(unpacked));
  return MessageBytes{owner, *owner};
}

Result<MessageBytes> TakeRequest(const grpc::ByteBuffer* request, uint64_t size_bytes_max) {
  auto bytes = ReadRequest(*request, size_bytes_max);
  // The buffer is the call's own; gRPC hands it out as const but never looks at it again.
  const_cast<grpc::ByteBuffer*>(request)->Clear();
  return bytes;
}

grpc::ByteBuffer ToByteBuffer(std::string message) {
  auto* kept = new std::string(std::move(message));  // NOLINT: the slice owns it from here
  const auto release = [](void* string) {
    delete static_cast<std::string*>(string);  // NOLINT: the other end of the same ownership
  };
  const grpc::Slice slice(kept->data(), kept->size(), release, kept);
  return {&slice, 1};
}

}  // namespace larder
