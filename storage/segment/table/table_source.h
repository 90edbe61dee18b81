// A SpanTable (a head) as a SpanSource.
#pragma once

#include <memory>
#include <vector>

#include "storage/model/table/span_table.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// Snapshots of one table that may still grow. What is known of rows seen once (bounds of full
// blocks, operations) is kept, so that a snapshot costs nothing per row that an earlier one had.
// Thread-safe.
class TableSnapshots {
 public:
  explicit TableSnapshots(std::shared_ptr<const SpanTable> table);
  ~TableSnapshots();
  TableSnapshots(const TableSnapshots&) = delete;
  TableSnapshots& operator=(const TableSnapshots&) = delete;

  // The rows that are published now. The source keeps the table alive and may outlive this object.
  std::shared_ptr<const SpanSource> Take() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

// One snapshot of a table.
std::shared_ptr<const SpanSource> MakeTableSource(std::shared_ptr<const SpanTable> table);

// Appends every match, in any order of blocks, without a budget: for tables that are held anyway.
Status FindMatches(const SpanSource& source, const FilterNode& filter, TimeRange start,
                   std::vector<SpanMatch>* matches);

}  // namespace larder
