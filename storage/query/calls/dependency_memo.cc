#include "storage/query/calls/dependency_memo.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <tuple>
#include <utility>

#include "storage/base/coding.h"
#include "storage/query/trace_facts.h"

namespace larder {

void WantedSpans::Reset(size_t count) {
  // Eight bits for each: one span in eight or so is asked for in vain.
  bits_.assign(std::max(kWordsMin, std::bit_ceil(count / 8 + 1)), 0);
}

uint64_t WantedSpans::BitOf(const TraceId& trace_id, const SpanId& span_id) const {
  const uint64_t mixed =
      TraceIdHash(trace_id) ^
      (LoadFixed64(reinterpret_cast<const char*>(span_id.bytes.data())) * 0x9e3779b97f4a7c15);
  return (mixed ^ (mixed >> 32)) & (bits_.size() * 64 - 1);
}

// Finds spans by id in several units, one trace after the other.
class DependencyMemo::ParentFinder {
 public:
  ParentFinder(const View& view, std::vector<const CallUnit*> units, QueryContext* context)
      : view_(view), units_(std::move(units)), context_(context), facts_(units_.size()) {}

  struct Parent {
    uint64_t unit_id = 0;
    std::string_view service;
  };

  // The first unit that has the child's parent; nothing when none has.
  Result<std::optional<Parent>> Find(const OpenChild& child) {
    if (child.trace_id != trace_id_) {
      trace_id_ = child.trace_id;
      for (auto& facts : facts_) facts.reset();
    }
    for (size_t i = 0; i < units_.size(); ++i) {
      if (!facts_[i].has_value()) LARDER_RETURN_IF_ERROR(Load(i));
      const SpanFacts* parent = nullptr;
      for (const SpanFacts& span : *facts_[i]) {
        if (span.span_id != child.parent_span_id) continue;
        const bool is_first = parent == nullptr || std::tie(span.start_ns, span.service) <
                                                       std::tie(parent->start_ns, parent->service);
        if (is_first) parent = &span;
      }
      if (parent != nullptr) return std::optional<Parent>({units_[i]->id, parent->service});
    }
    return std::optional<Parent>();
  }

 private:
  Status Load(size_t unit) {
    facts_[unit].emplace();
    places_.clear();
    const Status located = LocateInUnit(view_, *units_[unit], trace_id_, &places_);
    LARDER_RETURN_IF_ERROR(context_->Read(units_[unit]->Name(view_), located).status());
    return VisitTraceFacts(view_, places_, context_,
                           [&](uint32_t /*place*/, const SpanFacts& span) {
                             facts_[unit]->push_back(span);
                             return Status::Ok();
                           });
  }

