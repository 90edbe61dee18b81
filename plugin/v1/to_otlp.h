// From a span of jaeger.api_v2 to OTLP: the mapping of the translator that Jaeger itself uses
// (opentelemetry-collector-contrib pkg/translator/jaeger, ProtoToTraces; the warnings of jaeger's
// internal/jptrace), except where that would lose what from_otlp.h can give back:
//
//   - flags, the process id and unknown fields stay (kRestInOtlp); the sampled flag is OTLP's;
//   - a repeated key stays repeated;
//   - a tag of a special key whose value no field of OTLP can hold stays a tag;
//   - the process tags hostname and jaeger.version keep their names;
//   - the tags of a process that has no service name stay;
//   - a reference of type CHILD_OF into another trace is a link even if its span id is the
//   parent's.
//
// A time that is not set is 0 instead of a year that 64 bits of nanoseconds cannot count.
#pragma once

#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder::v1 {

// What TracesDataWriter takes: equal processes and scopes give equal envelopes.
struct OtlpSpan {
  std::string resource;  // ResourceSpans without ScopeSpans
  std::string scope;     // ScopeSpans without Spans
  std::string span;      // Span
};

// `message` is a jaeger.api_v2.Span. kInvalidArgument: broken protobuf, or an id that is all zero
// or of a wrong length.
Result<OtlpSpan> ToOtlp(std::string_view message);

}  // namespace larder::v1
