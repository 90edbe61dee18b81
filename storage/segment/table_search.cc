#include "storage/segment/table_search.h"

#include <algorithm>
#include <utility>

#include "storage/model/span_filter.h"
#include "storage/segment/table_row_view.h"

namespace larder {
namespace {

// The answers of one leaf to distinct values: 0 not asked yet, else what was said.
class Memo {
 public:
  enum Answer : uint8_t { kUnknown = 0, kOtherKey = 1, kNoMatch = 2, kMatch = 3 };

  // `count` distinct values there are. Memory is taken at the first use.
  Answer& at(uint32_t id, uint32_t count) {
    if (answers_.empty()) answers_.resize(count, kUnknown);
    return answers_[id];
  }
  static Answer From(LeafState state) {
    if (!state.present) return kOtherKey;
    return state.matched ? kMatch : kNoMatch;
  }
  static LeafState State(Answer answer) { return {answer > kOtherKey, answer == kMatch}; }

 private:
  std::vector<Answer> answers_;
};

struct LeafMemos {
  Memo pairs;
  Memo strings;
  Memo resources;
  Memo scopes;
};

class TableSearch : public BlockSearch {
 public:
  TableSearch(const SpanTable& table, uint32_t row_count,
              std::shared_ptr<const std::vector<BlockBounds>> blocks, SpanFilter filter,
              TimeRange start)
      : table_(table),
        row_count_(row_count),
        blocks_(std::move(blocks)),
        filter_(std::move(filter)),
        start_(start),
        row_view_(table),
        memos_(filter_.leaves().size()),
        pair_count_(table.pair_count()),
        string_count_(table.string_count()),
        resource_count_(table.resource_count()),
        scope_count_(table.scope_count()) {
    for (uint32_t block = 0; block < blocks_->size(); ++block) {
      const TimeRange& bounds = (*blocks_)[block].start;
      if (bounds.min_ns <= start_.max_ns && bounds.max_ns >= start_.min_ns) {
        candidates_.push_back(block);
      }
    }
  }

  const std::vector<uint32_t>& candidate_blocks() const override { return candidates_; }

  uint64_t latest_start_ns(uint32_t block) const override {
    return std::min((*blocks_)[block].start.max_ns, start_.max_ns);
  }

  Status Match(uint32_t block, std::vector<SpanMatch>* matches) override {
    const uint32_t first = block * kBlockRows;
    const uint32_t last = std::min(first + kBlockRows, row_count_);
    for (uint32_t number = first; number < last; ++number) {
      const SpanRow& row = table_.row(number);
      if (start_.contains(row.start_ns) && Holds(filter_.root(), row)) {
        matches->push_back({row.start_ns, row.trace_id, number});
      }
    }
    return Status::Ok();
  }

 private:
  bool Holds(uint32_t number, const SpanRow& row) {
    const FilterStep& step = filter_.steps()[number];
    const auto holds = [&](uint32_t child) { return Holds(child, row); };
    switch (step.kind) {
      case FilterStep::Kind::kTrue:
        return true;
      case FilterStep::Kind::kAnd:
        return std::all_of(step.children.begin(), step.children.end(), holds);
      case FilterStep::Kind::kOr:
        return std::any_of(step.children.begin(), step.children.end(), holds);
      case FilterStep::Kind::kNot:
        return !holds(step.children[0]);
      case FilterStep::Kind::kSome: {
        const bool events = step.element == FilterNode::Element::kEvent;
        if ((events ? row.events.count : row.links.count) == 0) return false;
        return filter_.Matches(number, row_view_.Read(row));
      }
      case FilterStep::Kind::kLeaf:
        break;
    }
    const FilterLeaf& leaf = filter_.leaves()[step.leaf];
    if (leaf.other) return filter_.Matches(number, row_view_.Read(row));
    LeafMemos& memos = memos_[step.leaf];
    return leaf.Holds(leaf.attribute() != nullptr ? AttributeLeaf(leaf, memos, row)
                                                  : FieldLeaf(leaf, memos, row));
  }

