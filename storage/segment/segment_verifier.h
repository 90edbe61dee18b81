// Looks at every page of a segment.
#pragma once

#include <string>
#include <vector>

#include "storage/base/status.h"
#include "storage/segment/page/page_store.h"
#include "storage/segment/reader/columns_reader.h"

namespace larder {

// Appends a line for each page that cannot be read, whose checksum is wrong, or that does not agree
// with the others. Reads everything anew, past the cache that `columns` uses. A failure other than
// kDataLoss ends it.
Status VerifySegment(const PageSource* source, const ColumnsReader& columns,
                     std::vector<std::string>* faults);

}  // namespace larder
