#include "storage/segment/search/leaf_columns.h"

#include <array>
#include <utility>

namespace larder {

LeafColumns::LeafColumns(const SegmentColumns& columns, const SegmentTables& tables,
                         const FilterLeaf& leaf, const LeafPlan& plan)
    : columns_(columns), tables_(tables), leaf_(leaf), plan_(plan) {
  for (size_t table = 0; table < plan.tables.size(); ++table) {
    for (const LeafColumn& column : plan.tables[table].columns) {
      cursors_[table].cursors.emplace_back(columns, column.column);
    }
  }
  const LeafTable& spans = plan.tables[static_cast<size_t>(ItemTable::kSpans)];
  if (spans.columns.size() != 1 || spans.columns[0].code_bits.empty()) return;
  for (const ItemTemplate& item : tables.templates(ItemTable::kSpans)) {
    const size_t slots = spans.slots_of(item.shape).size();
    has_slot_.push_back(static_cast<uint8_t>(slots));
    if (slots > 1) {
      has_slot_.clear();
      break;
    }
  }
}

Result<RowMask> LeafColumns::Evaluate(uint32_t block, std::span<const uint32_t> row_templates,
                                      const RowMask& care) {
  Masks masks;
  care.ForEach([&](uint32_t row) { masks.Merge(row, plan_.base[row_templates[row]]); });
  LARDER_RETURN_IF_ERROR(EvaluateSpans(block, row_templates, care, &masks));
  if (plan_.has_events) {
    LARDER_RETURN_IF_ERROR(EvaluateElements(ItemTable::kEvents, block, care, &masks));
  }
  if (plan_.has_links) {
    LARDER_RETURN_IF_ERROR(EvaluateElements(ItemTable::kLinks, block, care, &masks));
  }
  if (!leaf_.negated) return masks.matched;
  return masks.present.Subtract(masks.matched);
}

Status LeafColumns::Seek(ItemTable table, uint32_t block) {
  for (ColumnCursor& cursor : cursors_[static_cast<size_t>(table)].cursors) {
    LARDER_RETURN_IF_ERROR(cursor.Seek(block));
  }
  return Status::Ok();
}

Status LeafColumns::EvaluateSpans(uint32_t block, std::span<const uint32_t> row_templates,
                                  const RowMask& care, Masks* masks) {
  const LeafTable& table = plan_.tables[static_cast<size_t>(ItemTable::kSpans)];
  if (table.columns.empty()) return Status::Ok();
  LARDER_RETURN_IF_ERROR(Seek(ItemTable::kSpans, block));
  if (!has_slot_.empty()) return EvaluateCodes(row_templates, masks);
  const std::span<const ItemTemplate> templates = tables_.templates(ItemTable::kSpans);
  for (uint32_t row = 0; row < row_templates.size(); ++row) {
    const uint32_t shape = templates[row_templates[row]].shape;
    if (table.slots_of(shape).empty()) continue;
    LARDER_ASSIGN_OR_RETURN(const LeafState state,
                            ItemState(ItemTable::kSpans, shape, care.contains(row)));
    masks->Merge(row, state);
  }
  return Status::Ok();
}

// Most leaves of most searches come here: no branch per row.
Status LeafColumns::EvaluateCodes(std::span<const uint32_t> row_templates, Masks* masks) {
  constexpr auto kSpans = static_cast<size_t>(ItemTable::kSpans);
  const std::vector<uint64_t>& bits = plan_.tables[kSpans].columns[0].code_bits;
  std::vector<uint8_t>& matching = code_matches_;
  const std::span<const uint32_t> codes = cursors_[kSpans].cursors[0].codes();
  matching.resize(codes.size() + 1);
  for (size_t i = 0; i < codes.size(); ++i) {
    matching[i] = static_cast<uint8_t>(bits[codes[i] / 64] >> (codes[i] % 64) & 1);
  }
  uint32_t next = 0;
  for (uint32_t row = 0; row < row_templates.size(); ++row) {
    const uint8_t has = has_slot_[row_templates[row]];
    if (next + has > codes.size()) {
      return cursors_[kSpans].cursors[0].Fault();
    }
    masks->present.Set(row, has != 0);
    masks->matched.Set(row, (has & matching[next]) != 0);
    next += has;
  }
  return Status::Ok();
}

Status LeafColumns::EvaluateElements(ItemTable item_table, uint32_t block, const RowMask& care,
                                     Masks* masks) {
  const uint32_t page = block / kPageBlocks;
  LARDER_RETURN_IF_ERROR(Seek(item_table, block));
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const TemplatePage> items,
                          columns_.Templates(item_table, page));
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const ValuePage<uint32_t>> rows,
                          columns_.ItemRows(item_table, page));
  const std::span<const ItemTemplate> templates = tables_.templates(item_table);
  const LeafTable& table = plan_.tables[static_cast<size_t>(item_table)];
  const uint32_t first_row = block % kPageBlocks * kBlockRows;
  const uint32_t end = items->block_starts[block % kPageBlocks + 1];
  for (uint32_t item = items->block_starts[block % kPageBlocks]; item < end; ++item) {
    const uint32_t shape = templates[items->templates[item]].shape;
    if (table.slots_of(shape).empty()) continue;
    const uint32_t row = rows->values[item] - first_row;
    LARDER_ASSIGN_OR_RETURN(const LeafState state,
                            ItemState(item_table, shape, care.contains(row)));
    masks->Merge(row, state);
  }
  return Status::Ok();
}

