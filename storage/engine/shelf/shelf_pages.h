// Pages of a segment as keys of a partition's family.
#pragma once

#include <cstdint>
#include <memory>

#include "storage/kv/keys.h"
#include "storage/kv/kv_store.h"
#include "storage/segment/page/page_store.h"

namespace larder {

// Puts the pages of one segment into a file. `file` must outlive it.
class ShelfPageSink : public PageSink {
 public:
  ShelfPageSink(TenantId tenant, uint64_t segment_id, KvFileWriter* file)
      : tenant_(tenant), segment_id_(segment_id), file_(file) {}
  Status Put(PageKey key, std::string_view bytes) override;
  uint64_t size_bytes() const { return size_bytes_; }

 private:
  const TenantId tenant_;
  const uint64_t segment_id_;
  KvFileWriter* const file_;
  uint64_t size_bytes_ = 0;  // of the pages' bytes
};

// Reads the pages of one segment. Holds the family, so that a query that is on its way keeps its
// data when the partition is dropped. `kv` must outlive it.
std::unique_ptr<PageSource> MakeShelfPageSource(const KvStore* kv,
                                                std::shared_ptr<const KvFamily> family,
                                                TenantId tenant, uint64_t segment_id);

}  // namespace larder