  LeafState AttributeLeaf(const FilterLeaf& leaf, LeafMemos& memos, const SpanRow& row) {
    LeafState state;
    if (leaf.reads(Level::kSpan)) state.Merge(List(leaf, memos, row.attributes));
    if (!state.matched && leaf.reads(Level::kResource)) state.Merge(Resource(leaf, memos, row));
    if (!state.matched && leaf.reads(Level::kScope)) state.Merge(Scope(leaf, memos, row));
    if (leaf.reads(Level::kEvent)) {
      for (uint32_t i = 0; i < row.events.count && !state.matched; ++i) {
        state.Merge(List(leaf, memos, table_.event(row.events.first + i).attributes));
      }
    }
    if (leaf.reads(Level::kLink)) {
      for (uint32_t i = 0; i < row.links.count && !state.matched; ++i) {
        state.Merge(List(leaf, memos, table_.link(row.links.first + i).attributes));
      }
    }
    return state;
  }

  // The first pair with the leaf's key counts.
  LeafState List(const FilterLeaf& leaf, LeafMemos& memos, ListRange range) {
    for (const PairId pair : table_.pairs(range)) {
      Memo::Answer& answer = memos.pairs.at(pair, pair_count_);
      if (answer == Memo::kUnknown) {
        const AttributeView attribute = table_.pair(pair).attribute;
        answer = Memo::From(AttributeState(leaf, {&attribute, 1}));
      }
      if (answer != Memo::kOtherKey) return Memo::State(answer);
    }
    return {};
  }

  LeafState Resource(const FilterLeaf& leaf, LeafMemos& memos, const SpanRow& row) {
    Memo::Answer& answer = memos.resources.at(row.resource, resource_count_);
    if (answer == Memo::kUnknown) {
      const ResourceView resource = table_.resource(row.resource);
      answer = Memo::From(leaf.attribute() != nullptr ? AttributeState(leaf, resource.attributes)
                                                      : ResourceFieldState(leaf, resource));
    }
    return Memo::State(answer);
  }

  LeafState Scope(const FilterLeaf& leaf, LeafMemos& memos, const SpanRow& row) {
    Memo::Answer& answer = memos.scopes.at(row.scope, scope_count_);
    if (answer == Memo::kUnknown) {
      const ScopeView scope = table_.scope(row.scope);
      answer = Memo::From(leaf.attribute() != nullptr ? AttributeState(leaf, scope.attributes)
                                                      : ScopeFieldState(leaf, scope));
    }
    return Memo::State(answer);
  }

  // A text field. Those of events and links are present even when they are empty.
  LeafState String(const FilterLeaf& leaf, LeafMemos& memos, StringId id, bool empty_is_present) {
    Memo::Answer& answer = memos.strings.at(id, string_count_);
    if (answer == Memo::kUnknown) {
      const std::string_view text = table_.string(id);
      answer = Memo::From(empty_is_present ? ValueState(leaf, FilterValue::Text(text))
                                           : OptionalTextState(leaf, text));
    }
    return Memo::State(answer);
  }

  LeafState FieldLeaf(const FilterLeaf& leaf, LeafMemos& memos, const SpanRow& row) {
    switch (FieldLevel(leaf.field()->field)) {
      case Level::kSpan:
        return SpanFieldLeaf(leaf, memos, row);
      case Level::kResource:
        return Resource(leaf, memos, row);
      case Level::kScope:
        return Scope(leaf, memos, row);
      case Level::kEvent:
        return EventFieldLeaf(leaf, memos, row);
      case Level::kLink:
        return LinkFieldLeaf(leaf, memos, row);
    }
    return {};
  }

