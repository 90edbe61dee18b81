#include "storage/model/span_query.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "storage/base/check.h"

namespace larder {
namespace {

constexpr uint64_t kSignBit = uint64_t{1} << 63;

std::strong_ordering CompareField(SpanSortField field, const SpanKey& a, const SpanKey& b) {
  switch (field) {
    case SpanSortField::kStartTime:
      return a.start_ns <=> b.start_ns;
    case SpanSortField::kDuration:
      return a.duration_ns <=> b.duration_ns;
    case SpanSortField::kTraceId:
      return a.trace_id <=> b.trace_id;
    case SpanSortField::kSpanId:
      break;
  }
  return a.span_id <=> b.span_id;
}

uint64_t BigEndian(const uint8_t* bytes) {
  uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return __builtin_bswap64(value);
}

}  // namespace

bool SpanKeyRange::contains(const SpanKey& key) const {
  return min.start_ns <= key.start_ns && key.start_ns <= max.start_ns &&
         min.duration_ns <= key.duration_ns && key.duration_ns <= max.duration_ns &&
         min.trace_id <= key.trace_id && key.trace_id <= max.trace_id &&
         min.span_id <= key.span_id && key.span_id <= max.span_id;
}

SpanOrder::SpanOrder(const std::vector<SpanSort>& asked) {
  constexpr std::array<SpanSort, kTermsMax> kDefault = {{
      {SpanSortField::kStartTime, true},
      {SpanSortField::kTraceId, false},
      {SpanSortField::kSpanId, false},
      {SpanSortField::kDuration, false},
  }};
  size_t count = 0;
  const auto add = [&](const SpanSort& term) {
    const auto end = terms_.begin() + static_cast<std::ptrdiff_t>(count);
    const bool known = std::any_of(
        terms_.begin(), end, [&](const SpanSort& before) { return before.field == term.field; });
    if (!known) terms_[count++] = term;
  };
  for (const SpanSort& term : asked) add(term);
  for (const SpanSort& term : kDefault) add(term);
  LARDER_CHECK(count == kTermsMax);
}

std::strong_ordering SpanOrder::Compare(const SpanKey& a, const SpanKey& b) const {
  for (const SpanSort& term : terms_) {
    const std::strong_ordering order = CompareField(term.field, a, b);
    if (order == std::strong_ordering::equal) continue;
    return term.descending ? 0 <=> order : order;
  }
  return std::strong_ordering::equal;
}

uint64_t SpanOrder::Rank(const SpanKey& key) const {
  uint64_t rank = 0;
  switch (lead().field) {
    case SpanSortField::kStartTime:
      rank = key.start_ns;
      break;
    case SpanSortField::kDuration:
      rank = std::bit_cast<uint64_t>(key.duration_ns) ^ kSignBit;
      break;
    case SpanSortField::kTraceId:
      rank = BigEndian(key.trace_id.bytes.data());
      break;
    case SpanSortField::kSpanId:
      rank = BigEndian(key.span_id.bytes.data());
      break;
  }
  return lead().descending ? ~rank : rank;
}

}  // namespace larder
