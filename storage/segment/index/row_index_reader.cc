// The parts of the index that are kept decoded: codes of templates, rows of codes, bands of
// durations, bounds of numbers.
#include <algorithm>

#include "storage/base/coding.h"
#include "storage/segment/index/index_format.h"
#include "storage/segment/index/index_reader.h"
#include "storage/segment/page/page.h"

namespace larder {
namespace {

// Ascending numbers below `bound`, as gaps.
bool GetGaps(ByteReader* reader, uint64_t count, uint32_t bound, std::vector<uint32_t>* numbers) {
  uint64_t next = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint32_t gap = 0;
    if (!reader->GetVarint32(&gap)) return false;
    next += gap;
    if (next >= bound) return false;
    numbers->push_back(static_cast<uint32_t>(next++));
  }
  return true;
}

bool DecodeCodes(std::string_view body, const SegmentTables& tables, uint32_t column,
                 uint32_t code_count, CodeIndexPage* page) {
  std::vector<bool> has_column(tables.shape_count());
  for (uint32_t shape = 0; shape < tables.shape_count(); ++shape) {
    const std::span<const uint32_t> slots = tables.shape(shape);
    has_column[shape] = std::find(slots.begin(), slots.end(), column) != slots.end();
  }
  ByteReader reader(body);
  page->starts.push_back(0);
  for (const ItemTemplate& item : tables.templates(ItemTable::kSpans)) {
    uint64_t count = 0;
    if (has_column[item.shape]) {
      if (!reader.GetVarint(&count) || count > kTemplateCodesMax) return false;
      if (!GetGaps(&reader, count, code_count, &page->codes)) return false;
    }
    page->starts.push_back(static_cast<uint32_t>(page->codes.size()));
  }
  uint64_t row_codes = 0;
  return reader.GetVarint(&row_codes) &&
         GetGaps(&reader, row_codes, code_count, &page->row_codes) && reader.empty();
}

// The page from the cache, else what `decode(body, T* page)` makes of it; false is damage.
template <typename T, typename Decode>
PageOf<T> GetPage(const SegmentColumns& columns, PageKey key, const Decode& decode) {
  auto page =
      columns.Decoded(key, [&](std::string_view body) -> Result<std::shared_ptr<const CachedPage>> {
        auto decoded = std::make_shared<T>();
        if (!decode(body, decoded.get())) return PageFault(key, "is no index page");
        return std::shared_ptr<const CachedPage>(std::move(decoded));
      });
  if (!page.ok()) return page.status();
  return std::static_pointer_cast<const T>(*page);
}

}  // namespace

std::optional<uint32_t> CodeIndexPage::PlaceOfRows(uint32_t code) const {
  const auto at = std::lower_bound(row_codes.begin(), row_codes.end(), code);
  if (at == row_codes.end() || *at != code) return std::nullopt;
  return static_cast<uint32_t>(at - row_codes.begin());
}

uint64_t CodeIndexPage::memory_bytes() const {
  return sizeof(*this) +
         (starts.capacity() + codes.capacity() + row_codes.capacity()) * sizeof(uint32_t);
}

PageOf<CodeIndexPage> IndexReader::Codes(uint32_t column) const {
  const uint32_t code_count = columns_.columns()[column].dictionary_size;
  const PageKey key = IndexTemplateCodesKey(column, code_count);
  if (!columns_.has(key)) return std::make_shared<const CodeIndexPage>();
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, columns_.Tables());
  return GetPage<CodeIndexPage>(columns_, key, [&](std::string_view body, CodeIndexPage* page) {
    return DecodeCodes(body, *tables, column, code_count, page);
  });
}

PageOf<RowSetPage> IndexReader::Rows(PageKey key) const {
  return GetPage<RowSetPage>(columns_, key, [&](std::string_view body, RowSetPage* page) {
    return GetRowSet(body, columns_.row_count(), &page->rows);
  });
}

PageOf<RowSetPage> IndexReader::RowsOfCode(uint32_t column, uint32_t place) const {
  return Rows(IndexRowsKey(column, columns_.columns()[column].dictionary_size, place));
}

PageOf<DurationBandsPage> IndexReader::DurationBands() const {
  const PageKey key = IndexKey(kIndexDurationBands, 0);
  if (!columns_.has(key)) return std::make_shared<const DurationBandsPage>();
  return GetPage<DurationBandsPage>(
      columns_, key, [](std::string_view body, DurationBandsPage* page) {
        ByteReader reader(body);
        uint64_t count = 0;
        if (!reader.GetVarint(&count) || count > reader.remaining_bytes()) return false;
        for (uint64_t i = 0; i < count; ++i) {
          uint64_t step = 0;
          if (!reader.GetVarint(&step)) return false;
          const int64_t least =
              i == 0 ? UnZigZag(step)
                     : static_cast<int64_t>(static_cast<uint64_t>(page->least_ns.back()) + step);
          if (i != 0 && least <= page->least_ns.back()) return false;
          page->least_ns.push_back(least);
        }
        return reader.empty();
      });
}

PageOf<NumberBoundsPage> IndexReader::NumberBounds(uint32_t column) const {
  const PageKey key = IndexNumberBoundsKey(column);
  if (!columns_.has(key)) return std::shared_ptr<const NumberBoundsPage>();
  return GetPage<NumberBoundsPage>(
      columns_, key, [&](std::string_view body, NumberBoundsPage* page) {
        return DecodeNumberBounds(body, columns_.columns()[column].type, columns_.block_count(),
                                  page);
      });
}

PageOf<RowSetPage> IndexReader::RowsOfBand(uint32_t band) const {
  return Rows(IndexKey(kIndexDurationBands, 1 + band));
}

}  // namespace larder
