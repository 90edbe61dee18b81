// From OTLP to spans of jaeger.api_v2: the mapping of the translator that Jaeger itself uses
// (opentelemetry-collector-contrib pkg/translator/jaeger, ProtoFromTraces; the warnings of jaeger's
// internal/storage/v2/v1adapter). What v1 has no place for (the attributes of scopes and links,
// dropped counts, schema URLs) is left out. Beyond that mapping:
//
//   - the sampled flag is kept, and what to_otlp.h put into kRestInOtlp comes back;
//   - an event that has a name and an attribute `event` shows both.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder::v1 {

// Walks the spans of a TracesData message. Not thread-safe.
class SpansFromOtlp {
 public:
  // `traces_data` must outlive this.
  explicit SpansFromOtlp(std::string_view traces_data);
  ~SpansFromOtlp();
  SpansFromOtlp(const SpansFromOtlp&) = delete;
  SpansFromOtlp& operator=(const SpansFromOtlp&) = delete;

  // Turns to the next span; false at the end. kDataLoss: the message is broken.
  Result<bool> Next();
  // The span at hand as a jaeger.api_v2.Span message, always with a Process. What would be larger
  // than `size_bytes_max` is cut, long values first, and a warning of the span says so. REQUIRES:
  // Next was true; at least 1 MiB.
  Result<std::string> Encode(size_t size_bytes_max = SIZE_MAX);

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace larder::v1
