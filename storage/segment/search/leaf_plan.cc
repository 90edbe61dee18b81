#include "storage/segment/search/leaf_plan.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "storage/base/hash.h"
#include "storage/segment/search/field_columns.h"
#include "storage/segment/search/field_leaf.h"

namespace larder {
namespace {

// More values than this are not looked up one by one: their blocks are most blocks anyway.
constexpr size_t kCodesMax = 4096;

bool IsOrder(FilterOp op) {
  return op == FilterOp::kGt || op == FilterOp::kLt || op == FilterOp::kGte || op == FilterOp::kLte;
}

// What can be said of a leaf without looking at a row.
struct Knowledge {
  bool present_min = false;
  bool present_max = false;
  bool matched_min = false;
  bool matched_max = false;

  static Knowledge Exactly(LeafState state) {
    return {state.present, state.present, state.matched, state.matched};
  }
  void Merge(Knowledge other) {
    present_min |= other.present_min;
    present_max |= other.present_max;
    matched_min |= other.matched_min;
    matched_max |= other.matched_max;
  }
  Truth truth(bool negated) const {
    const bool least = negated ? present_min && !matched_max : matched_min;
    const bool most = negated ? present_max && !matched_min : matched_max;
    return least ? Truth::kYes : most ? Truth::kMaybe : Truth::kNo;
  }
};

class Planner {
 public:
  Planner(const SegmentColumns& columns, const SegmentTables& tables, const FilterLeaf& leaf)
      : columns_(columns), tables_(tables), leaf_(leaf), index_(columns) {}

  Result<LeafPlan> Plan() {
    plan_.value_blocks = BlockSet::All(columns_.block_count());
    plan_.certain_blocks = BlockSet(columns_.block_count());
    if (FieldColumns::Decides(leaf_)) plan_.method = LeafPlan::Method::kFields;
    if (leaf_.other) {
      SetAll(Truth::kMaybe);
    } else if (leaf_.attribute() != nullptr) {
      LARDER_RETURN_IF_ERROR(PlanAttribute());
    } else {
      LARDER_RETURN_IF_ERROR(PlanField());
    }
    return std::move(plan_);
  }

 private:
  std::span<const ItemTemplate> templates() const { return tables_.templates(ItemTable::kSpans); }
  const LeafTable& table(ItemTable item_table) const {
    return plan_.tables[static_cast<size_t>(item_table)];
  }
  LeafTable& table(ItemTable item_table) { return plan_.tables[static_cast<size_t>(item_table)]; }
  void SetAll(Truth truth) { plan_.truths.assign(templates().size(), truth); }

  // truths[t] by a function of the template.
  template <typename State>
  void SetByTemplate(const State& state_of) {
    plan_.truths.reserve(templates().size());
    for (const ItemTemplate& item : templates()) {
      plan_.truths.push_back(leaf_.Holds(state_of(item)) ? Truth::kYes : Truth::kNo);
    }
  }

  Status PlanField() {
    const Field field = leaf_.field()->field;
    switch (field) {
      case Field::kName:
        SetByTemplate([&](const ItemTemplate& t) { return OptionalTextState(leaf_, t.name); });
        return Status::Ok();
      case Field::kKind:
        SetByTemplate([&](const ItemTemplate& t) {
          return ValueState(leaf_, FilterValue::Text(KindWord(t.kind)));
        });
        return Status::Ok();
      case Field::kStatus:
        SetByTemplate([&](const ItemTemplate& t) {
          return ValueState(leaf_, FilterValue::Text(StatusWord(t.status_code)));
        });
        return Status::Ok();
      case Field::kTraceState:
      case Field::kStatusMessage:
        return PlanTextColumn(field == Field::kTraceState ? ColumnRole::kTraceState
                                                          : ColumnRole::kStatusMessage);
      case Field::kDuration:
        return PlanDurationLeaf(columns_, leaf_, &plan_);
      case Field::kStartTime:
        return PlanStartLeaf(columns_, leaf_, &plan_);
      case Field::kTraceId:
        return PlanTraceIdLeaf(columns_, leaf_, &plan_);
      default:
        break;
    }
    switch (FieldLevel(field)) {
      case Level::kResource:
      case Level::kScope:
        SetBase();
        SetByTemplate([&](const ItemTemplate& t) { return BaseState(t); });
        break;
      case Level::kEvent:
        SetAll(EventMayHold(field) ? Truth::kMaybe : Truth::kNo);
        break;
      case Level::kLink:
        SetAll(tables_.templates(ItemTable::kLinks).empty() ? Truth::kNo : Truth::kMaybe);
        break;
      case Level::kSpan: {
        const auto ids = NamedSpanIds(leaf_);
        SetAll(ids && ids->empty() && !leaf_.negated ? Truth::kNo : Truth::kMaybe);
        break;
      }
    }
    return Status::Ok();
  }

