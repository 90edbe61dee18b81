// INDEX.md is read here: its examples are what the writer writes and the reader reads.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/base/hash.h"
#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/index/index_format.h"
#include "storage/segment/index/number_bounds.h"
#include "storage/segment/page/page.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_writer.h"
#include "storage/segment/source/block_set.h"
#include "tests/support/map_page_store.h"

namespace larder {
namespace {

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    if (!text.empty()) text += ' ';
    text += kDigits[static_cast<uint8_t>(c) >> 4];
    text += kDigits[static_cast<uint8_t>(c) & 15];
  }
  return text;
}

// Lines of INDEX.md of the form "    WORD  rest", by their first word.
std::map<std::string, std::string> ExampleLines(const std::string& prefix) {
  std::map<std::string, std::string> lines;
  std::ifstream page(LARDER_INDEX_PAGE);
  EXPECT_TRUE(page.good()) << LARDER_INDEX_PAGE;
  std::string line;
  while (std::getline(page, line)) {
    if (!line.starts_with("    " + prefix)) continue;
    std::istringstream words(line);
    std::string name;
    words >> name;
    std::string bytes;
    for (std::string word; words >> word && word != "#";)
      bytes += (bytes.empty() ? "" : " ") + word;
    lines[name] = bytes;
  }
  return lines;
}

// The example's segment: 2,100 spans of 2,100 traces, so three blocks. Span i starts at i
// microseconds, lasts i, is of user u0, u1 or u2 (700 spans each); span 2,000 has a rare key.
MapPageStore ExampleSegment() {
  std::vector<Span> spans;
  const auto resource = std::make_shared<Resource>();
  const auto scope = std::make_shared<Scope>();
  for (uint32_t i = 0; i < 2100; ++i) {
    Span span;
    span.trace_id.bytes[14] = static_cast<uint8_t>((i + 1) >> 8);
    span.trace_id.bytes[15] = static_cast<uint8_t>(i + 1);
    span.span_id.bytes[0] = 1;
    span.name = "work";
    span.start_ns = i * 1000;
    span.end_ns = span.start_ns + i * 1000;
    span.attributes.push_back({"user", ValueType::kString, "u" + std::to_string(i / 700)});
    if (i == 2000) span.attributes.push_back({"rare", ValueType::kString, "yes"});
    span.resource = resource;
    span.scope = scope;
    spans.push_back(std::move(span));
  }
  SpanTable table;
  EXPECT_TRUE(table.Append(EncodeSpans(spans), {}).ok());
  table.Publish();
  MapPageStore store;
  EXPECT_TRUE(WriteSegment(table, {}, {}, &store).ok());
  return store;
}

TEST(IndexPage, ShowsThePagesOfItsExample) {
  const std::map<std::string, std::string> expected = ExampleLines("index/");
  std::map<std::string, std::string> written;
  MapPageStore segment = ExampleSegment();
  for (const auto& [key, bytes] : segment.pages()) {
    if (key.section != Section::kIndex) continue;
    std::string body;
    ASSERT_TRUE(DecodePage(key, bytes, &body).ok());
    written[key.ToString()] = Hex(body);
  }
  EXPECT_EQ(written, expected);
}

// "set/8:0-2,5" is the set of blocks 0, 1, 2 and 5 of 8.
BlockSet SetNamed(const std::string& name) {
  const size_t colon = name.find(':');
  BlockSet set(static_cast<uint32_t>(std::stoul(name.substr(4, colon - 4))));
  std::istringstream ranges(name.substr(colon + 1));
  for (std::string range; std::getline(ranges, range, ',');) {
    const size_t dash = range.find('-');
    const auto first = static_cast<uint32_t>(std::stoul(range));
    const auto last = dash == std::string::npos
                          ? first
                          : static_cast<uint32_t>(std::stoul(range.substr(dash + 1)));
    set.AddRange(first, last + 1);
  }
  return set;
}

TEST(IndexPage, ShowsTheEncodingsOfSets) {
  const std::map<std::string, std::string> sets = ExampleLines("set/");
  EXPECT_GE(sets.size(), 5u);
  for (const auto& [name, hex] : sets) {
    std::string bytes;
    PutBlockSet(&bytes, SetNamed(name));
    EXPECT_EQ(Hex(bytes), hex) << name;
  }
}

