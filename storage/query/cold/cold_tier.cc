#include "storage/query/cold/cold_tier.h"

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

}  // namespace larder
