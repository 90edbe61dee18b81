#include "storage/segment/segment_verifier.h"

#include <algorithm>
#include <set>

#include "storage/segment/format/segment_format.h"
#include "storage/segment/reader/row_encoder.h"

namespace larder {
namespace {

// Memory for the pages under verification; they are read in order, so few are needed twice.
constexpr uint64_t kCacheBytes = 16 << 20;

// A header that lies may name billions of pages: what is wrong is known long before.
constexpr size_t kFaultsMax = 1000;

// Collects kDataLoss, each fault once; hands on everything else.
class Faults {
 public:
  explicit Faults(std::vector<std::string>* lines) : lines_(lines) {}

  bool are_enough() const { return seen_.size() >= kFaultsMax; }

  Status Add(const Status& status) {
    if (status.ok()) return status;
    if (status.code() != StatusCode::kDataLoss) return status;
    if (seen_.emplace(status.message()).second) lines_->emplace_back(status.message());
    return Status::Ok();
  }

 private:
  std::vector<std::string>* const lines_;
  std::set<std::string, std::less<>> seen_;
};

// Reads every page the header names, whatever it holds.
Status VerifyChecksums(const SegmentPages& pages, Faults* faults) {
  std::string body;
  for (const PageRun& run : pages.header().pages) {
    for (uint32_t i = 0; i < run.page_count && !faults->are_enough(); ++i) {
      const PageKey key{run.section, run.column, run.first_page + i};
      LARDER_RETURN_IF_ERROR(faults->Add(pages.ReadBody(key, &body)));
    }
  }
  return Status::Ok();
}

// Puts every span together: what no span can be made of is found here.
Status VerifyRows(const ColumnsReader& columns, Faults* faults) {
  RowEncoder encoder(&columns);
  std::string span;
  for (uint32_t row = 0; row < columns.row_count() && !faults->are_enough();) {
    const Status status = encoder.Encode(row, &span);
    LARDER_RETURN_IF_ERROR(faults->Add(status));
    // The other rows of a page with a fault would fail alike.
    row = status.ok() ? row + 1 : (row / kPageRows + 1) * kPageRows;
  }
  return Status::Ok();
}

// Every trace is found where it is.
Status VerifyTraceIndex(const ColumnsReader& columns, Faults* faults) {
  std::vector<uint32_t> blocks;
  for (uint32_t page = 0; page * kPageRows < columns.row_count() && !faults->are_enough(); ++page) {
    const auto traces = columns.Traces(page);
    LARDER_RETURN_IF_ERROR(faults->Add(traces.status()));
    if (!traces.ok()) continue;
    for (size_t trace = (*traces)->continues ? 1 : 0; trace < (*traces)->ids.size(); ++trace) {
      const Status status = columns.BlocksOfTrace((*traces)->ids[trace], &blocks);
      LARDER_RETURN_IF_ERROR(faults->Add(status));
      if (!status.ok()) continue;
      const uint32_t row = page * kPageRows + (*traces)->first_rows[trace];
      if (!std::binary_search(blocks.begin(), blocks.end(), row / kBlockRows)) {
        LARDER_RETURN_IF_ERROR(faults->Add(columns.pages().Fault(
            {Section::kTraceIndex, 0, 0}, "lacks the trace of row " + std::to_string(row))));
      }
    }
  }
  return Status::Ok();
}

Status VerifyDictionaries(const ColumnsReader& columns, Faults* faults) {
  for (uint32_t column = 0; column < columns.columns().size(); ++column) {
    if (columns.columns()[column].coding != ColumnCoding::kDictionary) continue;
    LARDER_ASSIGN_OR_RETURN(const ColumnDictionary* dictionary, columns.Dictionary(column));
    const auto ignore = [](uint32_t, std::string_view) { return true; };
    LARDER_RETURN_IF_ERROR(faults->Add(dictionary->ForEach(0, dictionary->size(), ignore)));
  }
  return Status::Ok();
}

}  // namespace

Status VerifySegment(const PageSource* source, const ColumnsReader& columns,
                     std::vector<std::string>* line) {
  Faults faults(line);
  PageCache cache(kCacheBytes);
  const auto fresh = ColumnsReader::Open(source, &cache);
  if (!fresh.ok()) {
    return faults.Add(
        fresh.status().With("segment " + std::to_string(columns.info().identity.segment_id)));
  }
  LARDER_RETURN_IF_ERROR(VerifyChecksums((*fresh)->pages(), &faults));
  LARDER_RETURN_IF_ERROR(VerifyDictionaries(**fresh, &faults));
  LARDER_RETURN_IF_ERROR(VerifyTraceIndex(**fresh, &faults));
  return VerifyRows(**fresh, &faults);
}

}  // namespace larder
