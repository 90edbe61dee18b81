#include "storage/segment/page/page_writer.h"

#include <zstd.h>

#include "storage/base/check.h"
#include "storage/base/coding.h"
#include "storage/segment/page/page.h"
#include "storage/segment/page/page_format.h"

namespace larder {

// One zstd context and one buffer for all pages of a segment.
class PageWriter::Compressor {
 public:
  explicit Compressor(int level) : level_(level), context_(ZSTD_createCCtx()) {}
  ~Compressor() { ZSTD_freeCCtx(context_); }
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  // The frame, valid until the next call; empty when it is not smaller than the body.
  std::string_view Compress(std::string_view body) {
    buffer_.resize(ZSTD_compressBound(body.size()));
    const size_t size = ZSTD_compressCCtx(context_, buffer_.data(), buffer_.size(), body.data(),
                                          body.size(), level_);
    LARDER_CHECK(ZSTD_isError(size) == 0);
    // A varint's worth must be saved for the frame to pay.
    return size + 5 < body.size() ? std::string_view(buffer_).substr(0, size) : std::string_view();
  }

 private:
  const int level_;
  ZSTD_CCtx* const context_;
  std::string buffer_;
};

PageWriter::PageWriter(int zstd_level) : compressor_(std::make_unique<Compressor>(zstd_level)) {}
PageWriter::~PageWriter() = default;

void PageWriter::Add(PageKey key, std::string_view body) {
  const std::string_view frame = compressor_->Compress(body);
  std::string page(4, '\0');
  if (frame.empty()) {
    page.push_back(static_cast<char>(kPageStored));
    page.append(body);
  } else {
    page.push_back(static_cast<char>(kPageZstd));
    PutVarint(&page, body.size());
    page.append(frame);
  }
  const uint32_t checksum = PageChecksum(key, std::string_view(page).substr(4));
  std::memcpy(page.data(), &checksum, sizeof(checksum));
  size_bytes_ += page.size();
  if (body.size() > kPageBodyBytesMax) oversized_ = true;
  const bool is_new = pages_.emplace(key, std::move(page)).second;
  LARDER_CHECK(is_new);
}

std::vector<PageRun> PageWriter::Runs() const {
  std::vector<PageRun> runs;
  for (const auto& [key, page] : pages_) {
    const bool goes_on = !runs.empty() && runs.back().section == key.section &&
                         runs.back().column == key.column &&
                         runs.back().first_page + runs.back().page_count == key.page;
    if (!goes_on) runs.push_back({key.section, key.column, key.page, 0, 0});
    ++runs.back().page_count;
    runs.back().size_bytes += page.size();
  }
  return runs;
}

Status PageWriter::Flush(PageSink* sink) const {
  if (oversized_) return Status::ResourceExhausted("a page of the segment is larger than 1 GiB");
  for (const auto& [key, page] : pages_) LARDER_RETURN_IF_ERROR(sink->Put(key, page));
  return Status::Ok();
}

}  // namespace larder
