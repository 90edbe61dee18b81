#include "storage/query/traces/operations.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/query/faulty_source_for_test.h"
#include "storage/segment/segment_writer.h"
#include "tests/support/map_page_store.h"

namespace larder {
namespace {

class OperationsTest : public testing::Test {
 protected:
  // A segment with a span of the service.
  SourceEntry MakeSegment(uint64_t id, const std::string& service, const SourceFaults& faults) {
    auto resource = std::make_shared<Resource>();
    resource->attributes = {{"service.name", ValueType::kString, service}};
    Span span;
    span.trace_id.bytes[0] = 1;
    span.span_id.bytes[0] = 1;
    span.resource = resource;
    span.scope = std::make_shared<Scope>();
    SpanTable table;
    EXPECT_TRUE(table.Append(EncodeSpans({span}), {}).ok());
    table.Publish();
    MapPageStore pages;
    EXPECT_TRUE(WriteSegment(table, {}, {}, &pages).ok());
    SourceEntry entry;
    entry.id = id;
    entry.segment = Segment::Open(pages.Source(), &cache_).value();
    entry.source = std::make_shared<FaultySource>(entry.segment, faults);
    return entry;
  }
  std::vector<std::string> Services(std::vector<SourceEntry> entries) {
    View view;
    view.entries = std::move(entries);
    QueryContext context(QueryBounds(), {});
    const QueryContext::Work work(&context);
    return table_.Services(view, 0, &context).value();
  }

  PageCache cache_{16 << 20};
  OperationsTable table_;
};

// One that cannot be read is in the View and not among what is counted: in numbers the two agree.
TEST_F(OperationsTest, ADroppedSegmentGoesWhileAnotherCannotBeRead) {
  const SourceEntry kept = MakeSegment(1, "kept", {});
  const SourceEntry dropped = MakeSegment(2, "dropped", {});
  const SourceEntry broken = MakeSegment(3, "broken", {.operations = true});
  EXPECT_EQ(Services({kept, dropped, broken}), (std::vector<std::string>{"dropped", "kept"}));
  EXPECT_EQ(Services({kept, broken}), std::vector<std::string>{"kept"});
}

}  // namespace
}  // namespace larder
