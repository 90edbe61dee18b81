#include "tiering/directory/directory_tier.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/segment/table/table_source.h"
#include "tests/support/scratch_directory.h"
#include "tiering/directory/pack_file.h"

namespace larder {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kSecondNs = 1'000'000'000;

TraceId Id(uint8_t number) {
  TraceId id;
  id.bytes.fill(0);
  id.bytes[15] = number;
  return id;
}

Span MakeSpan(uint8_t trace, uint8_t span_number, uint64_t start_s) {
  Span span;
  span.trace_id = Id(trace);
  span.span_id.bytes.fill(0);
  span.span_id.bytes[7] = span_number;
  span.name = "op-" + std::to_string(trace);
  span.start_ns = start_s * kSecondNs;
  span.end_ns = span.start_ns + 1000;
  span.resource = std::make_shared<Resource>();
  span.scope = std::make_shared<Scope>();
  return span;
}

// Keeps the encoded spans that a pack borrows.
class PackMaker : public SpanSource::RowVisitor {
 public:
  PackMaker(const PackId& id, const std::vector<Span>& spans) {
    SpanTable table;
    EXPECT_TRUE(table.Append(EncodeSpans(spans), AppendLimits::None()).ok());
    table.Publish();
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < table.published_rows(); ++row) rows.push_back(row);
    const std::shared_ptr<const SpanTable> borrowed(&table, [](const SpanTable*) {});
    EXPECT_TRUE(MakeTableSource(borrowed)->EncodeRows(rows, this).ok());
    pack.id = id;
    for (size_t i = 0; i < spans.size(); ++i) {
      pack.spans.push_back({.trace_id = table.row(rows[i]).trace_id,
                            .start_ns = table.row(rows[i]).start_ns,
                            .resource = parts_[i][0],
                            .scope = parts_[i][1],
                            .span = parts_[i][2]});
    }
  }
  bool Visit(uint32_t, std::string_view resource, std::string_view scope,
             std::string_view span) override {
    parts_.push_back({std::string(resource), std::string(scope), std::string(span)});
    return true;
  }

  Pack pack;

 private:
  std::vector<std::array<std::string, 3>> parts_;
};

class Found : public ColdRows {
 public:
  Status Add(uint64_t segment, std::string_view traces_data) override {
    segments.insert(segment);
    const auto decoded = DecodeSpans(std::string(traces_data));
    EXPECT_TRUE(decoded.ok());
    spans.insert(spans.end(), decoded->begin(), decoded->end());
    return Status::Ok();
  }
  std::vector<Span> spans;
  std::set<uint64_t> segments;
};

class DirectoryTierTest : public testing::Test {
 protected:
  DirectoryTierTest() : path_(scratch_.File("tier")) {
    EXPECT_TRUE(CreateDirectoryTier({.path = path_}).ok());
    auto tier = OpenDirectoryTier({.path = path_});
    EXPECT_TRUE(tier.ok()) << tier.status().ToString();
    tier_ = std::move(tier).value();
    scope_.store = 0xc0ffee;
    scope_.partition = 3;
    scope_.tenant = 5;
  }

  PackReceipt Upload(const PackId& id, const std::vector<Span>& spans) {
    const PackMaker maker(id, spans);
    auto receipt = tier_->Upload(scope_, maker.pack, {});
    EXPECT_TRUE(receipt.ok()) << receipt.status().ToString();
    return *receipt;
  }
  uint64_t Search(TimeRange range, uint32_t rows_wanted, Found* found) {
    const FilterNode any;
    const auto complete = tier_->Search(
        scope_, {.filter = &any, .start = range, .rows_wanted = rows_wanted}, {}, found);
    EXPECT_TRUE(complete.ok()) << complete.status().ToString();
    return complete.ok() ? *complete : 0;
  }

  const ScratchDirectory scratch_;
  const std::string path_;
  std::unique_ptr<ColdTier> tier_;
  ColdScope scope_;
};

TEST_F(DirectoryTierTest, GivesBackWhatItTookHoweverOften) {
  const std::vector<Span> spans = {MakeSpan(1, 1, 10), MakeSpan(1, 2, 11), MakeSpan(2, 3, 12)};
  const PackId id{.segment = 17, .first_row = 0};
  for (int i = 0; i < 2; ++i) {
    const PackReceipt receipt = Upload(id, spans);
    EXPECT_EQ(receipt.parts, std::vector<uint32_t>{3});
    EXPECT_EQ(receipt.filed, (FiledTimes{.min_s = 10, .max_s = 12}));
    EXPECT_TRUE(*tier_->Verify(scope_, id, receipt, {}));
  }
  Found found;
  ASSERT_TRUE(tier_->ReadTraces(scope_, {{Id(1), {17}}}, {}, &found).ok());
  EXPECT_EQ(found.spans, (std::vector<Span>{spans[0], spans[1]}));
  EXPECT_EQ(found.segments, std::set<uint64_t>{17});
  Found elsewhere;
  ASSERT_TRUE(tier_->ReadTraces(scope_, {{Id(1), {18}}}, {}, &elsewhere).ok());
  EXPECT_TRUE(elsewhere.spans.empty());
}

