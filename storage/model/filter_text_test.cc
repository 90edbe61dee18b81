#include "storage/model/filter_text.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace larder {
namespace {

TEST(ParseIntText, ReadsWhatGoReads) {
  EXPECT_EQ(ParseIntText("+5"), 5);
  EXPECT_EQ(ParseIntText("-5"), -5);
  EXPECT_EQ(ParseIntText("005"), 5);
  EXPECT_EQ(ParseIntText("9223372036854775807"), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ParseIntText("-9223372036854775808"), std::numeric_limits<int64_t>::min());
}

TEST(ParseIntText, RefusesWhatGoRefuses) {
  for (const char* text : {"0x10", "1_000", "", " 5", "5 ", "1e3", "9223372036854775808", "+", "-",
                           "+-5", "-+5", "5.0"}) {
    EXPECT_EQ(ParseIntText(text), std::nullopt) << text;
  }
}

TEST(ParseDoubleText, ReadsWhatGoReads) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(ParseDoubleText("inf"), infinity);
  EXPECT_EQ(ParseDoubleText("-Inf"), -infinity);
  EXPECT_EQ(ParseDoubleText("+Infinity"), infinity);
  EXPECT_TRUE(std::isnan(ParseDoubleText("NaN").value()));
  EXPECT_TRUE(std::isnan(ParseDoubleText("nan").value()));
  EXPECT_EQ(ParseDoubleText("0x1p-2"), 0.25);
  EXPECT_EQ(ParseDoubleText("1e3"), 1000);
  EXPECT_EQ(ParseDoubleText(".5"), 0.5);
  EXPECT_EQ(ParseDoubleText("5."), 5);
  EXPECT_EQ(ParseDoubleText("1_000"), 1000);
  EXPECT_EQ(ParseDoubleText("+500.00"), 500);
  EXPECT_EQ(ParseDoubleText("-0.5"), -0.5);
  EXPECT_EQ(ParseDoubleText("1e-400"), 0);
}

TEST(ParseDoubleText, RefusesWhatGoRefuses) {
  for (const char* text : {"", " 5", "1e400", "+", ".", "1__0", "_1", "1_", "0x1", "abc", "5x",
                           "--5", "infi", "1_.5"}) {
    EXPECT_EQ(ParseDoubleText(text), std::nullopt) << text;
  }
}

TEST(ParseBoolText, KnowsTwelveSpellings) {
  for (const char* text : {"1", "t", "T", "TRUE", "true", "True"}) {
    EXPECT_EQ(ParseBoolText(text), true) << text;
  }
  for (const char* text : {"0", "f", "F", "FALSE", "false", "False"}) {
    EXPECT_EQ(ParseBoolText(text), false) << text;
  }
  for (const char* text : {"", "yes", "tRUE", "01", " true"}) {
    EXPECT_EQ(ParseBoolText(text), std::nullopt) << text;
  }
}

TEST(SplitWords, FoldsCaseAndParts) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(SplitWords("The quick, FOX-trot"), (Words{"the", "quick", "fox", "trot"}));
  EXPECT_EQ(SplitWords("Größe ÜBER"), (Words{"grösse", "über"}));
  EXPECT_EQ(SplitWords("Foo.java:42"), (Words{"foo", "java", "42"}));
  EXPECT_EQ(SplitWords(""), Words{});
  EXPECT_EQ(SplitWords(" ,. "), Words{});
  EXPECT_EQ(SplitWords("a\xff"
                       "b"),
            (Words{"a", "b"}));
  EXPECT_EQ(SplitWords("e\xcc\x81t"), (Words{"e\xcc\x81t"}));  // a combining mark stays inside
}

}  // namespace
}  // namespace larder
