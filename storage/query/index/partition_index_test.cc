#include "storage/query/index/partition_index.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/query/edges/trace_edges.h"
#include "storage/query/index/partition_index_format.h"
#include "storage/query/query_context.h"
#include "storage/segment/encoding/numbered_calls.h"
#include "storage/segment/page/page_writer.h"
#include "tests/differential/span_maker.h"
#include "tests/support/hex_examples.h"
#include "tests/support/map_page_store.h"
#include "tests/support/stored_segment.h"

namespace larder {
namespace {

constexpr uint64_t kMinuteNs = 60'000'000'000;

std::string Hex(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    char digits[4];
    std::snprintf(digits, sizeof digits, "%02x ",
                  static_cast<unsigned>(static_cast<uint8_t>(byte)));
    text += digits;
  }
  return text;
}

TEST(PartitionIndexFormat, ThePageTellsTheTruth) {
  const auto examples =
      HexExamples(std::string(LARDER_SOURCE_DIR) + "/storage/query/index/PARTITION.md");
  ASSERT_EQ(examples.size(), 2u);

  PartitionIndexHeader header;
  header.index_id = 9;
  header.segment_ids = {41, 42};
  header.shards = {1, {1, 2}};
  header.services = {"front", "pay"};
  header.edge_pages = 1;
  EXPECT_EQ(examples[0], EncodeIndexHeader(header)) << Hex(EncodeIndexHeader(header));
  uint32_t version = 0;
  PartitionIndexHeader decoded;
  ASSERT_TRUE(DecodeIndexHeader(examples[0], &version, &decoded));
  EXPECT_EQ(decoded.segment_ids, header.segment_ids);
  EXPECT_EQ(decoded.services, header.services);

  const std::vector<NumberedCall> calls = {{100, 0, 1, 7}, {101, 0, 1, 2}};
  std::string body;
  EncodeNumberedCalls(calls, &body);
  EXPECT_EQ(examples[1], body) << Hex(body);
  std::vector<NumberedCall> decoded_calls;
  ByteReader in(examples[1]);
  ASSERT_TRUE(DecodeNumberedCalls(&in, 2, &decoded_calls));
  EXPECT_EQ(decoded_calls, calls);
}

TEST(PartitionIndexFormat, NothingShorterOrLongerDecodes) {
  PartitionIndexHeader header;
  header.segment_ids = {1};
  header.shards.chunk_counts = {1};
  header.services = {"a"};
  const std::string body = EncodeIndexHeader(header);
  const auto decodes = [](std::string_view bytes) {
    uint32_t version = 0;
    PartitionIndexHeader decoded;
    return DecodeIndexHeader(bytes, &version, &decoded);
  };
  EXPECT_TRUE(decodes(body));
  EXPECT_FALSE(decodes(body + "x"));
  for (size_t size = 0; size < body.size(); ++size) {
    EXPECT_FALSE(decodes(body.substr(0, size))) << size;
  }
}

class PartitionIndexTest : public testing::Test {
 protected:
  PartitionIndexTest() : random_(TestSeed()), cache_(1 << 20) {}

  // `count` segments with random shares of random traces, some spans in several.
  void WriteSegments(size_t count, int requests) {
    SpanMaker maker(&random_, {.reuse_span_ids = true});
    std::vector<SpanTable> tables(count);
    for (int i = 0; i < requests; ++i) {
      const std::string request = EncodeSpans(maker.Request());
      do {
        ASSERT_TRUE(tables[random_.Below(count)].Append(request, AppendLimits()).ok());
      } while (random_.OneIn(5));
    }
    for (SpanTable& table : tables) {
      table.Publish();
      if (table.published_rows() > 0) AddSegment(table);
    }
  }

  void AddSegment(const SpanTable& table) {
    SourceEntry entry;
    entry.id = 100 + view_.entries.size();
    entry.name = "segment " + std::to_string(entry.id);
    entry.segment = StoreSegment(table, {.segment_id = entry.id}, &cache_);
    entry.source = entry.segment;
    view_.entries.push_back(entry);
  }

  void WriteIndex(uint64_t rows_per_pass) {
    const auto written = WritePartitionIndex(
        view_.entries, {.index_id = 7, .rows_per_pass = rows_per_pass}, &pages_);
    ASSERT_TRUE(written.ok()) << written.status().ToString();
    EXPECT_GT(written->size_bytes, 0u);
    auto index = PartitionIndex::Open(pages_.Source(), &cache_);
    ASSERT_TRUE(index.ok()) << index.status().ToString();
    index_ = std::move(index).value();
  }

