// The pages of one segment in a map: a PageSink that becomes a PageSource, for tests that need no
// disk.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/base/check.h"
#include "storage/segment/page/page_store.h"

namespace larder {

// Not thread-safe while pages are put or changed.
class MapPageStore : public PageSink {
 public:
  Status Put(PageKey key, std::string_view bytes) override {
    LARDER_CHECK(pages_.empty() || pages_.rbegin()->first < key);
    pages_.emplace(key, bytes);
    return Status::Ok();
  }

  // To be read, or broken, as bytes.
  std::map<PageKey, std::string>& pages() { return pages_; }
  // A source of the pages as they are now.
  std::unique_ptr<PageSource> Source() const { return std::make_unique<MapSource>(pages_); }

 private:
  class MapSource : public PageSource {
   public:
    explicit MapSource(std::map<PageKey, std::string> pages)
        : pages_(std::make_shared<const std::map<PageKey, std::string>>(std::move(pages))) {}
    Result<PageBytes> Get(PageKey key) const override {
      const auto found = pages_->find(key);
      if (found == pages_->end()) return Status::NotFound("no page " + key.ToString());
      return PageBytes(found->second, pages_);
    }

   private:
    std::shared_ptr<const std::map<PageKey, std::string>> pages_;
  };

  std::map<PageKey, std::string> pages_;
};

}  // namespace larder