  // Names of events lie in their templates: one that is in none of them holds nowhere.
  bool EventMayHold(Field field) const {
    if (field != Field::kEventName || leaf_.negated) {
      return !tables_.templates(ItemTable::kEvents).empty();
    }
    const std::vector<LeafState> states = EventNameStates(tables_, leaf_);
    return std::any_of(states.begin(), states.end(), [](LeafState state) { return state.matched; });
  }

  // A text of the span that lies in a column of its own where it is not empty.
  Status PlanTextColumn(ColumnRole role) {
    plan_.method = LeafPlan::Method::kColumns;
    LARDER_RETURN_IF_ERROR(
        AddColumns(ItemTable::kSpans, [&](const ColumnInfo& info) { return info.role == role; }));
    FillShapes(ItemTable::kSpans);
    plan_.base.assign(templates().size(), LeafState{});
    SetByTemplates();
    return FindValueBlocks();
  }

  Status PlanAttribute() {
    plan_.method = LeafPlan::Method::kColumns;
    const std::string& key = leaf_.attribute()->key;
    const auto holds_key = [&](const ColumnInfo& info) {
      return info.role == ColumnRole::kOverflow ||
             (info.role == ColumnRole::kAttribute && info.key == key);
    };
    static constexpr std::array kLevels = {Level::kSpan, Level::kEvent, Level::kLink};
    for (size_t i = 0; i < kLevels.size(); ++i) {
      const auto item_table = static_cast<ItemTable>(i);
      if (leaf_.reads(kLevels[i])) LARDER_RETURN_IF_ERROR(AddColumns(item_table, holds_key));
      FillShapes(item_table);
    }
    plan_.has_events = !table(ItemTable::kEvents).columns.empty();
    plan_.has_links = !table(ItemTable::kLinks).columns.empty();
    SetBase();
    for (const ItemTemplate& item : templates()) plan_.base.push_back(BaseState(item));
    SetByTemplates();
    return FindValueBlocks();
  }

  // ---- resource and scope ----

  void SetBase() {
    const bool resources = leaf_.reads(Level::kResource);
    const bool scopes = leaf_.reads(Level::kScope);
    for (const ResourceView& resource : tables_.resources()) {
      LeafState state;
      if (resources) {
        state = leaf_.attribute() != nullptr ? AttributeState(leaf_, resource.attributes)
                                             : ResourceFieldState(leaf_, resource);
      }
      resource_states_.push_back(state);
    }
    for (const ScopeView& scope : tables_.scopes()) {
      LeafState state;
      if (scopes) {
        state = leaf_.attribute() != nullptr ? AttributeState(leaf_, scope.attributes)
                                             : ScopeFieldState(leaf_, scope);
      }
      scope_states_.push_back(state);
    }
  }

  LeafState BaseState(const ItemTemplate& item) const {
    LeafState state = resource_states_[item.resource];
    state.Merge(scope_states_[item.scope]);
    return state;
  }

  // ---- columns ----

  template <typename Wanted>
  Status AddColumns(ItemTable item_table, const Wanted& wanted) {
    const std::span<const ColumnInfo> infos = columns_.columns();
    for (uint32_t number = 0; number < infos.size(); ++number) {
      if (infos[number].table != item_table || !wanted(infos[number])) continue;
      LeafColumn column;
      column.column = number;
      column.overflow = infos[number].role == ColumnRole::kOverflow;
      if (column.overflow) {
        LARDER_ASSIGN_OR_RETURN(const bool holds_key, OverflowHoldsKey(number));
        if (!holds_key) continue;
        column.can_match = true;
      } else if (infos[number].coding == ColumnCoding::kDictionary) {
        LARDER_RETURN_IF_ERROR(FindCodes(infos[number], &column));
        const bool some_match = column.can_match && !column.must_match;
        if (some_match && item_table == ItemTable::kSpans) {
          LARDER_RETURN_IF_ERROR(AskTemplates(&column));
        }
      } else {
        column.must_match = leaf_.op == FilterOp::kExists;
        column.can_match = true;
      }
      table(item_table).columns.push_back(std::move(column));
    }
    return Status::Ok();
  }

  Result<bool> OverflowHoldsKey(uint32_t column) {
    BlockSet blocks(columns_.block_count());
    LARDER_RETURN_IF_ERROR(index_.AddHash(column, Hash64(leaf_.attribute()->key), &blocks));
    return !blocks.empty();
  }

  FilterValue ValueOf(const ColumnInfo& info, std::string_view payload) const {
    return info.role == ColumnRole::kAttribute ? FilterValue::Attribute(info.type, payload)
                                               : FilterValue::Text(payload);
  }

