#include "storage/segment/index/index_writer.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "storage/base/coding.h"
#include "storage/base/hash.h"
#include "storage/model/value.h"
#include "storage/segment/index/code_index_writer.h"
#include "storage/segment/index/duration_bands_writer.h"
#include "storage/segment/index/index_format.h"
#include "storage/segment/index/number_bounds.h"
#include "storage/segment/source/block_set.h"

namespace larder {
namespace {

uint32_t BlockCount(const SegmentDraft& draft) {
  return (draft.row_count() + kBlockRows - 1) / kBlockRows;
}

// Sets of blocks by a dense number, fed block after block. A number's blocks are kept as a list
// until the sets are written: most values are rare.
class SetsBuilder {
 public:
  SetsBuilder(uint32_t number_count, uint32_t block_count)
      : block_count_(block_count), last_block_(number_count, kNone) {}

  // REQUIRES: blocks come in ascending order.
  void Add(uint32_t number, uint32_t block) {
    if (last_block_[number] == block) return;
    last_block_[number] = block;
    places_.push_back(uint64_t{number} << 32 | block);
  }

  // Answers on how many blocks each number lies.
  std::vector<uint32_t> Write(uint32_t index_column, PageWriter* pages) {
    std::vector<uint32_t> block_counts;
    std::sort(places_.begin(), places_.end());
    std::string body;
    auto place = places_.begin();
    for (uint32_t number = 0; number < last_block_.size(); ++number) {
      BlockSet set(block_count_);
      for (; place != places_.end() && *place >> 32 == number; ++place) {
        set.Add(static_cast<uint32_t>(*place));
      }
      PutBlockSet(&body, set);
      block_counts.push_back(set.count());
      const bool page_ends =
          (number + 1) % kIndexSetsPerPage == 0 || number + 1 == last_block_.size();
      if (!page_ends) continue;
      pages->Add(IndexKey(index_column, number / kIndexSetsPerPage), body);
      body.clear();
    }
    return block_counts;
  }

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  const uint32_t block_count_;
  std::vector<uint32_t> last_block_;  // of each number
  std::vector<uint64_t> places_;      // number, block
};

// (hash, block) pairs in pages by the hash's high bits.
class HashesBuilder {
 public:
  explicit HashesBuilder(uint64_t value_count) : pages_(IndexHashPages(value_count)) {}

  void Add(uint64_t hash, uint32_t block) {
    const uint64_t page = IndexHashPage(hash, static_cast<uint32_t>(pages_.size()));
    pages_[page].push_back(uint64_t{IndexFingerprint(hash)} << 32 | block);
  }

  // Body: count, the fingerprints as gaps, then the blocks in one or two bytes each.
  void Write(uint32_t index_column, uint32_t block_count, PageWriter* writer) {
    for (uint32_t page = 0; page < pages_.size(); ++page) {
      std::vector<uint64_t>& entries = pages_[page];
      std::sort(entries.begin(), entries.end());
      entries.erase(std::unique(entries.begin(), entries.end()), entries.end());
      std::string body;
      PutVarint(&body, entries.size());
      uint64_t previous = 0;
      for (const uint64_t entry : entries) {
        PutVarint(&body, (entry >> 32) - previous);
        previous = entry >> 32;
      }
      for (const uint64_t entry : entries) {
        body.push_back(static_cast<char>(entry & 0xFF));
        if (block_count > 256) body.push_back(static_cast<char>(entry >> 8 & 0xFF));
      }
      writer->Add(IndexKey(index_column, page), body);
    }
  }

