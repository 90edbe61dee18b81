#include "storage/query/traces/operations.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

namespace larder {

Result<std::vector<std::string>> OperationsTable::Services(const View& view, TenantId tenant,
                                                           QueryContext* context) {
  std::set<std::string, std::less<>> services;
  LARDER_RETURN_IF_ERROR(VisitHeads(view, tenant, context, [&](const ServiceOperation& operation) {
    if (!services.contains(operation.service)) services.emplace(operation.service);
  }));
  const MutexLock lock(mu_);
  LARDER_RETURN_IF_ERROR(Follow(view, tenant, context));
  const Counts& counts = tenants_[tenant].counts;
  constexpr int32_t kLastKind = std::numeric_limits<int32_t>::max();
  for (auto next = counts.begin(); next != counts.end();) {
    const std::string& service = next->first.service;
    services.insert(service);
    // To the next service; a service may have any number of operations.
    next = counts.lower_bound({service + '\0', {std::string(), -kLastKind - 1}});
  }
  services.erase(std::string());
  return std::vector<std::string>(services.begin(), services.end());
}

Result<std::vector<Operation>> OperationsTable::Operations(const View& view, TenantId tenant,
                                                           std::string_view service, int32_t kind,
                                                           QueryContext* context) {
  constexpr int32_t kAnyKind = -1;
  std::set<Operation> operations;
  if (service.empty()) return std::vector<Operation>();
  LARDER_RETURN_IF_ERROR(VisitHeads(view, tenant, context, [&](const ServiceOperation& found) {
    if (found.service == service) operations.insert({std::string(found.name), found.kind});
  }));
  {
    const MutexLock lock(mu_);
    LARDER_RETURN_IF_ERROR(Follow(view, tenant, context));
    const Counts& counts = tenants_[tenant].counts;
    constexpr int32_t kFirstKind = std::numeric_limits<int32_t>::min();
    const Key first{std::string(service), {std::string(), kFirstKind}};
    for (auto next = counts.lower_bound(first);
         next != counts.end() && next->first.service == service; ++next) {
      operations.insert(next->first.operation);
    }
  }
  std::vector<Operation> answer;
  for (const Operation& operation : operations) {
    if (kind == kAnyKind || operation.kind == kind) answer.push_back(operation);
  }
  return answer;
}

uint64_t OperationsTable::memory_bytes() const {
  const MutexLock lock(mu_);
  return memory_bytes_;
}

Status OperationsTable::VisitHeads(const View& view, TenantId tenant, QueryContext* context,
                                   const std::function<void(const ServiceOperation&)>& visit) {
  for (const SourceEntry& entry : view.entries) {
    if (entry.tenant != tenant || entry.segment != nullptr) continue;
    std::vector<ServiceOperation> found;
    LARDER_ASSIGN_OR_RETURN(const bool read,
                            context->Read(entry.name, entry.source->Operations(&found)));
    if (!read) continue;
    for (const ServiceOperation& operation : found) visit(operation);
  }
  return Status::Ok();
}

Status OperationsTable::Follow(const View& view, TenantId tenant, QueryContext* context) {
  Tenant& counted = tenants_[tenant];
  std::vector<uint64_t> kept;
  size_t known = 0;  // of them; one that cannot be read never is
  for (const SourceEntry& entry : view.entries) {
    if (entry.tenant != tenant || entry.segment == nullptr) continue;
    kept.push_back(entry.id);
    if (!counted.segments.contains(entry.id)) {
      LARDER_RETURN_IF_ERROR(context->Check());
      LARDER_RETURN_IF_ERROR(Count(entry, &counted, context));
    }
    known += counted.segments.count(entry.id);
  }
  if (known < counted.segments.size()) {
    std::sort(kept.begin(), kept.end());
    Forget(kept, &counted);
  }
  return Status::Ok();
}

Status OperationsTable::Count(const SourceEntry& entry, Tenant* counted, QueryContext* context) {
  std::vector<ServiceOperation> found;
  LARDER_ASSIGN_OR_RETURN(const bool read,
                          context->Read(entry.name, entry.source->Operations(&found)));
  if (!read) return Status::Ok();
  std::vector<Counts::iterator> of_segment;
  of_segment.reserve(found.size());
  for (const ServiceOperation& operation : found) {
    Key key{std::string(operation.service), {std::string(operation.name), operation.kind}};
    const auto [place, added] = counted->counts.try_emplace(std::move(key), 0);
    if (added) memory_bytes_ += sizeof(*place) + operation.service.size() + operation.name.size();
    ++place->second;
    of_segment.push_back(place);
  }
  memory_bytes_ += of_segment.size() * sizeof(Counts::iterator);
  counted->segments.emplace(entry.id, std::move(of_segment));
  return Status::Ok();
}

void OperationsTable::Forget(const std::vector<uint64_t>& kept, Tenant* counted) {
  for (auto segment = counted->segments.begin(); segment != counted->segments.end();) {
    if (std::binary_search(kept.begin(), kept.end(), segment->first)) {
      ++segment;
      continue;
    }
    memory_bytes_ -= segment->second.size() * sizeof(Counts::iterator);
    for (const Counts::iterator& place : segment->second) {
      if (--place->second > 0) continue;
      const Key& key = place->first;
      memory_bytes_ -= sizeof(*place) + key.service.size() + key.operation.name.size();
      counted->counts.erase(place);
    }
    segment = counted->segments.erase(segment);
  }
}

}  // namespace larder