  // The codes that match: by look-up where the payloads can be listed, else by asking every
  // distinct value once.
  Status FindCodes(const ColumnInfo& info, LeafColumn* column) {
    if (leaf_.op == FilterOp::kExists) {
      column->can_match = true;
      column->must_match = true;
      return Status::Ok();
    }
    LARDER_ASSIGN_OR_RETURN(const ColumnDictionary* dictionary,
                            columns_.Dictionary(column->column));
    std::vector<uint32_t>& codes = column->matching_codes;
    if (const auto payloads = leaf_.matcher.MatchingPayloads(info.type)) {
      for (const std::string& payload : *payloads) {
        LARDER_ASSIGN_OR_RETURN(const std::optional<uint32_t> code, dictionary->Find(payload));
        if (code) codes.push_back(*code);
      }
      std::sort(codes.begin(), codes.end());
      codes.erase(std::unique(codes.begin(), codes.end()), codes.end());
    } else {
      const auto ask = [&](uint32_t code, std::string_view payload) {
        if (leaf_.matcher.Matches(ValueOf(info, payload))) codes.push_back(code);
        return true;
      };
      LARDER_RETURN_IF_ERROR(dictionary->ForEach(0, dictionary->size(), ask));
    }
    column->can_match = !codes.empty();
    column->must_match = codes.size() == dictionary->size();
    column->code_bits.resize((dictionary->size() + 63) / 64);
    for (const uint32_t code : codes) column->code_bits[code / 64] |= uint64_t{1} << (code % 64);
    return Status::Ok();
  }

  void FillShapes(ItemTable item_table) {
    LeafTable& leaf_table = table(item_table);
    std::vector<uint32_t> place(columns_.columns().size(), UINT32_MAX);
    for (uint32_t i = 0; i < leaf_table.columns.size(); ++i) {
      place[leaf_table.columns[i].column] = i;
    }
    leaf_table.shape_starts.reserve(tables_.shape_count() + 1);
    leaf_table.shape_starts.push_back(0);
    for (uint32_t shape = 0; shape < tables_.shape_count(); ++shape) {
      if (!leaf_table.columns.empty()) {
        for (const uint32_t column : tables_.shape(shape)) {
          if (place[column] != UINT32_MAX) leaf_table.slots.push_back(place[column]);
        }
      }
      leaf_table.shape_starts.push_back(static_cast<uint32_t>(leaf_table.slots.size()));
    }
  }

  // What the codes of a template's rows say of the column's values.
  Status AskTemplates(LeafColumn* column) {
    LARDER_ASSIGN_OR_RETURN(const auto codes, index_.Codes(column->column));
    if (codes->starts.empty()) return Status::Ok();
    for (uint32_t item = 0; item < templates().size(); ++item) {
      const std::span<const uint32_t> of_item = codes->codes_of(item);
      const auto matching =
          static_cast<size_t>(std::count_if(of_item.begin(), of_item.end(), [&](uint32_t code) {
            return column->code_matches(code);
          }));
      Truth truth = Truth::kMaybe;
      if (!of_item.empty() && matching == 0) truth = Truth::kNo;
      if (!of_item.empty() && matching == of_item.size()) truth = Truth::kYes;
      column->by_template.push_back(truth);
    }
    return Status::Ok();
  }

  // What a template says: the first slot of its shape with the key decides, and an overflow slot
  // may have the key.
  Knowledge KnowTemplate(uint32_t item) const {
    const LeafTable& spans = table(ItemTable::kSpans);
    Knowledge known;
    for (const uint32_t slot : spans.slots_of(templates()[item].shape)) {
      const LeafColumn& column = spans.columns[slot];
      const Truth truth = column.by_template.empty() ? Truth::kMaybe : column.by_template[item];
      const bool first = !known.present_max;
      known.present_max = true;
      known.matched_max |= column.can_match && truth != Truth::kNo;
      if (column.overflow) continue;
      known.present_min = true;
      known.matched_min = first && (column.must_match || truth == Truth::kYes);
      break;
    }
    return known;
  }

  void SetByTemplates() {
    Knowledge elements;
    for (const ItemTable item_table : {ItemTable::kEvents, ItemTable::kLinks}) {
      for (const LeafColumn& column : table(item_table).columns) {
        elements.present_max = true;
        elements.matched_max |= column.can_match;
      }
    }
    for (uint32_t item = 0; item < templates().size(); ++item) {
      Knowledge known = Knowledge::Exactly(plan_.base[item]);
      known.Merge(KnowTemplate(item));
      known.Merge(elements);
      plan_.truths.push_back(known.truth(leaf_.negated));
      const bool lies_anywhere = plan_.base[item].matched || HasMustMatch(item);
      if (plan_.truths.back() == Truth::kYes && lies_anywhere) {
        plan_.certain_templates.push_back(item);
      }
    }
  }