TEST_F(DirectoryTierTest, SearchesFromTheLatestDownAndSaysHowFar) {
  for (uint8_t i = 1; i < 6; ++i) {
    Upload({.segment = 17, .first_row = i * 2u},
           {MakeSpan(i, 1, 90 + i * 10u), MakeSpan(i, 2, 95 + i * 10u)});
  }
  Found latest;
  const uint64_t complete_ns = Search({0, 1000 * kSecondNs}, 3, &latest);
  EXPECT_EQ(latest.spans.size(), 4u);
  EXPECT_EQ(complete_ns, 125 * kSecondNs + 1);
  Found rest;
  EXPECT_EQ(Search({110 * kSecondNs, complete_ns - 1}, 100, &rest), 110 * kSecondNs);
  EXPECT_EQ(rest.spans.size(), 4u);
}

TEST_F(DirectoryTierTest, CountsWhatStartsInARange) {
  Upload({.segment = 17, .first_row = 0}, {MakeSpan(1, 1, 10), MakeSpan(1, 2, 20)});
  Upload({.segment = 18, .first_row = 0}, {MakeSpan(2, 1, 30), MakeSpan(2, 2, 40)});
  const auto count = [this](uint64_t from_s, uint64_t to_s) -> uint64_t {
    const auto counted = tier_->CountSpans(scope_, {from_s * kSecondNs, to_s * kSecondNs}, {});
    return counted.ok() && counted->has_value() ? **counted : 99;
  };
  EXPECT_EQ(count(0, 1000), 4u);
  EXPECT_EQ(count(15, 30), 2u);
  EXPECT_EQ(count(21, 29), 0u);
  fs::remove(path_ +
             "/0000000000c0ffee/0000000000000003/0000000005/0000000000000018-00000000.pack");
  EXPECT_EQ(count(0, 1000), 2u);
}

TEST_F(DirectoryTierTest, KeepsScopesApart) {
  Upload({.segment = 17, .first_row = 0}, {MakeSpan(1, 1, 10)});
  scope_.tenant = 6;
  Upload({.segment = 17, .first_row = 0}, {MakeSpan(1, 9, 10)});
  Found found;
  ASSERT_TRUE(tier_->ReadTraces(scope_, {{Id(1), {17}}}, {}, &found).ok());
  ASSERT_EQ(found.spans.size(), 1u);
  EXPECT_EQ(found.spans[0].span_id.bytes[7], 9);
  ASSERT_TRUE(tier_->Remove(scope_, {}).ok());
  EXPECT_EQ(tier_->ReadTraces(scope_, {{Id(1), {17}}}, {}, &found).code(), StatusCode::kNotFound);
  scope_.tenant = 5;
  EXPECT_TRUE(tier_->ReadTraces(scope_, {{Id(1), {17}}}, {}, &found).ok());
}

