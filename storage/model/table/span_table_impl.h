// The inside of SpanTable: its arrays, and the writer's walk over a request.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/span_fields.h"
#include "storage/model/table/chunked_array.h"
#include "storage/model/table/envelope_table.h"
#include "storage/model/table/interner.h"
#include "storage/model/table/pair_table.h"
#include "storage/model/table/span_table.h"
#include "storage/model/table/trace_chains.h"

namespace larder {

// Invariants, on which readers without locks rely:
//  1. What a row below `published_rows` refers to was written before that count was stored with
//     release, and is never written again.
//  2. Rows enter the trace chains in Publish only, complete, before the count is stored.
//  3. Rollback touches sizes only, of what no published row refers to.
class SpanTable::Impl {
 public:
  Impl();

  Result<AppendResult> Append(std::string_view request, const AppendLimits& limits);
  void Publish();
  void Rollback() { Restore(published_); }
  void CountMemory();

  void FindTrace(const TraceId& trace_id, std::vector<uint32_t>* rows) const;
  void EncodeSpan(uint32_t row, std::string* out) const;

  ChunkedArray<SpanRow, 3, 10, kRowsMax> rows;
  ChunkedArray<EventRow, 5, 12, 1u << 24> events;
  ChunkedArray<LinkRow, 4, 10, 1u << 22> links;
  ChunkedArray<PairId, 7, 14, 1u << 26> lists;
  PairTable pairs;
  StringTable strings;
  EnvelopeTable envelopes;

  struct Counts {
    std::atomic<uint32_t> rows = 0;
    std::atomic<uint32_t> pairs = 0;
    std::atomic<uint32_t> strings = 0;
    std::atomic<uint32_t> resources = 0;
    std::atomic<uint32_t> scopes = 0;
    std::atomic<uint32_t> columns = 0;
  };
  Counts published;
  std::atomic<uint64_t> memory_bytes = 0;

 private:
  // How long the arrays are that Rollback and a failed Append cut.
  struct Mark {
    uint32_t rows = 0;
    uint32_t events = 0;
    uint32_t links = 0;
    uint32_t lists = 0;
  };
  // Of the span that is being added.
  struct Owner {
    ResourceId resource = 0;
    ScopeId scope = 0;
    PairFault fault = PairFault::kNone;  // of resource or scope: their spans are rejected
  };

  static constexpr size_t kKeptItemsMax = 1u << 16;  // a span with more does not keep its memory
  static constexpr uint64_t kMeasureEveryBytes = 64 << 10;

  Mark Now() const;
  void Restore(const Mark& mark);

  // How much the table may hold at the end of the request.
  void BoundGrowth(size_t request_bytes, const AppendLimits& limits);
  // Notes that so many bytes of the request were taken in.
  void Grow(size_t bytes);
  std::string OutgrownReason() const;

  Status AppendRequest(std::string_view request, const AppendLimits& limits, AppendResult* result);
  Status AppendResourceSpans(std::string_view message, const AppendLimits& limits,
                             AppendResult* result);
  Status AppendScopeSpans(std::string_view message, Owner owner, const AppendLimits& limits,
                          AppendResult* result);
  Status AppendSpan(const Owner& owner, const AppendLimits& limits, AppendResult* result);
  PairFault AppendRow(const Owner& owner, const AppendLimits& limits);
  PairFault AppendEvents(const AppendLimits& limits, ListRange* range);
  PairFault AppendLinks(const AppendLimits& limits, ListRange* range);
  PairFault AppendList(ListRange attributes, StringId kind, const AppendLimits& limits,
                       ListRange* range);
  void FillAttributes(ListRange range, SpanFields* fields, ListRange* to) const;

  TraceChains chains_;
  Mark published_;

  // Of the request at hand.
  uint32_t items_left_ = 0;        // of AppendLimits::request_items_max
  uint64_t growth_bytes_max_ = 0;  // of the table
  uint64_t memory_bytes_max_ = 0;  // of the table when it has grown by as much
  uint64_t unmeasured_bytes_ = 0;  // of the request, taken in since memory was counted
  bool is_outgrown_ = false;

  // Kept from one call to the next for their memory.
  SpanFields span_;
  std::string scratch_;
  std::string faulty_;  // what AppendList found fault with, for the reason of a rejection
};

}  // namespace larder
