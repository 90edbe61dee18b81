// Any bytes as any request: refused as an argument, or read to something that can be asked.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "plugin/paging/span_search.h"
#include "plugin/services/requests.h"
#include "storage/base/check.h"
#include "storage/model/table/span_filter.h"

namespace {

template <typename T>
bool IsRead(const larder::Result<T>& request) {
  if (request.ok()) return true;
  LARDER_CHECK(request.status().code() == larder::StatusCode::kInvalidArgument);
  LARDER_CHECK(!request.status().message().empty());
  return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint32_t kDepthMax = 1000;
  const std::string_view message(reinterpret_cast<const char*>(data), size);
  constexpr larder::SearchLimits kLimits{.depth_max = kDepthMax, .page_size_max = kDepthMax};
  if (const auto search = larder::ParseTraceSearch(message, 0, kLimits); IsRead(search)) {
    LARDER_CHECK(search->query.depth > 0);
    LARDER_CHECK(search->query.depth <= kDepthMax);
    LARDER_CHECK(larder::SpanFilter::Compile(search->query.filter).ok());
  }
  if (const auto search = larder::ParseFindSpans(message, 0, kDepthMax); IsRead(search)) {
    LARDER_CHECK(search->query.page_size > 0);
    LARDER_CHECK(search->query.page_size <= kDepthMax);
    LARDER_CHECK(larder::SpanFilter::Compile(search->query.filter).ok());
  }
  (void)IsRead(larder::ParseGetTraces(message));
  (void)IsRead(larder::ParseGetOperations(message));
  (void)IsRead(larder::ParseGetDependencies(message));
  return 0;
}
