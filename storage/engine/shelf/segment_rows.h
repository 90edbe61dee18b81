// Rows of a segment as OTLP again, for merges.
#pragma once

#include "storage/base/status.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// Appends every row of `source` to `table`, unpublished.
Status CopyRows(const SpanSource& source, SpanTable* table);

}  // namespace larder
