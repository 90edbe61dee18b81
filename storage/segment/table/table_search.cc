#include "storage/segment/table/table_search.h"

#include <algorithm>
#include <utility>

#include "storage/model/table/span_filter.h"
#include "storage/segment/table/leaf_memos.h"
#include "storage/segment/table/table_row_view.h"

namespace larder {
namespace {

// More pairs than this are in most blocks anyway.
constexpr size_t kPairsMax = 256;

// What a search asks between two looks at its budget: distinct values, or leaves of rows.
constexpr size_t kAsksPerCheck = 4096;

class TableSearch : public BlockSearch {
 public:
  TableSearch(const SpanTable& table, TablePairs* pairs, uint32_t row_count,
              std::shared_ptr<const std::vector<BlockBounds>> blocks, SpanFilter filter,
              TimeRange start, SearchBudget* budget)
      : table_(table),
        pairs_(pairs),
        row_count_(row_count),
        blocks_(std::move(blocks)),
        filter_(std::move(filter)),
        start_(start),
        row_view_(table),
        budget_(budget),
        memos_(filter_.leaves().size(), budget),
        rows_per_check_(RowsPerCheck(filter_)),
        pair_count_(table.pair_count()),
        string_count_(table.string_count()),
        resource_count_(table.resource_count()),
        scope_count_(table.scope_count()) {}

  // Finds the candidates. To be called once, before all else.
  Status Plan() {
    LARDER_ASSIGN_OR_RETURN(const BlockSet blocks, PlanStep(filter_.root()));
    blocks.ForEach([&](uint32_t block) {
      const TimeRange& bounds = (*blocks_)[block].start;
      if (bounds.min_ns <= start_.max_ns && bounds.max_ns >= start_.min_ns) {
        candidates_.push_back(block);
      }
    });
    return Status::Ok();
  }

  const std::vector<uint32_t>& candidate_blocks() const override { return candidates_; }

  uint64_t latest_start_ns(uint32_t block) const override {
    return std::min((*blocks_)[block].start.max_ns, start_.max_ns);
  }

  Status Match(uint32_t block, std::vector<SpanMatch>* matches) override {
    return VisitRows(block, [&](uint32_t number, const SpanRow& row) {
      if (start_.contains(row.start_ns) && Holds(filter_.root(), row)) {
        matches->push_back({row.start_ns, row.trace_id, number});
      }
    });
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
    return VisitRows(block, [&](uint32_t number, const SpanRow& row) {
      const SpanKey key{row.start_ns, row.duration_ns(), row.trace_id, row.span_id};
      if (start_.contains(row.start_ns) && range.contains(key) && Holds(filter_.root(), row)) {
        matches->push_back({key, number});
      }
    });
  }

  // A head is small, and sorted by arrival alone.
  std::unique_ptr<KeyCursor> OpenCursor(const SpanSort& /*lead*/, uint64_t /*from*/) override {
    return nullptr;
  }

 private:
  // Few leaves make a block of rows a short piece of work.
  static uint32_t RowsPerCheck(const SpanFilter& filter) {
    const size_t leaves = std::max<size_t>(filter.leaves().size(), 1);
    return static_cast<uint32_t>(std::clamp<size_t>(4 * kAsksPerCheck / leaves, 1, kBlockRows));
  }

  // Calls visit(number, row) for the rows of a block. Fails as the budget does.
  template <typename Visit>
  Status VisitRows(uint32_t block, const Visit& visit) {
    const uint32_t first = block * kBlockRows;
    const uint32_t last = std::min(first + kBlockRows, row_count_);
    for (uint32_t from = first; from < last; from += rows_per_check_) {
      if (from != first) LARDER_RETURN_IF_ERROR(budget_->Check());
      const uint32_t to = std::min(from + rows_per_check_, last);
      for (uint32_t number = from; number < to; ++number) visit(number, table_.row(number));
    }
    return Status::Ok();
  }

  BlockSet AllBlocks() const { return BlockSet::All(static_cast<uint32_t>(blocks_->size())); }

