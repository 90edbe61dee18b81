// Which spans of a request a View has already, equal in every field: what is archived twice is
// stored once.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/model/table/span_table.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// A request without the spans that are known.
struct NewSpans {
  std::string otlp;  // empty: none is left
  uint32_t known_spans = 0;
  uint32_t rejected_spans = 0;  // neither: a table does not take them
  std::string first_rejection;
};

// Takes the request apart under the context's budget, and looks trace by trace at the spans that
// have the ids of the request's; those that cannot be read are not known. Nothing when no span is
// known: then the request is to be stored as it is. kInvalidArgument: it is not OTLP; and as the
// context ends a query.
Result<std::optional<NewSpans>> LeaveKnownOut(const View& view, TenantId tenant,
                                              std::string_view otlp, const AppendLimits& limits,
                                              QueryContext* context);

}  // namespace larder