// The first slot whose value has the key decides; the others' values are passed over.
Result<LeafState> LeafColumns::ItemState(ItemTable item_table, uint32_t shape, bool wanted) {
  const LeafTable& table = plan_.tables[static_cast<size_t>(item_table)];
  std::vector<ColumnCursor>& cursors = cursors_[static_cast<size_t>(item_table)].cursors;
  LeafState state;
  for (const uint32_t slot : table.slots_of(shape)) {
    uint32_t ordinal = 0;
    if (!cursors[slot].Next(&ordinal)) {
      return cursors[slot].Fault();
    }
    if (!wanted || state.present) continue;
    LARDER_ASSIGN_OR_RETURN(state, SlotState(item_table, slot, ordinal));
  }
  return state;
}

Result<LeafState> LeafColumns::SlotState(ItemTable item_table, uint32_t slot, uint32_t ordinal) {
  const LeafColumn& column = plan_.tables[static_cast<size_t>(item_table)].columns[slot];
  const ColumnCursor& cursor = cursors_[static_cast<size_t>(item_table)].cursors[slot];
  if (column.overflow) return OverflowState(item_table, slot, ordinal);
  if (column.must_match) return LeafState{true, true};
  if (cursor.info().coding == ColumnCoding::kDictionary) {
    return LeafState{true, column.can_match && column.code_matches(cursor.code(ordinal))};
  }
  if (!column.can_match) return LeafState{true, false};
  LARDER_ASSIGN_OR_RETURN(const std::string_view payload, cursor.Payload(ordinal, &scratch_));
  const bool is_text = cursor.info().role != ColumnRole::kAttribute;
  return ValueState(leaf_, is_text ? FilterValue::Text(payload)
                                   : FilterValue::Attribute(cursor.info().type, payload));
}

// An overflow value is a KeyValue of any key: absent when the key is another.
Result<LeafState> LeafColumns::OverflowState(ItemTable item_table, uint32_t slot,
                                             uint32_t ordinal) {
  TableCursors& table = cursors_[static_cast<size_t>(item_table)];
  const ColumnCursor& cursor = table.cursors[slot];
  const bool coded = cursor.info().coding == ColumnCoding::kDictionary;
  const uint64_t memo_key = coded ? uint64_t{slot} << 32 | cursor.code(ordinal) : 0;
  if (coded) {
    const auto known = table.overflow_memo.find(memo_key);
    if (known != table.overflow_memo.end()) return known->second;
  }
  LARDER_ASSIGN_OR_RETURN(const std::string_view key_value, cursor.Payload(ordinal, &scratch_));
  std::array<char, 8> number;
  LARDER_ASSIGN_OR_RETURN(const AttributeView attribute,
                          InterpretKeyValue(key_value, number.data()));
  const LeafState state = AttributeState(leaf_, {&attribute, 1});
  if (coded) table.overflow_memo.emplace(memo_key, state);
  return state;
}

}  // namespace larder