TEST_F(DirectoryTierTest, TellsAwayFromBrokenAndMissing) {
  const PackId id{.segment = 17, .first_row = 0};
  const PackReceipt receipt = Upload(id, {MakeSpan(1, 1, 10)});
  std::string pack;
  for (const auto& entry : fs::recursive_directory_iterator(path_)) {
    if (entry.path().extension() == ".pack") pack = entry.path();
  }
  const auto bytes = FileSystem::Posix().Read(pack, 0, 1 << 20);
  ASSERT_TRUE(bytes.ok());
  std::string flipped = *bytes;
  flipped[flipped.size() - 3] ^= 1;
  std::ofstream(pack, std::ios::binary) << flipped;
  Found found;
  const Status broken = tier_->ReadTraces(scope_, {{Id(1), {17}}}, {}, &found);
  EXPECT_EQ(broken.code(), StatusCode::kDataLoss) << broken.ToString();
  EXPECT_NE(broken.message().find(pack), std::string_view::npos) << broken.ToString();
  fs::remove(pack);
  EXPECT_FALSE(*tier_->Verify(scope_, id, receipt, {}));
  fs::remove(path_ + "/LARDER-TIER");
  EXPECT_EQ(tier_->ReadTraces(scope_, {{Id(1), {17}}}, {}, &found).code(),
            StatusCode::kUnavailable);
  EXPECT_EQ(CheckDirectoryTier({.path = path_}).code(), StatusCode::kUnavailable);
  EXPECT_EQ(CreateDirectoryTier({.path = path_}).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(OpenDirectoryTier({.path = "tier"}).status().code(), StatusCode::kInvalidArgument);
}

TEST_F(DirectoryTierTest, ReadsNothingOfSegmentsThatWereTakenBack) {
  Upload({.segment = 1, .first_row = 0}, {MakeSpan(1, 1, 10)});
  Upload({.segment = 2, .first_row = 0}, {MakeSpan(1, 2, 20)});
  scope_.segments = std::make_shared<const std::vector<uint64_t>>(std::vector<uint64_t>{2});
  Found by_search;
  Search({}, 100, &by_search);
  EXPECT_EQ(by_search.spans, std::vector<Span>{MakeSpan(1, 2, 20)});
  Found by_id;
  ASSERT_TRUE(tier_->ReadTraces(scope_, {{Id(1), {1, 2}}}, {}, &by_id).ok());
  EXPECT_EQ(by_id.spans, std::vector<Span>{MakeSpan(1, 2, 20)});
}

// An empty directory where a disk is to be mounted does not become the tier by itself.
TEST(DirectoryTier, IsMadeOnlyByWhoSaysSo) {
  const ScratchDirectory scratch;
  const std::string path = scratch.File("mount");
  const auto tier = OpenDirectoryTier({.path = path});
  ASSERT_TRUE(tier.ok()) << tier.status().ToString();
  const PackMaker maker({.segment = 1, .first_row = 0}, {MakeSpan(1, 1, 100)});
  EXPECT_EQ((*tier)->Upload({}, maker.pack, {}).status().code(), StatusCode::kUnavailable);
  EXPECT_FALSE(fs::exists(path));
  ASSERT_TRUE(CreateDirectoryTier({.path = path}).ok());
  ASSERT_TRUE(CreateDirectoryTier({.path = path}).ok());
  EXPECT_TRUE((*tier)->Upload({}, maker.pack, {}).ok());
}

TEST(DirectoryTier, IsKnownByItsMarkUnderAnyPath) {
  const ScratchDirectory scratch;
  ASSERT_TRUE(CreateDirectoryTier({.path = scratch.File("a")}).ok());
  ASSERT_TRUE(CreateDirectoryTier({.path = scratch.File("b")}).ok());
  const auto a = OpenDirectoryTier({.path = scratch.File("a")});
  const auto b = OpenDirectoryTier({.path = scratch.File("b")});
  const std::string was = *(*a)->identity();
  EXPECT_NE(was, *(*b)->identity());
  fs::rename(scratch.File("a"), scratch.File("c"));
  EXPECT_EQ((*a)->identity().status().code(), StatusCode::kUnavailable);
  const auto c = OpenDirectoryTier({.path = scratch.File("c")});
  EXPECT_EQ(*(*c)->identity(), was);
  ASSERT_TRUE(CreateDirectoryTier({.path = scratch.File("c")}).ok());
  EXPECT_EQ(*(*c)->identity(), was) << "a mark is never made anew";
  std::ofstream(scratch.File("c") + "/LARDER-TIER") << "The cold tier of larder.\n";
  EXPECT_EQ(*(*c)->identity(), "directory " + scratch.File("c"));
}

// The ```hex block of PACKS.md is a pack. (Another zstd may compress to other bytes.)
TEST(PackFile, ThePageTellsTheTruth) {
  std::ifstream page(LARDER_PACKS_PAGE);
  std::string expected;
  bool inside = false;
  for (std::string line; std::getline(page, line);) {
    if (line.starts_with("```")) {
      inside = line == "```hex";
      continue;
    }
    if (!inside) continue;
    std::istringstream words(line.substr(0, line.find('|')));
    for (std::string word; words >> word;) {
      expected.push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
    }
  }
  const auto header_bytes = DecodePackLead(expected);
  ASSERT_TRUE(header_bytes.ok());
  const auto header = DecodePackHeader(expected.substr(kPackLeadBytes, *header_bytes));
  ASSERT_TRUE(header.ok()) << header.status().ToString();
  EXPECT_EQ(header->rows, 2u);
  EXPECT_EQ(header->start.min_ns, 10 * kSecondNs);
  EXPECT_EQ(header->start.max_ns, 11 * kSecondNs);
  EXPECT_EQ(header->trace_hashes, std::vector<uint64_t>{TraceIdHash(Id(1))});
  const auto bytes = DecodePackSpans(expected.substr(kPackLeadBytes + *header_bytes));
  ASSERT_TRUE(bytes.ok()) << bytes.status().ToString();
  EXPECT_EQ(*DecodeSpans(*bytes), (std::vector<Span>{MakeSpan(1, 1, 10), MakeSpan(1, 2, 11)}));
}

TEST(PackFile, EveryCutAndFlipIsFoundOut) {
  const PackMaker maker({.segment = 17, .first_row = 0}, {MakeSpan(1, 1, 10), MakeSpan(1, 2, 11)});
  const std::string whole = *EncodePack(maker.pack);
  const auto read = [](const std::string& file) -> Status {
    LARDER_ASSIGN_OR_RETURN(const uint32_t header_bytes, DecodePackLead(file));
    const std::string_view rest = std::string_view(file).substr(kPackLeadBytes);
    if (header_bytes > rest.size()) return Status::DataLoss("cut");
    LARDER_RETURN_IF_ERROR(DecodePackHeader(rest.substr(0, header_bytes)).status());
    return DecodePackSpans(rest.substr(header_bytes)).status();
  };
  EXPECT_TRUE(read(whole).ok());
  for (size_t i = 0; i < whole.size(); ++i) {
    EXPECT_FALSE(read(whole.substr(0, i)).ok()) << i;
    std::string flipped = whole;
    flipped[i] ^= 0x10;
    EXPECT_FALSE(read(flipped).ok()) << i;
  }
}

}  // namespace
}  // namespace larder
