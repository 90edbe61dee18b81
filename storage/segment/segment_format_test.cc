// Holds FORMAT.md to its word: the pages of its example are what the writer writes, and what the
// reader reads. Also the golden file, which stays readable for ever.
#include "storage/segment/format/segment_format.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "storage/base/coding.h"
#include "storage/model/filter.h"
#include "storage/model/span.h"
#include "storage/model/traces_data_writer.h"
#include "storage/segment/page/page.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_writer.h"
#include "tests/support/map_page_store.h"
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

using Pages = std::map<PageKey, std::string>;

std::string Fixed64(uint64_t value) {
  std::string bytes;
  PutFixed64(&bytes, value);
  return bytes;
}

std::shared_ptr<const Resource> ResourceOf(const std::string& service) {
  auto resource = std::make_shared<Resource>();
  resource->attributes.push_back({"service.name", ValueType::kString, service});
  return resource;
}

// The two spans of the example.
std::vector<Span> ExampleSpans() {
  Span root;
  root.trace_id.bytes.fill(0xaa);
  root.span_id.bytes.fill(0x01);
  root.name = "GET /";
  root.kind = 2;
  root.start_ns = 1'700'000'000'000'000'000;
  root.end_ns = root.start_ns + 2'000'000;
  root.attributes.push_back({"http.status", ValueType::kInt, Fixed64(200)});
  root.resource = ResourceOf("front");
  root.scope = std::make_shared<Scope>();
  Span child = root;
  child.span_id.bytes.fill(0x02);
  child.parent_span_id = root.span_id;
  child.name = "query";
  child.kind = 3;
  child.start_ns += 300'000;
  child.end_ns = child.start_ns + 1'000'000;
  child.attributes.clear();
  child.events.push_back({.time_ns = child.start_ns + 5'000, .name = "sent"});
  child.resource = ResourceOf("db");
  return {root, child};
}

Pages WriteExample() {
  SpanTable table;
  EXPECT_TRUE(table.Append(EncodeSpans(ExampleSpans()), {}).ok());
  table.Publish();
  MapPageStore store;
  const SegmentIdentity identity{.segment_id = 42, .generations = {7}};
  EXPECT_TRUE(WriteSegment(table, identity, {}, &store).ok());
  return store.pages();
}

// The pages of the page's example: blocks between ```hex and ```, in them a line with a page's
// name, then lines "hex hex ... | comment".
std::map<std::string, std::string> PagesOfTheDocument() {
  std::ifstream file(LARDER_SEGMENT_PAGE);
  std::map<std::string, std::string> pages;
  std::string line;
  std::string name;
  bool inside = false;
  while (std::getline(file, line)) {
    if (line.starts_with("```")) {
      inside = line == "```hex";
      continue;
    }
    if (!inside) continue;
    if (line.find('/') < line.find('|') && line[0] != ' ') {
      name = line.substr(0, line.find(' '));
      pages[name];
      continue;
    }
    std::istringstream bytes(line.substr(0, line.find('|')));
    std::string byte;
    while (bytes >> byte) pages[name].push_back(static_cast<char>(std::stoi(byte, nullptr, 16)));
  }
  return pages;
}

std::string Hex(const std::string& bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<uint8_t>(c);
    text += {' ', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return text;
}

TEST(SegmentFormatTest, TheExampleIsWhatTheWriterWrites) {
  std::map<std::string, std::string> documented = PagesOfTheDocument();
  for (const auto& [key, bytes] : WriteExample()) {
    // Those two have pages of their own: header.fbs and INDEX.md.
    if (key.section == Section::kHeader || key.section == Section::kIndex) continue;
    EXPECT_EQ(Hex(documented[key.ToString()]), Hex(bytes)) << key.ToString();
    documented.erase(key.ToString());
  }
  EXPECT_TRUE(documented.empty()) << documented.begin()->first << " is not written";
}

class Spans : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t, std::string_view resource, std::string_view scope,
             std::string_view span) override {
    TracesDataWriter writer;
    writer.Add(resource, scope, span);
    auto decoded = DecodeSpans(writer.Finish());
    EXPECT_TRUE(decoded.ok());
    if (decoded.ok()) spans.push_back((*decoded)[0]);
    return true;
  }
  std::vector<Span> spans;
};

std::vector<Span> ReadAll(const Pages& pages) {
  MapPageStore store;
  store.pages() = pages;
  PageCache cache(1 << 20);
  const auto segment = Segment::Open(store.Source(), &cache);
  EXPECT_TRUE(segment.ok()) << segment.status().ToString();
  if (!segment.ok()) return {};
  std::vector<std::string> faults;
  EXPECT_TRUE((*segment)->Verify(&faults).ok());
  EXPECT_EQ(faults, std::vector<std::string>());
  std::vector<uint32_t> rows((*segment)->row_count());
  for (uint32_t row = 0; row < rows.size(); ++row) rows[row] = row;
  Spans visitor;
  EXPECT_TRUE((*segment)->EncodeRows(rows, &visitor).ok());
  return visitor.spans;
}

TEST(SegmentFormatTest, TheExampleIsRead) {
  const std::map<std::string, std::string> documented = PagesOfTheDocument();
  Pages pages = WriteExample();
  for (auto& [key, bytes] : pages) {
    const auto found = documented.find(key.ToString());
    if (found != documented.end()) bytes = found->second;
  }
  EXPECT_TRUE(ReadAll(pages) == ExampleSpans());
}

// ---- the golden file ----

// Files that must be readable for ever: pages as | section u8 | column u32 | page u32 | size u32 |
// bytes |. Each was written from the same OTLP message by the first writer of its version
// (LARDER_WRITE_GOLDEN=1 writes that of the version at hand anew).
constexpr const char* kGoldenSpans = LARDER_GOLDEN_DIR "/segment_v1.otlp";

std::string GoldenPath(uint32_t version) {
  return LARDER_GOLDEN_DIR "/segment_v" + std::to_string(version) + ".bin";
}

std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Pages PagesOfFile(const std::string& bytes) {
  Pages pages;
  ByteReader in(bytes);
  while (!in.empty()) {
    std::string_view section;
    PageKey key;
    uint32_t size = 0;
    std::string_view page;
    if (!in.GetBytes(1, &section) || !in.GetFixed32(&key.column) || !in.GetFixed32(&key.page) ||
        !in.GetFixed32(&size) || !in.GetBytes(size, &page)) {
      ADD_FAILURE() << "the golden file is cut short";
      return {};
    }
    key.section = static_cast<Section>(section[0]);
    pages.emplace(key, page);
  }
  return pages;
}

Pages WriteGolden(const std::string& otlp) {
  SpanTable table;
  EXPECT_TRUE(table.Append(otlp, {}).ok());
  table.Publish();
  MapPageStore store;
  const SegmentIdentity identity{.segment_id = 17,
                                 .tenant = 3,
                                 .generations = {5, 6},
                                 .replaces = {11},
                                 .arrival_min_ns = 1,
                                 .arrival_max_ns = 2};
  EXPECT_TRUE(WriteSegment(table, identity, {}, &store).ok());
  return store.pages();
}

void WriteGoldenFile(const std::string& otlp) {
  std::string bytes;
  for (const auto& [key, page] : WriteGolden(otlp)) {
    bytes.push_back(static_cast<char>(key.section));
    PutFixed32(&bytes, key.column);
    PutFixed32(&bytes, key.page);
    PutFixed32(&bytes, static_cast<uint32_t>(page.size()));
    bytes += page;
  }
  std::ofstream(GoldenPath(kSegmentFormatVersion), std::ios::binary) << bytes;
}

class GoldenTest : public testing::Test {
 protected:
  void SetUp() override {
    otlp_ = ReadWhole(kGoldenSpans);
    if (std::getenv("LARDER_WRITE_GOLDEN") != nullptr) WriteGoldenFile(otlp_);
  }
  static Pages PagesOf(uint32_t version) {
    Pages pages = PagesOfFile(ReadWhole(GoldenPath(version)));
    EXPECT_FALSE(pages.empty()) << "version " << version;
    return pages;
  }
  std::string otlp_;
};

TEST_F(GoldenTest, IsRead) {
  auto expected = DecodeSpans(otlp_);
  ASSERT_TRUE(expected.ok());
  const auto encoded = [](const std::vector<Span>& spans) {
    std::multiset<std::string> messages;
    for (const Span& span : spans) messages.insert(EncodeSpans({span}));
    return messages;
  };
  for (uint32_t version = 1; version <= kSegmentFormatVersion; ++version) {
    EXPECT_TRUE(encoded(ReadAll(PagesOf(version))) == encoded(*expected)) << "version " << version;
  }
}

// Spans of 1 ms and more whose `size` is below 10,000.
std::vector<uint32_t> SearchOf(const Pages& pages) {
  FilterNode size;
  size.op = FilterOp::kLt;
  size.left = AttributeRef{"size"};
  Constant constant;
  constant.type = Constant::Type::kInt;
  constant.number = 10'000;
  size.right = constant;
  FilterNode duration;
  duration.op = FilterOp::kGte;
  duration.left = FieldRef{Field::kDuration};
  constant.type = Constant::Type::kDuration;
  constant.number = 1'000'000;
  duration.right = constant;
  FilterNode both;
  both.op = FilterOp::kAnd;
  both.children = {size, duration};
  MapPageStore store;
  store.pages() = pages;
  PageCache cache(1 << 20);
  const auto segment = Segment::Open(store.Source(), &cache).value();
  const auto search = segment->Search(both, {}, SearchBudget::Unbounded()).value();
  std::vector<SpanMatch> matches;
  for (const uint32_t block : search->candidate_blocks()) {
    EXPECT_TRUE(search->Match(block, &matches).ok());
  }
  std::vector<uint32_t> rows;
  for (const SpanMatch& match : matches) rows.push_back(match.row);
  return rows;
}

TEST_F(GoldenTest, IsSearched) {
  const std::vector<uint32_t> expected = SearchOf(WriteGolden(otlp_));
  EXPECT_GT(expected.size(), 10u);
  for (uint32_t version = 1; version <= kSegmentFormatVersion; ++version) {
    EXPECT_EQ(SearchOf(PagesOf(version)), expected) << "version " << version;
  }
}

// Bodies, not pages: another zstd may compress otherwise.
TEST_F(GoldenTest, IsWhatTheWriterWrites) {
  const Pages written = WriteGolden(otlp_);
  const Pages golden_pages = PagesOf(kSegmentFormatVersion);
  ASSERT_EQ(written.size(), golden_pages.size());
  for (const auto& [key, page] : written) {
    std::string body;
    std::string golden;
    ASSERT_TRUE(golden_pages.contains(key)) << key.ToString();
    ASSERT_TRUE(DecodePage(key, page, &body).ok());
    ASSERT_TRUE(DecodePage(key, golden_pages.at(key), &golden).ok()) << key.ToString();
    // The header names the pages' sizes, which depend on zstd.
    EXPECT_TRUE(body == golden || key.section == Section::kHeader) << key.ToString();
  }
}

}  // namespace
}  // namespace larder
