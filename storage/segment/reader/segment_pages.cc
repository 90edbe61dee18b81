#include "storage/segment/reader/segment_pages.h"

#include "storage/segment/page/page.h"

namespace larder {

SegmentPages::SegmentPages(const PageSource* source, PageCache* cache, Header header)
    : source_(source),
      cache_(cache),
      header_(std::move(header)),
      name_("segment " + std::to_string(header_.info.identity.segment_id)),
      owner_(cache->NewOwner()) {}

SegmentPages::~SegmentPages() { cache_->Erase(owner_); }

Status SegmentPages::ReadBody(PageKey key, std::string* body) const {
  if (!has(key)) return Fault(key, "is not in the header");
  const Result<PageBytes> bytes = source_->Get(key);
  if (!bytes.ok()) {
    // The header names the page: that it is not there is damage, not an answer.
    if (bytes.status().code() == StatusCode::kNotFound) return Fault(key, "is missing");
    return bytes.status().With(name_ + ": page " + key.ToString());
  }
  return DecodePage(key, bytes->view(), body).With(name_);
}

Status SegmentPages::Fault(PageKey key, std::string_view what) const {
  return PageFault(key, what).With(name_);
}

}  // namespace larder
