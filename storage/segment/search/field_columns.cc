#include "storage/segment/search/field_columns.h"

#include <algorithm>
#include <string_view>

namespace larder {
namespace {

// Lower-case hex, as HexText, without a string.
template <size_t kBytes>
std::string_view PutHex(const std::array<uint8_t, kBytes>& bytes, std::array<char, 32>* hex) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < kBytes; ++i) {
    (*hex)[2 * i] = kDigits[bytes[i] >> 4];
    (*hex)[2 * i + 1] = kDigits[bytes[i] & 15];
  }
  return {hex->data(), 2 * kBytes};
}

bool IsField(const FilterLeaf& leaf, Field field) {
  return leaf.field() != nullptr && leaf.field()->field == field;
}

}  // namespace

// ---- the values of a field ----

bool FieldValues::Has(Field field) {
  switch (field) {
    case Field::kTraceId:
    case Field::kSpanId:
    case Field::kParentSpanId:
    case Field::kStartTime:
    case Field::kEndTime:
    case Field::kDuration:
      return true;
    default:
      return false;
  }
}

Status FieldValues::Seek(uint32_t page) {
  if (page_ == page) return Status::Ok();
  page_ = UINT32_MAX;  // until all of it is there
  if (field_ == Field::kStartTime || field_ == Field::kEndTime) {
    LARDER_ASSIGN_OR_RETURN(starts_, columns_.Starts(page));
  }
  if (field_ == Field::kDuration || field_ == Field::kEndTime) {
    LARDER_ASSIGN_OR_RETURN(durations_, columns_.Durations(page));
  }
  if (field_ == Field::kSpanId) {
    LARDER_ASSIGN_OR_RETURN(ids_, columns_.SpanIds(page));
  } else if (field_ == Field::kParentSpanId) {
    LARDER_ASSIGN_OR_RETURN(ids_, columns_.ParentIds(page));
  } else if (field_ == Field::kTraceId) {
    LARDER_ASSIGN_OR_RETURN(traces_, columns_.Traces(page));
  }
  page_ = page;
  return Status::Ok();
}

bool FieldValues::Read(uint32_t row, FilterValue* value) {
  switch (field_) {
    case Field::kStartTime:
      *value = FilterValue::Time(starts_->values[row]);
      return true;
    case Field::kEndTime:
      *value =
          FilterValue::Time(starts_->values[row] + static_cast<uint64_t>(durations_->values[row]));
      return true;
    case Field::kDuration:
      *value = FilterValue::Duration(durations_->values[row]);
      return true;
    case Field::kTraceId:
      *value = FilterValue::Text(PutHex(traces_->id_of_row(row).bytes, &hex_));
      return true;
    default:
      break;
  }
  const SpanId& id = ids_->values[row];
  *value = FilterValue::Text(PutHex(id.bytes, &hex_));
  return field_ == Field::kSpanId || !id.is_zero();
}

// ---- a leaf ----

bool FieldColumns::Decides(const FilterLeaf& leaf) {
  if (leaf.field() == nullptr) return false;
  const Field field = leaf.field()->field;
  if (leaf.other) {
    const auto* const other = std::get_if<FieldRef>(&*leaf.other);
    return other != nullptr && FieldValues::Has(field) && FieldValues::Has(other->field);
  }
  return FieldValues::Has(field) || field == Field::kLinkTraceId || field == Field::kLinkSpanId ||
         FieldLevel(field) == Level::kEvent;
}

FieldColumns::FieldColumns(const SegmentColumns& columns, const SegmentTables& tables,
                           const FilterLeaf& leaf)
    : columns_(columns), leaf_(leaf) {
  const Field field = leaf.field()->field;
  if (FieldValues::Has(field)) left_.emplace(columns, field);
  if (leaf.other) right_.emplace(columns, std::get<FieldRef>(*leaf.other).field);
  named_ = NamedSpanIds(leaf);
  if (named_) std::sort(named_->begin(), named_->end());
  if (field == Field::kEventName) event_names_ = EventNameStates(tables, leaf);
}

std::vector<LeafState> EventNameStates(const SegmentTables& tables, const FilterLeaf& leaf) {
  std::vector<LeafState> states;
  for (const ItemTemplate& item : tables.templates(ItemTable::kEvents)) {
    states.push_back(ValueState(leaf, FilterValue::Text(item.name)));
  }
  return states;
}

Result<RowMask> FieldColumns::Evaluate(uint32_t block, const RowMask& care) {
  if (named_) return EvaluateNamed(block, care);
  if (!right_ && !leaf_.negated && leaf_.matcher.DurationBounds() &&
      IsField(leaf_, Field::kDuration)) {
    return EvaluateDuration(block, care);
  }
  Masks masks;
  switch (FieldLevel(leaf_.field()->field)) {
    case Level::kEvent:
      LARDER_RETURN_IF_ERROR(EvaluateEvents(block, care, &masks));
      break;
    case Level::kLink:
      LARDER_RETURN_IF_ERROR(EvaluateLinks(block, care, &masks));
      break;
    default:
      LARDER_RETURN_IF_ERROR(EvaluateSpans(block, care, &masks));
      break;
  }
  return leaf_.negated ? masks.present.Subtract(masks.matched) : masks.matched;
}

