#include "storage/segment/table/table_search.h"

#include <algorithm>
#include <utility>

#include "storage/model/table/span_filter.h"
#include "storage/segment/table/table_row_view.h"

namespace larder {
namespace {

// More pairs than this are in most blocks anyway.
constexpr size_t kPairsMax = 256;

// The answers of one leaf to distinct values.
class Memo {
 public:
  enum Answer : uint8_t { kUnknown = 0, kAbsent = 1, kNoMatch = 2, kMatch = 3 };

  void Fill(uint32_t count, Answer answer) { answers_.assign(count, answer); }
  Answer& operator[](uint32_t id) { return answers_[id]; }
  static Answer From(LeafState state) {
    if (!state.present) return kAbsent;
    return state.matched ? kMatch : kNoMatch;
  }
  static LeafState State(Answer answer) { return {answer > kAbsent, answer == kMatch}; }

 private:
  std::vector<Answer> answers_;
};

struct LeafMemos {
  Memo pairs;      // complete: pairs of other keys are kAbsent
  Memo resources;  // complete, as scopes
  Memo scopes;
  Memo strings;  // asked for one by one
};

class TableSearch : public BlockSearch {
 public:
  TableSearch(const SpanTable& table, TablePairs* pairs, uint32_t row_count,
              std::shared_ptr<const std::vector<BlockBounds>> blocks, SpanFilter filter,
              TimeRange start)
      : table_(table),
        pairs_(pairs),
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
    Plan(filter_.root()).ForEach([&](uint32_t block) {
      const TimeRange& bounds = (*blocks_)[block].start;
      if (bounds.min_ns <= start_.max_ns && bounds.max_ns >= start_.min_ns) {
        candidates_.push_back(block);
      }
    });
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

  SpanKeyRange KeyBounds(uint32_t block, SpanSortField /*lead*/) override {
    const BlockBounds& bounds = (*blocks_)[block];
    SpanKeyRange range;
    range.min.start_ns = std::max(bounds.start.min_ns, start_.min_ns);
    range.max.start_ns = std::min(bounds.start.max_ns, start_.max_ns);
    range.max.duration_ns = bounds.longest_ns;
    return range;
  }

  Status MatchKeys(uint32_t block, const SpanKeyRange& range,
                   std::vector<SpanKeyMatch>* matches) override {
    const uint32_t first = block * kBlockRows;
    const uint32_t last = std::min(first + kBlockRows, row_count_);
    for (uint32_t number = first; number < last; ++number) {
      const SpanRow& row = table_.row(number);
      const SpanKey key{row.start_ns, row.duration_ns(), row.trace_id, row.span_id};
      if (start_.contains(row.start_ns) && range.contains(key) && Holds(filter_.root(), row)) {
        matches->push_back({key, number});
      }
    }
    return Status::Ok();
  }

  // A head is small, and sorted by arrival alone.
  std::unique_ptr<KeyCursor> OpenCursor(const SpanSort& /*lead*/, uint64_t /*from*/) override {
    return nullptr;
  }

 private:
  BlockSet AllBlocks() const { return BlockSet::All(static_cast<uint32_t>(blocks_->size())); }

  // Asks the leaves of a step what can be asked before any row, and answers with the blocks that
  // may hold a row for the step. What kSome binds is looked at row by row alone, in rows that
  // satisfy it as a whole.
  BlockSet Plan(uint32_t number) {
    const FilterStep& step = filter_.steps()[number];
    if (step.kind == FilterStep::Kind::kLeaf) {
      const FilterLeaf& leaf = filter_.leaves()[step.leaf];
      return leaf.other ? AllBlocks() : PlanLeaf(leaf, &memos_[step.leaf]);
    }
    if (step.kind == FilterStep::Kind::kSome) return Plan(step.whole);
    BlockSet blocks = AllBlocks();
    if (step.kind == FilterStep::Kind::kOr) blocks = BlockSet(blocks.block_count());
    for (const uint32_t child : step.children) {
      const BlockSet of_child = Plan(child);
      if (step.kind == FilterStep::Kind::kAnd) blocks.IntersectWith(of_child);
      if (step.kind == FilterStep::Kind::kOr) blocks.UnionWith(of_child);
    }
    return blocks;
  }

  BlockSet PlanLeaf(const FilterLeaf& leaf, LeafMemos* memos) {
    bool anywhere = leaf.negated;  // or in a resource or scope, which may be on any block
    if (leaf.reads(Level::kResource)) anywhere |= AskResources(leaf, memos);
    if (leaf.reads(Level::kScope)) anywhere |= AskScopes(leaf, memos);
    if (leaf.attribute() == nullptr) {
      if (leaf.field()->field == Field::kDuration) return PlanDuration(leaf);
      if (const auto ids = NamedTraceIds(leaf); ids && !leaf.negated) return BlocksOfTraces(*ids);
      const Level level = FieldLevel(leaf.field()->field);
      const bool settled = level == Level::kResource || level == Level::kScope;
      if (!settled) memos->strings.Fill(string_count_, Memo::kUnknown);
      return anywhere || !settled ? AllBlocks() : BlockSet(AllBlocks().block_count());
    }
    const std::vector<PairId> matching = AskPairs(leaf, memos);
    if (anywhere || matching.size() > kPairsMax) return AllBlocks();
    return pairs_->BlocksHolding(matching, row_count_);
  }

