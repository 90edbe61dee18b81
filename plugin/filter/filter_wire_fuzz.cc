// Any bytes as a filter: refused as an argument, or a tree that compiles and answers about a span.
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "plugin/filter/filter_wire.h"
#include "storage/base/check.h"
#include "storage/model/table/span_filter.h"

namespace {

using larder::AttributeView;
using larder::ValueType;

constexpr std::string_view kOne("\1\0\0\0\0\0\0\0", 8);  // an int
constexpr AttributeView kOfSpan[] = {{"a", ValueType::kString, "The lazy dog"},
                                     {"b", ValueType::kBool, kOne.substr(0, 1)},
                                     {"c", ValueType::kInt, kOne}};
constexpr AttributeView kOfRest[] = {{"a", ValueType::kString, "x"}};

// A span with one of everything that filters name.
bool Matches(const larder::SpanFilter& filter) {
  larder::ResourceView resource;
  resource.service = "worker";
  resource.attributes = kOfRest;
  larder::ScopeView scope;
  scope.name = "lib";
  scope.attributes = kOfRest;
  larder::EventView event;
  event.name = "event";
  event.attributes = kOfRest;
  larder::LinkView link;
  link.trace_state = "state";
  link.attributes = kOfRest;
  larder::SpanView span;
  span.end_ns = 1;
  span.name = "GET /";
  span.attributes = kOfSpan;
  span.resource = &resource;
  span.scope = &scope;
  span.events = std::span(&event, 1);
  span.links = std::span(&link, 1);
  return filter.Matches(span);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto filter =
      larder::ParseFilter(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!filter.ok()) {
    LARDER_CHECK(filter.status().code() == larder::StatusCode::kInvalidArgument);
    LARDER_CHECK(filter.status().message().starts_with("filter"));
    return 0;
  }
  const auto compiled = larder::SpanFilter::Compile(*filter);
  LARDER_CHECK(compiled.ok());
  (void)Matches(*compiled);
  return 0;
}
