#include "plugin/wire/byte_buffer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "plugin/wire/gunzip.h"

namespace larder {
namespace {

// ContiguousBytes, but the buffer is empty afterwards, and each slice goes once it is copied.
Result<MessageBytes> TakeBytes(grpc::ByteBuffer* buffer) {
  std::vector<grpc::Slice> slices;
  const size_t size_bytes = buffer->Length();
  if (buffer->Valid()) {
    const grpc::Status status = buffer->Dump(&slices);
    if (!status.ok()) return Status::Internal("request bytes: " + status.error_message());
    buffer->Clear();
  }
  if (slices.size() == 1) {
    const auto slice = std::make_shared<const grpc::Slice>(std::move(slices.front()));
    return MessageBytes{slice, {reinterpret_cast<const char*>(slice->begin()), slice->size()}};
  }
  const auto bytes = std::make_shared_for_overwrite<char[]>(size_bytes);
  char* next = bytes.get();
  for (grpc::Slice& slice : slices) {
    next = std::copy_n(reinterpret_cast<const char*>(slice.begin()), slice.size(), next);
    slice = grpc::Slice();
  }
  return MessageBytes{bytes, {bytes.get(), size_bytes}};
}

Result<MessageBytes> Unpack(MessageBytes bytes, uint64_t size_bytes_max) {
  if (!IsGzip(bytes.view)) return bytes;
  Result<std::string> unpacked = Gunzip(bytes.view, size_bytes_max);
  if (unpacked.status().code() == StatusCode::kOutOfRange) {
    // Which OTLP's clients would take for a reason to send it again.
    return Status::InvalidArgument(std::string(unpacked.status().message()));
  }
  if (!unpacked.ok()) return unpacked.status();
  const auto owner = std::make_shared<const std::string>(std::move(unpacked).value());
  return MessageBytes{owner, *owner};
}

}  // namespace

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
  if (!bytes.ok()) return bytes;
  return Unpack(std::move(bytes).value(), size_bytes_max);
}

Result<MessageBytes> TakeRequest(const grpc::ByteBuffer* request, uint64_t size_bytes_max) {
  // The buffer is the call's own; gRPC hands it out as const but never looks at it again.
  LARDER_ASSIGN_OR_RETURN(MessageBytes bytes, TakeBytes(const_cast<grpc::ByteBuffer*>(request)));
  return Unpack(std::move(bytes), size_bytes_max);
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