  const View& view_;
  const std::vector<const CallUnit*> units_;
  QueryContext* const context_;
  TraceId trace_id_;
  std::vector<std::optional<std::vector<SpanFacts>>> facts_;  // of trace_id_, by unit
  std::vector<TracePlace> places_;
};

Status DependencyMemo::Follow(const View& view, TenantId tenant, QueryContext* context) {
  units_ = MakeCallUnits(view, tenant, broken_);
  for (size_t i = 0; i < units_.size(); ++i) {
    if (known_.contains(units_[i].id)) continue;
    LARDER_RETURN_IF_ERROR(Learn(view, units_[i], context));
    const bool index_is_broken = units_[i].index != nullptr && !known_.contains(units_[i].id);
    if (!index_is_broken) continue;
    broken_.insert(units_[i].id);
    return Follow(view, tenant, context);
  }
  if (Forget()) wanted_is_current_ = false;
  for (const CallUnit& unit : units_) {
    if (known_.contains(unit.id)) LARDER_RETURN_IF_ERROR(Join(view, unit, context));
  }
  return wanted_is_current_ ? Status::Ok() : GatherWanted(view, context);
}

const DependencyMemo::Unit* DependencyMemo::Find(uint64_t unit_id) const {
  const auto found = known_.find(unit_id);
  return found == known_.end() ? nullptr : &found->second;
}

uint64_t DependencyMemo::memory_bytes() const {
  uint64_t bytes = pairs_.memory_bytes() + wanted_.memory_bytes();
  for (const auto& [id, unit] : known_) {
    bytes += sizeof(unit) + unit.minutes.capacity() * sizeof(MinuteCalls) +
             unit.totals.capacity() * sizeof(CallCount) +
             unit.joined.capacity() * sizeof(JoinedCall) + unit.has_parent.capacity() / 8 +
             (unit.parents_in.size() + unit.searched.size()) * 32;
  }
  return bytes;
}

bool DependencyMemo::Forget() {
  std::unordered_set<uint64_t> kept;
  for (const CallUnit& unit : units_) kept.insert(unit.id);
  const auto is_gone = [&kept](uint64_t id) { return !kept.contains(id); };
  if (std::erase_if(known_, [&](const auto& known) { return is_gone(known.first); }) == 0) {
    return false;
  }
  for (auto& [id, unit] : known_) {
    std::erase_if(unit.searched, is_gone);
    if (std::none_of(unit.parents_in.begin(), unit.parents_in.end(), is_gone)) continue;
    unit.joined.clear();
    unit.has_parent.clear();
    unit.parents_in.clear();
    unit.searched.clear();
  }
  return true;
}

Status DependencyMemo::Learn(const View& view, const CallUnit& unit, QueryContext* context) {
  LARDER_RETURN_IF_ERROR(context->Check());
  std::vector<EdgeCount> edges;
  const Status status = ReadEdges(view, unit, &edges);
  LARDER_ASSIGN_OR_RETURN(const bool read, context->Read(unit.Name(view), status));
  if (!read) return Status::Ok();
  Unit learned;
  std::unordered_map<CallId, uint64_t> totals;
  for (const EdgeCount& edge : edges) {
    if (edge.parent.empty() || edge.child.empty()) continue;
    const CallId call = pairs_.IdOf(edge.parent, edge.child);
    learned.minutes.push_back({edge.minute, {call, edge.count}});
    totals[call] += edge.count;
  }
  for (const auto& [call, count] : totals) learned.totals.push_back({call, count});
  known_.emplace(unit.id, std::move(learned));
  wanted_is_current_ = false;
  return Status::Ok();
}

Status DependencyMemo::Join(const View& view, const CallUnit& unit, QueryContext* context) {
  Unit& known = known_.find(unit.id)->second;
  std::vector<const CallUnit*> others;
  for (const CallUnit& other : units_) {
    if (other.id != unit.id && !known.searched.contains(other.id)) others.push_back(&other);
  }
  if (others.empty()) return Status::Ok();
  // Nearest first: most parents came shortly before or after.
  const auto distance = [&unit](const CallUnit* other) {
    return std::abs(int64_t{other->entries.front()} - int64_t{unit.entries.front()});
  };
  std::sort(others.begin(), others.end(),
            [&](const CallUnit* a, const CallUnit* b) { return distance(a) < distance(b); });

  const uint64_t failed_reads = context->failed_reads();
  ParentFinder parents(view, others, context);
  Unit joined = known;
  size_t next = 0;
  const Status visited = VisitOpenChildren(view, unit, [&](const OpenChild& child) -> Status {
    const size_t number = next++;
    if (number == joined.has_parent.size()) joined.has_parent.push_back(false);
    if (joined.has_parent[number] || child.service.empty()) return Status::Ok();
    LARDER_RETURN_IF_ERROR(context->Check());
    LARDER_ASSIGN_OR_RETURN(const auto parent, parents.Find(child));
    if (!parent) return Status::Ok();
    joined.has_parent[number] = true;
    joined.parents_in.insert(parent->unit_id);
    if (parent->service.empty() || parent->service == child.service) return Status::Ok();
    joined.joined.push_back({child.start_ns, pairs_.IdOf(parent->service, child.service)});
    return Status::Ok();
  });
  LARDER_RETURN_IF_ERROR(context->Read(unit.Name(view), visited).status());
  // With a gap the search is not over: the next query looks again, and finds the gap again.
  if (context->failed_reads() != failed_reads) return Status::Ok();
  for (const CallUnit* other : others) joined.searched.insert(other->id);
  known = std::move(joined);
  wanted_is_current_ = false;
  return Status::Ok();
}

Status DependencyMemo::GatherWanted(const View& view, QueryContext* context) {
  size_t count = 0;
  for (const auto& [id, unit] : known_) {
    count += static_cast<size_t>(std::count(unit.has_parent.begin(), unit.has_parent.end(), false));
  }
  wanted_.Reset(count);
  for (const CallUnit& unit : units_) {
    const auto known = known_.find(unit.id);
    if (known == known_.end()) continue;
    const std::vector<bool>& has_parent = known->second.has_parent;
    size_t next = 0;
    const Status visited = VisitOpenChildren(view, unit, [&](const OpenChild& child) {
      const size_t number = next++;
      if (number < has_parent.size() && has_parent[number]) return Status::Ok();
      wanted_.Add(child.trace_id, child.parent_span_id);
      return Status::Ok();
    });
    LARDER_RETURN_IF_ERROR(context->Read(unit.Name(view), visited).status());
  }
  wanted_is_current_ = true;
  return Status::Ok();
}

}  // namespace larder
