#include "storage/segment/writer/column_plan.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>

#include "storage/base/coding.h"
#include "storage/base/hash.h"
#include "storage/segment/encoding/payload_order.h"

namespace larder {
namespace {

struct CountedValue {
  uint32_t id = 0;  // PairId or StringId
  std::string_view payload;
};

// Numbers with many distinct values are smaller as numbers than as codes; other payloads that
// mostly differ would fill the dictionary for nothing.
ColumnCoding ChooseCoding(ValueType type, uint64_t value_count, uint64_t distinct_count) {
  const bool is_number = type == ValueType::kInt || type == ValueType::kDouble;
  if (is_number && distinct_count * 8 > value_count) return ColumnCoding::kNumbers;
  const bool has_few = type == ValueType::kBool || type == ValueType::kEmpty || is_number;
  if (!has_few && distinct_count * 2 > value_count) return ColumnCoding::kBytes;
  return ColumnCoding::kDictionary;
}

// About how many payloads differ. A table may hold a payload under several ids: it stops looking
// for equal ones where they are rare. Linear counting (Whang, Vander-Zanden, Taylor, "A linear-time
// probabilistic counting algorithm for database applications", 1990), to within a few percent.
uint64_t CountDistinct(const std::vector<CountedValue>& values) {
  const size_t bits = std::bit_ceil(values.size() * 4 + 64);
  std::vector<bool> met(bits);
  size_t free = bits;
  for (const CountedValue& value : values) {
    const size_t bit = Hash64(value.payload) & (bits - 1);
    if (!met[bit]) --free;
    met[bit] = true;
  }
  const auto size = static_cast<double>(bits);
  return static_cast<uint64_t>(-size * std::log(static_cast<double>(free) / size) + 0.5);
}

// Sorts `values` and gives each its code; values of equal payload share one (a table may hold a
// payload twice).
void MakeDictionary(uint32_t number, ValueType type, std::vector<CountedValue>* values,
                    ColumnDraft* column, std::vector<ValuePlace>* places) {
  std::sort(values->begin(), values->end(), [type](const CountedValue& a, const CountedValue& b) {
    return PayloadLess(type, a.payload, b.payload);
  });
  for (const CountedValue& value : *values) {
    if (column->dictionary.empty() || column->dictionary.back() != value.payload) {
      column->dictionary.push_back(value.payload);
    }
    const auto code = static_cast<uint32_t>(column->dictionary.size() - 1);
    (*places)[value.id] = {number, code};
  }
  column->info.dictionary_size = static_cast<uint32_t>(column->dictionary.size());
}

void AddColumn(ColumnInfo info, std::vector<CountedValue>* values,
               std::vector<ColumnDraft>* columns, std::vector<ValuePlace>* places) {
  const auto number = static_cast<uint32_t>(columns->size());
  ColumnDraft& column = columns->emplace_back();
  info.coding = ChooseCoding(info.type, info.value_count, values->size());
  if (info.coding != ColumnCoding::kDictionary) {
    info.coding = ChooseCoding(info.type, info.value_count, CountDistinct(*values));
  }
  column.info = std::move(info);
  column.codes.reserve(column.info.value_count);
  if (column.info.coding == ColumnCoding::kDictionary) {
    MakeDictionary(number, column.info.type, values, &column, places);
  } else {
    for (const CountedValue& value : *values) (*places)[value.id] = {number, value.id};
  }
}

}  // namespace

ColumnPlan::ColumnPlan(const SpanTable* table, ItemTable items)
    : table_(table), items_(items), pair_counts_(table->pair_count()) {}

ColumnPlan::StringValues& ColumnPlan::Strings(ColumnRole role) {
  StringValues& values = strings_[static_cast<size_t>(role)];
  if (values.counts.empty()) values.counts.resize(table_->string_count());
  return values;
}

void ColumnPlan::Choose(std::vector<ColumnDraft>* columns) {
  first_column_ = static_cast<uint32_t>(columns->size());
  ChoosePairs(columns);
  for (const ColumnRole role :
       {ColumnRole::kTraceState, ColumnRole::kStatusMessage, ColumnRole::kRest}) {
    if (!strings_[static_cast<size_t>(role)].counts.empty()) AddStringColumn(role, columns);
  }
  last_column_ = static_cast<uint32_t>(columns->size());
}

void ColumnPlan::ChoosePairs(std::vector<ColumnDraft>* columns) {
  pair_places_.resize(pair_counts_.size());
  std::vector<KeyValues> keys(table_->column_count());
  for (PairId pair = 0; pair < pair_counts_.size(); ++pair) {
    if (pair_counts_[pair] == 0) continue;
    KeyValues& key = keys[table_->pair(pair).column];
    key.value_count += pair_counts_[pair];
    key.pairs.push_back(pair);
  }
  std::vector<uint32_t> chosen;
  for (uint32_t key = 0; key < keys.size(); ++key) {
    if (keys[key].value_count >= kColumnValuesMin) chosen.push_back(key);
  }
  if (chosen.size() > kColumnsMax) {
    std::stable_sort(chosen.begin(), chosen.end(), [&keys](uint32_t a, uint32_t b) {
      return keys[a].value_count > keys[b].value_count;
    });
    chosen.resize(kColumnsMax);
  }
  std::sort(chosen.begin(), chosen.end(), [this](uint32_t a, uint32_t b) {
    const ColumnKey x = table_->column(a);
    const ColumnKey y = table_->column(b);
    return std::tie(x.key, x.type) < std::tie(y.key, y.type);
  });
  for (const uint32_t key : chosen) {
    AddPairColumn(ColumnRole::kAttribute, key, keys[key].pairs, columns);
    keys[key].pairs.clear();
  }
  std::vector<PairId> left;
  for (const KeyValues& key : keys) left.insert(left.end(), key.pairs.begin(), key.pairs.end());
  if (!left.empty()) AddPairColumn(ColumnRole::kOverflow, 0, left, columns);
}

void ColumnPlan::AddPairColumn(ColumnRole role, uint32_t key_column,
                               const std::vector<PairId>& pairs,
                               std::vector<ColumnDraft>* columns) {
  ColumnInfo info{.table = items_, .role = role, .type = ValueType::kRaw};
  if (role == ColumnRole::kAttribute) {
    const ColumnKey key = table_->column(key_column);
    info.type = key.type;
    info.key = key.key;
  }
  std::vector<CountedValue> values;
  values.reserve(pairs.size());
  for (const PairId pair : pairs) {
    values.push_back({pair, PairPayload(role, pair)});
    info.value_count += pair_counts_[pair];
  }
  AddColumn(std::move(info), &values, columns, &pair_places_);
}

void ColumnPlan::AddStringColumn(ColumnRole role, std::vector<ColumnDraft>* columns) {
  StringValues& strings = strings_[static_cast<size_t>(role)];
  ColumnInfo info{.table = items_, .role = role, .type = ValueType::kString};
  std::vector<CountedValue> values;
  for (StringId string = 0; string < strings.counts.size(); ++string) {
    if (strings.counts[string] == 0) continue;
    values.push_back({string, table_->string(string)});
    info.value_count += strings.counts[string];
  }
  strings.places.resize(strings.counts.size());
  AddColumn(std::move(info), &values, columns, &strings.places);
}

std::string_view ColumnPlan::PairPayload(ColumnRole role, PairId pair) const {
  const PairView view = table_->pair(pair);
  return role == ColumnRole::kOverflow ? view.key_value : view.attribute.payload;
}

void ColumnPlan::Finish(std::vector<ColumnDraft>* columns) const {
  for (uint32_t number = first_column_; number < last_column_; ++number) {
    ColumnDraft& column = (*columns)[number];
    if (column.info.coding == ColumnCoding::kDictionary) continue;
    const bool is_pair =
        column.info.role == ColumnRole::kAttribute || column.info.role == ColumnRole::kOverflow;
    const bool is_number = column.info.coding == ColumnCoding::kNumbers;
    for (const uint32_t id : column.codes) {
      const std::string_view payload =
          is_pair ? PairPayload(column.info.role, id) : table_->string(id);
      if (is_number) {
        column.numbers.push_back(LoadFixed64(payload.data()));
      } else {
        column.payloads.push_back(payload);
      }
    }
    std::vector<uint32_t>().swap(column.codes);
  }
}

}  // namespace larder
