#include "storage/segment/writer/row_order.h"

#include <algorithm>
#include <bit>
#include <numeric>
#include <set>
#include <string>

#include "storage/base/coding.h"
#include "storage/base/hash.h"

namespace larder {
namespace {

// A row with what it is sorted by, so that sorting does not go back to the table.
struct SortRow {
  uint64_t start_ns = 0;
  uint32_t source = 0;
};

struct TraceRun {
  TraceId id;
  uint64_t first_start_ns = UINT64_MAX;
  uint32_t row_count = 0;
};

// Numbers traces in the order they are met. Open addressing with linear probing.
class TraceNumbers {
 public:
  explicit TraceNumbers(uint32_t rows_max)
      : slots_(std::bit_ceil(size_t{rows_max} * 2 + 1)), mask_(slots_.size() - 1) {}

  uint32_t NumberOf(const TraceId& id, std::vector<TraceRun>* traces) {
    for (size_t slot = TraceIdHash(id) & mask_;; slot = (slot + 1) & mask_) {
      if (slots_[slot] == 0) {
        traces->push_back({.id = id});
        slots_[slot] = static_cast<uint32_t>(traces->size());
        return slots_[slot] - 1;
      }
      if ((*traces)[slots_[slot] - 1].id == id) return slots_[slot] - 1;
    }
  }

 private:
  std::vector<uint32_t> slots_;  // number + 1; 0 is free
  size_t mask_;
};

class Orderer {
 public:
  explicit Orderer(const SpanTable& table) : table_(table), row_count_(table.published_rows()) {}

  RowOrder Order(bool drop_duplicates) {
    NumberTraces();
    PlaceRows();
    RowOrder order;
    order.sources.reserve(row_count_);
    for (size_t trace = 0; trace + 1 < first_rows_.size(); ++trace) {
      AddTrace(first_rows_[trace], first_rows_[trace + 1], drop_duplicates, &order);
    }
    order.trace_first_rows.push_back(static_cast<uint32_t>(order.sources.size()));
    return order;
  }

 private:
  void NumberTraces() {
    TraceNumbers numbers(row_count_);
    trace_of_row_.resize(row_count_);
    for (uint32_t row = 0; row < row_count_; ++row) {
      const SpanRow& span = table_.row(row);
      const uint32_t number = numbers.NumberOf(span.trace_id, &traces_);
      trace_of_row_[row] = number;
      TraceRun& trace = traces_[number];
      trace.first_start_ns = std::min(trace.first_start_ns, span.start_ns);
      ++trace.row_count;
    }
  }

  // A counting sort by trace, traces in their final order.
  void PlaceRows() {
    std::vector<uint32_t> by_start(traces_.size());
    std::iota(by_start.begin(), by_start.end(), 0);
    std::sort(by_start.begin(), by_start.end(), [this](uint32_t a, uint32_t b) {
      const TraceRun& x = traces_[a];
      const TraceRun& y = traces_[b];
      return x.first_start_ns != y.first_start_ns ? x.first_start_ns < y.first_start_ns
                                                  : x.id < y.id;
    });
    std::vector<uint32_t> next(traces_.size());
    uint32_t position = 0;
    for (const uint32_t trace : by_start) {
      next[trace] = position;
      first_rows_.push_back(position);
      position += traces_[trace].row_count;
    }
    first_rows_.push_back(position);
    rows_.resize(row_count_);
    for (uint32_t row = 0; row < row_count_; ++row) {
      rows_[next[trace_of_row_[row]]++] = {table_.row(row).start_ns, row};
    }
  }

  void AddTrace(uint32_t first, uint32_t last, bool drop_duplicates, RowOrder* order) {
    std::sort(rows_.begin() + first, rows_.begin() + last,
              [this](const SortRow& a, const SortRow& b) {
                if (a.start_ns != b.start_ns) return a.start_ns < b.start_ns;
                const SpanId& x = table_.row(a.source).span_id;
                const SpanId& y = table_.row(b.source).span_id;
                return x != y ? x < y : a.source < b.source;
              });
    order->trace_first_rows.push_back(static_cast<uint32_t>(order->sources.size()));
    for (uint32_t i = first; i < last;) {
      uint32_t end = i + 1;
      while (end < last && SameKey(rows_[i], rows_[end])) ++end;
      AddSameKey(i, end, drop_duplicates, order);
      i = end;
    }
  }

  bool SameKey(const SortRow& a, const SortRow& b) const {
    return a.start_ns == b.start_ns && table_.row(a.source).span_id == table_.row(b.source).span_id;
  }

  // Spans equal in every field have equal starts and ids. Compared by hash: a client may send one
  // id 100,000 times over, and comparing each with each would hold up the seal.
  void AddSameKey(uint32_t first, uint32_t last, bool drop_duplicates, RowOrder* order) {
    seen_.clear();
    for (uint32_t i = first; i < last; ++i) {
      if (last - first > 1 && !seen_.insert(ContentHash(rows_[i].source)).second) {
        if (drop_duplicates) continue;
        order->duplicates.push_back(static_cast<uint32_t>(order->sources.size()));
      }
      order->sources.push_back(rows_[i].source);
    }
  }

  Hash128 ContentHash(uint32_t source) {
    const SpanRow& span = table_.row(source);
    encoded_.clear();
    PutFixed32(&encoded_, span.resource);
    PutFixed32(&encoded_, span.scope);
    table_.EncodeSpan(source, &encoded_);
    return HashWide(encoded_);
  }

  const SpanTable& table_;
  const uint32_t row_count_;
  std::vector<TraceRun> traces_;
  std::vector<uint32_t> trace_of_row_;
  std::vector<uint32_t> first_rows_;  // of each trace in final order, then the row count
  std::vector<SortRow> rows_;
  std::set<Hash128> seen_;
  std::string encoded_;
};

}  // namespace

RowOrder OrderRows(const SpanTable& table, bool drop_duplicates) {
  return Orderer(table).Order(drop_duplicates);
}

}  // namespace larder