// "numbers/int:5,9;;-3,-3" are the numbers of three blocks, none of them on the second.
ColumnDraft NumbersNamed(const std::string& name) {
  const size_t colon = name.find(':');
  ColumnDraft column;
  column.info.coding = ColumnCoding::kNumbers;
  column.info.type = name.starts_with("numbers/int") ? ValueType::kInt : ValueType::kDouble;
  std::istringstream blocks(name.substr(colon + 1));
  column.block_starts.push_back(0);
  for (std::string block; std::getline(blocks, block, ';');) {
    std::istringstream numbers(block);
    for (std::string number; std::getline(numbers, number, ',');) {
      column.numbers.push_back(column.info.type == ValueType::kInt
                                   ? static_cast<uint64_t>(std::stoll(number))
                                   : std::bit_cast<uint64_t>(std::stod(number)));
    }
    column.block_starts.push_back(static_cast<uint32_t>(column.numbers.size()));
  }
  return column;
}

TEST(IndexPage, ShowsTheBoundsOfNumbers) {
  const std::map<std::string, std::string> examples = ExampleLines("numbers/");
  EXPECT_GE(examples.size(), 4u);
  for (const auto& [name, hex] : examples) {
    const ColumnDraft column = NumbersNamed(name);
    const auto block_count = static_cast<uint32_t>(column.block_starts.size()) - 1;
    PageWriter writer(1);
    WriteNumberBounds(7, column, block_count, &writer);
    MapPageStore store;
    ASSERT_TRUE(writer.Flush(&store).ok());
    std::string body;
    const PageKey key{Section::kIndex, 3, 7};
    ASSERT_TRUE(DecodePage(key, store.pages().at(key), &body).ok());
    EXPECT_EQ(Hex(body), hex) << name;

    NumberBoundsPage page;
    ASSERT_TRUE(DecodeNumberBounds(body, column.info.type, block_count, &page));
    auto bounds = page.bounds.begin();
    for (uint32_t block = 0; block < block_count; ++block) {
      std::vector<uint64_t> numbers(column.numbers.begin() + column.block_starts[block],
                                    column.numbers.begin() + column.block_starts[block + 1]);
      std::erase_if(numbers, [&](uint64_t number) {
        return column.info.type == ValueType::kDouble && std::isnan(std::bit_cast<double>(number));
      });
      ASSERT_EQ(page.blocks.contains(block), !numbers.empty()) << name;
      if (numbers.empty()) continue;
      const auto less = [&](uint64_t a, uint64_t b) {
        return column.info.type == ValueType::kInt
                   ? static_cast<int64_t>(a) < static_cast<int64_t>(b)
                   : std::bit_cast<double>(a) < std::bit_cast<double>(b);
      };
      EXPECT_EQ(bounds->least, *std::min_element(numbers.begin(), numbers.end(), less));
      EXPECT_EQ(bounds->greatest, *std::max_element(numbers.begin(), numbers.end(), less));
      ++bounds;
    }
    for (size_t size = 0; size < body.size(); ++size) {
      NumberBoundsPage ignored;
      EXPECT_FALSE(
          DecodeNumberBounds(body.substr(0, size), column.info.type, block_count, &ignored));
    }
  }
}

TEST(DurationClass, NeverFalls) {
  EXPECT_EQ(DurationClass(INT64_MIN), 0);
  EXPECT_EQ(DurationClass(0), 0);
  EXPECT_EQ(DurationClass(1), 1);
  EXPECT_EQ(DurationClass(INT64_MAX), 252);
  uint8_t previous = 0;
  for (uint64_t ns = 0; ns <= INT64_MAX; ns += ns / 100 + 1) {
    const uint8_t now = DurationClass(static_cast<int64_t>(ns));
    EXPECT_GE(now, previous);
    previous = now;
  }
}

TEST(IndexHash, SpreadsOverAllPages) {
  constexpr uint32_t kPages = 7;
  std::vector<int> counts(kPages);
  for (uint64_t i = 0; i < 7000; ++i) {
    ++counts.at(IndexHashPage(Hash64(std::to_string(i)), kPages));
  }
  for (const int count : counts) EXPECT_GT(count, 700);
  EXPECT_EQ(IndexHashPage(UINT64_MAX, kPages), kPages - 1);
}

}  // namespace
}  // namespace larder