  // Asks the leaves of a step what can be asked before any row, and answers with the blocks that
  // may hold a row for the step. What kSome binds is looked at row by row alone, in rows that
  // satisfy it as a whole.
  Result<BlockSet> PlanStep(uint32_t number) {
    const FilterStep& step = filter_.steps()[number];
    if (step.kind == FilterStep::Kind::kLeaf) {
      const FilterLeaf& leaf = filter_.leaves()[step.leaf];
      if (leaf.other) return AllBlocks();
      return PlanLeaf(leaf, &memos_[step.leaf]);
    }
    if (step.kind == FilterStep::Kind::kSome) return PlanStep(step.whole);
    BlockSet blocks = AllBlocks();
    if (step.kind == FilterStep::Kind::kOr) blocks = BlockSet(blocks.block_count());
    for (const uint32_t child : step.children) {
      LARDER_ASSIGN_OR_RETURN(const BlockSet of_child, PlanStep(child));
      if (step.kind == FilterStep::Kind::kAnd) blocks.IntersectWith(of_child);
      if (step.kind == FilterStep::Kind::kOr) blocks.UnionWith(of_child);
    }
    return blocks;
  }

  Result<BlockSet> PlanLeaf(const FilterLeaf& leaf, LeafMemo* memo) {
    LARDER_RETURN_IF_ERROR(budget_->Check());
    bool anywhere = leaf.negated;  // or in a resource or scope, which may be on any block
    if (leaf.reads(Level::kResource)) {
      LARDER_ASSIGN_OR_RETURN(const bool in_resource, AskResources(leaf, memo));
      anywhere |= in_resource;
    }
    if (leaf.reads(Level::kScope)) {
      LARDER_ASSIGN_OR_RETURN(const bool in_scope, AskScopes(leaf, memo));
      anywhere |= in_scope;
    }
    if (leaf.attribute() == nullptr) {
      if (leaf.field()->field == Field::kDuration) return PlanDuration(leaf);
      if (const auto ids = NamedTraceIds(leaf); ids && !leaf.negated) return BlocksOfTraces(*ids);
      const Level level = FieldLevel(leaf.field()->field);
      const bool settled = level == Level::kResource || level == Level::kScope;
      if (!settled) LARDER_RETURN_IF_ERROR(memos_.FillUnknown(string_count_, &memo->strings));
      return anywhere || !settled ? AllBlocks() : BlockSet(AllBlocks().block_count());
    }
    LARDER_ASSIGN_OR_RETURN(const std::vector<PairId> matching, AskPairs(leaf, &memo->pairs));
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
  Result<bool> AskResources(const FilterLeaf& leaf, LeafMemo* memo) {
    bool any = false;
    LARDER_RETURN_IF_ERROR(memos_.FillAbsent(resource_count_, &memo->resources));
    for (ResourceId id = 0; id < resource_count_; ++id) {
      LARDER_RETURN_IF_ERROR(CheckAt(id));
      const ResourceView resource = table_.resource(id);
      const LeafState state = leaf.attribute() != nullptr
                                  ? AttributeState(leaf, resource.attributes)
                                  : ResourceFieldState(leaf, resource);
      memo->resources[id] = AnswerOf(state);
      any |= state.matched;
    }
    return any;
  }

  Result<bool> AskScopes(const FilterLeaf& leaf, LeafMemo* memo) {
    bool any = false;
    LARDER_RETURN_IF_ERROR(memos_.FillAbsent(scope_count_, &memo->scopes));
    for (ScopeId id = 0; id < scope_count_; ++id) {
      LARDER_RETURN_IF_ERROR(CheckAt(id));
      const ScopeView scope = table_.scope(id);
      const LeafState state = leaf.attribute() != nullptr ? AttributeState(leaf, scope.attributes)
                                                          : ScopeFieldState(leaf, scope);
      memo->scopes[id] = AnswerOf(state);
      any |= state.matched;
    }
    return any;
  }

  Result<std::vector<PairId>> AskPairs(const FilterLeaf& leaf, PairAnswers* answers) {
    std::vector<PairId> of_key;
    pairs_->FindKey(leaf.attribute()->key, pair_count_, &of_key);
    LARDER_RETURN_IF_ERROR(memos_.FillPairs(pair_count_, &of_key, answers));
    std::vector<PairId> matching;
    for (size_t place = 0; place < of_key.size(); ++place) {
      LARDER_RETURN_IF_ERROR(CheckAt(place));
      const PairId pair = of_key[place];
      const AttributeView attribute = table_.pair(pair).attribute;
      const LeafAnswer answer = AnswerOf(AttributeState(leaf, {&attribute, 1}));
      answers->Set(place, pair, answer);
      if (answer == LeafAnswer::kMatch) matching.push_back(pair);
    }
    return matching;
  }

  // What comes to number `asks` of a long row of asks.
  Status CheckAt(size_t asks) const {
    return asks % kAsksPerCheck == kAsksPerCheck - 1 ? budget_->Check() : Status::Ok();
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
    LeafMemo& memo = memos_[step.leaf];
    return leaf.Holds(leaf.attribute() != nullptr ? AttributeLeaf(leaf, memo, row)
                                                  : FieldLeaf(leaf, memo, row));
  }

  LeafState AttributeLeaf(const FilterLeaf& leaf, LeafMemo& memo, const SpanRow& row) {
    LeafState state;
    if (leaf.reads(Level::kSpan)) state.Merge(List(memo, row.attributes));
    if (leaf.reads(Level::kResource)) state.Merge(StateOf(memo.resources[row.resource]));
    if (leaf.reads(Level::kScope)) state.Merge(StateOf(memo.scopes[row.scope]));
    if (leaf.reads(Level::kEvent)) {
      for (uint32_t i = 0; i < row.events.count && !state.matched; ++i) {
        state.Merge(List(memo, table_.event(row.events.first + i).attributes));
      }
    }
    if (leaf.reads(Level::kLink)) {
      for (uint32_t i = 0; i < row.links.count && !state.matched; ++i) {
        state.Merge(List(memo, table_.link(row.links.first + i).attributes));
      }
    }
    return state;
  }

  // The first pair with the leaf's key counts.
  LeafState List(LeafMemo& memo, ListRange range) const {
    for (const PairId pair : table_.pairs(range)) {
      const LeafAnswer answer = memo.pairs[pair];
      if (answer != LeafAnswer::kAbsent) return StateOf(answer);
    }
    return {};
  }

  // A text field. Those of events and links are present even when they are empty.
  LeafState String(const FilterLeaf& leaf, LeafMemo& memo, StringId id, bool empty_is_present) {
    if (!memo.strings.empty() && memo.strings[id] != LeafAnswer::kUnknown) {
      return StateOf(memo.strings[id]);
    }
    const std::string_view text = table_.string(id);
    const LeafState state = empty_is_present ? ValueState(leaf, FilterValue::Text(text))
                                             : OptionalTextState(leaf, text);
    if (!memo.strings.empty()) memo.strings[id] = AnswerOf(state);
    return state;
  }

  LeafState FieldLeaf(const FilterLeaf& leaf, LeafMemo& memo, const SpanRow& row) {
    switch (FieldLevel(leaf.field()->field)) {
      case Level::kSpan:
        return SpanFieldLeaf(leaf, memo, row);
      case Level::kResource:
        return StateOf(memo.resources[row.resource]);
      case Level::kScope:
        return StateOf(memo.scopes[row.scope]);
      case Level::kEvent:
        return EventFieldLeaf(leaf, memo, row);
      case Level::kLink:
        return LinkFieldLeaf(leaf, memo, row);
    }
    return {};
  }

  LeafState SpanFieldLeaf(const FilterLeaf& leaf, LeafMemo& memo, const SpanRow& row) {
    switch (leaf.field()->field) {
      case Field::kTraceId:
        return ValueState(leaf, FilterValue::Text(HexText(row.trace_id.view())));
      case Field::kSpanId:
        return ValueState(leaf, FilterValue::Text(HexText(row.span_id.view())));
      case Field::kParentSpanId:
        if (row.parent_span_id.is_zero()) return {};
        return ValueState(leaf, FilterValue::Text(HexText(row.parent_span_id.view())));
      case Field::kTraceState:
        return String(leaf, memo, row.trace_state, false);
      case Field::kName:
        return String(leaf, memo, row.name, false);
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
        return String(leaf, memo, row.status_message, false);
      default:
        return {};
    }
  }

  LeafState EventFieldLeaf(const FilterLeaf& leaf, LeafMemo& memo, const SpanRow& row) {
    LeafState state;
    for (uint32_t i = 0; i < row.events.count && !state.matched; ++i) {
      const EventRow& event = table_.event(row.events.first + i);
      switch (leaf.field()->field) {
        case Field::kEventName:
          state.Merge(String(leaf, memo, event.name, true));
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

  LeafState LinkFieldLeaf(const FilterLeaf& leaf, LeafMemo& memo, const SpanRow& row) {
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
          state.Merge(String(leaf, memo, link.trace_state, true));
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
  SearchBudget* const budget_;
  LeafMemos memos_;
  const uint32_t rows_per_check_;
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
    TimeRange start, SearchBudget* budget) {
  LARDER_ASSIGN_OR_RETURN(SpanFilter compiled, SpanFilter::Compile(filter));
  auto search = std::make_unique<TableSearch>(table, pairs, row_count, std::move(blocks),
                                              std::move(compiled), start, budget);
  LARDER_RETURN_IF_ERROR(search->Plan());
  return std::unique_ptr<BlockSearch>(std::move(search));
}

}  // namespace larder
