#include "storage/engine/duplicate_window.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(DuplicateWindow, RemembersForItsTime) {
  DuplicateWindow window(100, 10);
  const Hash128 id = RequestIdentity(0, "request");
  EXPECT_FALSE(window.Find(id, 0).has_value());
  window.Add(id, {.accepted_spans = 3, .rejected_spans = 1}, 50);
  ASSERT_TRUE(window.Find(id, 150).has_value());
  EXPECT_EQ(window.Find(id, 150)->accepted_spans, 3u);
  EXPECT_FALSE(window.Find(id, 151).has_value());
  window.Add(id, {.accepted_spans = 4}, 200);
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
    window.Add(RequestIdentity(0, std::to_string(i)), {}, i);
  }
  EXPECT_EQ(window.size(), 3u);
  for (uint64_t i = 0; i < 5; ++i) {
    EXPECT_EQ(window.Find(RequestIdentity(0, std::to_string(i)), 5).has_value(), i >= 2) << i;
  }
  window.Clear();
  EXPECT_EQ(window.size(), 0u);
}

TEST(DuplicateWindow, OldOnesMakeRoomAsTimePasses) {
  DuplicateWindow window(10, 1000);
  for (uint64_t i = 0; i < 1000; ++i) window.Add(RequestIdentity(0, std::to_string(i)), {}, i);
  EXPECT_LE(window.size(), 12u);
}

}  // namespace
}  // namespace larder
