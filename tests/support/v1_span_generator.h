// Random spans of jaeger.api_v2, mostly with the tags that stand for fields of OTLP.
#pragma once

#include <string>

#include <jaeger/api_v2/model.pb.h>

#include "tests/support/seed.h"

namespace larder {

// Valid, and such that the translation to OTLP and back loses nothing: times that 64 bits of
// nanoseconds hold, no tag that another one makes meaningless.
jaeger::api_v2::Span RandomV1Span(Random* random);

}  // namespace larder
