// Heads and segments of given spans, and what a search over one finds.
#pragma once

#include <memory>
#include <vector>

#include "storage/model/query.h"
#include "storage/model/span.h"
#include "storage/segment/page/page_cache.h"
#include "storage/segment/source/span_source.h"

namespace larder {

// A head that holds the spans.
std::shared_ptr<const SpanSource> HeadOf(const std::vector<Span>& spans);
// The segment that such a head is sealed into. `cache` must outlive it.
std::shared_ptr<const SpanSource> SegmentOf(const std::vector<Span>& spans, PageCache* cache);

// All spans of a source, by row.
std::vector<Span> RowsOf(const SpanSource& source);

// The rows that a search finds, in ascending order.
Result<std::vector<uint32_t>> SearchedRows(const SpanSource& source, const FilterNode& filter,
                                           TimeRange range);

}  // namespace larder
