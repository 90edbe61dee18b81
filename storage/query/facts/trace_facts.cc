#include "storage/query/facts/trace_facts.h"

#include <algorithm>

#include "storage/query/facts/span_content.h"

namespace larder {
namespace {

class HashVisitor : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t /*row*/, std::string_view resource_envelope, std::string_view scope_envelope,
             std::string_view span) override {
    hash_ = SpanContentHash(resource_envelope, scope_envelope, span);
    return false;
  }
  const Hash128& hash() const { return hash_; }

 private:
  Hash128 hash_;
};

}  // namespace

Status VisitTraceFacts(const View& view, const std::vector<TracePlace>& places,
                       QueryContext* context,
                       const std::function<Status(uint32_t place, const SpanFacts& facts)>& visit) {
  std::vector<uint32_t> rows;
  std::vector<SpanFacts> facts;
  for (uint32_t i = 0; i < places.size(); ++i) {
    const SourceEntry& entry = view.entries[places[i].entry];
    const std::vector<uint32_t>& all = places[i].rows;
    for (size_t first = 0; first < all.size(); first += kBlockRows) {
      LARDER_RETURN_IF_ERROR(context->Check());
      const size_t last = std::min<size_t>(first + kBlockRows, all.size());
      rows.assign(all.begin() + static_cast<std::ptrdiff_t>(first),
                  all.begin() + static_cast<std::ptrdiff_t>(last));
      facts.clear();
      LARDER_ASSIGN_OR_RETURN(const bool read,
                              context->Read(entry.name, entry.source->Facts(rows, &facts)));
      if (!read) continue;
      for (const SpanFacts& fact : facts) LARDER_RETURN_IF_ERROR(visit(i, fact));
    }
  }
  return Status::Ok();
}

Status FindRepeats(const View& view, const std::vector<TracePlace>& places,
                   const std::vector<SpanRef>& spans, QueryContext* context,
                   std::vector<SpanRef>* repeats) {
  ContentSet seen;  // content holds the span id, so one set serves all of them
  for (size_t i = 0; i < spans.size(); ++i) {
    const bool shares_id = (i > 0 && spans[i - 1].span_id == spans[i].span_id) ||
                           (i + 1 < spans.size() && spans[i + 1].span_id == spans[i].span_id);
    if (!shares_id) continue;
    LARDER_RETURN_IF_ERROR(context->Check());
    const SourceEntry& entry = view.entries[places[spans[i].place].entry];
    HashVisitor visitor;
    LARDER_ASSIGN_OR_RETURN(
        const bool read,
        context->Read(entry.name, entry.source->EncodeRows({spans[i].row}, &visitor)));
    if (read && !seen.Insert(visitor.hash())) repeats->push_back(spans[i]);
  }
  return Status::Ok();
}

}  // namespace larder