  // Where each trace is, as the segments say.
  std::map<TraceId, std::vector<TracePlace>> Traces() {
    std::map<TraceId, std::vector<TracePlace>> traces;
    for (uint32_t i = 0; i < view_.entries.size(); ++i) {
      const SpanSource& source = *view_.entries[i].source;
      std::vector<TraceId> ids;
      EXPECT_TRUE(source.TraceIds(0, source.row_count(), &ids).ok());
      for (const TraceId& id : std::set<TraceId>(ids.begin(), ids.end())) {
        TracePlace place{i, {}};
        EXPECT_TRUE(source.FindTrace(id, &place.rows).ok());
        traces[id].push_back(place);
      }
    }
    return traces;
  }

  void ExpectWhatTheSegmentsSay() {
    QueryContext context({}, {});
    using Calls = std::map<std::tuple<std::string, std::string, uint64_t>, uint64_t>;
    Calls expected;
    for (const auto& [id, places] : Traces()) {
      std::vector<uint32_t> found;
      ASSERT_TRUE(index_->FindTrace(id, &found).ok());
      for (const TracePlace& place : places) {
        EXPECT_TRUE(std::find(found.begin(), found.end(), place.entry) != found.end());
      }
      std::vector<TraceSpan> spans;
      const auto add = [&](uint32_t place, const SpanFacts& span) {
        spans.push_back(
            {{span.span_id, place, span.row}, span.parent_span_id, span.start_ns, span.service});
        return Status::Ok();
      };
      ASSERT_TRUE(VisitTraceFacts(view_, places, &context, add).ok());
      std::vector<TraceEdge> edges;
      ASSERT_TRUE(JoinTraceSpans(view_, places, &context, &spans, &edges).ok());
      for (const TraceEdge& edge : edges) {
        ++expected[{std::string(edge.parent), std::string(edge.child),
                    edge.child_start_ns / kMinuteNs}];
      }
    }
    std::vector<EdgeCount> edges;
    ASSERT_TRUE(index_->Edges(&edges).ok());
    Calls answered;
    for (const EdgeCount& edge : edges) {
      answered[{std::string(edge.parent), std::string(edge.child), edge.minute}] += edge.count;
    }
    EXPECT_EQ(answered, expected);
  }

  Random random_;
  PageCache cache_;
  View view_;
  MapPageStore pages_;
  std::shared_ptr<const PartitionIndex> index_;
};

TEST_F(PartitionIndexTest, KnowsWhatItsSegmentsKnow) {
  WriteSegments(5, 120);
  WriteIndex(1 << 19);
  ExpectWhatTheSegmentsSay();
}

TEST_F(PartitionIndexTest, ManyPassesGiveTheSame) {
  WriteSegments(3, 80);
  WriteIndex(10);
  ExpectWhatTheSegmentsSay();
}

TEST_F(PartitionIndexTest, OneSegmentIsEnough) {
  WriteSegments(1, 3);
  WriteIndex(1 << 19);
  ExpectWhatTheSegmentsSay();
  EXPECT_EQ(index_->info().segment_ids, std::vector<uint64_t>{100});
}

TEST_F(PartitionIndexTest, EveryFlippedByteIsFoundAndNamed) {
  WriteSegments(3, 40);
  WriteIndex(100);
  const auto traces = Traces();
  for (auto& [key, bytes] : pages_.pages()) {
    for (size_t at = 0; at < bytes.size(); at += 1 + bytes.size() / 40) {
      bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
      PageCache cache(1 << 20);
      const auto index = PartitionIndex::Open(pages_.Source(), &cache);
      std::vector<std::string> faults;
      if (index.ok()) {
        ASSERT_TRUE((*index)->Verify(&faults).ok());
        std::vector<uint32_t> found;
        for (const auto& [id, places] : traces) {
          found.clear();
          const Status status = (*index)->FindTrace(id, &found);
          EXPECT_TRUE(status.ok() ? found.size() >= places.size()
                                  : status.code() == StatusCode::kDataLoss);
        }
      } else {
        EXPECT_EQ(index.status().code(), StatusCode::kDataLoss);
        faults.push_back(index.status().ToString());
      }
      ASSERT_EQ(faults.size(), 1u) << key.ToString();
      EXPECT_NE(faults[0].find(key.ToString()), std::string::npos) << faults[0];
      bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    }
  }
}

TEST_F(PartitionIndexTest, RefusesANewerVersion) {
  PageWriter writer(1);
  std::string newer(1, static_cast<char>(kPartitionIndexVersion + 1));
  writer.Add(kIndexHeaderKey, newer + " whatever comes then");
  ASSERT_TRUE(writer.Flush(&pages_).ok());
  EXPECT_EQ(PartitionIndex::Open(pages_.Source(), &cache_).status().code(),
            StatusCode::kFailedPrecondition);
}

TEST_F(PartitionIndexTest, StopsWhenCancelled) {
  WriteSegments(2, 30);
  const std::atomic<bool> cancelled{true};
  EXPECT_EQ(WritePartitionIndex(view_.entries, {.cancelled = &cancelled}, &pages_).status().code(),
            StatusCode::kCancelled);
  EXPECT_TRUE(pages_.pages().empty());
}

}  // namespace
}  // namespace larder
