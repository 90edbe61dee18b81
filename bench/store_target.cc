#include <utility>

#include "bench/target.h"

namespace larder::bench {
namespace {

class StoreTarget : public Target {
 public:
  explicit StoreTarget(Store* store) : store_(store) {}

  void Send(const std::string& otlp, std::function<void(SendOutcome)> done) override {
    // The caller keeps the bytes; the store wants to hold something all the same.
    const std::shared_ptr<const void> borrowed(&otlp, [](const void*) {});
    store_->WriteAsync({.tenant = 0, .otlp = otlp, .owner = borrowed},
                       [done = std::move(done)](WriteResult written) {
                         done({.status = std::move(written.status),
                               .rejected_spans = written.rejected_spans,
                               .retry_after_ms = written.retry_after_ms});
                       });
  }

 private:
  Store* const store_;
};

}  // namespace

std::unique_ptr<Target> MakeStoreTarget(Store* store) {
  return std::make_unique<StoreTarget>(store);
}

}  // namespace larder::bench
