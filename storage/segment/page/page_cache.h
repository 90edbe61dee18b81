// Decoded pages kept by recency under a limit in bytes, shared by all segments of a store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "storage/base/status.h"
#include "storage/segment/page/page_store.h"

namespace larder {

// Anything decoded that a cache may keep.
class CachedPage {
 public:
  virtual ~CachedPage() = default;
  virtual uint64_t memory_bytes() const = 0;
};

// Thread-safe. A page handed out stays valid while its shared_ptr is held, cached or not.
class PageCache {
 public:
  explicit PageCache(uint64_t capacity_bytes);
  ~PageCache();
  PageCache(const PageCache&) = delete;
  PageCache& operator=(const PageCache&) = delete;

  using Loader = std::function<Result<std::shared_ptr<const CachedPage>>()>;
  // The cached page, or what `load` makes (failures are not cached). Two callers may load the same
  // page at once; one of the results is kept.
  Result<std::shared_ptr<const CachedPage>> Get(uint64_t owner, PageKey key, const Loader& load);
  // A number no other user of this cache has: the `owner` of a segment's pages.
  uint64_t NewOwner();
  // Forgets the pages of an owner.
  void Erase(uint64_t owner);

  void set_capacity_bytes(uint64_t capacity_bytes);
  uint64_t memory_bytes() const;
  uint64_t hits() const;
  uint64_t misses() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace larder
