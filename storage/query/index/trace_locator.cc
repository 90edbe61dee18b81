#include "storage/query/index/trace_locator.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "storage/base/log.h"
#include "storage/query/index/call_units.h"

namespace larder {

TraceLocator::TraceLocator(const View& view, TenantId tenant, QueryContext* context)
    : view_(view), context_(context) {
  for (const CallUnit& unit : MakeCallUnits(view, tenant, {})) {
    if (unit.index == nullptr) {
      asked_one_by_one_.push_back(unit.entries.front());
    } else {
      indexes_.push_back({unit.index.get(), unit.entries});
    }
  }
  for (uint32_t i = 0; i < view.entries.size(); ++i) {
    const SourceEntry& entry = view.entries[i];
    if (entry.tenant == tenant && entry.segment == nullptr) asked_one_by_one_.push_back(i);
  }
}

void TraceLocator::FindCandidates(const TraceId& trace_id) {
  candidates_ = asked_one_by_one_;
  std::vector<uint32_t> segments;
  for (const Index& index : indexes_) {
    segments.clear();
    const Status status = index.index->FindTrace(trace_id, &segments);
    if (status.ok()) {
      for (const uint32_t segment : segments) candidates_.push_back(index.entries[segment]);
    } else {
      // Nothing is lost: the segments know their traces themselves.
      Log(LogLevel::kWarning, "a partition index cannot be read, asking its segments",
          {{"reason", status.ToString()}});
      candidates_.insert(candidates_.end(), index.entries.begin(), index.entries.end());
    }
  }
  std::sort(candidates_.begin(), candidates_.end());
}

Status TraceLocator::Locate(const TraceId& trace_id, std::vector<TracePlace>* places) {
  LARDER_RETURN_IF_ERROR(context_->Check());
  places->clear();
  FindCandidates(trace_id);
  std::vector<uint32_t> rows;
  for (const uint32_t i : candidates_) {
    const SourceEntry& entry = view_.entries[i];
    rows.clear();
    LARDER_ASSIGN_OR_RETURN(const bool read,
                            context_->Read(entry.name, entry.source->FindTrace(trace_id, &rows)));
    if (read && !rows.empty()) places->push_back({i, std::move(rows)});
  }
  return Status::Ok();
}

}  // namespace larder