  BlockSet PlanDuration(const FilterLeaf& leaf) const {
    BlockSet blocks = AllBlocks();
    const auto bounds = leaf.matcher.DurationBounds();
    if (!bounds || leaf.negated) return blocks;
    for (uint32_t block = 0; block < blocks.block_count(); ++block) {
      if ((*blocks_)[block].longest_ns < bounds->first) blocks.Remove(block);
    }
    return blocks;
  }

  BlockSet BlocksOfTraces(const std::vector<TraceId>& ids) const {
    BlockSet blocks(AllBlocks().block_count());
    std::vector<uint32_t> rows;
    for (const TraceId& id : ids) table_.FindTrace(id, &rows);
    for (const uint32_t row : rows) {
      if (row < row_count_) blocks.Add(row / kBlockRows);
    }
    return blocks;
  }

  // The three below fill a memo; they answer whether, or which, values match.
  bool AskResources(const FilterLeaf& leaf, LeafMemos* memos) {
    bool any = false;
    memos->resources.Fill(resource_count_, Memo::kAbsent);
    for (ResourceId id = 0; id < resource_count_; ++id) {
      const ResourceView resource = table_.resource(id);
      const LeafState state = leaf.attribute() != nullptr
                                  ? AttributeState(leaf, resource.attributes)
                                  : ResourceFieldState(leaf, resource);
      memos->resources[id] = Memo::From(state);
      any |= state.matched;
    }
    return any;
  }

  bool AskScopes(const FilterLeaf& leaf, LeafMemos* memos) {
    bool any = false;
    memos->scopes.Fill(scope_count_, Memo::kAbsent);
    for (ScopeId id = 0; id < scope_count_; ++id) {
      const ScopeView scope = table_.scope(id);
      const LeafState state = leaf.attribute() != nullptr ? AttributeState(leaf, scope.attributes)
                                                          : ScopeFieldState(leaf, scope);
      memos->scopes[id] = Memo::From(state);
      any |= state.matched;
    }
    return any;
  }

  std::vector<PairId> AskPairs(const FilterLeaf& leaf, LeafMemos* memos) {
    std::vector<PairId> of_key;
    pairs_->FindKey(leaf.attribute()->key, pair_count_, &of_key);
    memos->pairs.Fill(pair_count_, Memo::kAbsent);
    std::vector<PairId> matching;
    for (const PairId pair : of_key) {
      const AttributeView attribute = table_.pair(pair).attribute;
      const Memo::Answer answer = Memo::From(AttributeState(leaf, {&attribute, 1}));
      memos->pairs[pair] = answer;
      if (answer == Memo::kMatch) matching.push_back(pair);
    }
    return matching;
  }

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
        if (!Holds(step.whole, row)) return false;
        return step.whole_is_exact || filter_.Matches(number, row_view_.Read(row));
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
    if (leaf.reads(Level::kSpan)) state.Merge(List(memos, row.attributes));
    if (leaf.reads(Level::kResource)) state.Merge(Memo::State(memos.resources[row.resource]));
    if (leaf.reads(Level::kScope)) state.Merge(Memo::State(memos.scopes[row.scope]));
    if (leaf.reads(Level::kEvent)) {
      for (uint32_t i = 0; i < row.events.count && !state.matched; ++i) {
        state.Merge(List(memos, table_.event(row.events.first + i).attributes));
      }
    }
    if (leaf.reads(Level::kLink)) {
      for (uint32_t i = 0; i < row.links.count && !state.matched; ++i) {
        state.Merge(List(memos, table_.link(row.links.first + i).attributes));
      }
    }
    return state;
  }

  // The first pair with the leaf's key counts.
  LeafState List(LeafMemos& memos, ListRange range) const {
    for (const PairId pair : table_.pairs(range)) {
      const Memo::Answer answer = memos.pairs[pair];
      if (answer != Memo::kAbsent) return Memo::State(answer);
    }
    return {};
  }

  // A text field. Those of events and links are present even when they are empty.
  LeafState String(const FilterLeaf& leaf, LeafMemos& memos, StringId id, bool empty_is_present) {
    Memo::Answer& answer = memos.strings[id];
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
        return Memo::State(memos.resources[row.resource]);
      case Level::kScope:
        return Memo::State(memos.scopes[row.scope]);
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
  TablePairs* const pairs_;
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
    const SpanTable& table, TablePairs* pairs, uint32_t row_count,
    std::shared_ptr<const std::vector<BlockBounds>> blocks, const FilterNode& filter,
    TimeRange start) {
  LARDER_ASSIGN_OR_RETURN(SpanFilter compiled, SpanFilter::Compile(filter));
  return std::unique_ptr<BlockSearch>(std::make_unique<TableSearch>(
      table, pairs, row_count, std::move(blocks), std::move(compiled), start));
}

}  // namespace larder
