// What a filter reads of a span.
#pragma once

#include <array>
#include <functional>
#include <set>
#include <string>

#include "storage/model/table/span_filter.h"
#include "storage/segment/reader/segment_columns.h"

namespace larder {

struct RowNeeds {
  bool times = false;  // start or end
  bool trace_ids = false;
  bool span_ids = false;
  bool parent_ids = false;
  bool trace_states = false;  // of spans
  bool status_messages = false;
  bool events = false;
  bool links = false;
  // Attributes, by ItemTable.
  std::array<std::set<std::string, std::less<>>, 3> keys;

  static RowNeeds Of(const SpanFilter& filter);

  // Whether it reads values of the column.
  bool wants(const ColumnInfo& column) const;

 private:
  void Add(const Operand& operand);
  void Add(Field field);
};

}  // namespace larder
