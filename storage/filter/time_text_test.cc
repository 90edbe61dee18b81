#include "storage/filter/time_text.h"

#include <gtest/gtest.h>

namespace larder {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(ParseDurationText, ReadsWhatGoReads) {
  EXPECT_EQ(ParseDurationText("0"), 0);
  EXPECT_EQ(ParseDurationText("+0"), 0);
  EXPECT_EQ(ParseDurationText("-0"), 0);
  EXPECT_EQ(ParseDurationText("2s"), 2 * kSecond);
  EXPECT_EQ(ParseDurationText("-1.5s"), -1'500'000'000);
  EXPECT_EQ(ParseDurationText("1h2m3s4ms5us6ns"), 3723 * kSecond + 4'005'006);
  EXPECT_EQ(ParseDurationText("10\xC2\xB5s"), 10'000);
  EXPECT_EQ(ParseDurationText("10\xCE\xBCs"), 10'000);
  EXPECT_EQ(ParseDurationText(".5s"), kSecond / 2);
  EXPECT_EQ(ParseDurationText("1.s"), kSecond);
  EXPECT_EQ(ParseDurationText("1s1s"), 2 * kSecond);
  EXPECT_EQ(ParseDurationText("0.3333333333333333333h"), 1'200'000'000'000);
  EXPECT_EQ(ParseDurationText("9223372036854775807ns"), INT64_MAX);
  EXPECT_EQ(ParseDurationText("-9223372036854775808ns"), INT64_MIN);
  EXPECT_EQ(ParseDurationText("9223372036.854775807s"), INT64_MAX);
  EXPECT_EQ(ParseDurationText("0.9223372036854775807999s"), 922'337'203);
}

TEST(ParseDurationText, RefusesWhatGoRefuses) {
  for (const char* text : {"",
                           "-",
                           "+",
                           "3",
                           ".",
                           ".s",
                           "s",
                           "1 s",
                           " 1s",
                           "1s ",
                           "1d",
                           "1w",
                           "1e3s",
                           "1S",
                           "1Ms",
                           "--1s",
                           "1s-1s",
                           "9223372036854775808ns",
                           "9223372036854775809ns",
                           "2562048h",
                           "3000000h",
                           "-9223372036854775809ns",
                           "99999999999999999999ns",
                           "0x1s",
                           "1\xB5s"}) {
    EXPECT_EQ(ParseDurationText(text), std::nullopt) << text;
  }
}

uint64_t NanosOf(const char* text) {
  const auto moment = ParseMomentText(text);
  EXPECT_TRUE(moment.has_value()) << text;
  EXPECT_EQ(moment->place, Moment::Place::kWithin) << text;
  return moment->ns;
}

TEST(ParseMomentText, ReadsWhatGoReads) {
  constexpr uint64_t kTen = 1'786'874'400'000'000'000;  // 2026-08-16T10:00:00Z
  EXPECT_EQ(NanosOf("1970-01-01T00:00:00Z"), 0U);
  EXPECT_EQ(NanosOf("2026-08-16T10:00:00Z"), kTen);
  EXPECT_EQ(NanosOf("2026-08-16T12:30:00+02:30"), kTen);
  EXPECT_EQ(NanosOf("2026-08-15T23:00:00-11:00"), kTen);
  EXPECT_EQ(NanosOf("2026-08-16T10:00:00.02Z"), kTen + 20'000'000);
  EXPECT_EQ(NanosOf("2026-08-16T10:00:00,123456789Z"), kTen + 123'456'789);
  EXPECT_EQ(NanosOf("2026-08-16T9:59:59.9Z"), kTen - 100'000'000);
  EXPECT_EQ(NanosOf("2000-02-29T00:00:00Z"), 951'782'400'000'000'000U);
  EXPECT_EQ(NanosOf("2262-04-12T00:00:00Z"), 9'223'372'800'000'000'000U);
  EXPECT_EQ(NanosOf("2554-07-21T23:34:33.709551615Z"), UINT64_MAX);
}

TEST(ParseMomentText, SaysWhatLiesBesideAllSpans) {
  EXPECT_EQ(ParseMomentText("1969-12-31T23:59:59.9Z")->place, Moment::Place::kBeforeAll);
  EXPECT_EQ(ParseMomentText("0000-01-01T00:00:00Z")->place, Moment::Place::kBeforeAll);
  EXPECT_EQ(ParseMomentText("1970-01-01T00:00:00+01:00")->place, Moment::Place::kBeforeAll);
  EXPECT_EQ(ParseMomentText("2554-07-21T23:34:33.709551616Z")->place, Moment::Place::kAfterAll);
  EXPECT_EQ(ParseMomentText("9999-12-31T23:59:59Z")->place, Moment::Place::kAfterAll);
}

TEST(ParseMomentText, RefusesWhatGoRefuses) {
  for (const char* text : {"",
                           "2026-08-16",
                           "2026-08-16T10:00:00",
                           "2026-08-16 10:00:00Z",
                           "2026-08-16t10:00:00Z",
                           "2026-08-16T10:00:00z",
                           "2026-08-16T24:00:00Z",
                           "2026-08-16T10:60:00Z",
                           "2026-08-16T10:00:60Z",
                           "2026-08-16T10:00:00.Z",
                           "2026-08-16T10:00:00.0123456789Z",
                           "2026-08-16T10:00:00+0200",
                           "2026-02-29T00:00:00Z",
                           "2026-04-31T00:00:00Z",
                           "1900-02-29T00:00:00Z",
                           "2026-13-01T00:00:00Z",
                           "2026-00-01T00:00:00Z",
                           "2026-01-00T00:00:00Z",
                           "2026-08-16T10:00:00Z ",
                           "026-08-16T10:00:00Z",
                           "2026-8-16T10:00:00Z",
                           "2026-08-16T10:0:00Z",
                           "2026-08-16T10:00:00+25:00",
                           "2026-08-16T10:00:00+01:61",
                           "2026-08-16T10:00Z",
                           "-026-08-16T10:00:00Z"}) {
    EXPECT_FALSE(ParseMomentText(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace larder
