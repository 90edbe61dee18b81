// Rows of a source as OTLP again, for merges and for copies of what lies in the cold tier.
#pragma once

#include <cstdint>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// Appends every row of `source` to `table`, unpublished.
Status CopyRows(const SpanSource& source, SpanTable* table);
// Only those.
Status CopyRows(const SpanSource& source, const std::vector<uint32_t>& rows, SpanTable* table);

}  // namespace larder
