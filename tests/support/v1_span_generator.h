// Random spans of jaeger.api_v2, mostly with the tags that stand for fields of OTLP.
#pragma once

#include <cstdint>
#include <string>

#include <jaeger/api_v2/model.pb.h>

#include "tests/support/seed.h"

namespace larder {

enum class V1SpanKind : uint8_t {
  // Valid, and such that the translation to OTLP and back loses nothing: times that 64 bits of
  // nanoseconds hold, no tag that another one makes meaningless.
  kReversible,
  // Besides, without what Jaeger's own translation loses or renames (plugin/v1/to_otlp.h).
  kTranslatable,
};

jaeger::api_v2::Span RandomV1Span(Random* random, V1SpanKind kind = V1SpanKind::kReversible);

}  // namespace larder
