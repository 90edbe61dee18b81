#include "storage/engine/shelf/segment_rows.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "storage/model/traces_data_writer.h"

namespace larder {
namespace {

constexpr uint32_t kRowsAtATime = 4 * kBlockRows;
constexpr size_t kBytesAtATime = 4 << 20;

// Takes rows until their bytes are enough.
class Collector : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t, std::string_view resource_envelope, std::string_view scope_envelope,
             std::string_view span) override {
    writer_.Add(resource_envelope, scope_envelope, span);
    ++row_count_;
    return writer_.size_bytes() < kBytesAtATime;
  }
  uint32_t row_count() const { return row_count_; }
  std::string Finish() { return writer_.Finish(); }

 private:
  TracesDataWriter writer_;
  uint32_t row_count_ = 0;
};

}  // namespace

Status CopyRows(const SpanSource& source, const std::vector<uint32_t>& rows, SpanTable* table) {
  // What was accepted once is accepted again, whatever the limits are by now.
  const AppendLimits limits = AppendLimits::None();
  for (size_t first = 0; first < rows.size();) {
    const size_t end = std::min<size_t>(first + kRowsAtATime, rows.size());
    const std::vector<uint32_t> some(rows.begin() + static_cast<std::ptrdiff_t>(first),
                                     rows.begin() + static_cast<std::ptrdiff_t>(end));
    Collector collector;
    LARDER_RETURN_IF_ERROR(source.EncodeRows(some, &collector));
    LARDER_ASSIGN_OR_RETURN(const AppendResult result, table->Append(collector.Finish(), limits));
    if (result.accepted_spans != collector.row_count()) {
      return Status::DataLoss("rows of a segment were refused: " + result.first_rejection);
    }
    first += collector.row_count();
  }
  return Status::Ok();
}

Status CopyRows(const SpanSource& source, SpanTable* table) {
  std::vector<uint32_t> rows(source.row_count());
  std::iota(rows.begin(), rows.end(), 0);
  return CopyRows(source, rows, table);
}

}  // namespace larder
