#include "storage/engine/catalog/catalog.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

std::unique_ptr<KvStore> OpenKv(const ScratchDirectory& scratch) {
  auto kv = KvStore::Open({.path = scratch.File("db")});
  EXPECT_TRUE(kv.ok()) << kv.status().ToString();
  return std::move(kv).value();
}

std::string Hex(std::string_view bytes) {
  std::string text;
  for (size_t i = 0; i < bytes.size(); ++i) {
    char byte[4];
    std::snprintf(byte, sizeof byte, "%02x", static_cast<unsigned>(static_cast<uint8_t>(bytes[i])));
    text += byte;
    text += i % 16 == 15 || i + 1 == bytes.size() ? '\n' : ' ';
  }
  return text;
}

TEST(Catalog, ThePageTellsTheTruth) {
  std::ifstream file(std::string(LARDER_SOURCE_DIR) + "/storage/engine/catalog/CATALOG.md");
  std::stringstream page;
  page << file.rdbuf();
  const CatalogMeta meta{.next_id = 1001,
                         .next_partition = 2,
                         .age_ns = 5'000'000'000,
                         .age_unix_ns = 1'700'000'000'000'000'000};
  const PartitionRecord partition{.id = 3,
                                  .state = PartitionState::kUploaded,
                                  .opened_unix_ns = 1'700'000'000'000'000'000,
                                  .opened_age_ns = 5'000'000'000,
                                  .closed_age_ns = 6'000'000'000,
                                  .uploaded_segment = 17,
                                  .filed = {.min_s = 1'699'999'990, .max_s = 1'700'000'001},
                                  .tier = "SLS shop/shop-traces"};
  for (const std::string& record : {EncodeRecord(meta), EncodeRecord(partition)}) {
    EXPECT_NE(page.str().find(Hex(record)), std::string::npos) << "the page should say\n"
                                                               << Hex(record);
  }
}

TEST(Catalog, RecordsComeBackAsTheyWere) {
  const PartitionRecord partition{.id = 7,
                                  .state = PartitionState::kClosed,
                                  .opened_unix_ns = 11,
                                  .opened_age_ns = 12,
                                  .closed_age_ns = 13,
                                  .tier = "directory /mnt/nas",
                                  .fetched_family = 14,
                                  .fetched_until_age_ns = 15,
                                  .fetched_rows = 16};
  PartitionRecord back;
  ASSERT_TRUE(DecodeRecord(EncodeRecord(partition), &back));
  EXPECT_EQ(back.id, 7u);
  EXPECT_EQ(back.state, PartitionState::kClosed);
  EXPECT_EQ(back.opened_unix_ns, 11u);
  EXPECT_EQ(back.opened_age_ns, 12u);
  EXPECT_EQ(back.closed_age_ns, 13u);
  EXPECT_EQ(back.tier, "directory /mnt/nas");
  EXPECT_EQ(back.fetched_family, 14u);
  EXPECT_EQ(back.fetched_until_age_ns, 15u);
  EXPECT_EQ(back.fetched_rows, 16u);
  EXPECT_FALSE(back.is_fetched()) << "only what is evicted can be fetched";
  ASSERT_TRUE(DecodeRecord(EncodeRecord(PartitionRecord{.id = 8}), &back));
  EXPECT_TRUE(back.tier.empty());
  CatalogMeta meta;
  EXPECT_FALSE(DecodeRecord(EncodeRecord(partition), &meta));
}

TEST(Catalog, EveryFlippedBitIsSeen) {
  const std::string whole = EncodeRecord(PartitionRecord{.id = 7});
  for (size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    PartitionRecord record;
    EXPECT_FALSE(DecodeRecord(flipped, &record)) << bit;
  }
  for (size_t size = 0; size < whole.size(); ++size) {
    PartitionRecord record;
    EXPECT_FALSE(DecodeRecord(whole.substr(0, size), &record)) << size;
  }
}

TEST(Catalog, NumbersAreNeverGivenTwice) {
  const ScratchDirectory scratch;
  uint64_t last = 0;
  for (int open = 0; open < 3; ++open) {
    auto kv = OpenKv(scratch);
    Catalog catalog(kv.get());
    ASSERT_TRUE(catalog.Load().ok());
    for (int i = 0; i < 1500; ++i) {
      auto id = catalog.NewId();
      ASSERT_TRUE(id.ok());
      EXPECT_GT(*id, last);
      last = *id;
    }
  }
  auto kv = OpenKv(scratch);
  Catalog catalog(kv.get());
  ASSERT_TRUE(catalog.Load().ok());
  catalog.RaiseNextId(1'000'000);
  EXPECT_EQ(*catalog.NewId(), 1'000'000u);
}

