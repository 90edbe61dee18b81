// What rows and items have one by one: templates, times, ids.

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "storage/base/coding.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/encoding/trace_index.h"
#include "storage/segment/format/segment_format.h"
#include "storage/segment/reader/columns_reader.h"

namespace larder {
namespace {

// Splits items, given by the row of each, into the blocks of their page.
void FillBlockStarts(const std::vector<uint32_t>& item_rows,
                     std::array<uint32_t, kPageBlocks + 1>* block_starts) {
  for (uint32_t block = 0; block <= kPageBlocks; ++block) {
    (*block_starts)[block] = static_cast<uint32_t>(
        std::lower_bound(item_rows.begin(), item_rows.end(), block * kBlockRows) -
        item_rows.begin());
  }
}

PageKey TemplatesKey(ItemTable table, uint32_t page) {
  if (table == ItemTable::kSpans) return {Section::kFixed, kFixedTemplates, page};
  return {NestedSection(table), kNestedTemplates, page};
}

class IndexPage : public CachedPage {
 public:
  TraceIndexChunk chunk;
  uint64_t memory_bytes() const override { return chunk.memory_bytes(); }
};

}  // namespace

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

Status ColumnsReader::DecodeTemplates(std::string_view body, ItemTable table, uint32_t page,
                                      TemplatePage* templates) const {
  const PageKey key = TemplatesKey(table, page);
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
  const PageKey key = TemplatesKey(table, page);
  if (table != ItemTable::kSpans && !pages_.has(key)) return std::make_shared<const TemplatePage>();
  return pages_.Get<TemplatePage>(key, [&](std::string_view body, TemplatePage* templates) {
    return DecodeTemplates(body, table, page, templates);
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
    static_assert(std::is_trivially_copyable_v<Id>);
    if (body.size() != sizeof(Id) * count) return pages_.Fault(key, "has too few or too many ids");
    ids->values.resize(count);
    if (count > 0) std::memcpy(ids->values.data(), body.data(), body.size());
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

Status ColumnsReader::BlocksOfTrace(const TraceId& trace_id, std::vector<uint32_t>* blocks) const {
  const uint64_t hash = TraceIdHash(trace_id);
  const uint32_t chunks = pages_.header().page_count(Section::kTraceIndex, 0);
  if (chunks == 0) return pages_.Fault({Section::kTraceIndex, 0, 0}, "is not in the header");
  const PageKey key{Section::kTraceIndex, 0, TraceIndexChunkOf(hash, chunks)};
  LARDER_ASSIGN_OR_RETURN(
      const auto page, pages_.Get<IndexPage>(key, [&](std::string_view body, IndexPage* decoded) {
        return decoded->chunk.Decode(body) ? Status::Ok() : pages_.Fault(key, "is no index chunk");
      }));
  blocks->clear();
  page->chunk.Find(hash, blocks);
  std::sort(blocks->begin(), blocks->end());
  blocks->erase(std::unique(blocks->begin(), blocks->end()), blocks->end());
  return Status::Ok();
}

}  // namespace larder
