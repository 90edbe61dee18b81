#include "storage/query/cold/missing_source.h"

#include <utility>

#include "storage/segment/table/table_source.h"

namespace larder {
namespace {

class MissingSource : public SpanSource {
 public:
  MissingSource(std::map<TraceId, Status> traces, Status search_why)
      : traces_(std::move(traces)),
        search_why_(std::move(search_why)),
        nothing_(MakeTableSource(std::make_shared<SpanTable>())) {}

  uint32_t row_count() const override { return 0; }
  // Searches that missed it look into it, whatever their range, and find out.
  TimeRange start_range() const override {
    return search_why_.ok() ? TimeRange{UINT64_MAX, 0} : TimeRange{};
  }
  uint64_t latest_end_ns() const override { return 0; }
  Status FindTrace(const TraceId& trace_id, std::vector<uint32_t>* /*rows*/) const override {
    const auto found = traces_.find(trace_id);
    return found != traces_.end() ? found->second : Status::Ok();
  }
  Status Facts(const std::vector<uint32_t>&, std::vector<SpanFacts>*) const override {
    return Status::Ok();
  }
  Status EncodeRows(const std::vector<uint32_t>&, RowVisitor*) const override {
    return Status::Ok();
  }
  Result<std::unique_ptr<BlockSearch>> Search(const FilterNode& filter, TimeRange start,
                                              SearchBudget* budget) const override {
    if (!search_why_.ok()) return search_why_;
    return nothing_->Search(filter, start, budget);
  }
  Status TraceIds(uint32_t, uint32_t, std::vector<TraceId>*) const override { return Status::Ok(); }
  Status Operations(std::vector<ServiceOperation>*) const override { return Status::Ok(); }

 private:
  const std::map<TraceId, Status> traces_;
  const Status search_why_;
  const std::shared_ptr<const SpanSource> nothing_;
};

}  // namespace

std::shared_ptr<const SpanSource> MakeMissingSource(std::map<TraceId, Status> traces,
                                                    Status search_why) {
  return std::make_shared<MissingSource>(std::move(traces), std::move(search_why));
}

}  // namespace larder
