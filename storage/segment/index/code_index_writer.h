// What the index says of the codes of span columns beyond their blocks: which codes the rows of
// each template have, and, of some codes, the rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/segment/page/page_writer.h"
#include "storage/segment/writer/segment_draft.h"

namespace larder {

// `draft` must outlive this.
class CodeIndexWriter {
 public:
  explicit CodeIndexWriter(const SegmentDraft& draft);

  // Notes a column; `block_counts` says on how many blocks each of its codes lies. REQUIRES: a
  // dictionary column of spans, of several codes, not overflow.
  void Add(uint32_t column, const std::vector<uint32_t>& block_counts);
  // Writes the pages of the columns added, behind those of their sets of blocks.
  void Write(PageWriter* pages);

 private:
  struct Column {
    uint32_t column = 0;
    std::string templates;            // the encoded codes of templates
    std::vector<uint32_t> row_codes;  // codes whose rows are kept, ascending
  };
  struct Candidate {
    uint64_t cost_bytes = 0;  // at most, about
    uint32_t row_count = 0;
    uint32_t place = 0;  // in columns_
    uint32_t code = 0;
  };

  // The slots of a column in the shape of each template.
  std::vector<uint32_t> SlotsOf(uint32_t column) const;
  // Calls visit(row, code) for every value of a column, ascending by row.
  template <typename Visit>
  void ForEachCode(uint32_t column, const std::vector<uint32_t>& slots, const Visit& visit) const;
  void Choose();
  void WriteRows(const Column& column, PageWriter* pages) const;

  const SegmentDraft& draft_;
  const ItemTableDraft& spans_;
  const uint32_t block_count_;
  std::vector<Column> columns_;
  std::vector<Candidate> candidates_;
};

}  // namespace larder
