#include "storage/engine/catalog/tenants.h"

#include <gtest/gtest.h>

#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

class TenantsTest : public testing::Test {
 protected:
  TenantsTest() { Reopen(); }

  void Reopen() {
    tenants_.reset();
    catalog_.reset();
    kv_.reset();
    auto kv = KvStore::Open({.path = scratch_.File("db")});
    ASSERT_TRUE(kv.ok()) << kv.status().ToString();
    kv_ = std::move(kv).value();
    catalog_ = std::make_unique<Catalog>(kv_.get());
    const auto contents = catalog_->Load();
    ASSERT_TRUE(contents.ok());
    tenants_ = std::make_unique<Tenants>(options_, catalog_.get());
    tenants_->Load(contents->tenants);
  }

  const ScratchDirectory scratch_;
  TenantOptions options_;
  std::unique_ptr<KvStore> kv_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Tenants> tenants_;
};

TEST_F(TenantsTest, ANameKeepsItsNumber) {
  EXPECT_EQ(tenants_->Find("acme"), kNoTenant);
  EXPECT_EQ(*tenants_->Open("acme"), 1u);
  EXPECT_EQ(*tenants_->Open("beta"), 2u);
  EXPECT_EQ(*tenants_->Open("acme"), 1u);
  Reopen();
  EXPECT_EQ(tenants_->Find("acme"), 1u);
  EXPECT_EQ(tenants_->Find("beta"), 2u);
  EXPECT_EQ(*tenants_->Open("gamma"), 3u);
}

TEST_F(TenantsTest, ANumberOnDiskIsNeverGivenToAnotherName) {
  tenants_->NoteUsed(ArchiveOf(7));
  EXPECT_EQ(*tenants_->Open("acme"), 8u);
}

TEST_F(TenantsTest, NamesAreBoundedInLengthAndNumber) {
  options_.tenants_max = 2;
  Reopen();
  EXPECT_EQ(tenants_->Open("").status().code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(tenants_->Open(std::string(kTenantNameBytesMax + 1, 'x')).status().code(),
            StatusCode::kInvalidArgument);
  EXPECT_TRUE(tenants_->Open(std::string(kTenantNameBytesMax, 'x')).ok());
  EXPECT_TRUE(tenants_->Open(std::string_view("\xff\0", 2)).ok());
  EXPECT_EQ(tenants_->Open("third").status().code(), StatusCode::kFailedPrecondition);
  EXPECT_TRUE(tenants_->Open(std::string_view("\xff\0", 2)).ok());
}

TEST_F(TenantsTest, LimitsOfANameStandOverThoseOfAll) {
  options_.each = {.retention_ms = 10, .disk_bytes_max = 20};
  options_.by_name.emplace_back("acme", TenantLimits{.disk_bytes_max = 5});
  options_.by_name.emplace_back("beta", TenantLimits{.retention_ms = 70});
  Reopen();
  const TenantId acme = *tenants_->Open("acme");
  EXPECT_EQ(tenants_->LimitsOf(acme).retention_ms, 10u);
  EXPECT_EQ(tenants_->LimitsOf(acme).disk_bytes_max, 5u);
  EXPECT_EQ(tenants_->LimitsOf(0).disk_bytes_max, 20u);
  EXPECT_EQ(Tenants::LongestRetentionMs(options_, 50), 70u);
}

TEST_F(TenantsTest, WhatGoesIsKnownAfterARestart) {
  const TenantId acme = *tenants_->Open("acme");
  ASSERT_TRUE(tenants_->MarkGoing(ArchiveOf(acme), {3, 4}).ok());
  ASSERT_TRUE(tenants_->MarkPurged(acme, 100, {5}).ok());
  Reopen();
  for (const uint64_t id : {3u, 4u, 5u}) EXPECT_TRUE(tenants_->IsGoing(acme, id)) << id;
  EXPECT_FALSE(tenants_->IsGoing(acme, 6));
  EXPECT_FALSE(tenants_->IsGoing(2, 3));
  EXPECT_TRUE(tenants_->IsPurged(ArchiveOf(acme), 99));
  EXPECT_FALSE(tenants_->IsPurged(acme, 100));
  ASSERT_TRUE(tenants_->ForgetGoing(acme).ok());
  Reopen();
  EXPECT_FALSE(tenants_->IsGoing(acme, 3));
  EXPECT_TRUE(tenants_->IsPurged(acme, 99));
  EXPECT_EQ(tenants_->Find("acme"), acme);
}

}  // namespace
}  // namespace larder
