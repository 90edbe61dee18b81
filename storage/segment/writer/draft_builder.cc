#include "storage/segment/writer/draft_builder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

#include "storage/base/check.h"
#include "storage/segment/writer/column_plan.h"
#include "storage/segment/writer/parent_rows.h"
#include "storage/segment/writer/row_order.h"
#include "storage/segment/writer/sequence_interner.h"

namespace larder {
namespace {

constexpr size_t kSpans = static_cast<size_t>(ItemTable::kSpans);
constexpr size_t kEvents = static_cast<size_t>(ItemTable::kEvents);
constexpr size_t kLinks = static_cast<size_t>(ItemTable::kLinks);
constexpr uint32_t kNoNumber = UINT32_MAX;
constexpr uint32_t kRowsAhead = 12;
constexpr uint32_t kListsAhead = 6;

// Numbers the table's resources (or scopes) in the order the rows meet them.
class Renumbering {
 public:
  explicit Renumbering(uint32_t count) : numbers_(count, kNoNumber) {}
  uint32_t NumberOf(uint32_t id, std::vector<uint32_t>* met) {
    if (numbers_[id] == kNoNumber) {
      numbers_[id] = static_cast<uint32_t>(met->size());
      met->push_back(id);
    }
    return numbers_[id];
  }

 private:
  std::vector<uint32_t> numbers_;
};

// An ItemTemplate as a sequence to be interned; the name as its StringId.
using TemplateKey = std::array<uint32_t, 7>;

class Builder {
 public:
  Builder(const SpanTable& table, const DraftOptions& options)
      : table_(table),
        arrival_max_ns_(options.arrival_max_ns),
        order_(OrderRows(table, options.drop_duplicates)),
        plans_{ColumnPlan(&table, ItemTable::kSpans), ColumnPlan(&table, ItemTable::kEvents),
               ColumnPlan(&table, ItemTable::kLinks)},
        resources_(table.resource_count()),
        scopes_(table.scope_count()) {}

  SegmentDraft Build() {
    draft_.table = &table_;
    Count();
    for (ColumnPlan& plan : plans_) plan.Choose(&draft_.columns);
    AddSpans();
    for (const ColumnPlan& plan : plans_) plan.Finish(&draft_.columns);
    FinishTemplates();
    FindOutliers();
    draft_.items[kSpans].item_sources = std::move(order_.sources);
    draft_.trace_first_rows = std::move(order_.trace_first_rows);
    FindParents(&draft_);
    draft_.duplicates = std::move(order_.duplicates);
    return std::move(draft_);
  }

 private:
  // In the table's order, which is quicker, unless rows were left out.
  void Count() {
    const bool all = order_.sources.size() == table_.published_rows();
    for (uint32_t row = 0; row < order_.sources.size(); ++row) {
      const SpanRow& span = table_.row(all ? row : order_.sources[row]);
      CountItem(kSpans, span.attributes, span.rest);
      CountString(kSpans, ColumnRole::kTraceState, span.trace_state);
      CountString(kSpans, ColumnRole::kStatusMessage, span.status_message);
      for (uint32_t i = 0; i < span.events.count; ++i) {
        const EventRow& event = table_.event(span.events.first + i);
        CountItem(kEvents, event.attributes, event.rest);
      }
      for (uint32_t i = 0; i < span.links.count; ++i) {
        const LinkRow& link = table_.link(span.links.first + i);
        CountItem(kLinks, link.attributes, link.rest);
        CountString(kLinks, ColumnRole::kTraceState, link.trace_state);
      }
    }
  }

  void CountItem(size_t items, ListRange attributes, StringId rest) {
    for (const PairId pair : table_.pairs(attributes)) plans_[items].CountPair(pair);
    CountString(items, ColumnRole::kRest, rest);
  }

  void CountString(size_t items, ColumnRole role, StringId string) {
    if (string != 0) plans_[items].CountString(role, string);
  }

  // Notes where the values of the next block begin.
  void StartBlock() {
    for (ColumnDraft& column : draft_.columns) {
      column.block_starts.push_back(static_cast<uint32_t>(column.codes.size()));
    }
    for (ItemTableDraft& items : draft_.items) {
      items.block_starts.push_back(static_cast<uint32_t>(items.item_templates.size()));
    }
  }

  // Rows lie scattered in the table, in the order they came: most of the time here goes into
  // waiting for them, so they are fetched a few rows ahead.
  void AddSpans() {
    const std::vector<uint32_t>& sources = order_.sources;
    for (uint32_t row = 0; row < sources.size(); ++row) {
      if (row % kBlockRows == 0) StartBlock();
      if (row + kRowsAhead < sources.size()) FetchRow(sources[row + kRowsAhead]);
      if (row + kListsAhead < sources.size()) FetchList(sources[row + kListsAhead]);
      AddSpan(row, table_.row(sources[row]));
    }
    StartBlock();
  }

  void FetchRow(uint32_t source) const {
    const char* const bytes = reinterpret_cast<const char*>(&table_.row(source));
    __builtin_prefetch(bytes);
    __builtin_prefetch(bytes + sizeof(SpanRow) - 1);
  }
  void FetchList(uint32_t source) const {
    __builtin_prefetch(table_.pairs(table_.row(source).attributes).data());
  }

