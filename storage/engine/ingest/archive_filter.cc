#include "storage/engine/ingest/archive_filter.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "storage/model/span.h"

namespace larder {
namespace {

// Removes from `spans` what `stored` has too.
void RemoveStored(const std::vector<Span>& stored, std::vector<Span>* spans) {
  std::multimap<SpanId, const Span*> by_id;
  for (const Span& span : stored) by_id.emplace(span.span_id, &span);
  std::erase_if(*spans, [&by_id](const Span& span) {
    const auto [begin, end] = by_id.equal_range(span.span_id);
    return std::any_of(begin, end, [&span](const auto& entry) { return *entry.second == span; });
  });
}

}  // namespace

std::optional<NewSpans> LeaveKnownOut(Store* store, TenantId tenant, std::string_view otlp) {
  auto decoded = DecodeSpans(otlp);
  if (!decoded.ok()) return std::nullopt;
  std::set<TraceId> ids;
  for (const Span& span : *decoded) ids.insert(span.trace_id);
  std::vector<Span> spans = *std::move(decoded);
  const size_t sent = spans.size();
  const auto cursor = store->GetTraces(tenant, {ids.begin(), ids.end()}, {});
  for (;;) {
    const auto chunk = cursor->Next();
    if (!chunk.ok()) return std::nullopt;
    if (chunk->end) break;
    const auto stored = DecodeSpans(chunk->traces_data);
    if (!stored.ok()) return std::nullopt;
    RemoveStored(*stored, &spans);
  }
  if (spans.size() == sent) return std::nullopt;
  NewSpans fresh;
  fresh.known_spans = static_cast<uint32_t>(sent - spans.size());
  if (!spans.empty()) fresh.otlp = EncodeSpans(spans);
  return fresh;
}

}  // namespace larder
