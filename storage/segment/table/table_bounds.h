// What is known of the rows of a growing SpanTable, gathered once per row and shared by all
// snapshots of the table.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_set>
#include <vector>

#include "storage/base/mutex.h"
#include "storage/model/query.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/source/span_source.h"

namespace larder {

struct BlockBounds {
  TimeRange start{.min_ns = UINT64_MAX, .max_ns = 0};
  uint64_t latest_end_ns = 0;
  int64_t longest_ns = INT64_MIN;  // duration
  void Add(const SpanRow& row);
  void Add(const BlockBounds& other);
};

// Thread-safe. `table` must outlive it.
class TableBounds {
 public:
  explicit TableBounds(const SpanTable& table) : table_(table) {}

  // Bounds of the blocks of rows [0, row_count), the last one perhaps not full.
  std::shared_ptr<const std::vector<BlockBounds>> Blocks(uint32_t row_count);
  // Each distinct operation of rows [0, row_count), once.
  void Operations(uint32_t row_count, std::vector<ServiceOperation>* operations);

 private:
  struct FirstRow {
    ServiceOperation operation;
    uint32_t row = 0;
  };
  struct OperationKey {
    ResourceId resource = 0;
    StringId name = 0;
    int32_t kind = 0;
    friend bool operator==(const OperationKey&, const OperationKey&) = default;
  };
  struct KeyHash {
    size_t operator()(const OperationKey& key) const;
  };
  struct NameHash {
    size_t operator()(const ServiceOperation& operation) const;
  };
  struct NameEqual {
    bool operator()(const ServiceOperation& a, const ServiceOperation& b) const {
      return a.service == b.service && a.name == b.name && a.kind == b.kind;
    }
  };

  void AddOperation(uint32_t row) REQUIRES(mu_);

  const SpanTable& table_;
  Mutex mu_;
  std::shared_ptr<const std::vector<BlockBounds>> full_ GUARDED_BY(mu_);  // full blocks only
  uint32_t operation_rows_ GUARDED_BY(mu_) = 0;  // rows whose operations are in
  std::unordered_set<OperationKey, KeyHash> keys_ GUARDED_BY(mu_);
  std::unordered_set<ServiceOperation, NameHash, NameEqual> names_ GUARDED_BY(mu_);
  std::vector<FirstRow> operations_ GUARDED_BY(mu_);  // ascending by row
};

}  // namespace larder
