#include "storage/engine/ingest/duplicate_window.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(DuplicateWindow, RemembersForItsTime) {
  DuplicateWindow window(100, 10);
  const Hash128 id = RequestIdentity(0, "request");
  EXPECT_FALSE(window.Find(id, 0).has_value());
  window.Add(0, id, {.accepted_spans = 3, .rejected_spans = 1}, 50);
  ASSERT_TRUE(window.Find(id, 150).has_value());
  EXPECT_EQ(window.Find(id, 150)->accepted_spans, 3u);
  EXPECT_FALSE(window.Find(id, 151).has_value());
  window.Add(0, id, {.accepted_spans = 4}, 200);
  EXPECT_EQ(window.Find(id, 210)->accepted_spans, 4u);
  EXPECT_EQ(window.size(), 1u);
}

TEST(DuplicateWindow, TenantsAndBytesTellRequestsApart) {
  EXPECT_NE(RequestIdentity(0, "a"), RequestIdentity(1, "a"));
  EXPECT_NE(RequestIdentity(0, "a"), RequestIdentity(0, "b"));
  EXPECT_EQ(RequestIdentity(5, "a"), RequestIdentity(5, "a"));
}

TEST(DuplicateWindow, ForgetsTheOldestWhenFull) {
  DuplicateWindow window(1000, 3);
  for (uint64_t i = 0; i < 5; ++i) {
    window.Add(0, RequestIdentity(0, std::to_string(i)), {}, i);
  }
  EXPECT_EQ(window.size(), 3u);
  for (uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(window.Find(RequestIdentity(0, std::to_string(i)), 5).has_value(), i >= 2) << i;
  }
  window.Clear();
  EXPECT_EQ(window.size(), 0u);
}

TEST(DuplicateWindow, ATenantThatSendsMuchForgetsItsOwn) {
  DuplicateWindow window(1000, 10);
  const auto add = [&window](TenantId tenant, int i) {
    window.Add(tenant, RequestIdentity(tenant, std::to_string(i)), {}, 1);
  };
  const auto has = [&window](TenantId tenant, int i) {
    return window.Find(RequestIdentity(tenant, std::to_string(i)), 1).has_value();
  };
  for (int i = 0; i < 10; ++i) add(1, i);
  for (int i = 0; i < 3; ++i) add(2, i);  // takes from the one that has most
  for (int i = 10; i < 50; ++i) add(1, i);
  EXPECT_EQ(window.size(), 10u);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(has(2, i)) << i;
  for (int i = 43; i < 50; ++i) EXPECT_TRUE(has(1, i)) << i;
  window.Clear(1);
  EXPECT_EQ(window.size(), 3u);
  EXPECT_FALSE(has(1, 49));
  EXPECT_TRUE(has(2, 0));
}

TEST(DuplicateWindow, OldOnesMakeRoomAsTimePasses) {
  DuplicateWindow window(10, 1000);
  for (uint64_t i = 0; i < 1000; ++i) window.Add(0, RequestIdentity(0, std::to_string(i)), {}, i);
  EXPECT_LE(window.size(), 12u);
}

}  // namespace
}  // namespace larder
