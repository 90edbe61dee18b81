#include <memory>

#include <zstd.h>

#include "bench/template_set.h"
#include "storage/base/file_system.h"

namespace larder::bench {
namespace {

Result<std::string> Decompress(const std::string& packed) {
  const std::unique_ptr<ZSTD_DStream, size_t (*)(ZSTD_DStream*)> stream(ZSTD_createDStream(),
                                                                        ZSTD_freeDStream);
  std::string bytes;
  std::string piece(ZSTD_DStreamOutSize(), '\0');
  ZSTD_inBuffer input = {packed.data(), packed.size(), 0};
  while (input.pos < input.size) {
    ZSTD_outBuffer output = {piece.data(), piece.size(), 0};
    if (ZSTD_isError(ZSTD_decompressStream(stream.get(), &output, &input)) != 0) {
      return Status::DataLoss("not a zstd file");
    }
    bytes.append(piece, 0, output.pos);
  }
  return bytes;
}

}  // namespace

Result<std::vector<std::string>> ReadCapture(const std::string& path) {
  LARDER_ASSIGN_OR_RETURN(const std::string packed, FileSystem::Posix().Read(path, 0, 1ull << 32));
  LARDER_ASSIGN_OR_RETURN(const std::string bytes, Decompress(packed));
  std::vector<std::string> messages;
  for (size_t at = 0; at < bytes.size();) {
    size_t size = 0;
    for (size_t i = 0; i < 4 && at < bytes.size(); ++i) {
      size = size << 8 | static_cast<uint8_t>(bytes[at++]);
    }
    if (size > bytes.size() - at) return Status::DataLoss(path + ": ends inside a message");
    messages.push_back(bytes.substr(at, size));
    at += size;
  }
  return messages;
}

}  // namespace larder::bench
