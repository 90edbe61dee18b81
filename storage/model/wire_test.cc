#include "storage/model/wire.h"

#include <gtest/gtest.h>

#include "storage/model/span.h"
#include "storage/model/table/span_table.h"

namespace larder::wire {
namespace {

std::string GroupStart(uint32_t number) {
  std::string out;
  AppendVarint(number << 3 | 3, &out);
  return out;
}

std::string GroupEnd(uint32_t number) {
  std::string out;
  AppendVarint(number << 3 | 4, &out);
  return out;
}

std::string Group(uint32_t number, std::string_view inside) {
  return GroupStart(number) + std::string(inside) + GroupEnd(number);
}

std::string Nested(uint32_t depth) {
  std::string out;
  for (uint32_t i = 0; i < depth; ++i) out = Group(300, out);
  return out;
}

// The fields of a message, one string each.
std::vector<std::string> Fields(std::string_view message) {
  std::vector<std::string> fields;
  Reader reader(message);
  while (reader.NextField()) fields.emplace_back(reader.SkipField());
  return fields;
}

bool IsRefused(std::string_view message) {
  try {
    Fields(message);
  } catch (const protozero::exception&) {
    return true;
  }
  return false;
}

TEST(WireReaderTest, GroupIsOneField) {
  const std::string number = "\x50\x01";  // 10: varint 1
  const std::string inside =
      "\x0d"
      "four" +
      Group(7, number) + "\x12\x01x" + Group(7, "");
  const std::string group = Group(5000, inside);
  EXPECT_EQ(Fields(number + group + number), (std::vector<std::string>{number, group, number}));
  EXPECT_EQ(Fields(group), std::vector<std::string>{group});

  Reader reader(group);
  ASSERT_TRUE(reader.NextField());
  EXPECT_EQ(reader.tag(), 5000u);
  EXPECT_EQ(reader.tag_and_type(), 5000u << 3 | 3);
  EXPECT_FALSE(reader.is_length_delimited());
  EXPECT_EQ(reader.ReadField(), group);  // also when nobody skips it
  EXPECT_FALSE(reader.NextField());
}

TEST(WireReaderTest, PassesGroupsOnTheWayToAField) {
  const std::string message = Group(1,
                                    "\x0a\x01"
                                    "a") +
                              "\x0a\x01"
                              "b" +
                              Group(2, "");
  Reader reader(message);
  ASSERT_TRUE(reader.NextField(1 << 3 | 2));
  EXPECT_EQ(reader.View(), "b");
  EXPECT_FALSE(reader.NextField(1 << 3 | 2));
}

TEST(WireReaderTest, BoundsTheNestingOfGroups) {
  EXPECT_EQ(Fields(Nested(kGroupNestingMax)).size(), 1u);
  EXPECT_TRUE(IsRefused(Nested(kGroupNestingMax + 1)));
  EXPECT_TRUE(IsRefused(std::string(1 << 20, '\x0b')));  // starts of group 1, nothing else
}

TEST(WireReaderTest, RefusesBrokenGroups) {
  EXPECT_TRUE(IsRefused(GroupEnd(5)));
  EXPECT_TRUE(IsRefused(GroupStart(5)));
  EXPECT_TRUE(IsRefused(GroupStart(5) + GroupEnd(6)));
  EXPECT_TRUE(IsRefused(GroupStart(5) + GroupStart(6) + GroupEnd(5) + GroupEnd(6)));
  EXPECT_TRUE(IsRefused(Group(5, "\x12\x05x")));       // the field takes the end with it
  EXPECT_TRUE(IsRefused(Group(5, "\x0e")));            // wire type 6
  EXPECT_TRUE(IsRefused(std::string("\x03\x04", 2)));  // number 0
  EXPECT_TRUE(
      IsRefused("\xfb\xff\xff\xff\x1f"
                "\xfc\xff\xff\xff\x1f"));  // above 2^29 - 1
  const std::string whole = Group(5000, Group(7, "\x12\x01x"));
  for (size_t size = 1; size < whole.size(); ++size) {
    EXPECT_TRUE(IsRefused(whole.substr(0, size))) << size;
  }
}

// One group in each message of OTLP comes back where it was; one broken group refuses the request.
TEST(WireReaderTest, OtlpKeepsGroupsAtEveryLevel) {
  const auto message = [](uint32_t tag, std::string_view bytes) {
    std::string out;
    AppendBytes(tag, bytes, &out);
    return out;
  };
  for (const std::string& group : {Group(400, Group(3, "\x12\x01x")), GroupStart(400)}) {
    const bool is_whole = group != GroupStart(400);
    // Which level has the group: the request, then inwards.
    for (int level = 0; level <= 9; ++level) {
      const auto at = [&](int wanted) { return level == wanted ? group : std::string(); };
      const std::string value = message(0x0a, "v") + at(9);
      const std::string pair = message(0x0a, "k") + message(0x12, value) + at(8);
      const std::string event = message(0x12, "e") + at(7);
      const std::string link = message(0x1a, "s") + at(6);
      const std::string status = message(0x12, "m") + at(5);
      const std::string span = message(0x0a, "0123456789abcdef") + message(0x12, "01234567") +
                               message(0x4a, pair) + message(0x5a, event) + message(0x6a, link) +
                               message(0x7a, status) + at(4);
      const std::string scope_spans =
          message(0x0a, message(0x0a, "lib") + at(3)) + message(0x12, span) + at(2);
      const std::string resource = message(0x0a, pair) + at(1);
      const std::string resource_spans = message(0x0a, resource) + message(0x12, scope_spans);
      const std::string request = message(0x0a, resource_spans) + at(0);
      SpanTable table;
      const auto result = table.Append(request, {});
      ASSERT_EQ(result.ok(), is_whole) << "level " << level;
      ASSERT_EQ(DecodeSpans(request).ok(), is_whole) << "level " << level;
      if (!is_whole) continue;
      table.Publish();
      std::string out;
      table.EncodeSpan(0, &out);
      const SpanRow& row = table.row(0);
      const std::string all = out + std::string(table.resource(row.resource).envelope) +
                              std::string(table.scope(row.scope).envelope);
      // What stands beside spans in a request belongs to no span.
      EXPECT_EQ(all.find(group) != std::string::npos, level != 0) << "level " << level;
    }
  }
}

}  // namespace
}  // namespace larder::wire
