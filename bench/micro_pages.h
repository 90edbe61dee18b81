// A head and a sealed segment of TheMicroLoad, made once.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "storage/model/table/span_table.h"
#include "storage/segment/segment.h"

namespace larder::bench {

// The pages of one segment, in memory.
class MemoryPages : public PageSink {
 public:
  Status Put(PageKey key, std::string_view bytes) override;
  // A source of the pages as they are when the last one is put.
  std::unique_ptr<PageSource> Source() const;

 private:
  using Map = std::map<PageKey, std::string>;
  class MapSource;
  std::shared_ptr<Map> pages_ = std::make_shared<Map>();
};

// Every span of the load.
std::shared_ptr<const SpanTable> TheTable();
// The segment of that table; null when it cannot be written or opened.
std::shared_ptr<const Segment> OpenSegment(PageCache* cache);

}  // namespace larder::bench
