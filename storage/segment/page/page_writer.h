// Wraps page bodies into checked, compressed pages and keeps them until they are put in key order.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/segment/page/page_store.h"

namespace larder {

// Not thread-safe.
class PageWriter {
 public:
  explicit PageWriter(int zstd_level);
  ~PageWriter();
  PageWriter(const PageWriter&) = delete;
  PageWriter& operator=(const PageWriter&) = delete;

  // REQUIRES: no page of this key was added. `body` is copied (compressed where that is smaller).
  void Add(PageKey key, std::string_view body);
  // The pages added so far, in key order.
  std::vector<PageRun> Runs() const;
  // Bytes of all pages added.
  uint64_t size_bytes() const { return size_bytes_; }
  // Puts every page into `sink` in key order. kResourceExhausted, and nothing is put, when a body
  // was larger than kPageBodyBytesMax.
  Status Flush(PageSink* sink) const;

 private:
  class Compressor;
  std::unique_ptr<Compressor> compressor_;
  std::map<PageKey, std::string> pages_;
  uint64_t size_bytes_ = 0;
  bool oversized_ = false;
};

}  // namespace larder
