// A search for spans, in any order, a page at a time.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <vector>

#include "storage/base/hash.h"
#include "storage/model/filter.h"
#include "storage/model/ids.h"
#include "storage/model/query.h"

namespace larder {

// What spans can be sorted by. Spans that agree in all of it are told apart by their content alone.
struct SpanKey {
  uint64_t start_ns = 0;
  int64_t duration_ns = 0;  // end less start, signed
  TraceId trace_id;
  SpanId span_id;
  friend bool operator==(const SpanKey&, const SpanKey&) = default;
  // Least and greatest in every field.
  static SpanKey Least() { return {.duration_ns = INT64_MIN, .trace_id = {}, .span_id = {}}; }
  static SpanKey Greatest() {
    SpanKey key{.start_ns = UINT64_MAX, .duration_ns = INT64_MAX, .trace_id = {}, .span_id = {}};
    key.trace_id.bytes.fill(0xFF);
    key.span_id.bytes.fill(0xFF);
    return key;
  }
};

// The keys that lie between two others in every field, both ends met.
struct SpanKeyRange {
  SpanKey min = SpanKey::Least();
  SpanKey max = SpanKey::Greatest();
  bool contains(const SpanKey& key) const;
};

enum class SpanSortField : uint8_t { kStartTime, kDuration, kTraceId, kSpanId };

struct SpanSort {
  SpanSortField field = SpanSortField::kStartTime;
  bool descending = false;
  friend bool operator==(const SpanSort&, const SpanSort&) = default;
};

// A total order of keys.
class SpanOrder {
 public:
  static constexpr size_t kTermsMax = 4;

  // `asked` from the highest precedence to the lowest; of a field that comes twice the first term
  // counts. What is missing of the default order (latest start first, then trace id, then span id)
  // follows, and then duration, shortest first.
  explicit SpanOrder(const std::vector<SpanSort>& asked = {});

  const SpanSort& lead() const { return terms_[0]; }
  const std::array<SpanSort, kTermsMax>& terms() const { return terms_; }

  std::strong_ordering Compare(const SpanKey& a, const SpanKey& b) const;
  // A number that never falls from a key to one behind it; equal for keys with equal lead fields,
  // and for ids that agree in their first 8 bytes.
  uint64_t Rank(const SpanKey& key) const;

 private:
  std::array<SpanSort, kTermsMax> terms_;
};

// A place in an order: a span. `content` tells spans of equal keys apart (SpanContentHash).
struct SpanPosition {
  SpanKey key;
  Hash128 content;
  friend bool operator==(const SpanPosition&, const SpanPosition&) = default;
};

// Find the spans that start in `start` and satisfy `filter`, in the order of `order`, spans of
// equal keys by content hash. Spans equal in every field are found once.
struct SpanQuery {
  TenantId tenant = 0;
  TimeRange start;
  FilterNode filter;
  std::vector<SpanSort> order;
  uint32_t page_size = 1000;
  std::optional<SpanPosition> after;  // only what comes behind it: where the page before ended
};

}  // namespace larder
