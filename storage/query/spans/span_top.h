// SpanTop: the first spans of an order among those that it is offered, in bounded memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/span_query.h"
#include "storage/query/query_context.h"
#include "storage/query/spans/span_rows.h"
#include "storage/query/view.h"
#include "storage/segment/source/span_source.h"

namespace larder {

struct FoundSpan {
  SpanKey key;
  SpanPlace place;
  // Read only where keys are equal; kUnreadContent when that failed.
  std::optional<Hash128> content;
};

// Keeps at most `count` spans and half as many again, whatever is offered. Spans equal in every
// field are kept once. Only spans whose keys are equal are read, to tell them apart. Not
// thread-safe. Borrows all that it is given.
class SpanTop {
 public:
  // Leaves out what does not come behind `after`.
  SpanTop(const View& view, const SpanOrder& order, const std::optional<SpanPosition>& after,
          size_t count, QueryContext* context);

  Status Offer(uint32_t entry, const std::vector<SpanKeyMatch>& matches);
  // Nothing whose key comes behind this one is kept any more; null while anything is.
  const SpanKey* limit() const { return limit_ ? &*limit_ : nullptr; }
  // The first spans, in order. To be called once, at the end.
  Result<std::vector<FoundSpan>> Take();

 private:
  // Sorts, drops repeats and cuts to count_.
  Status Prune();
  // Reads the contents of all spans that share their key with another one or with after_.
  Status ReadContents();
  bool InOrder(const FoundSpan& a, const FoundSpan& b) const;
  bool NeedsContent(size_t i) const;

  const View& view_;
  const SpanOrder& order_;
  const std::optional<SpanPosition>& after_;
  const size_t count_;
  QueryContext* const context_;
  MemoryCharge memory_;
  std::vector<FoundSpan> spans_;
  size_t prune_at_;
  std::optional<SpanKey> limit_;
};

}  // namespace larder
