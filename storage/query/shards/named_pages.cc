#include "storage/query/shards/named_pages.h"

#include <utility>

#include "storage/segment/page/page.h"

namespace larder {

Status ReadPage(const PageSource& source, PageKey key, std::string* body) {
  const Result<PageBytes> page = source.Get(key);
  if (!page.ok()) return page.status().With("page " + key.ToString());
  return DecodePage(key, page->view(), body);
}

NamedPages::NamedPages(std::unique_ptr<PageSource> source, std::string name)
    : source_(std::move(source)), name_(std::move(name)) {}

Status NamedPages::Read(PageKey key, std::string* body) const {
  return ReadPage(*source_, key, body).With(name_);
}

Status NamedPages::Fault(PageKey key, std::string_view what) const {
  return PageFault(key, what).With(name_);
}

}  // namespace larder
