// What becomes of partitions when the settings name another tier than before, or none.
#include <fstream>
#include <sstream>

#include "tests/support/store_with_tier.h"

namespace larder {
namespace {

class StoreChangesTier : public StoreWithTier {
 protected:
  // Uploaded, and still here.
  void Upload() {
    options_.cold.evict_after_ms = 1000ull * 3600 * 1000;
    Open();
    WriteTraces(0, 20);
    clock_.Advance(2 * kHourNs);
    for (int i = 0; i < 2; ++i) ASSERT_TRUE(store_->Settle().ok());
    for (const StoredPartition& partition : store_->Partitions()) {
      ASSERT_EQ(partition.state, "uploaded");
    }
    options_.cold.evict_after_ms = 2ull * 3600 * 1000;
  }
  // From now on `other_` is configured.
  void NameOther() {
    store_.reset();
    other_ = MakeTier("other");
    options_.tier = other_.get();
  }
  void ExpectAllThere() {
    for (uint64_t i = 0; i < 20; ++i) {
      const auto spans = Get(i);
      ASSERT_TRUE(spans.ok()) << spans.status().ToString();
      EXPECT_EQ(spans->size(), 2u) << i;
    }
  }
  // Closes the store.
  std::unique_ptr<KvStore> OpenKv() {
    store_.reset();
    auto kv = KvStore::Open({.path = options_.data_dir + "/db"});
    EXPECT_TRUE(kv.ok()) << kv.status().ToString();
    return std::move(kv).value();
  }
  // As a program wrote them that knew nothing of tiers' identities.
  void ForgetWhereRecordsLie() {
    const auto kv = OpenKv();
    Catalog catalog(kv.get());
    const auto contents = catalog.Load();
    ASSERT_TRUE(contents.ok());
    for (PartitionRecord record : contents->partitions) {
      EXPECT_FALSE(record.tier.empty());
      record.tier.clear();
      ASSERT_TRUE(catalog.Save(record).ok());
    }
  }

  // Closes the store. As the file says it, and as the catalog does.
  std::string Formats() {
    std::ifstream file(options_.data_dir + "/FORMAT");
    std::stringstream text;
    text << file.rdbuf();
    const auto kv = OpenKv();
    const auto contents = Catalog(kv.get()).Load();
    EXPECT_TRUE(contents.ok());
    return text.str() + ", " + std::to_string(contents->meta.format_version);
  }
  // As a program left it that did not raise the version yet.
  void LowerFormat() {
    std::ofstream(options_.data_dir + "/FORMAT") << "larder 1\n";
    const auto kv = OpenKv();
    CatalogMeta meta = Catalog(kv.get()).Load()->meta;
    meta.format_version = kFormatVersionFirst;
    ASSERT_TRUE(
        kv->Commit(*kv->default_family(), {{.key = "meta", .value = EncodeRecord(meta)}}).ok());
  }

