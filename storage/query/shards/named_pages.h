// The pages of one thing beside the segments. Every failure names the page and the thing.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "storage/base/status.h"
#include "storage/segment/page/page_store.h"

namespace larder {

// Replaces `body` by the checked body of a page. A failure names the page alone: for the page that
// says what the others are of.
Status ReadPage(const PageSource& source, PageKey key, std::string* body);

// Thread-safe.
class NamedPages {
 public:
  // `name`: "partition index 9".
  NamedPages(std::unique_ptr<PageSource> source, std::string name);

  const std::string& name() const { return name_; }
  Status Read(PageKey key, std::string* body) const;
  // kDataLoss for a page whose bytes are as written but make no sense.
  Status Fault(PageKey key, std::string_view what) const;

 private:
  const std::unique_ptr<PageSource> source_;
  const std::string name_;
};

}  // namespace larder
