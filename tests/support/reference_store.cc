#include "tests/support/reference_store.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "tests/support/reference_evaluator.h"

namespace larder {
namespace {

// Whether `a` comes before `b` where one span must stand for several: the earlier start, then the
// smaller names.
bool ComesFirst(const Span& a, const Span& b) {
  return std::make_tuple(a.start_ns, a.resource->service(), std::string_view(a.name)) <
         std::make_tuple(b.start_ns, b.resource->service(), std::string_view(b.name));
}

const Span* FindParent(const std::vector<Span>& trace, const SpanId& id) {
  const Span* parent = nullptr;
  for (const Span& span : trace) {
    if (span.span_id != id) continue;
    if (parent == nullptr || ComesFirst(span, *parent)) parent = &span;
  }
  return parent;
}

}  // namespace

SpanKey KeyOf(const Span& span) {
  return {span.start_ns, static_cast<int64_t>(span.end_ns - span.start_ns), span.trace_id,
          span.span_id};
}

void ReferenceStore::Add(const std::vector<Span>& spans) {
  for (const Span& span : spans) {
    std::vector<Span>& trace = traces_[span.trace_id];
    if (std::find(trace.begin(), trace.end(), span) == trace.end()) trace.push_back(span);
  }
}

Status ReferenceStore::AddRequest(std::string_view request) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<Span> spans, DecodeSpans(request));
  std::vector<Span> accepted;
  for (const Span& span : spans) {
    if (!span.trace_id.is_zero() && !span.span_id.is_zero()) accepted.push_back(span);
  }
  Add(accepted);
  return Status::Ok();
}

std::vector<FoundTrace> ReferenceStore::Find(const TraceQuery& query) const {
  std::vector<FoundTrace> found;
  for (const auto& [id, spans] : traces_) {
    FoundTrace trace{.trace_id = id, .min_start_ns = UINT64_MAX};
    bool matches = false;
    for (const Span& span : spans) {
      trace.min_start_ns = std::min(trace.min_start_ns, span.start_ns);
      trace.max_end_ns = std::max(trace.max_end_ns, span.end_ns);
      if (!query.start.contains(span.start_ns) || !ReferenceMatches(query.filter, span)) continue;
      matches = true;
      trace.latest_match_ns = std::max(trace.latest_match_ns, span.start_ns);
    }
    if (matches) found.push_back(trace);
  }
  std::sort(found.begin(), found.end(), [](const FoundTrace& a, const FoundTrace& b) {
    if (a.latest_match_ns != b.latest_match_ns) return a.latest_match_ns > b.latest_match_ns;
    return a.trace_id < b.trace_id;
  });
  if (found.size() > query.depth) found.resize(query.depth);
  return found;
}

std::vector<Span> ReferenceStore::FindSpans(const SpanQuery& query) const {
  std::vector<Span> found;
  for (const auto& [id, spans] : traces_) {
    for (const Span& span : spans) {
      if (!query.start.contains(span.start_ns)) continue;
      if (ReferenceMatches(query.filter, span)) found.push_back(span);
    }
  }
  const SpanOrder order(query.order);
  std::stable_sort(found.begin(), found.end(), [&](const Span& a, const Span& b) {
    return order.Compare(KeyOf(a), KeyOf(b)) < 0;
  });
  return found;
}

const std::vector<Span>& ReferenceStore::Trace(const TraceId& trace_id) const {
  static const std::vector<Span> kNone;
  const auto trace = traces_.find(trace_id);
  return trace == traces_.end() ? kNone : trace->second;
}

std::vector<std::string> ReferenceStore::Services() const {
  std::set<std::string> services;
  for (const auto& [id, spans] : traces_) {
    for (const Span& span : spans) services.emplace(span.resource->service());
  }
  services.erase("");
  return {services.begin(), services.end()};
}

std::vector<Operation> ReferenceStore::Operations(std::string_view service, int32_t kind) const {
  std::set<Operation> operations;
  if (service.empty()) return {};
  for (const auto& [id, spans] : traces_) {
    for (const Span& span : spans) {
      if (span.resource->service() != service || (kind != -1 && span.kind != kind)) continue;
      operations.insert({span.name, span.kind});
    }
  }
  return {operations.begin(), operations.end()};
}

std::vector<Dependency> ReferenceStore::Dependencies(TimeRange child_start) const {
  std::map<std::pair<std::string, std::string>, uint64_t> calls;
  for (const auto& [id, spans] : traces_) {
    for (const Span& span : spans) {
      if (!child_start.contains(span.start_ns) || span.parent_span_id.is_zero()) continue;
      const Span* parent = FindParent(spans, span.parent_span_id);
      if (parent == nullptr) continue;
      const std::string from(parent->resource->service());
      const std::string to(span.resource->service());
      if (!from.empty() && !to.empty() && from != to) ++calls[{from, to}];
    }
  }
  std::vector<Dependency> dependencies;
  for (const auto& [edge, count] : calls) dependencies.push_back({edge.first, edge.second, count});
  return dependencies;
}

uint64_t ReferenceStore::span_count() const {
  uint64_t count = 0;
  for (const auto& [id, spans] : traces_) count += spans.size();
  return count;
}

}  // namespace larder
