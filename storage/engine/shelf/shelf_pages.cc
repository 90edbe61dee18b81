#include "storage/engine/shelf/shelf_pages.h"

#include <utility>

namespace larder {
namespace {

std::string ToKey(TenantId tenant, uint64_t segment_id, PageKey key) {
  return EncodeShelfKey({.tenant = tenant,
                         .segment_id = segment_id,
                         .section = static_cast<uint8_t>(key.section),
                         .column = key.column,
                         .page = key.page});
}

class ShelfPageSource : public PageSource {
 public:
  ShelfPageSource(const KvStore* kv, std::shared_ptr<const KvFamily> family, TenantId tenant,
                  uint64_t segment_id)
      : kv_(kv), family_(std::move(family)), tenant_(tenant), segment_id_(segment_id) {}

  Result<PageBytes> Get(PageKey key) const override {
    LARDER_ASSIGN_OR_RETURN(auto value, kv_->Get(*family_, ToKey(tenant_, segment_id_, key)));
    const std::string_view view = value->view();
    return PageBytes(view, std::move(value));
  }

 private:
  const KvStore* const kv_;
  const std::shared_ptr<const KvFamily> family_;
  const TenantId tenant_;
  const uint64_t segment_id_;
};

}  // namespace

Status ShelfPageSink::Put(PageKey key, std::string_view bytes) {
  size_bytes_ += bytes.size();
  return file_->Add(ToKey(tenant_, segment_id_, key), bytes);
}

std::unique_ptr<PageSource> MakeShelfPageSource(const KvStore* kv,
                                                std::shared_ptr<const KvFamily> family,
                                                TenantId tenant, uint64_t segment_id) {
  return std::make_unique<ShelfPageSource>(kv, std::move(family), tenant, segment_id);
}

}  // namespace larder