  LeafState SpanFieldLeaf(const FilterLeaf& leaf, LeafMemos& memos, const SpanRow& row) {
    switch (leaf.field()->field) {
      case Field::kTraceId:
        return ValueState(leaf, FilterValue::Text(HexText(row.trace_id.view())));
      case Field::kSpanId:
        return ValueState(leaf, FilterValue::Text(HexText(row.span_id.view())));
      case Field::kParentSpanId:
        if (row.parent_span_id.is_zero()) return {};
        return ValueState(leaf, FilterValue::Text(HexText(row.parent_span_id.view())));
      case Field::kTraceState:
        return String(leaf, memos, row.trace_state, false);
      case Field::kName:
        return String(leaf, memos, row.name, false);
      case Field::kKind:
        return ValueState(leaf, FilterValue::Text(KindWord(row.kind)));
      case Field::kStartTime:
        return ValueState(leaf, FilterValue::Time(row.start_ns));
      case Field::kEndTime:
        return ValueState(leaf, FilterValue::Time(row.end_ns));
      case Field::kDuration:
        return ValueState(leaf, FilterValue::Duration(row.duration_ns()));
      case Field::kStatus:
        return ValueState(leaf, FilterValue::Text(StatusWord(row.status_code)));
      case Field::kStatusMessage:
        return String(leaf, memos, row.status_message, false);
      default:
        return {};
    }
  }

  LeafState EventFieldLeaf(const FilterLeaf& leaf, LeafMemos& memos, const SpanRow& row) {
    LeafState state;
    for (uint32_t i = 0; i < row.events.count && !state.matched; ++i) {
      const EventRow& event = table_.event(row.events.first + i);
      switch (leaf.field()->field) {
        case Field::kEventName:
          state.Merge(String(leaf, memos, event.name, true));
          break;
        case Field::kEventTime:
          state.Merge(ValueState(leaf, FilterValue::Time(event.time_ns)));
          break;
        default:
          state.Merge(ValueState(
              leaf, FilterValue::Duration(static_cast<int64_t>(event.time_ns - row.start_ns))));
      }
    }
    return state;
  }

  LeafState LinkFieldLeaf(const FilterLeaf& leaf, LeafMemos& memos, const SpanRow& row) {
    LeafState state;
    for (uint32_t i = 0; i < row.links.count && !state.matched; ++i) {
      const LinkRow& link = table_.link(row.links.first + i);
      switch (leaf.field()->field) {
        case Field::kLinkTraceId:
          state.Merge(ValueState(leaf, FilterValue::Text(HexText(link.trace_id.view()))));
          break;
        case Field::kLinkSpanId:
          state.Merge(ValueState(leaf, FilterValue::Text(HexText(link.span_id.view()))));
          break;
        default:
          state.Merge(String(leaf, memos, link.trace_state, true));
      }
    }
    return state;
  }

  const SpanTable& table_;
  const uint32_t row_count_;
  const std::shared_ptr<const std::vector<BlockBounds>> blocks_;
  const SpanFilter filter_;
  const TimeRange start_;
  std::vector<uint32_t> candidates_;
  TableRowView row_view_;
  std::vector<LeafMemos> memos_;  // of each leaf
  // Read once: the table may grow meanwhile, our rows refer to what is below these.
  const uint32_t pair_count_;
  const uint32_t string_count_;
  const uint32_t resource_count_;
  const uint32_t scope_count_;
};

}  // namespace

Result<std::unique_ptr<BlockSearch>> MakeTableSearch(
    const SpanTable& table, uint32_t row_count,
    std::shared_ptr<const std::vector<BlockBounds>> blocks, const FilterNode& filter,
    TimeRange start) {
  LARDER_ASSIGN_OR_RETURN(SpanFilter compiled, SpanFilter::Compile(filter));
  return std::unique_ptr<BlockSearch>(std::make_unique<TableSearch>(
      table, row_count, std::move(blocks), std::move(compiled), start));
}

}  // namespace larder
