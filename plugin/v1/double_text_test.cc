#include "plugin/v1/double_text.h"

#include <cmath>
#include <cstdio>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace larder::v1 {
namespace {

std::string TenDigits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", value);
  return text;
}

// What Go's strconv.FormatFloat(value, 'g', 10, 64) answers.
TEST(DoubleText, HasItsDoubles) {
  for (const auto& [text, value] :
       std::vector<std::pair<std::string, double>>{{"72.5", 72.5},
                                                   {"1e+21", 1e21},
                                                   {"1.23456789e+10", 12345678901.0},
                                                   {"1.234e-05", 0.00001234},
                                                   {"0.3", 0.1 + 0.2},
                                                   {"-7", -7},
                                                   {"0", 0},
                                                   {"+Inf", INFINITY},
                                                   {"0.30000000000000004", 0.1 + 0.2}}) {
    const auto range = DoublesOfText(text);
    ASSERT_TRUE(range) << text;
    EXPECT_LE(range->low, value) << text;
    EXPECT_GE(range->high, value) << text;
  }
  for (const char* text :
       {"", "word", "72.50", "1e21", "007", "+7", "NaN", "nan", "inf", "0x1p3"}) {
    EXPECT_FALSE(DoublesOfText(text)) << text;
  }
}

TEST(DoubleText, TheDoublesOfATextAreThoseThatHaveIt) {
  Random random(TestSeed());
  for (int i = 0; i < 2000; ++i) {
    const double magnitude = std::pow(10, static_cast<double>(random.Between(0, 580)) - 300);
    const double value = static_cast<double>(random.Between(1, 1'000'000'000'000)) * magnitude;
    for (const double each : {value, -value}) {
      const std::string text = TenDigits(each);
      const auto range = DoublesOfText(text);
      ASSERT_TRUE(range) << text;
      EXPECT_LE(range->low, each) << text;
      EXPECT_GE(range->high, each) << text;
      EXPECT_EQ(TenDigits(range->low), text);
      EXPECT_EQ(TenDigits(range->high), text);
      constexpr double kInfinity = std::numeric_limits<double>::infinity();
      EXPECT_NE(TenDigits(std::nextafter(range->low, -kInfinity)), text);
      EXPECT_NE(TenDigits(std::nextafter(range->high, kInfinity)), text);
    }
  }
}

}  // namespace
}  // namespace larder::v1