  void AddSpan(uint32_t row, const SpanRow& span) {
    SpanDraft& spans = draft_.spans;
    spans.starts_ns.push_back(span.start_ns);
    spans.ends_ns.push_back(span.end_ns);
    spans.ids.push_back(span.span_id);
    spans.parent_ids.push_back(span.parent_span_id);
    slots_.clear();
    AddPairs(kSpans, span.attributes);
    AddString(kSpans, ColumnRole::kTraceState, span.trace_state);
    AddString(kSpans, ColumnRole::kStatusMessage, span.status_message);
    AddString(kSpans, ColumnRole::kRest, span.rest);
    AddItem(kSpans, {span.name, std::bit_cast<uint32_t>(span.kind),
                     std::bit_cast<uint32_t>(span.status_code), span.flags,
                     resources_.NumberOf(span.resource, &draft_.resources),
                     scopes_.NumberOf(span.scope, &draft_.scopes), shapes_.Intern(slots_)});
    for (uint32_t i = 0; i < span.events.count; ++i) AddEvent(row, span.events.first + i);
    for (uint32_t i = 0; i < span.links.count; ++i) AddLink(row, span.links.first + i);
  }

  void AddEvent(uint32_t row, uint32_t source) {
    const EventRow& event = table_.event(source);
    slots_.clear();
    AddPairs(kEvents, event.attributes);
    AddString(kEvents, ColumnRole::kRest, event.rest);
    AddItem(kEvents, {event.name, 0, 0, 0, 0, 0, shapes_.Intern(slots_)});
    AddNested(kEvents, row, source);
  }

  void AddLink(uint32_t row, uint32_t source) {
    const LinkRow& link = table_.link(source);
    slots_.clear();
    AddPairs(kLinks, link.attributes);
    AddString(kLinks, ColumnRole::kTraceState, link.trace_state);
    AddString(kLinks, ColumnRole::kRest, link.rest);
    AddItem(kLinks, {0, 0, 0, link.flags, 0, 0, shapes_.Intern(slots_)});
    AddNested(kLinks, row, source);
  }

  void AddPairs(size_t items, ListRange attributes) {
    for (const PairId pair : table_.pairs(attributes)) AddValue(plans_[items].Place(pair));
  }

  void AddString(size_t items, ColumnRole role, StringId string) {
    if (string != 0) AddValue(plans_[items].Place(role, string));
  }

  void AddValue(ValuePlace place) {
    slots_.push_back(place.column);
    draft_.columns[place.column].codes.push_back(place.code);
  }

  void AddItem(size_t items, const TemplateKey& key) {
    draft_.items[items].item_templates.push_back(templates_[items].Intern(key));
  }

  void AddNested(size_t items, uint32_t row, uint32_t source) {
    draft_.items[items].item_rows.push_back(row);
    draft_.items[items].item_sources.push_back(source);
  }

  void FinishTemplates() {
    for (size_t items = 0; items < templates_.size(); ++items) {
      for (uint32_t i = 0; i < templates_[items].size(); ++i) {
        const std::span<const uint32_t> key = templates_[items][i];
        draft_.items[items].templates.push_back({.name = table_.string(key[0]),
                                                 .kind = std::bit_cast<int32_t>(key[1]),
                                                 .status_code = std::bit_cast<int32_t>(key[2]),
                                                 .flags = key[3],
                                                 .resource = key[4],
                                                 .scope = key[5],
                                                 .shape = key[6]});
      }
    }
    for (uint32_t i = 0; i < shapes_.size(); ++i) {
      draft_.shapes.emplace_back(shapes_[i].begin(), shapes_[i].end());
    }
  }

  void FindOutliers() {
    const std::vector<uint64_t>& starts = draft_.spans.starts_ns;
    const uint64_t latest = LatestUsualStart();
    for (size_t trace = 0; trace + 1 < order_.trace_first_rows.size(); ++trace) {
      const uint32_t first = order_.trace_first_rows[trace];
      for (uint32_t row = first; row < order_.trace_first_rows[trace + 1]; ++row) {
        if (starts[row] - starts[first] > kOutlierNs || starts[row] > latest) {
          draft_.outliers.push_back({row, starts[row]});
        }
      }
    }
  }

  // What starts later is ahead of its arrival.
  uint64_t LatestUsualStart() const {
    const std::vector<uint64_t>& starts = draft_.spans.starts_ns;
    if (arrival_max_ns_ == 0 || arrival_max_ns_ > UINT64_MAX - kOutlierNs) return UINT64_MAX;
    const uint64_t latest = arrival_max_ns_ + kOutlierNs;
    const auto ahead = std::count_if(starts.begin(), starts.end(),
                                     [latest](uint64_t start) { return start > latest; });
    return static_cast<size_t>(ahead) * kAheadOneIn > starts.size() ? UINT64_MAX : latest;
  }

  const SpanTable& table_;
  const uint64_t arrival_max_ns_;
  RowOrder order_;
  std::array<ColumnPlan, 3> plans_;  // by ItemTable
  Renumbering resources_;
  Renumbering scopes_;
  SequenceInterner shapes_;
  std::array<SequenceInterner, 3> templates_;
  std::vector<uint32_t> slots_;  // of the item being added
  SegmentDraft draft_;
};

}  // namespace

SegmentDraft BuildDraft(const SpanTable& table, const DraftOptions& options) {
  return Builder(table, options).Build();
}

}  // namespace larder
