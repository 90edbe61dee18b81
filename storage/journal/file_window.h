// Looks at a file a window at a time.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/file_system.h"
#include "storage/base/status.h"

namespace larder {

class FileWindow {
 public:
  // `file_system` and `path` must outlive it. Bytes beyond `file_bytes` are not looked at.
  FileWindow(FileSystem* file_system, const std::string& path, uint64_t file_bytes)
      : file_system_(file_system), path_(path), file_bytes_(file_bytes) {}

  // Bytes [offset, offset + size) of the file, fewer where it ends. The view lives until the next
  // call. Memory: the larger of `size` and 1 MiB.
  Result<std::string_view> Peek(uint64_t offset, uint64_t size) {
    if (offset >= file_bytes_) return std::string_view();
    size = std::min(size, file_bytes_ - offset);
    const bool inside = offset >= start_ && offset + size <= start_ + bytes_.size();
    if (!inside) {
      LARDER_ASSIGN_OR_RETURN(bytes_,
                              file_system_->Read(path_, offset, std::max(size, kWindowBytes)));
      start_ = offset;
    }
    return std::string_view(bytes_).substr(offset - start_, size);
  }

 private:
  static constexpr uint64_t kWindowBytes = 1 << 20;

  FileSystem* const file_system_;
  const std::string& path_;
  const uint64_t file_bytes_;
  uint64_t start_ = 0;
  std::string bytes_;
};

}  // namespace larder
