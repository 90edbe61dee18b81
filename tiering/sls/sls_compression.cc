#include "tiering/sls/sls_compression.h"

#include <lz4.h>
#include <zstd.h>

#include "storage/base/check.h"

namespace larder {
namespace {

constexpr int kZstdLevel = 1;

std::string CompressLz4(std::string_view body) {
  const int size = static_cast<int>(body.size());
  std::string out(static_cast<size_t>(LZ4_compressBound(size)), '\0');
  const int written =
      LZ4_compress_default(body.data(), out.data(), size, static_cast<int>(out.size()));
  LARDER_CHECK(written > 0);
  out.resize(static_cast<size_t>(written));
  return out;
}

std::string CompressZstd(std::string_view body) {
  std::string out(ZSTD_compressBound(body.size()), '\0');
  const size_t written =
      ZSTD_compress(out.data(), out.size(), body.data(), body.size(), kZstdLevel);
  LARDER_CHECK(ZSTD_isError(written) == 0);
  out.resize(written);
  return out;
}

}  // namespace

std::string_view CompressionName(SlsCompression compression) {
  switch (compression) {
    case SlsCompression::kLz4:
      return "lz4";
    case SlsCompression::kZstd:
      return "zstd";
    default:
      return "";
  }
}

std::string CompressBody(SlsCompression compression, std::string_view body) {
  LARDER_CHECK(body.size() <= LZ4_MAX_INPUT_SIZE);
  switch (compression) {
    case SlsCompression::kLz4:
      return CompressLz4(body);
    case SlsCompression::kZstd:
      return CompressZstd(body);
    default:
      return std::string(body);
  }
}

Result<std::string> DecompressBody(std::string_view name, std::string_view body,
                                   uint64_t raw_bytes) {
  if (raw_bytes > kSlsBodyBytesMax) {
    return Status::DataLoss("a body of " + std::to_string(raw_bytes) + " bytes is announced");
  }
  if (raw_bytes == 0) return std::string();
  std::string out(raw_bytes, '\0');
  bool fits = false;
  if (name == "lz4") {
    fits = LZ4_decompress_safe(body.data(), out.data(), static_cast<int>(body.size()),
                               static_cast<int>(out.size())) == static_cast<int>(raw_bytes);
  } else if (name == "zstd") {
    fits = ZSTD_decompress(out.data(), out.size(), body.data(), body.size()) == raw_bytes;
  } else {
    return Status::DataLoss("compression '" + std::string(name) + "' is not known");
  }
  if (fits) return out;
  return Status::DataLoss("a body of " + std::to_string(body.size()) + " bytes in " +
                          std::string(name) + " does not unpack to the " +
                          std::to_string(raw_bytes) + " bytes that are announced");
}

}  // namespace larder
