// Looks at a file a window at a time, past places that the disk cannot read.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/file_system.h"
#include "storage/base/status.h"

namespace larder {

class FileWindow {
 public:
  // `file_system` and `path` must outlive it. Bytes beyond `file_bytes` are not looked at.
  FileWindow(FileSystem* file_system, const std::string& path, uint64_t file_bytes)
      : file_system_(file_system), path_(path), file_bytes_(file_bytes) {}

  // Bytes [offset, offset + size) of the file, fewer where it ends. The view lives until the next
  // call. Memory: the larger of `size` and 1 MiB. Blocks of 4 KiB that the disk fails to read are
  // filled with bytes that no checksum fits; kDataLoss when not one block of the window can be
  // read. Errors other than kUnavailable are returned.
  Result<std::string_view> Peek(uint64_t offset, uint64_t size);

  // Why a part of [offset, offset + size) could not be read, among what was looked at; else empty.
  std::string_view ReadError(uint64_t offset, uint64_t size) const;

 private:
  struct Unreadable {
    uint64_t offset = 0;
    std::string error;
  };

  Status Load(uint64_t offset, uint64_t size);
  // Reads what it can, a block at a time.
  Status LoadBlocks(uint64_t offset, uint64_t size);

  FileSystem* const file_system_;
  const std::string& path_;
  const uint64_t file_bytes_;
  uint64_t start_ = 0;
  std::string bytes_;
  std::vector<Unreadable> unreadable_;
};

}  // namespace larder
