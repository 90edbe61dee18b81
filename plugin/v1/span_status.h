// The status of an OTLP span, found among the tags of a v1 span.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "plugin/v1/span.h"

namespace larder::v1 {

struct SpanStatus {
  int32_t code = 0;  // OTLP: 0 unset, 1 ok, 2 error
  std::string_view message;
};

// Takes the tags that the status stands for. `kind` is OTLP's.
//
// As Jaeger's translator has it (setInternalSpanStatus): `error` = true is an error whatever else
// is said; then `otel.status_code`; then `http.status_code`, by OpenTelemetry's rule for HTTP.
// Unlike there a tag that no status can stand for is left where it is.
SpanStatus TakeStatus(int32_t kind, std::vector<Tag>* tags);

// The first tag of that key that is not taken; null when there is none.
Tag* FindTag(std::string_view key, std::vector<Tag>* tags);
// The same; the tag must be a string that is not empty, and is taken. Empty when there is none.
std::string_view TakeText(std::string_view key, std::vector<Tag>* tags);

}  // namespace larder::v1
