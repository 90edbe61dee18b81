#include "storage/segment/reader/columns_reader.h"

#include <algorithm>

#include "storage/base/coding.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/format/segment_format.h"
#include "storage/segment/page/made_pages.h"
#include "storage/segment/page/page.h"

namespace larder {
namespace {

// The values of a column's page behind their block counts.
bool DecodeValues(const ColumnInfo& info, ByteReader* in, ColumnPage* page) {
  switch (info.coding) {
    case ColumnCoding::kDictionary:
      return DecodeCodes(in, &page->codes) &&
             std::all_of(page->codes.begin(), page->codes.end(),
                         [&info](uint32_t code) { return code < info.dictionary_size; });
    case ColumnCoding::kBytes:
      return DecodeStrings(in, &page->offsets, &page->arena);
    case ColumnCoding::kNumbers:
      break;
  }
  if (info.type == ValueType::kDouble) return DecodeWords(in, &page->numbers);
  if (!DecodeNumbers(in, &page->numbers)) return false;
  for (uint64_t& number : page->numbers) number = static_cast<uint64_t>(UnZigZag(number));
  return true;
}

size_t ValueCount(const ColumnInfo& info, const ColumnPage& page) {
  switch (info.coding) {
    case ColumnCoding::kDictionary:
      return page.codes.size();
    case ColumnCoding::kNumbers:
      return page.numbers.size();
    case ColumnCoding::kBytes:
      break;
  }
  return page.offsets.size() - 1;
}

bool DecodeColumnPage(const ColumnInfo& info, std::string_view body, ColumnPage* page) {
  ByteReader in(body);
  std::vector<uint32_t> counts;
  if (!DecodeCodes(&in, &counts) || counts.size() > kPageBlocks) return false;
  uint64_t start = 0;
  for (uint32_t block = 0; block < kPageBlocks; ++block) {
    start += block < counts.size() ? counts[block] : 0;
    if (start > kStreamValuesMax) return false;
    page->block_starts[block + 1] = static_cast<uint32_t>(start);
  }
  return DecodeValues(info, &in, page) && in.empty() && ValueCount(info, *page) == start;
}

}  // namespace

uint64_t ColumnPage::memory_bytes() const {
  return sizeof(*this) + (codes.capacity() + offsets.capacity()) * sizeof(uint32_t) +
         numbers.capacity() * sizeof(uint64_t) + arena.capacity();
}

class ColumnsReader::ShapeUses : public CachedPage {
 public:
  std::vector<uint32_t> counts;  // of each shape
  uint64_t memory_bytes() const override {
    return sizeof(*this) + counts.capacity() * sizeof(uint32_t);
  }
};

ColumnsReader::ColumnsReader(const PageSource* source, PageCache* cache, Header header,
                             uint64_t header_bytes)
    : pages_(source, cache, std::move(header)), header_bytes_(header_bytes) {
  const std::span<const ColumnInfo> infos = columns();
  dictionary_of_column_.resize(infos.size());
  for (uint32_t column = 0; column < infos.size(); ++column) {
    if (infos[column].coding != ColumnCoding::kDictionary) continue;
    dictionary_of_column_[column] = &dictionaries_.emplace_back(&pages_, column);
  }
}

Result<std::unique_ptr<const ColumnsReader>> ColumnsReader::Open(const PageSource* source,
                                                                 PageCache* cache) {
  LARDER_ASSIGN_OR_RETURN(const PageBytes bytes, source->Get(kHeaderKey));
  std::string body;
  LARDER_RETURN_IF_ERROR(DecodePage(kHeaderKey, bytes.view(), &body));
  LARDER_ASSIGN_OR_RETURN(Header header, DecodeHeader(body));
  header.info.size_bytes += bytes.view().size();
  std::unique_ptr<ColumnsReader> reader(
      new ColumnsReader(source, cache, std::move(header), bytes.view().size()));
  LARDER_RETURN_IF_ERROR(reader->LoadBounds());
  return std::unique_ptr<const ColumnsReader>(std::move(reader));
}

Status ColumnsReader::LoadBounds() {
  std::string body;
  LARDER_RETURN_IF_ERROR(pages_.ReadBody(kBoundsKey, &body));
  ByteReader in(body);
  std::vector<uint64_t> earliest;
  std::vector<uint64_t> latest;
  std::vector<uint64_t> rows;
  std::vector<uint64_t> starts;
  if (!DecodeWords(&in, &earliest) || !DecodeWords(&in, &latest) || !DecodeNumbers(&in, &rows) ||
      !DecodeWords(&in, &starts) || !in.empty()) {
    return pages_.Fault(kBoundsKey, "is no list of bounds");
  }
  if (earliest.size() != block_count() || latest.size() != block_count() ||
      rows.size() != starts.size()) {
    return pages_.Fault(kBoundsKey, "does not agree with the header");
  }
  for (size_t i = 0; i < earliest.size(); ++i) bounds_.push_back({earliest[i], latest[i]});
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] >= row_count()) return pages_.Fault(kBoundsKey, "names a row that is not there");
    outliers_.push_back({static_cast<uint32_t>(rows[i]), starts[i]});
  }
  return Status::Ok();
}

