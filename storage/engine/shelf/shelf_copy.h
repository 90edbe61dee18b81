// A copy of an evicted partition while it is made (Shelf::BeginCopy).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "storage/engine/shelf/shelf.h"

namespace larder {

// Not thread-safe. The shelf alone changes it. A family that was neither kept nor discarded goes at
// the next start.
struct Shelf::Copy {
  uint64_t partition = 0;
  ColdParts cold;  // what stays of the partition: what is to be fetched
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t family_id = 0;
  std::shared_ptr<KvFamily> family;
  std::vector<StoredSegment> segments;
  StoredIndexes indexes;
};

}  // namespace larder