TEST(Catalog, PartitionsAreKeptByNumber) {
  const ScratchDirectory scratch;
  {
    auto kv = OpenKv(scratch);
    Catalog catalog(kv.get());
    ASSERT_TRUE(catalog.Load().ok());
    EXPECT_EQ(*catalog.NewPartitionId(), 1u);
    EXPECT_EQ(*catalog.NewPartitionId(), 2u);
    ASSERT_TRUE(catalog.Save(PartitionRecord{.id = 2}).ok());
    ASSERT_TRUE(catalog.Save(PartitionRecord{.id = 1}).ok());
    ASSERT_TRUE(catalog.Save(PartitionRecord{.id = 3}).ok());
    ASSERT_TRUE(catalog.Remove(2).ok());
  }
  auto kv = OpenKv(scratch);
  Catalog catalog(kv.get());
  auto contents = catalog.Load();
  ASSERT_TRUE(contents.ok());
  ASSERT_EQ(contents->partitions.size(), 2u);
  EXPECT_EQ(contents->partitions[0].id, 1u);
  EXPECT_EQ(contents->partitions[1].id, 3u);
  EXPECT_EQ(*catalog.NewPartitionId(), 3u);
}

TEST(Catalog, DamagedRecordsAreListedAndTheRestIsRead) {
  const ScratchDirectory scratch;
  auto kv = OpenKv(scratch);
  Catalog catalog(kv.get());
  ASSERT_TRUE(catalog.Save(PartitionRecord{.id = 1}).ok());
  std::string broken = EncodeRecord(PartitionRecord{.id = 2});
  broken.back() = static_cast<char>(broken.back() ^ 1);
  ASSERT_TRUE(kv->Commit(*kv->default_family(),
                         {{.key = "partition/" + PartitionFamilyName(2), .value = broken}})
                  .ok());
  auto contents = catalog.Load();
  ASSERT_TRUE(contents.ok());
  EXPECT_EQ(contents->partitions.size(), 1u);
  ASSERT_EQ(contents->faults.size(), 1u);
  EXPECT_NE(contents->faults[0].find("partition/p0000000000000002"), std::string::npos);
}

TEST(Catalog, NewerFormatIsRefused) {
  const ScratchDirectory scratch;
  auto kv = OpenKv(scratch);
  const CatalogMeta meta{.format_version = kFormatVersion + 1};
  ASSERT_TRUE(
      kv->Commit(*kv->default_family(), {{.key = "meta", .value = EncodeRecord(meta)}}).ok());
  Catalog catalog(kv.get());
  EXPECT_EQ(catalog.Load().status().code(), StatusCode::kFailedPrecondition);
}

TEST(Catalog, TheFormatRisesAndNeverFalls) {
  const ScratchDirectory scratch;
  {
    auto kv = OpenKv(scratch);
    Catalog catalog(kv.get());
    ASSERT_TRUE(catalog.Load().ok());
    EXPECT_EQ(catalog.format_version(), kFormatVersionFirst);
    ASSERT_TRUE(catalog.RaiseFormat(kFormatVersionCold).ok());
  }
  auto kv = OpenKv(scratch);
  Catalog catalog(kv.get());
  ASSERT_TRUE(catalog.Load().ok());
  EXPECT_EQ(catalog.format_version(), kFormatVersionCold);
  ASSERT_TRUE(catalog.RaiseFormat(kFormatVersionFirst).ok());
  EXPECT_EQ(catalog.format_version(), kFormatVersionCold);
}

TEST(Catalog, FamilyNames) {
  uint64_t id = 0;
  EXPECT_EQ(PartitionFamilyName(3), "p0000000000000003");
  EXPECT_TRUE(ParsePartitionFamilyName("p0000000000000003", &id));
  EXPECT_EQ(id, 3u);
  for (const char* other : {"", "p", "p3", "q0000000000000003", "p00000000000000x3", "default"}) {
    EXPECT_FALSE(ParsePartitionFamilyName(other, &id)) << other;
  }
}

}  // namespace
}  // namespace larder
