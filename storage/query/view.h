// View: what one query sees. The store makes a new one whenever a segment, an index or a head comes
// or goes, and swaps it in; a query holds one from its first look to its last, so that a seal or a
// merge in the middle neither hides a span nor shows it twice.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "storage/model/ids.h"
#include "storage/query/cold/cold_tier.h"
#include "storage/segment/segment.h"
#include "storage/segment/source/span_source.h"

namespace larder {

class ColdPart;
class PartitionIndex;

// One place that holds spans of one tenant.
struct SourceEntry {
  std::shared_ptr<const SpanSource> source;
  std::shared_ptr<const Segment> segment;  // the same object; null when it is a head
  uint64_t id = 0;  // of the segment; of the generation when it is a head. It stays the same
                    // while the head grows, and names the same rows in every View.
  uint64_t partition = 0;
  TenantId tenant = 0;
  std::string name;  // "partition 3 segment 17", for gaps and logs
};

// One tenant's spans of a partition that was moved to the cold tier.
struct ColdEntry {
  std::shared_ptr<const ColdPart> part;
  ColdScope scope;
  // They were fetched: they lie in `entries` too, so nothing is asked of the tier. Their calls are
  // still those that the part has, which were counted when the partitions beside it were here.
  bool is_fetched = false;
};

// Immutable. Every acknowledged span of the store lies in exactly one entry (a client's retries
// apart), cold ones included: a head is replaced by its segments, segments by their merger, and
// those of a partition by what stays of it, in one step.
struct View {
  uint64_t version = 0;              // grows with every View made
  std::vector<SourceEntry> entries;  // by arrival, oldest first; heads last
  std::vector<std::shared_ptr<const PartitionIndex>> indexes;  // no segment is covered by two
  std::vector<ColdEntry> cold;
};

// Makes a tenant's View as it is now: none that is made later is older. Thread-safe.
using ViewSource = std::function<std::shared_ptr<const View>(TenantId)>;

}  // namespace larder
