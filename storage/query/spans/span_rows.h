// Reads spans that lie anywhere, whatever the order they are wanted in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/query/query_context.h"
#include "storage/query/view.h"

namespace larder {

// Where a span lies.
struct SpanPlace {
  uint32_t entry = 0;  // of View::entries
  uint32_t row = 0;
};

// Gets the number of a place, and its span as SpanSource::EncodeRows hands it out. Returns false to
// stop.
using PlaceVisitor = std::function<bool(size_t place, std::string_view resource_envelope,
                                        std::string_view scope_envelope, std::string_view span)>;

// Hands `visit` the spans at `places`, source by source and in row order, so that a page is decoded
// once. Places that cannot be read are gaps and not visited.
Status VisitPlaces(const View& view, const std::vector<SpanPlace>& places, QueryContext* context,
                   const PlaceVisitor& visit);

}  // namespace larder
