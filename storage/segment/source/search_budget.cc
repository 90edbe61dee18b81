#include "storage/segment/source/search_budget.h"

namespace larder {
namespace {

class NoBounds : public SearchBudget {
 public:
  Status Check() const override { return Status::Ok(); }
  Status Charge(uint64_t /*bytes*/) override { return Status::Ok(); }
  void Release(uint64_t /*bytes*/) override {}
};

}  // namespace

SearchBudget* SearchBudget::Unbounded() {
  static NoBounds budget;
  return &budget;
}

Status MemoryCharge::Resize(uint64_t bytes) {
  if (bytes > bytes_) {
    LARDER_RETURN_IF_ERROR(budget_->Charge(bytes - bytes_));
  } else {
    budget_->Release(bytes_ - bytes);
  }
  bytes_ = bytes;
  return Status::Ok();
}

}  // namespace larder
