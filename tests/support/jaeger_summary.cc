#include "tests/support/jaeger_summary.h"

#include <algorithm>
#include <map>

namespace larder {
namespace {

constexpr int32_t kServer = 2;
constexpr int32_t kClient = 3;
constexpr int32_t kError = 2;

std::vector<Span> WithoutRepeats(const std::vector<Span>& spans) {
  std::vector<Span> kept;
  for (const Span& span : spans) {
    if (std::find(kept.begin(), kept.end(), span) == kept.end()) kept.push_back(span);
  }
  return kept;
}

bool HasId(const std::vector<Span>& spans, const SpanId& id) {
  return std::any_of(spans.begin(), spans.end(),
                     [&](const Span& span) { return span.span_id == id; });
}

SpanId UnusedId(const std::vector<Span>& spans) {
  for (SpanId id;; ++id.bytes[7] == 0 ? ++id.bytes[6] : id.bytes[6]) {
    if (!id.is_zero() && !HasId(spans, id)) return id;
  }
}

// Jaeger's SpanIDUniquifier.
void MakeServerIdsUnique(std::vector<Span>* spans) {
  std::set<SpanId> of_clients;
  for (const Span& span : *spans) {
    if (span.kind == kClient) of_clients.insert(span.span_id);
  }
  std::map<SpanId, SpanId> new_ids;
  for (Span& span : *spans) {
    if (span.kind != kServer || !of_clients.contains(span.span_id)) continue;
    const SpanId shared = span.span_id;
    span.span_id = UnusedId(*spans);
    span.parent_span_id = shared;
    new_ids[shared] = span.span_id;
  }
  for (Span& span : *spans) {
    const auto id = new_ids.find(span.parent_span_id);
    if (id != new_ids.end() && id->second != span.span_id) span.parent_span_id = id->second;
  }
}

}  // namespace

JaegerSummary SummariseAsJaeger(const std::vector<Span>& answered) {
  std::vector<Span> spans = WithoutRepeats(answered);
  MakeServerIdsUnique(&spans);
  JaegerSummary made;
  TraceSummary& summary = made.summary;
  summary.min_start_ns = UINT64_MAX;
  const Span* root = nullptr;
  std::map<std::string, ServiceSummary> services;
  for (const Span& span : spans) {
    summary.trace_id = span.trace_id;
    summary.min_start_ns = std::min(summary.min_start_ns, span.start_ns);
    summary.max_end_ns = std::max(summary.max_end_ns, span.end_ns);
    ServiceSummary& service = services[std::string(span.resource->service())];
    const uint32_t failed = span.status_code == kError ? 1 : 0;
    ++summary.span_count;
    summary.error_span_count += failed;
    ++service.span_count;
    service.error_span_count += failed;
    if (!span.parent_span_id.is_zero()) {
      if (!HasId(spans, span.parent_span_id)) ++summary.orphan_span_count;
      continue;
    }
    if (root == nullptr || span.start_ns < root->start_ns) {
      root = &span;
      made.roots.clear();
    }
    if (span.start_ns == root->start_ns) {
      made.roots.emplace(std::string(span.resource->service()), span.name);
    }
  }
  if (root != nullptr) {
    summary.root_service = root->resource->service();
    summary.root_operation = root->name;
  }
  for (auto& [name, service] : services) {
    service.service = name;
    summary.services.push_back(service);
  }
  return made;
}

}  // namespace larder
