// Filters that name the traces they are about: a look-up by key instead of a search.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/filter.h"
#include "storage/model/ids.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// More traces than this are searched for rather than looked up.
inline constexpr size_t kNamedTracesMax = 1000;

// The traces outside of which no span satisfies `filter`; nothing when it does not say, or names
// more than kNamedTracesMax.
std::optional<std::set<TraceId>> NamedTraces(const FilterNode& filter);
// The same for span ids.
std::optional<std::set<SpanId>> NamedSpans(const FilterNode& filter);

// The blocks where the spans of a filter's named traces lie.
class NamedPlaces {
 public:
  // A source that cannot be asked is a gap.
  static Result<NamedPlaces> Find(const View& view, TenantId tenant, const FilterNode& filter,
                                  QueryContext* context);

  // Whether the filter names traces. If not, all blocks count.
  bool any_named() const { return any_named_; }
  bool has_entry(uint32_t entry) const { return !any_named_ || blocks_.contains(entry); }
  bool has_block(uint32_t entry, uint32_t block) const;

 private:
  bool any_named_ = false;
  std::map<uint32_t, std::set<uint32_t>> blocks_;  // by entry
};

}  // namespace larder