Result<const SegmentTables*> ColumnsReader::Tables() const {
  MutexLock lock(mu_);
  if (tables_ == nullptr) {
    LARDER_ASSIGN_OR_RETURN(tables_, LoadedTables::Load(pages_));
  }
  return static_cast<const SegmentTables*>(tables_.get());
}

Result<const DictionaryReader*> ColumnsReader::ReaderOfDictionary(uint32_t column) const {
  if (column >= columns().size() || dictionary_of_column_[column] == nullptr) {
    return Status::InvalidArgument("column " + std::to_string(column) + " has no dictionary");
  }
  return static_cast<const DictionaryReader*>(dictionary_of_column_[column]);
}

Result<const ColumnDictionary*> ColumnsReader::Dictionary(uint32_t column) const {
  LARDER_ASSIGN_OR_RETURN(const DictionaryReader* reader, ReaderOfDictionary(column));
  return static_cast<const ColumnDictionary*>(reader);
}

PageOf<ColumnPage> ColumnsReader::Column(uint32_t column, uint32_t page) const {
  const ColumnInfo& info = columns()[column];
  const PageKey key = ColumnPageKey(info.table, column, page);
  if (!pages_.has(key)) return std::make_shared<const ColumnPage>();
  return pages_.Get<ColumnPage>(key, [&](std::string_view body, ColumnPage* decoded) {
    if (!DecodeColumnPage(info, body, decoded)) return pages_.Fault(key, "is no column page");
    return Status::Ok();
  });
}

PageOf<BodyPage> ColumnsReader::Body(PageKey key) const {
  return pages_.Get<BodyPage>(key, [](std::string_view body, BodyPage* page) {
    page->body = body;
    return Status::Ok();
  });
}

PageOf<ColumnsReader::ShapeUses> ColumnsReader::UsesOf(uint32_t column) const {
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, Tables());
  return pages_.GetMade<ShapeUses>({kMadeShapeUses, column, 0}, [&](ShapeUses* uses) {
    for (uint32_t shape = 0; shape < tables->shape_count(); ++shape) {
      const std::span<const uint32_t> slots = tables->shape(shape);
      uses->counts.push_back(static_cast<uint32_t>(std::count(slots.begin(), slots.end(), column)));
    }
    return Status::Ok();
  });
}

Status ColumnsReader::BlockValues(uint32_t column, uint32_t block,
                                  std::vector<ItemValue>* values) const {
  values->clear();
  const ItemTable table = columns()[column].table;
  const uint32_t page = block / kPageBlocks;
  const uint32_t in_page = block % kPageBlocks;
  LARDER_ASSIGN_OR_RETURN(const auto column_page, Column(column, page));
  uint32_t ordinal = column_page->block_starts[in_page];
  const uint32_t last = column_page->block_starts[in_page + 1];
  if (ordinal == last) return Status::Ok();
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, Tables());
  LARDER_ASSIGN_OR_RETURN(const auto templates, Templates(table, page));
  LARDER_ASSIGN_OR_RETURN(const auto uses, UsesOf(column));
  const std::span<const ItemTemplate> all = tables->templates(table);
  values->reserve(last - ordinal);
  const uint32_t first_item = templates->block_starts[in_page];
  for (uint32_t item = first_item; item < templates->block_starts[in_page + 1]; ++item) {
    const uint32_t count = uses->counts[all[templates->templates[item]].shape];
    for (uint32_t i = 0; i < count; ++i) values->push_back({item - first_item, ordinal++});
  }
  if (ordinal == last) return Status::Ok();
  values->clear();
  return pages_.Fault(ColumnPageKey(table, column, page),
                      "has other values than the templates say");
}

}  // namespace larder
