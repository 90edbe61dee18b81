#include "storage/segment/columns_reader.h"

#include <algorithm>

#include "storage/base/coding.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/page.h"
#include "storage/segment/segment_format.h"

namespace larder {
namespace {

// What is made of other pages is cached under sections that no page has.
constexpr auto kMadeShapeUses = static_cast<Section>(200);

// Splits items, given by the row of each, into the blocks of their page.
void FillBlockStarts(const std::vector<uint32_t>& item_rows,
                     std::array<uint32_t, kPageBlocks + 1>* block_starts) {
  for (uint32_t block = 0; block <= kPageBlocks; ++block) {
    (*block_starts)[block] = static_cast<uint32_t>(
        std::lower_bound(item_rows.begin(), item_rows.end(), block * kBlockRows) -
        item_rows.begin());
  }
}

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

uint64_t TemplatePage::memory_bytes() const {
  return sizeof(*this) + templates.capacity() * sizeof(uint32_t);
}

uint64_t TracePage::memory_bytes() const {
  return sizeof(*this) + ids.capacity() * sizeof(TraceId) +
         first_rows.capacity() * sizeof(uint32_t) + trace_of_row.capacity() * sizeof(uint16_t);
}

// The starts of a page's rows, and which of them begin a trace.
class ColumnsReader::TimesPage : public ValuePage<uint64_t> {
 public:
  std::vector<uint64_t> run_rows;  // rows of the trace that goes on from before, then of each trace

  bool Decode(std::string_view body, uint32_t row_count) {
    ByteReader in(body);
    uint64_t row_before = 0;
    uint64_t trace_before = 0;
    std::vector<uint64_t> first_starts;
    std::vector<uint64_t> steps;
    if (!in.GetFixed64(&row_before) || !in.GetFixed64(&trace_before) ||
        !DecodeNumbers(&in, &run_rows) || !DecodeNumbers(&in, &first_starts) ||
        !DecodeNumbers(&in, &steps) || !in.empty() || run_rows.empty()) {
      return false;
    }
    if (first_starts.size() != run_rows.size() - 1) return false;
    auto step = steps.begin();
    for (size_t run = 0; run < run_rows.size(); ++run) {
      // Every trace has a row; the part that goes on from before may have none.
      if (run_rows[run] > row_count || (run > 0 && run_rows[run] == 0)) return false;
      if (values.size() + run_rows[run] > row_count) return false;
      for (uint64_t i = 0; i < run_rows[run]; ++i) {
        if (run > 0 && i == 0) {
          row_before = trace_before += first_starts[run - 1];
        } else {
          if (step == steps.end()) return false;
          row_before += *step++;
        }
        values.push_back(row_before);
      }
    }
    return values.size() == row_count && step == steps.end();
  }

