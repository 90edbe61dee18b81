// Unpacks gzip (RFC 1952) within a bound. gRPC's own unpacking has none: it makes all of a message
// before it looks at its size, and a message of one MiB may unpack to one GiB.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// Whether a message is packed. No protobuf message begins like gzip: its first byte would be a
// field of a wire type that does not exist.
bool IsGzip(std::string_view message);

// kInvalidArgument: the bytes are broken. kOutOfRange: they unpack to more than `size_bytes_max`.
Result<std::string> Gunzip(std::string_view packed, uint64_t size_bytes_max);

}  // namespace larder
