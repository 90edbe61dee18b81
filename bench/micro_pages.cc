#include "bench/micro_pages.h"

#include <utility>

#include "bench/micro_load.h"
#include "storage/segment/segment_writer.h"

namespace larder::bench {

class MemoryPages::MapSource : public PageSource {
 public:
  explicit MapSource(std::shared_ptr<const Map> pages) : pages_(std::move(pages)) {}
  Result<PageBytes> Get(PageKey key) const override {
    const auto found = pages_->find(key);
    if (found == pages_->end()) return Status::NotFound(key.ToString());
    return PageBytes(found->second, pages_);
  }

 private:
  std::shared_ptr<const Map> pages_;
};

Status MemoryPages::Put(PageKey key, std::string_view bytes) {
  pages_->emplace(key, bytes);
  return Status::Ok();
}

std::unique_ptr<PageSource> MemoryPages::Source() const {
  return std::make_unique<MapSource>(pages_);
}

std::shared_ptr<const SpanTable> TheTable() {
  static const std::shared_ptr<const SpanTable> table = [] {
    auto made = std::make_shared<SpanTable>();
    for (const std::string& request : TheMicroLoad().requests) {
      if (!made->Append(request, {}).ok()) std::abort();
    }
    made->Publish();
    return made;
  }();
  return table;
}

std::shared_ptr<const Segment> OpenSegment(PageCache* cache) {
  static const MemoryPages* const pages = [] {
    auto* written = new MemoryPages;
    if (!WriteSegment(*TheTable(), {}, {}, written).ok()) std::abort();
    return written;
  }();
  auto segment = Segment::Open(pages->Source(), cache);
  return segment.ok() ? *segment : nullptr;
}

}  // namespace larder::bench