  uint64_t memory_bytes() const override {
    return ValuePage<uint64_t>::memory_bytes() + run_rows.capacity() * sizeof(uint64_t);
  }
};

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

Status ColumnsReader::DecodeTemplates(std::string_view body, ItemTable table, uint32_t page,
                                      TemplatePage* templates) const {
  const PageKey key = table == ItemTable::kSpans
                          ? PageKey{Section::kFixed, kFixedTemplates, page}
                          : PageKey{NestedSection(table), kNestedTemplates, page};
  ByteReader in(body);
  if (!DecodeCodes(&in, &templates->templates) || !in.empty()) {
    return pages_.Fault(key, "is no list of templates");
  }
  size_t expected = pages_.row_count(page);
  if (table == ItemTable::kSpans) {
    for (uint32_t block = 0; block <= kPageBlocks; ++block) {
      templates->block_starts[block] =
          static_cast<uint32_t>(std::min<size_t>(block * kBlockRows, expected));
    }
  } else {
    LARDER_ASSIGN_OR_RETURN(const auto rows, ItemRows(table, page));
    expected = rows->values.size();
    FillBlockStarts(rows->values, &templates->block_starts);
  }
  if (templates->templates.size() != expected) return pages_.Fault(key, "has too few or too many");
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, Tables());
  const size_t count = tables->templates(table).size();
  for (const uint32_t number : templates->templates) {
    if (number >= count) return pages_.Fault(key, "names a template that is not there");
  }
  return Status::Ok();
}

PageOf<TemplatePage> ColumnsReader::Templates(ItemTable table, uint32_t page) const {
  const PageKey key = table == ItemTable::kSpans
                          ? PageKey{Section::kFixed, kFixedTemplates, page}
                          : PageKey{NestedSection(table), kNestedTemplates, page};
  if (table != ItemTable::kSpans && !pages_.has(key)) return std::make_shared<const TemplatePage>();
  return pages_.Get<TemplatePage>(key, [&](std::string_view body, TemplatePage* templates) {
    return DecodeTemplates(body, table, page, templates);
  });
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

PageOf<ColumnsReader::TimesPage> ColumnsReader::Times(uint32_t page) const {
  const PageKey key{Section::kFixed, kFixedTimes, page};
  return pages_.Get<TimesPage>(key, [&](std::string_view body, TimesPage* times) {
    if (!times->Decode(body, pages_.row_count(page))) return pages_.Fault(key, "is no times page");
    return Status::Ok();
  });
}

PageOf<ValuePage<uint64_t>> ColumnsReader::Starts(uint32_t page) const {
  LARDER_ASSIGN_OR_RETURN(std::shared_ptr<const ValuePage<uint64_t>> starts, Times(page));
  return starts;
}

PageOf<ValuePage<int64_t>> ColumnsReader::Durations(uint32_t page) const {
  const PageKey key{Section::kFixed, kFixedDurations, page};
  return pages_.Get<ValuePage<int64_t>>(key, [&](std::string_view body,
                                                 ValuePage<int64_t>* durations) {
    ByteReader in(body);
    std::vector<uint64_t> zigzag;
    if (!DecodeNumbers(&in, &zigzag) || !in.empty() || zigzag.size() != pages_.row_count(page)) {
      return pages_.Fault(key, "is no list of durations");
    }
    durations->values.reserve(zigzag.size());
    for (const uint64_t number : zigzag) durations->values.push_back(UnZigZag(number));
    return Status::Ok();
  });
}

template <typename Id>
PageOf<ValuePage<Id>> ColumnsReader::Ids(PageKey key, uint32_t count) const {
  return pages_.Get<ValuePage<Id>>(key, [&](std::string_view body, ValuePage<Id>* ids) {
    constexpr size_t kBytes = sizeof(Id);
    if (body.size() != kBytes * count) return pages_.Fault(key, "has too few or too many ids");
    ids->values.reserve(count);
    for (size_t i = 0; i < count; ++i) ids->values.push_back(Id::From(body.substr(i * kBytes)));
    return Status::Ok();
  });
}

PageOf<ValuePage<SpanId>> ColumnsReader::SpanIds(uint32_t page) const {
  return Ids<SpanId>({Section::kFixed, kFixedSpanIds, page}, pages_.row_count(page));
}

Status ColumnsReader::DecodeParents(std::string_view body, uint32_t page,
                                    ValuePage<SpanId>* parents) const {
  const PageKey key{Section::kFixed, kFixedParents, page};
  ByteReader in(body);
  std::vector<uint64_t> codes;
  if (!DecodeNumbers(&in, &codes) || codes.size() != pages_.row_count(page)) {
    return pages_.Fault(key, "is no list of parents");
  }
  // Parents mostly lie on the same page; the last one used is kept.
  std::shared_ptr<const ValuePage<SpanId>> ids;
  uint32_t ids_page = UINT32_MAX;
  for (uint32_t i = 0; i < codes.size(); ++i) {
    SpanId& parent = parents->values.emplace_back();
    if (codes[i] == kParentNone) continue;
    if (codes[i] == kParentElsewhere) {
      std::string_view id;
      if (!in.GetBytes(sizeof(SpanId), &id)) return pages_.Fault(key, "has too few ids");
      parent = SpanId::From(id);
      continue;
    }
    const uint64_t row = uint64_t{page} * kPageRows + i -
                         static_cast<uint64_t>(UnZigZag(codes[i] - kParentDistance));
    if (row >= row_count()) return pages_.Fault(key, "names a row that is not there");
    if (row / kPageRows != ids_page) {
      ids_page = static_cast<uint32_t>(row / kPageRows);
      LARDER_ASSIGN_OR_RETURN(ids, SpanIds(ids_page));
    }
    parent = ids->values[row % kPageRows];
  }
  return in.empty() ? Status::Ok() : pages_.Fault(key, "has too many ids");
}

PageOf<ValuePage<SpanId>> ColumnsReader::ParentIds(uint32_t page) const {
  return pages_.Get<ValuePage<SpanId>>({Section::kFixed, kFixedParents, page},
                                       [&](std::string_view body, ValuePage<SpanId>* parents) {
                                         return DecodeParents(body, page, parents);
                                       });
}

PageOf<TracePage> ColumnsReader::Traces(uint32_t page) const {
  const PageKey key{Section::kTraces, 0, page};
  LARDER_ASSIGN_OR_RETURN(const auto times, Times(page));
  return pages_.Get<TracePage>(key, [&](std::string_view body, TracePage* traces) {
    traces->continues = times->run_rows[0] > 0;
    uint32_t row = 0;
    for (const uint64_t rows : times->run_rows) {
      if (rows == 0) continue;
      const auto trace = static_cast<uint16_t>(traces->first_rows.size());
      traces->first_rows.push_back(row);
      traces->trace_of_row.insert(traces->trace_of_row.end(), rows, trace);
      row += static_cast<uint32_t>(rows);
    }
    const size_t count = traces->first_rows.size();
    traces->first_rows.push_back(row);
    if (body.size() != count * sizeof(TraceId)) {
      return pages_.Fault(key, "has too few or too many ids");
    }
    for (size_t i = 0; i < count; ++i) {
      traces->ids.push_back(TraceId::From(body.substr(i * sizeof(TraceId))));
    }
    return Status::Ok();
  });
}

PageOf<ValuePage<uint32_t>> ColumnsReader::ItemRows(ItemTable table, uint32_t page) const {
  const PageKey key{NestedSection(table), kNestedRows, page};
  if (!pages_.has(key)) return std::make_shared<const ValuePage<uint32_t>>();
  return pages_.Get<ValuePage<uint32_t>>(
      key, [&](std::string_view body, ValuePage<uint32_t>* rows) {
        ByteReader in(body);
        std::vector<uint64_t> steps;
        if (!DecodeNumbers(&in, &steps) || !in.empty())
          return pages_.Fault(key, "is no list of rows");
        uint64_t row = 0;
        for (const uint64_t step : steps) {
          if (step >= kPageRows || row + step >= pages_.row_count(page)) {
            return pages_.Fault(key, "names a row that is not there");
          }
          row += step;
          rows->values.push_back(static_cast<uint32_t>(row));
        }
        return Status::Ok();
      });
}

PageOf<ValuePage<uint64_t>> ColumnsReader::EventTimes(uint32_t page) const {
  const PageKey key{Section::kEvents, kEventTimes, page};
  if (!pages_.has(key)) return std::make_shared<const ValuePage<uint64_t>>();
  LARDER_ASSIGN_OR_RETURN(const auto rows, ItemRows(ItemTable::kEvents, page));
  LARDER_ASSIGN_OR_RETURN(const auto starts, Starts(page));
  return pages_.Get<ValuePage<uint64_t>>(
      key, [&](std::string_view body, ValuePage<uint64_t>* times) {
        ByteReader in(body);
        if (!DecodeNumbers(&in, &times->values) || !in.empty() ||
            times->values.size() != rows->values.size()) {
          return pages_.Fault(key, "is no list of times");
        }
        for (size_t i = 0; i < times->values.size(); ++i) {
          const uint64_t start = starts->values[rows->values[i]];
          times->values[i] = start + static_cast<uint64_t>(UnZigZag(times->values[i]));
        }
        return Status::Ok();
      });
}

PageOf<ValuePage<TraceId>> ColumnsReader::LinkTraceIds(uint32_t page) const {
  LARDER_ASSIGN_OR_RETURN(const auto rows, ItemRows(ItemTable::kLinks, page));
  if (rows->values.empty()) return std::make_shared<const ValuePage<TraceId>>();
  return Ids<TraceId>({Section::kLinks, kLinkTraceIds, page},
                      static_cast<uint32_t>(rows->values.size()));
}

PageOf<ValuePage<SpanId>> ColumnsReader::LinkSpanIds(uint32_t page) const {
  LARDER_ASSIGN_OR_RETURN(const auto rows, ItemRows(ItemTable::kLinks, page));
  if (rows->values.empty()) return std::make_shared<const ValuePage<SpanId>>();
  return Ids<SpanId>({Section::kLinks, kLinkSpanIds, page},
                     static_cast<uint32_t>(rows->values.size()));
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
