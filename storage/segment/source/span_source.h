// SpanSource: one place that holds spans, a sealed segment or a head. Queries of the engine are
// written over this interface alone, so that memory and disk are searched by the same walk.
//
// Rows are numbered from 0; 1,024 of them are a block. A source that can still grow (a head) shows
// the rows that were published when the SpanSource was made, and no later ones.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/hash.h"
#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/model/query.h"
#include "storage/model/span_query.h"
#include "storage/model/traces_data_writer.h"
#include "storage/segment/source/search_budget.h"

namespace larder {

inline constexpr uint32_t kBlockRows = 1024;

// What summaries and dependencies need of a span. The views live as long as the source.
struct SpanFacts {
  uint32_t row = 0;
  SpanId span_id;
  SpanId parent_span_id;
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  int32_t kind = 0;
  int32_t status_code = 0;
  std::string_view service;
  std::string_view name;
};

// A matching span.
struct SpanMatch {
  uint64_t start_ns = 0;
  TraceId trace_id;
  uint32_t row = 0;
};

// The same with all that spans can be sorted by.
struct SpanKeyMatch {
  SpanKey key;
  uint32_t row = 0;
};

// The matches of one search in one source, one after the other in the order of one field. Not
// thread-safe; borrows the search.
class KeyCursor {
 public:
  virtual ~KeyCursor() = default;
  virtual bool is_over() const = 0;
  // No key that comes has a lower rank (SpanOrder::Rank). REQUIRES: !is_over().
  virtual uint64_t rank() const = 0;
  // What the cursor leaves to the blocks when it is over: matches of this rank and above. Nothing:
  // it had all of them.
  virtual const std::optional<uint64_t>& rest() const = 0;
  // Held at the moment.
  virtual uint64_t memory_bytes() const = 0;
  // Appends the keys of the next matches, in any order: of rows whose ranks are not above `last`,
  // and of `runs_min` rows, or traces, at least. Goes on without a page that is broken, and then
  // answers kDataLoss, naming it. REQUIRES: !is_over().
  virtual Status Next(uint64_t last, size_t runs_min, std::vector<SpanKeyMatch>* matches) = 0;
};

struct ServiceOperation {
  std::string_view service;
  std::string_view name;
  int32_t kind = 0;
};

// One query over one source, block by block. Not thread-safe; borrows the source and the query's
// filter, which must outlive it.
class BlockSearch {
 public:
  virtual ~BlockSearch() = default;
  // Blocks that may hold a match, as numbers, in any order. Blocks outside the time range are left
  // out.
  virtual const std::vector<uint32_t>& candidate_blocks() const = 0;
  // No match in the block starts later than this.
  virtual uint64_t latest_start_ns(uint32_t block) const = 0;
  // Appends the matching spans of a block, in row order. kDataLoss names the page that is broken.
  virtual Status Match(uint32_t block, std::vector<SpanMatch>* matches) = 0;

  // The keys of a block's matches lie in this range, which says something of the field `lead`.
  virtual SpanKeyRange KeyBounds(uint32_t block, SpanSortField lead) = 0;
  // As Match, for the matches whose keys lie in `range`: what lies outside costs little.
  virtual Status MatchKeys(uint32_t block, const SpanKeyRange& range,
                           std::vector<SpanKeyMatch>* matches) = 0;
  // A cursor in the order of `lead` over the matches from rank `from` on, where that costs less
  // than the blocks; null where it does not, or cannot be made.
  virtual std::unique_ptr<KeyCursor> OpenCursor(const SpanSort& lead, uint64_t from) = 0;
};

// Thread-safe; immutable from the outside.
class SpanSource {
 public:
  virtual ~SpanSource() = default;

  virtual uint32_t row_count() const = 0;
  virtual TimeRange start_range() const = 0;  // of its spans; min > max when it is empty
  virtual uint64_t latest_end_ns() const = 0;

  // Appends the rows of a trace, ascending (a trace's rows in a segment are one run).
  virtual Status FindTrace(const TraceId& trace_id, std::vector<uint32_t>* rows) const = 0;
  // Appends the facts of `rows`, in the order given.
  virtual Status Facts(const std::vector<uint32_t>& rows, std::vector<SpanFacts>* facts) const = 0;
  // The encoded span of a row and its envelopes, handed to `visit` one row after the other. Views
  // are valid during the call. The span's bytes are canonical: equal spans of equal envelopes have
  // equal bytes in every source.
  class RowVisitor {
   public:
    virtual ~RowVisitor() = default;
    // Return false to stop early.
    virtual bool Visit(uint32_t row, std::string_view resource_envelope,
                       std::string_view scope_envelope, std::string_view span) = 0;
  };
  virtual Status EncodeRows(const std::vector<uint32_t>& rows, RowVisitor* visitor) const = 0;

  // What the search holds is charged to `budget`, which must outlive it. Fails as the budget does.
  virtual Result<std::unique_ptr<BlockSearch>> Search(const FilterNode& filter, TimeRange start,
                                                      SearchBudget* budget) const = 0;
  // The trace ids of rows [first, first + count), for walks over everything.
  virtual Status TraceIds(uint32_t first_row, uint32_t count, std::vector<TraceId>* ids) const = 0;
  // Each distinct (service, operation name, kind) of the source, once.
  virtual Status Operations(std::vector<ServiceOperation>* operations) const = 0;
};

}  // namespace larder
