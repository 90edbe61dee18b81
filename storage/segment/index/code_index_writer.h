// What the index says of the codes of span columns beyond their blocks: which codes the rows of
// each template have, and, of some codes, the rows.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "storage/segment/page/page_writer.h"
#include "storage/segment/writer/segment_draft.h"

namespace larder {

class FewCodes;

// `draft` must outlive this.
class CodeIndexWriter {
 public:
  explicit CodeIndexWriter(const SegmentDraft& draft);

  // Notes a column; `block_counts` says on how many blocks each of its codes lies. REQUIRES: a
  // dictionary column of spans, of several codes, not overflow.
  void Add(uint32_t column, std::vector<uint32_t> block_counts);
  // Writes the pages of the columns added, behind those of their sets of blocks. Called once.
  void Write(PageWriter* pages);

 private:
  struct Column {
    uint32_t column = 0;
    std::vector<uint32_t> block_counts;  // of each code
    std::vector<uint32_t> row_counts;    // of each code
    std::string templates;               // the encoded codes of templates
    std::vector<bool> varies;            // codes that some template has beside few others
    bool some_vary_much = false;         // some template has more codes than are listed
    std::vector<uint32_t> row_codes;     // codes whose rows are kept, ascending
    uint64_t kept_rows = 0;              // of all of those
  };
  struct Candidate {
    uint64_t cost_bytes = 0;  // at most, about
    uint32_t row_count = 0;
    uint32_t place = 0;  // in columns_
    uint32_t code = 0;
  };
  class Slots;

  void CountCodes();
  static void NoteTemplate(FewCodes* few, Column* column);
  void FindCandidates();
  void Choose();
  void WriteRows(std::span<const uint32_t> places, PageWriter* pages) const;

  const SegmentDraft& draft_;
  const ItemTableDraft& spans_;
  const uint32_t block_count_;
  std::vector<Column> columns_;
  std::vector<Candidate> candidates_;
};

}  // namespace larder
