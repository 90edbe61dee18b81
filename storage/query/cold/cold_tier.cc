#include "storage/query/cold/cold_tier.h"

#include <algorithm>
#include <charconv>
#include <cinttypes>
#include <cstdio>

namespace larder {

std::string PackName(const ColdScope& scope, const PackId& pack) {
  char name[128];
  std::snprintf(name, sizeof name,
                "larder-%016" PRIx64 "-%" PRIu64 "-%" PRIu32 "-%" PRIu64 "-%" PRIu32, scope.store,
                scope.partition, scope.tenant, pack.segment, pack.first_row);
  return name;
}

bool ParsePackName(const ColdScope& scope, std::string_view name, PackId* pack) {
  std::string prefix = PackName(scope, {});
  prefix.resize(prefix.size() - std::string_view("0-0").size());
  if (!name.starts_with(prefix)) return false;
  const char* const end = name.data() + name.size();
  const auto segment = std::from_chars(name.data() + prefix.size(), end, pack->segment);
  if (segment.ec != std::errc() || segment.ptr == end || *segment.ptr != '-') return false;
  const auto row = std::from_chars(segment.ptr + 1, end, pack->first_row);
  return row.ec == std::errc() && (row.ptr == end || *row.ptr == '-');
}

bool ColdScope::Has(uint64_t segment) const {
  return segments == nullptr ||
         std::find(segments->begin(), segments->end(), segment) != segments->end();
}

}  // namespace larder
