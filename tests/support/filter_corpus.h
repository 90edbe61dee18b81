// The eight spans on which the conformance cases of RFC 0005 and of Jaeger's legacy search are
// defined, with the names that the cases use: s11 s12 s13 (trace 1), s21 s22 (2), s31 (3), s41 (4),
// s51 (5).
#pragma once

#include <set>
#include <string>
#include <vector>

#include "storage/model/span.h"

namespace larder {

// 2026-08-16T10:00:00Z, the start of s11.
inline constexpr uint64_t kCorpusStartNs = 1'786'874'400'000'000'000;

std::vector<Span> FilterCorpus();
// The name of a span of the corpus, by its span id.
std::string CorpusName(const SpanId& id);

}  // namespace larder
