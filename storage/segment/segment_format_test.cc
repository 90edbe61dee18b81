// Holds FORMAT.md to its word: the pages of its example are what the writer writes, and what the
// reader reads. Also the golden file, which stays readable for ever.
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "storage/base/coding.h"
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

// A file that must be readable for ever: pages as | section u8 | column u32 | page u32 | size u32 |
// bytes |. It was written from the OTLP message beside it by the first writer of version 1
// (LARDER_WRITE_GOLDEN=1 writes both anew, for a new version).
constexpr const char* kGoldenPages = LARDER_GOLDEN_DIR "/segment_v1.bin";
constexpr const char* kGoldenSpans = LARDER_GOLDEN_DIR "/segment_v1.otlp";

std::string ReadWhole(const char* path) {
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

// Of every kind something: hostile spans, columns of each coding, several blocks.
void WriteGoldenFiles() {
  Random random(1);
  std::vector<Span> spans =
      SpanGenerator(&random, {.attributes_max = 4, .hostile_one_in = 30}).Batch(1100);
  for (size_t i = 0; i < spans.size(); ++i) {
    spans[i].attributes.push_back({"size", ValueType::kInt, Fixed64(i * 31 - 500)});
    spans[i].attributes.push_back({"id", ValueType::kString, "id-" + std::to_string(i * 7919)});
  }
  const std::string otlp = EncodeSpans(spans);
  std::ofstream(kGoldenSpans, std::ios::binary) << otlp;
  std::string bytes;
  for (const auto& [key, page] : WriteGolden(otlp)) {
    bytes.push_back(static_cast<char>(key.section));
    PutFixed32(&bytes, key.column);
    PutFixed32(&bytes, key.page);
    PutFixed32(&bytes, static_cast<uint32_t>(page.size()));
    bytes += page;
  }
  std::ofstream(kGoldenPages, std::ios::binary) << bytes;
}

class GoldenTest : public testing::Test {
 protected:
  void SetUp() override {
    if (std::getenv("LARDER_WRITE_GOLDEN") != nullptr) WriteGoldenFiles();
    otlp_ = ReadWhole(kGoldenSpans);
    pages_ = PagesOfFile(ReadWhole(kGoldenPages));
    ASSERT_FALSE(pages_.empty());
  }
  std::string otlp_;
  Pages pages_;
};

TEST_F(GoldenTest, IsRead) {
  auto expected = DecodeSpans(otlp_);
  ASSERT_TRUE(expected.ok());
  const auto encoded = [](const std::vector<Span>& spans) {
    std::multiset<std::string> messages;
    for (const Span& span : spans) messages.insert(EncodeSpans({span}));
    return messages;
  };
  EXPECT_TRUE(encoded(ReadAll(pages_)) == encoded(*expected));
}

// Bodies, not pages: another zstd may compress otherwise.
TEST_F(GoldenTest, IsWhatTheWriterWrites) {
  const Pages written = WriteGolden(otlp_);
  ASSERT_EQ(written.size(), pages_.size());
  for (const auto& [key, page] : written) {
    std::string body;
    std::string golden;
    ASSERT_TRUE(pages_.contains(key)) << key.ToString();
    ASSERT_TRUE(DecodePage(key, page, &body).ok());
    ASSERT_TRUE(DecodePage(key, pages_.at(key), &golden).ok()) << key.ToString();
    // The header names the pages' sizes, which depend on zstd.
    EXPECT_TRUE(body == golden || key.section == Section::kHeader) << key.ToString();
  }
}

}  // namespace
}  // namespace larder
