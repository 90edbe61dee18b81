// Our outcomes as OTLP/HTTP tells them: a status code, headers, and a body in the request's own
// content type.
// Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/status.h"
#include "storage/engine/store.h"

namespace larder {

enum class OtlpEncoding : uint8_t { kProtobuf, kJson };

// REQUIRES: `lower` has no capital of ASCII.
bool EqualsIgnoringCase(std::string_view text, std::string_view lower);
// "application/x-protobuf", "application/json". The view lives for ever.
std::string_view ContentType(OtlpEncoding encoding);
// Parameters ("; charset=utf-8") do not matter. Nothing for another type.
std::optional<OtlpEncoding> EncodingOf(std::string_view content_type);

struct HttpOutcome {
  unsigned code = 200;
  OtlpEncoding encoding = OtlpEncoding::kProtobuf;
  std::string body;
  uint32_t retry_after_seconds = 0;  // 0: not told
};

// What a write came to: ExportTraceServiceResponse, or RefusalOf.
HttpOutcome OutcomeOf(const WriteResult& result, OtlpEncoding encoding);

// A google.rpc.Status with the status' code. `http_code` 0: the one that OTLP has for the code; 429
// and 503 tell when to come again.
HttpOutcome RefusalOf(const Status& status, OtlpEncoding encoding, unsigned http_code = 0,
                      uint32_t retry_after_ms = 0);

}  // namespace larder
