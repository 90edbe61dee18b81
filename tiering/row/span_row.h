// A span as a row of SLS: columns that the Trace app and aliyun-log-jaeger read, and beside them
// the whole span, which is what we read. tiering/SLS.md says what is in which column.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/span_fields.h"
#include "tiering/sls/log_group.h"
#include "tiering/tier_options.h"

namespace larder {

// Names of what Larder adds to the columns that others know.
inline constexpr std::string_view kRawKey = "otlp.raw";
inline constexpr std::string_view kRefKey = "otlp.ref";      // joins a row and its continuations
inline constexpr std::string_view kPartKey = "otlp.part";    // of a continuation: 2/3
inline constexpr std::string_view kPartsKey = "otlp.parts";  // of a row: how many it has
// "1": some column may be longer than SLS indexes, or a level has no column that it finds values
// in: searches must not expect to find this row by its values.
inline constexpr std::string_view kWideKey = "tier.wide";
inline constexpr std::string_view kTruncatedKey = "tier.truncated";  // "1": a column was cut
inline constexpr std::string_view kRestampedKey =
    "tier.restamped";  // "1": filed under another time

// Longer columns are not searched for.
inline constexpr size_t kIndexedBytesMax = 8 << 10;

struct SpanRowOptions {
  SlsTraceIds trace_ids = SlsTraceIds::kShort;
  bool writes_raw_payload = true;
  uint64_t log_bytes_max = 900 << 10;  // SLS takes 1 MB
};

// OTLP in pieces, as storage/model/traces_data_writer.h takes them.
struct SpanPieces {
  std::string_view resource;
  std::string_view scope;
  std::string_view span;
};

struct SlsSpanRow {
  SlsLog log;
  // The rest of a payload that does not fit in one log; without trace and span id, so that nobody
  // takes them for spans.
  std::vector<SlsLog> continuations;
};

// Equal spans give equal rows. Not thread-safe: keeps what it has made of a resource.
class SpanRowWriter {
 public:
  explicit SpanRowWriter(SpanRowOptions options) : options_(options) {}

  // `filed_s`: the time to file the row under, when its own is not taken. kDataLoss: no OTLP.
  Result<SlsSpanRow> Write(const SpanPieces& pieces, std::optional<uint32_t> filed_s = {});

 private:
  struct ResourceColumns {
    std::string service;
    std::string host;
    std::string json;
    bool is_truncated = false;
    bool has_twice = false;  // some key
  };
  struct Columns;  // of one row, while it is made

  const ResourceColumns& ColumnsOf(std::string_view envelope);
  SlsSpanRow WriteSpanFields(const SpanPieces& pieces, const SpanFields& span,
                             std::optional<uint32_t> filed_s);
  void AddPayload(const SpanPieces& pieces, SlsSpanRow* row) const;

  const SpanRowOptions options_;
  SpanFields fields_;  // kept for its memory
  std::unordered_map<std::string, ResourceColumns> resources_;
};

// "0af7..", 16 digits where the upper half is zero and `spelling` says so.
std::string TraceIdText(std::string_view trace_id, SlsTraceIds spelling);

}  // namespace larder