  std::unique_ptr<FlakyTier> other_;
};

TEST_F(StoreChangesTier, WhatIsStillHereGoesToTheNewTierBeforeItLeavesTheDisk) {
  Upload();
  NameOther();
  std::filesystem::remove_all(scratch_.File("tier"));
  Open();
  EXPECT_EQ(store_->stats().tier.cold_partitions, 0u);
  Evict();
  EXPECT_GT(Packs("other"), 0u);
  ExpectAllThere();
  Open();
  ExpectAllThere();
}

TEST_F(StoreChangesTier, WhatLiesInTheOldTierAloneStaysThereAndIsSaidToBe) {
  Open();
  WriteTraces(0, 20);
  Evict();
  const size_t packs = Packs("tier");
  NameOther();
  Open();
  const auto lost = Get(3);
  ASSERT_EQ(lost.status().code(), StatusCode::kUnavailable) << lost.status().ToString();
  const std::string why(lost.status().message());
  const std::string lies_in = *tier_->identity();
  const std::string named = *other_->identity();
  EXPECT_NE(why.find("lie in '" + lies_in + "'"), std::string::npos) << why;
  EXPECT_NE(why.find("name '" + named + "'"), std::string::npos) << why;
  EXPECT_EQ(Find(Everything(50)).status().code(), StatusCode::kUnavailable);
  EXPECT_EQ(store_->Services(0, {})->values.size(), 2u);
  EXPECT_EQ(other_->reads, 0) << "it cannot know";
  EXPECT_EQ(store_->stats().tier.elsewhere_partitions, store_->stats().tier.cold_partitions);
  EXPECT_EQ(store_->Partitions().front().tier, lies_in);
  options_.tier = tier_.get();
  Open();
  ExpectAllThere();

  // The new tier is not asked to remove what it never had.
  NameOther();
  other_->is_away = true;
  Open();
  ASSERT_TRUE(store_->Purge().ok());
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(Packs("tier"), packs);
}

TEST_F(StoreChangesTier, OldRecordsAreTakenToLieInTheTierThatIsNamed) {
  for (const bool is_evicted : {false, true}) {
    SCOPED_TRACE(is_evicted);
    if (is_evicted) {
      Open();
      Evict();
    } else {
      Upload();
    }
    ForgetWhereRecordsLie();
    Open();
    ExpectAllThere();
    for (const StoredPartition& partition : store_->Partitions()) {
      EXPECT_EQ(partition.state, is_evicted ? "evicted" : "uploaded");
    }
  }
  NameOther();
  Open();
  EXPECT_NE(Get(3).status().message().find(*tier_->identity()), std::string_view::npos);
}

TEST_F(StoreChangesTier, WhileATierCannotSayWhichItIsNothingLeavesForIt) {
  Upload();
  store_.reset();
  std::filesystem::rename(scratch_.File("tier"), scratch_.File("unmounted"));
  Open();
  clock_.Advance(5 * kHourNs);
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().tier.cold_partitions, 0u);
  ExpectAllThere();
  std::filesystem::rename(scratch_.File("unmounted"), scratch_.File("tier"));
  Evict();
  ExpectAllThere();
}

// An older program would drop what stays of evicted partitions, and with it the way to them.
TEST_F(StoreChangesTier, OnlyADirectoryThatLeftSomethingToATierIsRefusedByOlderPrograms) {
  Upload();
  EXPECT_EQ(Formats(), "larder 1\n, 1");
  Open();
  Evict();
  EXPECT_EQ(Formats(), "larder 2\n, 2");
  // Whichever of the two is lost, the other knows; what lies there knows it too.
  std::filesystem::remove(options_.data_dir + "/FORMAT");
  Open();
  EXPECT_EQ(Formats(), "larder 2\n, 2");
  LowerFormat();
  Open();
  ExpectAllThere();
  EXPECT_EQ(Formats(), "larder 2\n, 2");
}

TEST_F(StoreChangesTier, WhatWasUploadedIsFoundAgainWhenTheTierIsTurnedOnAgain) {
  for (const bool by_cap : {false, true}) {
    SCOPED_TRACE(by_cap);
    Upload();
    options_.tier = nullptr;
    options_.disk_bytes_max = by_cap ? 1 : 1ull << 40;
    Open();
    if (!by_cap) clock_.Advance(8 * 24 * kHourNs);
    ASSERT_TRUE(store_->Settle().ok());
    EXPECT_EQ(store_->stats().stored_rows, 0u);
    EXPECT_EQ(store_->stats().partitions_dropped, 0u);
    const std::string why(Get(3).status().message());
    EXPECT_NE(why.find("tier.kind"), std::string::npos) << why;
    EXPECT_NE(why.find(*tier_->identity()), std::string::npos) << why;
    options_.tier = tier_.get();
    options_.disk_bytes_max = 1ull << 40;
    Open();
    ExpectAllThere();
    ASSERT_TRUE(store_->Purge().ok());
  }
}

// Another disk is mounted at the same place while the store runs.
TEST_F(StoreChangesTier, ATierThatIsExchangedUnderItsPathIsSeen) {
  Upload();
  std::filesystem::rename(scratch_.File("tier"), scratch_.File("first"));
  const auto second = MakeTier("tier");
  ASSERT_TRUE(store_->Settle().ok());
  Open();
  Evict();
  ExpectAllThere();
  EXPECT_GT(Packs("tier"), 0u);
  const std::string lies_in = "lie in '" + *second->identity() + "'";
  std::filesystem::rename(scratch_.File("tier"), scratch_.File("second"));
  std::filesystem::rename(scratch_.File("first"), scratch_.File("tier"));
  const auto lost = Get(3);
  EXPECT_NE(lost.status().message().find(lies_in), std::string_view::npos)
      << lost.status().ToString();
}

}  // namespace
}  // namespace larder
