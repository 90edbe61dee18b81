// The pages of one open segment: fetched, checked, decoded and cached in one place, so that every
// failure names segment and page.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/base/status.h"
#include "storage/segment/format/header.h"
#include "storage/segment/page/page_cache.h"
#include "storage/segment/page/page_store.h"
#include "storage/segment/reader/segment_columns.h"

namespace larder {

// Thread-safe.
class SegmentPages {
 public:
  // Both must outlive this.
  SegmentPages(const PageSource* source, PageCache* cache, Header header);
  ~SegmentPages();
  SegmentPages(const SegmentPages&) = delete;
  SegmentPages& operator=(const SegmentPages&) = delete;

  const Header& header() const { return header_; }
  bool has(PageKey key) const { return header_.has(key); }
  uint32_t row_count() const { return header_.info.row_count; }
  // The rows of a page. REQUIRES: the segment has the page.
  uint32_t row_count(uint32_t page) const {
    return std::min(kPageRows, row_count() - page * kPageRows);
  }

  // Replaces `body` by the body of a page, from the source. A page that is not there is kDataLoss.
  Status ReadBody(PageKey key, std::string* body) const;

  // The page from the cache, else decoded by `decode(std::string_view body, T* page)`, a Status.
  template <typename T, typename Decode>
  PageOf<T> Get(PageKey key, const Decode& decode) const {
    auto cached = cache_->Get(owner_, key, [&]() -> Result<std::shared_ptr<const CachedPage>> {
      std::string body;
      LARDER_RETURN_IF_ERROR(ReadBody(key, &body));
      auto page = std::make_shared<T>();
      LARDER_RETURN_IF_ERROR(decode(std::string_view(body), page.get()));
      return std::shared_ptr<const CachedPage>(std::move(page));
    });
    if (!cached.ok()) return cached.status();
    return std::static_pointer_cast<const T>(*cached);
  }

  // The same where the decoder makes the page.
  template <typename Decode>
  Result<std::shared_ptr<const CachedPage>> GetDecoded(PageKey key, const Decode& decode) const {
    return cache_->Get(owner_, key, [&]() -> Result<std::shared_ptr<const CachedPage>> {
      std::string body;
      LARDER_RETURN_IF_ERROR(ReadBody(key, &body));
      return decode(std::string_view(body));
    });
  }

  // The same for something made of other pages.
  Result<std::shared_ptr<const CachedPage>> GetMade(PageKey key,
                                                    const PageCache::Loader& make) const {
    return cache_->Get(owner_, key, make);
  }

  // The same by `make(T* page)`, a Status.
  template <typename T, typename Make>
  PageOf<T> GetMade(PageKey key, const Make& make) const {
    auto cached = cache_->Get(owner_, key, [&]() -> Result<std::shared_ptr<const CachedPage>> {
      auto page = std::make_shared<T>();
      LARDER_RETURN_IF_ERROR(make(page.get()));
      return std::shared_ptr<const CachedPage>(std::move(page));
    });
    if (!cached.ok()) return cached.status();
    return std::static_pointer_cast<const T>(*cached);
  }

  // kDataLoss: "segment 42: page fixed/3/17: `what`".
  Status Fault(PageKey key, std::string_view what) const;

 private:
  const PageSource* const source_;
  PageCache* const cache_;
  const Header header_;
  const std::string name_;  // "segment 42"
  const uint64_t owner_;
};

}  // namespace larder
