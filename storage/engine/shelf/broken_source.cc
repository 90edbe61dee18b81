#include "storage/engine/shelf/broken_source.h"

#include <utility>

namespace larder {
namespace {

class BrokenSource : public SpanSource {
 public:
  explicit BrokenSource(Status why) : why_(std::move(why)) {}

  uint32_t row_count() const override { return 0; }
  // It may have held anything: no time range leaves it out.
  TimeRange start_range() const override { return {}; }
  uint64_t latest_end_ns() const override { return UINT64_MAX; }
  Status FindTrace(const TraceId&, std::vector<uint32_t>*) const override { return why_; }
  Status Facts(const std::vector<uint32_t>&, std::vector<SpanFacts>*) const override {
    return why_;
  }
  Status EncodeRows(const std::vector<uint32_t>&, RowVisitor*) const override { return why_; }
  Result<std::unique_ptr<BlockSearch>> Search(const FilterNode&, TimeRange,
                                              SearchBudget*) const override {
    return why_;
  }
  Status TraceIds(uint32_t, uint32_t, std::vector<TraceId>*) const override { return why_; }
  Status Operations(std::vector<ServiceOperation>*) const override { return why_; }

 private:
  const Status why_;
};

}  // namespace

std::shared_ptr<const SpanSource> MakeBrokenSource(Status why) {
  return std::make_shared<BrokenSource>(std::move(why));
}

}  // namespace larder