  // Whether the template has a column whose blocks are not looked up, since all its values match.
  bool HasMustMatch(uint32_t item) const {
    const LeafTable& spans = table(ItemTable::kSpans);
    const std::span<const uint32_t> slots = spans.slots_of(templates()[item].shape);
    return std::any_of(slots.begin(), slots.end(),
                       [&](uint32_t slot) { return spans.columns[slot].must_match; });
  }

  // ---- blocks ----

  Status FindValueBlocks() {
    // Without a value a negated leaf may hold, and kExists is settled by shapes.
    if (leaf_.negated || leaf_.op == FilterOp::kExists) return Status::Ok();
    BlockSet blocks(columns_.block_count());
    for (const LeafTable& leaf_table : plan_.tables) {
      for (const LeafColumn& column : leaf_table.columns) {
        LARDER_ASSIGN_OR_RETURN(const bool found, AddValueBlocks(column, &blocks));
        if (!found) return Status::Ok();
      }
    }
    plan_.value_blocks = std::move(blocks);
    return Status::Ok();
  }

  // Adds the blocks in which a value of the column may match; false when that is not known.
  Result<bool> AddValueBlocks(const LeafColumn& column, BlockSet* blocks) {
    const ColumnInfo& info = columns_.columns()[column.column];
    if (!column.can_match) return true;
    if (column.overflow) {
      LARDER_RETURN_IF_ERROR(index_.AddHash(column.column, Hash64(leaf_.attribute()->key), blocks));
      return true;
    }
    if (column.must_match) {
      // As the only column of spans it makes the templates kYes that have it.
      return info.table == ItemTable::kSpans && table(ItemTable::kSpans).columns.size() == 1;
    }
    if (info.coding == ColumnCoding::kDictionary) {
      if (column.matching_codes.size() > kCodesMax) return false;
      LARDER_RETURN_IF_ERROR(index_.AddCodes(column.column, column.matching_codes, blocks));
      return true;
    }
    if (info.coding == ColumnCoding::kNumbers && IsOrder(leaf_.op)) {
      return AddNumberBlocks(column.column, blocks);
    }
    const auto payloads = leaf_.matcher.MatchingPayloads(info.type);
    if (!payloads || payloads->size() > kCodesMax) return false;
    for (const std::string& payload : *payloads) {
      LARDER_RETURN_IF_ERROR(index_.AddHash(column.column, Hash64(payload), blocks));
    }
    return true;
  }

  // Of a half-open range of numbers: on which blocks one may lie. Where neither the least nor the
  // greatest number of a block is in the range, none between them is.
  Result<bool> AddNumberBlocks(uint32_t column, BlockSet* blocks) {
    LARDER_ASSIGN_OR_RETURN(const auto page, index_.NumberBounds(column));
    if (page == nullptr) return false;
    const ValueType type = columns_.columns()[column].type;
    const auto matches = [&](uint64_t number) {
      const std::string_view payload(reinterpret_cast<const char*>(&number), sizeof number);
      return leaf_.matcher.Matches(FilterValue::Attribute(type, payload));
    };
    auto bounds = page->bounds.begin();
    page->blocks.ForEach([&](uint32_t block) {
      if (matches(bounds->least) || matches(bounds->greatest)) blocks->Add(block);
      ++bounds;
    });
    return true;
  }

  const SegmentColumns& columns_;
  const SegmentTables& tables_;
  const FilterLeaf& leaf_;
  const IndexReader index_;
  std::vector<LeafState> resource_states_;
  std::vector<LeafState> scope_states_;
  LeafPlan plan_;
};

}  // namespace

uint64_t LeafPlan::memory_bytes() const {
  uint64_t bytes = sizeof(LeafPlan) + truths.size() * sizeof(Truth) +
                   base.size() * sizeof(LeafState) + ranges.size() * sizeof(RowRange) +
                   certain_templates.size() * sizeof(uint32_t) +
                   (value_blocks.block_count() + certain_blocks.block_count()) / 8;
  for (const LeafTable& table : tables) {
    bytes += (table.shape_starts.size() + table.slots.size()) * sizeof(uint32_t);
    for (const LeafColumn& column : table.columns) {
      bytes += sizeof(LeafColumn) + column.matching_codes.size() * sizeof(uint32_t) +
               column.code_bits.size() * sizeof(uint64_t) + column.by_template.size();
    }
  }
  return bytes;
}

Result<LeafPlan> PlanLeaf(const SegmentColumns& columns, const FilterLeaf& leaf) {
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, columns.Tables());
  return Planner(columns, *tables, leaf).Plan();
}

}  // namespace larder
