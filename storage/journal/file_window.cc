#include "storage/journal/file_window.h"

#include <algorithm>

namespace larder {
namespace {

constexpr uint64_t kWindowBytes = 1 << 20;
constexpr uint64_t kBlockBytes = 4096;
// Not zero: zeros at the end of a journal are an unfinished write, which nobody misses.
constexpr char kUnreadableByte = '\xee';

}  // namespace

Result<std::string_view> FileWindow::Peek(uint64_t offset, uint64_t size) {
  if (offset >= file_bytes_) return std::string_view();
  size = std::min(size, file_bytes_ - offset);
  const bool inside = offset >= start_ && offset + size <= start_ + bytes_.size();
  if (!inside) LARDER_RETURN_IF_ERROR(Load(offset, std::max(size, kWindowBytes)));
  return std::string_view(bytes_).substr(offset - start_, size);
}

Status FileWindow::Load(uint64_t offset, uint64_t size) {
  size = std::min(size, file_bytes_ - offset);
  Result<std::string> bytes = file_system_->Read(path_, offset, size);
  start_ = offset;
  if (bytes.ok()) {
    bytes_ = std::move(bytes).value();
    return Status::Ok();
  }
  if (bytes.status().code() != StatusCode::kUnavailable) return bytes.status();
  return LoadBlocks(offset, size);
}

Status FileWindow::LoadBlocks(uint64_t offset, uint64_t size) {
  bytes_.clear();
  const uint64_t end = offset + size;
  bool any_read = false;
  while (offset < end) {
    // Blocks are aligned, as the disk's are.
    const uint64_t block_end = std::min(end, (offset / kBlockBytes + 1) * kBlockBytes);
    Result<std::string> block = file_system_->Read(path_, offset, block_end - offset);
    if (block.ok()) {
      bytes_.append(*block);
      any_read = true;
    } else if (block.status().code() == StatusCode::kUnavailable) {
      bytes_.append(block_end - offset, kUnreadableByte);
      if (ReadError(offset, 1).empty()) {
        unreadable_.push_back({.offset = offset - offset % kBlockBytes,
                               .error = std::string(block.status().message())});
      }
    } else {
      return block.status();
    }
    offset = block_end;
  }
  // Not a bad sector: the disk is gone, and trying block after block would take for ever.
  if (!any_read) return Status::DataLoss(unreadable_.back().error);
  return Status::Ok();
}

std::string_view FileWindow::ReadError(uint64_t offset, uint64_t size) const {
  for (const Unreadable& block : unreadable_) {
    if (block.offset < offset + size && offset < block.offset + kBlockBytes) return block.error;
  }
  return {};
}

}  // namespace larder
