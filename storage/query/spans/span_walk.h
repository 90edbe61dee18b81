// SpanWalk: the first spans of a SpanQuery, over all sources of a tenant.
//
// It visits blocks of all sources, from the one that can hold the first key of the order on, and
// stops when no block left can hold a key before the last one it would answer (top-k by bounds, as
// OrderedWalk). Starts and durations have bounds by block, so orders led by them visit few blocks
// when the bounds part the blocks. Ids have none: there every block of the window is looked at, but
// only its column of ids, since the walk asks a block for keys between the page before and the
// last one it would answer. So no page costs more than the columns of the window that its order is
// led by, and memory is that of one page.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/span_query.h"
#include "storage/query/index/named_traces.h"
#include "storage/query/query_context.h"
#include "storage/query/spans/span_top.h"
#include "storage/query/view.h"

namespace larder {

// Not thread-safe. Borrows all that it is given. Sources that cannot be read become gaps.
class SpanWalk {
 public:
  // Walks for the first `count` spans.
  SpanWalk(const View& view, const SpanQuery& query, size_t count, QueryContext* context);
  ~SpanWalk();

  // In order. To be called once.
  Result<std::vector<FoundSpan>> Run();

 private:
  // No key of the block has a rank (SpanOrder::Rank) below its own.
  struct Block {
    uint64_t rank = 0;
    uint32_t block = 0;
  };
  struct Source {
    uint64_t rank = 0;  // the least of its unvisited blocks
    uint32_t entry = 0;
    std::unique_ptr<BlockSearch> search;  // null until the walk gets there
    std::vector<Block> blocks;            // unvisited ones: a heap, least rank first
  };

  static bool LaterSource(const Source& a, const Source& b);
  static bool LaterBlock(const Block& a, const Block& b);

  Status Begin();
  // Takes the source with the least rank one step on: opens it, or visits its next block.
  Status Advance();
  Status Open(Source* source);
  Status Visit(Source* source);
  // The keys that can still be answered.
  SpanKeyRange OpenRange() const;
  bool IsOver() const;

  const View& view_;
  const SpanQuery& query_;
  QueryContext* const context_;
  const SpanOrder order_;
  const SpanKeyRange named_range_;  // what the filter says of ids
  TimeRange start_;
  MemoryCharge memory_;
  uint64_t block_bytes_ = 0;
  NamedPlaces named_;
  SpanTop top_;
  std::vector<Source> sources_;  // a heap, least rank first
  std::vector<SpanKeyMatch> visited_;
};

}  // namespace larder
