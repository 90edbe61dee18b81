#include "storage/engine/trace_locator.h"

#include <utility>

namespace larder {

TraceLocator::TraceLocator(const View& view, TenantId tenant, QueryContext* context)
    : view_(view), context_(context) {
  for (uint32_t i = 0; i < view.entries.size(); ++i) {
    if (view.entries[i].tenant == tenant) asked_one_by_one_.push_back(i);
  }
}

Status TraceLocator::Locate(const TraceId& trace_id, std::vector<TracePlace>* places) {
  LARDER_RETURN_IF_ERROR(context_->Check());
  places->clear();
  std::vector<uint32_t> rows;
  for (const uint32_t i : asked_one_by_one_) {
    const SourceEntry& entry = view_.entries[i];
    rows.clear();
    LARDER_ASSIGN_OR_RETURN(const bool read,
                            context_->Read(entry.name, entry.source->FindTrace(trace_id, &rows)));
    if (read && !rows.empty()) places->push_back({i, std::move(rows)});
  }
  return Status::Ok();
}

}  // namespace larder
