// A store without disk or threads: heads, segments and indexes of partitions, changed one random
// step at a time, so that queries are asked of every layout a store can come to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/query/index/partition_index.h"
#include "storage/query/view.h"
#include "storage/segment/page/page_cache.h"
#include "tests/support/reference_store.h"
#include "tests/support/seed.h"

namespace larder {

// Not thread-safe. Steps fail the current test when they fail.
class Layout {
 public:
  explicit Layout(Random* random) : random_(random), cache_(kCacheBytes) {}

  // Into one of the heads.
  void Append(const std::vector<Span>& request);
  // One random step: seal a head, index some segments of a partition, merge some, close all, drop
  // the oldest partition or any part, begin a new partition. What it did, for the list of
  // operations.
  std::string Step();
  // Every span in segments, and one index over those of each partition.
  void Close();

  std::shared_ptr<const View> MakeView() const;
  // What is stored now.
  ReferenceStore MakeReference() const;

 private:
  static constexpr uint64_t kCacheBytes = 1 << 20;
  static constexpr size_t kHeadsMax = 2;

  struct Part {
    std::vector<Span> spans;
    std::shared_ptr<SpanTable> head;  // null once it is sealed
    SourceEntry entry;                // of a segment
  };

  void Seal(size_t part);
  void Index(size_t first, size_t count);
  void Merge(size_t first, size_t count);
  void DropPartition();
  void DropPart(size_t part);
  SourceEntry WriteEntry(const SpanTable& table, uint64_t partition,
                         const std::vector<uint64_t>& replaces);
  // Forgets the indexes that cover the part.
  void ForgetIndexesOf(const Part& part);
  bool IsCovered(const Part& part) const;
  // A run of neighbours of one partition that are sealed and not covered by an index; count 0 when
  // there is none.
  void PickRun(size_t* first, size_t* count);

  Random* const random_;
  PageCache cache_;
  std::vector<Part> parts_;  // by arrival
  std::vector<std::shared_ptr<const PartitionIndex>> indexes_;
  uint64_t next_id_ = 1;
  uint64_t partition_ = 1;  // of new heads
};

}  // namespace larder
