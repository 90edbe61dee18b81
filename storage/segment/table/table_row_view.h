// One row of a SpanTable as a SpanView, for what is evaluated span by span.
#pragma once

#include <vector>

#include "storage/model/table/span_filter.h"
#include "storage/model/table/span_table.h"

namespace larder {

// Reused from row to row. Not thread-safe.
class TableRowView {
 public:
  // `table` must outlive this.
  explicit TableRowView(const SpanTable& table) : table_(table) {}

  // Valid until the next call.
  const SpanView& Read(const SpanRow& row);

 private:
  void AddAttributes(ListRange range);

  const SpanTable& table_;
  SpanView view_;
  ResourceView resource_;
  ScopeView scope_;
  std::vector<AttributeView> attributes_;  // of the span, its events, its links
  std::vector<EventView> events_;
  std::vector<LinkView> links_;
};

}  // namespace larder
