// Rows of SLS as spans: Larder's own, and those in the layouts of aliyun-log-jaeger and of the
// OpenTelemetry Collector's exporter, from their columns.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/span.h"
#include "tiering/row/row_text.h"

namespace larder {

// Columns by name, as a search answers them.
using SlsColumns = std::map<std::string, std::string, std::less<>>;

// What a row says of its payload.
enum class PayloadKind : uint8_t {
  kNone,   // a row of somebody else, or one written without: its columns are all there is
  kWhole,  // otlp.raw
  kParts,  // in continuations: see JoinPayload
  kPart,   // it is a continuation itself, no span
};
PayloadKind PayloadKindOf(const SlsColumns& row);

// The span of a row as a TracesData message. kDataLoss for a payload that is broken, and for
// columns without a trace or span id; `hold` as DecodeRawPayload. REQUIRES: kNone or kWhole.
Result<std::string> ReadSpanRow(const SlsColumns& row, const HoldBytes& hold = {});
// The span of a row of kParts and of rows among which its continuations are; others are passed
// over, one that comes twice counts once. kDataLoss names the part that is missing.
Result<std::string> JoinPayload(const SlsColumns& row, const std::vector<SlsColumns>& others,
                                const HoldBytes& hold = {});

// The span that the columns describe, whoever wrote them.
Result<Span> SpanOfColumns(const SlsColumns& row);

}  // namespace larder
