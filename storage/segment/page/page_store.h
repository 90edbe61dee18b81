// Where the pages of one segment lie. The engine keeps them as RocksDB keys (storage/kv), tests in
// a map; the segment code knows neither.
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// Part of the format (segment/FORMAT.md): never renumber. Keys sort by section, column, page.
enum class Section : uint8_t {
  kHeader = 0,
  kResources = 1,
  kScopes = 2,
  kTemplates = 3,
  kShapes = 4,
  kTraces = 5,
  kFixed = 6,
  kAttributes = 7,
  kEvents = 8,
  kLinks = 9,
  kDictionaries = 10,
  kIndex = 11,
  kTraceIndex = 12,
  kEdges = 13,
  kOutliers = 14,
  kStrings = 15,
};

// "fixed", for reports and errors.
std::string SectionName(Section section);

struct PageKey {
  Section section = Section::kHeader;
  uint32_t column = 0;
  uint32_t page = 0;
  friend auto operator<=>(const PageKey&, const PageKey&) = default;
  // "fixed/3/17", for errors: a broken page is named by it.
  std::string ToString() const;
};

// Consecutive pages of one column of one section.
struct PageRun {
  Section section = Section::kHeader;
  uint32_t column = 0;
  uint32_t first_page = 0;
  uint32_t page_count = 0;
  uint64_t size_bytes = 0;
};

// Takes pages in ascending key order (segment writers refuse to go back).
class PageSink {
 public:
  virtual ~PageSink() = default;
  // `bytes` are copied before the call returns.
  virtual Status Put(PageKey key, std::string_view bytes) = 0;
};

// Bytes that stay valid while the holder lives.
class PageBytes {
 public:
  PageBytes() = default;
  PageBytes(std::string_view view, std::shared_ptr<const void> owner)
      : view_(view), owner_(std::move(owner)) {}
  std::string_view view() const { return view_; }

 private:
  std::string_view view_;
  std::shared_ptr<const void> owner_;
};

// Thread-safe.
class PageSource {
 public:
  virtual ~PageSource() = default;
  // kNotFound: no such page. Reading errors are kDataLoss or kUnavailable. The bytes are as Put;
  // their checksum has not been looked at.
  virtual Result<PageBytes> Get(PageKey key) const = 0;
};

}  // namespace larder