Result<RowMask> FieldColumns::EvaluateNamed(uint32_t block, const RowMask& care) const {
  const bool is_parent = IsField(leaf_, Field::kParentSpanId);
  const uint32_t page = block / kPageBlocks;
  LARDER_ASSIGN_OR_RETURN(const auto ids,
                          is_parent ? columns_.ParentIds(page) : columns_.SpanIds(page));
  const SpanId* const values = &ids->values[block % kPageBlocks * kBlockRows];
  const bool negated = leaf_.negated;
  RowMask found;
  const auto select = [&](const auto& is_named) {
    care.Select(
        columns_.block_row_count(block),
        [&](uint32_t row) {
          const bool present = !is_parent || !values[row].is_zero();
          return present && is_named(values[row]) != negated;
        },
        &found);
  };
  if (named_->size() == 1) {
    select([id = named_->front()](const SpanId& value) { return value == id; });
  } else {
    select([this](const SpanId& value) {
      return std::binary_search(named_->begin(), named_->end(), value);
    });
  }
  return found;
}

Result<RowMask> FieldColumns::EvaluateDuration(uint32_t block, const RowMask& care) const {
  const auto bounds = *leaf_.matcher.DurationBounds();
  LARDER_ASSIGN_OR_RETURN(const auto durations, columns_.Durations(block / kPageBlocks));
  const int64_t* const values = &durations->values[block % kPageBlocks * kBlockRows];
  RowMask found;
  care.Select(
      columns_.block_row_count(block),
      [&](uint32_t row) { return bounds.first <= values[row] && values[row] <= bounds.second; },
      &found);
  return found;
}

void FieldColumns::Merge(uint32_t row, LeafState state, Masks* masks) const {
  if (state.present) masks->present.Add(row);
  if (state.matched) masks->matched.Add(row);
}

Status FieldColumns::EvaluateSpans(uint32_t block, const RowMask& care, Masks* masks) {
  const uint32_t first = block % kPageBlocks * kBlockRows;
  LARDER_RETURN_IF_ERROR(left_->Seek(block / kPageBlocks));
  if (right_) LARDER_RETURN_IF_ERROR(right_->Seek(block / kPageBlocks));
  FilterValue left;
  FilterValue right;
  care.ForEach([&](uint32_t row) {
    if (!left_->Read(first + row, &left)) return;
    if (!right_) {
      Merge(row, ValueState(leaf_, left), masks);
    } else if (right_->Read(first + row, &right)) {
      Merge(row, {.present = true, .matched = CompareFilterValues(leaf_.op, left, right)}, masks);
    }
  });
  return Status::Ok();
}

template <typename Visit>
Status FieldColumns::ForEachItem(ItemTable table, uint32_t block, const RowMask& care,
                                 const Visit& visit) {
  const uint32_t page = block / kPageBlocks;
  const uint32_t in_page = block % kPageBlocks;
  LARDER_ASSIGN_OR_RETURN(const auto items, columns_.Templates(table, page));
  if (items->block_starts[in_page] == items->block_starts[in_page + 1]) return Status::Ok();
  LARDER_ASSIGN_OR_RETURN(const auto rows, columns_.ItemRows(table, page));
  for (uint32_t item = items->block_starts[in_page]; item < items->block_starts[in_page + 1];
       ++item) {
    const uint32_t row = rows->values[item] - in_page * kBlockRows;
    if (care.contains(row)) visit(item, row);
  }
  return Status::Ok();
}

Status FieldColumns::EvaluateEvents(uint32_t block, const RowMask& care, Masks* masks) {
  const uint32_t page = block / kPageBlocks;
  if (IsField(leaf_, Field::kEventName)) {
    LARDER_ASSIGN_OR_RETURN(const auto items, columns_.Templates(ItemTable::kEvents, page));
    return ForEachItem(ItemTable::kEvents, block, care, [&](uint32_t item, uint32_t row) {
      Merge(row, event_names_[items->templates[item]], masks);
    });
  }
  const bool since_start = IsField(leaf_, Field::kEventTimeSinceStart);
  const uint32_t first = block % kPageBlocks * kBlockRows;
  LARDER_ASSIGN_OR_RETURN(const auto times, columns_.EventTimes(page));
  LARDER_ASSIGN_OR_RETURN(const auto starts, columns_.Starts(page));
  return ForEachItem(ItemTable::kEvents, block, care, [&](uint32_t item, uint32_t row) {
    const uint64_t time_ns = times->values[item];
    const uint64_t start_ns = starts->values[first + row];
    const auto value = since_start ? FilterValue::Duration(static_cast<int64_t>(time_ns - start_ns))
                                   : FilterValue::Time(time_ns);
    Merge(row, ValueState(leaf_, value), masks);
  });
}

Status FieldColumns::EvaluateLinks(uint32_t block, const RowMask& care, Masks* masks) {
  const uint32_t page = block / kPageBlocks;
  std::array<char, 32> hex{};
  if (IsField(leaf_, Field::kLinkTraceId)) {
    LARDER_ASSIGN_OR_RETURN(const auto ids, columns_.LinkTraceIds(page));
    return ForEachItem(ItemTable::kLinks, block, care, [&](uint32_t item, uint32_t row) {
      const auto text = FilterValue::Text(PutHex(ids->values[item].bytes, &hex));
      Merge(row, ValueState(leaf_, text), masks);
    });
  }
  LARDER_ASSIGN_OR_RETURN(const auto ids, columns_.LinkSpanIds(page));
  return ForEachItem(ItemTable::kLinks, block, care, [&](uint32_t item, uint32_t row) {
    const auto text = FilterValue::Text(PutHex(ids->values[item].bytes, &hex));
    Merge(row, ValueState(leaf_, text), masks);
  });
}

}  // namespace larder
