// The attribute columns of all three tables, and section kDictionaries.

#include <algorithm>
#include <string>
#include <vector>

#include "storage/base/coding.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/encoding/payload_order.h"
#include "storage/segment/format/segment_format.h"
#include "storage/segment/writer/page_writers.h"

namespace larder {
namespace {

void EncodeValues(const ColumnDraft& column, uint32_t first, uint32_t last, std::string* body) {
  const size_t count = last - first;
  switch (column.info.coding) {
    case ColumnCoding::kDictionary:
      EncodeCodes(std::span(column.codes).subspan(first, count), body);
      return;
    case ColumnCoding::kBytes:
      EncodeStrings(std::span(column.payloads).subspan(first, count), body);
      return;
    case ColumnCoding::kNumbers:
      break;
  }
  if (column.info.type == ValueType::kDouble) {
    EncodeWords(std::span(column.numbers).subspan(first, count), body);
    return;
  }
  std::vector<uint64_t> zigzag;
  zigzag.reserve(count);
  for (uint32_t i = first; i < last; ++i) {
    zigzag.push_back(ZigZag(static_cast<int64_t>(column.numbers[i])));
  }
  EncodeNumbers(zigzag, body);
}

void WriteValues(const ColumnDraft& column, uint32_t number, PageWriter* pages) {
  const std::vector<uint32_t>& starts = column.block_starts;
  const size_t blocks = starts.size() - 1;
  std::string body;
  for (size_t block = 0; block < blocks; block += kPageBlocks) {
    const size_t end = std::min(block + kPageBlocks, blocks);
    if (starts[block] == starts[end]) continue;
    std::vector<uint32_t> counts;
    for (size_t i = block; i < end; ++i) counts.push_back(starts[i + 1] - starts[i]);
    body.clear();
    EncodeCodes(counts, &body);
    EncodeValues(column, starts[block], starts[end], &body);
    const auto page = static_cast<uint32_t>(block / kPageBlocks);
    pages->Add(ColumnPageKey(column.info.table, number, page), body);
  }
}

void EncodeChunk(ValueType type, std::span<const std::string_view> payloads, std::string* body) {
  if (type != ValueType::kInt && type != ValueType::kDouble) {
    EncodeStrings(payloads, body);
    return;
  }
  // Sorted numbers as their distances.
  std::vector<uint64_t> steps;
  uint64_t before = 0;
  for (const std::string_view payload : payloads) {
    const uint64_t bits = LoadFixed64(payload.data());
    const uint64_t number = type == ValueType::kDouble ? DoubleOrder(bits) : bits;
    steps.push_back(number - before);
    before = number;
  }
  EncodeNumbers(steps, body);
}

void WriteDictionary(const ColumnDraft& column, uint32_t number, PageWriter* pages) {
  const std::span<const std::string_view> payloads(column.dictionary);
  std::vector<uint64_t> counts;
  std::vector<std::string_view> firsts;
  std::string body;
  for (size_t first = 0; first < payloads.size();) {
    size_t last = first;
    size_t bytes = 0;
    while (last < payloads.size() && last - first < kDictionaryChunkValues &&
           bytes < kDictionaryChunkBytes) {
      bytes += payloads[last++].size();
    }
    body.clear();
    EncodeChunk(column.info.type, payloads.subspan(first, last - first), &body);
    pages->Add({Section::kDictionaries, number, static_cast<uint32_t>(counts.size())}, body);
    counts.push_back(last - first);
    firsts.push_back(payloads[first]);
    first = last;
  }
  if (counts.size() == 1) return;
  // The directory, after the last chunk.
  body.clear();
  EncodeNumbers(counts, &body);
  EncodeStrings(firsts, &body);
  pages->Add({Section::kDictionaries, number, static_cast<uint32_t>(counts.size())}, body);
}

}  // namespace

void WriteColumnPages(const SegmentDraft& draft, PageWriter* pages) {
  for (uint32_t number = 0; number < draft.columns.size(); ++number) {
    const ColumnDraft& column = draft.columns[number];
    WriteValues(column, number, pages);
    if (column.info.coding == ColumnCoding::kDictionary) WriteDictionary(column, number, pages);
  }
}

}  // namespace larder
