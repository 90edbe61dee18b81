// SpanWalk: the first spans of a SpanQuery, over all sources of a tenant.
//
// It takes the next step in the source that can hold the first key of the order, and stops when no
// source can hold a key before the last one it would answer (top-k by bounds, as OrderedWalk). A
// step is a block, where blocks have bounds that part them (starts; durations and ids where the
// filter leaves few blocks), or the next rows of a cursor that a source has in this order
// (KeyCursor), so that a merge of the sources comes to little more than the page. A cursor that
// goes on for long without filling the page gives way to blocks, of which only the column that the
// order is led by is read, between the page before and the last key it would answer. Memory is that
// of one page and of the cursors.
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
    uint64_t rank = 0;  // of no key that comes is it lower
    uint32_t entry = 0;
    std::unique_ptr<BlockSearch> search;  // null until the walk gets there
    std::unique_ptr<KeyCursor> cursor;    // while it has something left
    uint64_t cursor_bytes = 0;            // of the cursor, as charged
    size_t runs_min = 1;                  // of its next step
    uint64_t blocks_from = 0;             // what comes before was the cursor's
    std::vector<Block> blocks;            // unvisited ones: a heap, least rank first
  };

  static bool LaterSource(const Source& a, const Source& b);
  static bool LaterBlock(const Block& a, const Block& b);

  Status Begin();
  // Takes the source with the least rank one step on: opens it, or visits its next block.
  Status Advance();
  Status Open(Source* source);
  // Sets what the source has from `from` on: its blocks.
  Status AddBlocks(uint64_t from, Source* source);
  Status Visit(Source* source);
  Status VisitCursor(Source* source);
  // After a step of the cursor: charges what it holds, and when it is over goes on with the blocks
  // that it left.
  Status Stepped(Source* source);
  // The keys that can still be answered.
  SpanKeyRange OpenRange() const;
  bool IsOver() const;
  static bool HasMore(const Source& source) {
    return source.cursor != nullptr || !source.blocks.empty();
  }

  const View& view_;
  const SpanQuery& query_;
  QueryContext* const context_;
  const SpanOrder order_;
  const SpanKeyRange named_range_;  // what the filter says of ids
  TimeRange start_;
  MemoryCharge memory_;
  uint64_t held_bytes_ = 0;  // by the blocks and cursors of all sources
  NamedPlaces named_;
  SpanTop top_;
  std::vector<Source> sources_;  // a heap, least rank first
  std::vector<SpanKeyMatch> visited_;
};

}  // namespace larder