 private:
  std::vector<std::vector<uint64_t>> pages_;
};

// A template's rows on one block.
struct TemplatePlace {
  uint32_t item = 0;  // template
  uint32_t block = 0;
  uint8_t longest = 0;  // class
};

// One place for each template and block that meet, by template, then block.
std::vector<TemplatePlace> TemplatePlaces(const SegmentDraft& draft) {
  const ItemTableDraft& spans = draft.items[static_cast<size_t>(ItemTable::kSpans)];
  std::vector<TemplatePlace> places;
  std::vector<uint32_t> last(spans.templates.size(), UINT32_MAX);  // place of each template
  for (uint32_t row = 0; row < draft.row_count(); ++row) {
    const uint32_t item = spans.item_templates[row];
    const uint32_t block = row / kBlockRows;
    if (last[item] == UINT32_MAX || places[last[item]].block != block) {
      last[item] = static_cast<uint32_t>(places.size());
      places.push_back({item, block, 0});
    }
    uint8_t& longest = places[last[item]].longest;
    longest = std::max(longest, DurationClass(draft.span(row).duration_ns()));
  }
  std::stable_sort(places.begin(), places.end(),
                   [](const TemplatePlace& a, const TemplatePlace& b) { return a.item < b.item; });
  return places;
}

// Of each template: the set of its blocks, then a byte for each of them.
void WriteTemplates(const SegmentDraft& draft, PageWriter* pages) {
  const std::vector<TemplatePlace> places = TemplatePlaces(draft);
  std::string body;
  for (size_t i = 0; i < places.size();) {
    const uint32_t item = places[i].item;
    BlockSet set(BlockCount(draft));
    std::string longest;
    for (; i < places.size() && places[i].item == item; ++i) {
      set.Add(places[i].block);
      longest.push_back(static_cast<char>(places[i].longest));
    }
    PutBlockSet(&body, set);
    body.append(longest);
    if ((item + 1) % kIndexTemplatesPerPage != 0 && i < places.size()) continue;
    pages->Add(IndexKey(kIndexTemplates, item / kIndexTemplatesPerPage), body);
    body.clear();
  }
}

struct DurationBounds {
  int64_t min_ns = INT64_MAX;
  int64_t max_ns = INT64_MIN;
  void Add(int64_t ns) {
    min_ns = std::min(min_ns, ns);
    max_ns = std::max(max_ns, ns);
  }
};

// The least and the width, since both signs are rare.
void PutBounds(std::string* body, const std::vector<DurationBounds>& bounds) {
  for (const DurationBounds& bound : bounds) {
    PutVarint(body, ZigZag(bound.min_ns));
    PutVarint(body, static_cast<uint64_t>(bound.max_ns) - static_cast<uint64_t>(bound.min_ns));
  }
}

void WriteDurations(const SegmentDraft& draft, PageWriter* pages) {
  const ItemTableDraft& spans = draft.items[static_cast<size_t>(ItemTable::kSpans)];
  std::vector<DurationBounds> blocks(BlockCount(draft));
  std::vector<DurationBounds> templates(spans.templates.size());
  for (uint32_t row = 0; row < draft.row_count(); ++row) {
    const int64_t duration_ns = draft.duration_ns(row);
    blocks[row / kBlockRows].Add(duration_ns);
    templates[spans.item_templates[row]].Add(duration_ns);
  }
  std::string body;
  PutBounds(&body, blocks);
  PutBounds(&body, templates);
  pages->Add(IndexKey(kIndexDurations, 0), body);
}

// Calls visit(ordinal, block) for every value of a column.
template <typename Visit>
void ForEachValue(const ColumnDraft& column, const Visit& visit) {
  for (uint32_t block = 0; block + 1 < column.block_starts.size(); ++block) {
    for (uint32_t i = column.block_starts[block]; i < column.block_starts[block + 1]; ++i) {
      visit(i, block);
    }
  }
}

std::string_view ValuePayload(const ColumnDraft& column, uint32_t ordinal) {
  switch (column.info.coding) {
    case ColumnCoding::kDictionary:
      return column.dictionary[column.codes[ordinal]];
    case ColumnCoding::kNumbers:
      return {reinterpret_cast<const char*>(&column.numbers[ordinal]), sizeof(uint64_t)};
    case ColumnCoding::kBytes:
      break;
  }
  return column.payloads[ordinal];
}

// Overflow values are found by their key alone.
uint64_t OverflowHash(std::string_view key_value) {
  char scratch[8];
  const Result<AttributeView> attribute = InterpretKeyValue(key_value, scratch);
  return Hash64(attribute.ok() ? attribute->key : std::string_view());
}

void WriteColumn(uint32_t number, const ColumnDraft& column, uint32_t block_count,
                 CodeIndexWriter* codes, PageWriter* pages) {
  const ColumnInfo& info = column.info;
  const uint32_t index_column = kIndexColumnBase + number;
  const bool overflow = info.role == ColumnRole::kOverflow;
  if (info.coding == ColumnCoding::kDictionary && !overflow) {
    // One value: the shapes say where it is.
    if (info.dictionary_size <= 1) return;
    SetsBuilder sets(info.dictionary_size, block_count);
    ForEachValue(column,
                 [&](uint32_t ordinal, uint32_t block) { sets.Add(column.codes[ordinal], block); });
    const std::vector<uint32_t> block_counts = sets.Write(index_column, pages);
    if (info.table == ItemTable::kSpans) codes->Add(number, block_counts);
    return;
  }
  if (info.coding == ColumnCoding::kNumbers) {
    WriteNumberBounds(number, column, block_count, pages);
  }
  HashesBuilder hashes(info.value_count);
  ForEachValue(column, [&](uint32_t ordinal, uint32_t block) {
    const std::string_view payload = ValuePayload(column, ordinal);
    hashes.Add(overflow ? OverflowHash(payload) : Hash64(payload), block);
  });
  hashes.Write(index_column, block_count, pages);
}

}  // namespace

void WriteIndex(const SegmentDraft& draft, PageWriter* pages) {
  WriteTemplates(draft, pages);
  WriteDurations(draft, pages);
  WriteDurationBands(draft, pages);
  const uint32_t block_count = BlockCount(draft);
  CodeIndexWriter codes(draft);
  for (uint32_t number = 0; number < draft.columns.size(); ++number) {
    const ColumnDraft& column = draft.columns[number];
    // Nobody searches what has no name.
    if (column.info.role != ColumnRole::kRest)
      WriteColumn(number, column, block_count, &codes, pages);
  }
  codes.Write(pages);
}

}  // namespace larder
