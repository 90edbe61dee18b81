// OrderedWalk: the spans that match a filter, over all sources of a tenant, latest start first and
// then by trace id: the order in which searches answer.
//
// The walk visits blocks, not sources: every source knows for each of its candidate blocks a bound,
// after which no match in it starts. Blocks are visited from the latest bound down and their
// matches wait in a heap; one is handed out when no unvisited block can hold a match before it in
// the order. So a frequent value costs a few blocks, however much is stored. (The idea of top-k by
// upper bounds: Fagin's threshold algorithm, Broder's WAND.)
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/query.h"
#include "storage/query/index/named_traces.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

struct WalkMatch {
  uint64_t start_ns = 0;
  TraceId trace_id;
  uint32_t entry = 0;  // of View::entries
  uint32_t row = 0;
};

// Not thread-safe. Borrows all that it is given. Sources that cannot be read become gaps.
class OrderedWalk {
 public:
  OrderedWalk(const View& view, TenantId tenant, const FilterNode& filter, TimeRange start,
              QueryContext* context);
  ~OrderedWalk();

  // Nothing: no more matches. A span that lies in two sources is handed out twice.
  Result<std::optional<WalkMatch>> Next();

 private:
  struct Block {
    uint64_t bound_ns;
    uint32_t block;
  };
  struct Source {
    uint64_t bound_ns = 0;  // no unvisited match in it starts later
    uint32_t entry = 0;
    std::unique_ptr<BlockSearch> search;  // null until the walk gets there
    std::vector<Block> blocks;            // unvisited ones: a heap, latest bound first
  };

  static bool EarlierSource(const Source& a, const Source& b) { return a.bound_ns < b.bound_ns; }
  static bool EarlierBlock(const Block& a, const Block& b) { return a.bound_ns < b.bound_ns; }
  static bool AfterInOrder(const WalkMatch& a, const WalkMatch& b);

  Status Begin();
  // Takes the source with the latest bound one step on: opens it, or visits its next block.
  Status Advance();
  Status Open(Source* source);
  Status Visit(Source* source);

  const View& view_;
  const TenantId tenant_;
  const FilterNode& filter_;
  const TimeRange start_;
  QueryContext* const context_;
  MemoryCharge memory_;
  bool has_begun_ = false;
  NamedPlaces named_;               // no match lies elsewhere
  std::vector<Source> sources_;     // a heap, latest bound first
  std::vector<WalkMatch> matches_;  // a heap, first in order first
  std::vector<SpanMatch> visited_;  // matches of the block at hand
  uint64_t block_bytes_ = 0;
};

}  // namespace larder
