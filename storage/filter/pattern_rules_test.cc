#include "storage/filter/pattern_rules.h"

#include <array>

#include <gtest/gtest.h>

#include "storage/filter/expression.h"
#include "storage/model/text_pattern.h"
#include "tests/support/seed.h"

namespace larder {
namespace {

TEST(CheckPattern, TakesPlainSyntax) {
  for (const char* pattern : {"",       "GET|POST", "a.b",      "\\w+",         "[a-z]{2,3}",
                              "[Gg]ET", "a*b+c?",   "(a)(?:b)", "\\^\\$",       "[$^]",
                              "[]^$]",  "[^]$]",    "[\\]$]",   "[[:alpha:]$]", "\\Q^$\\b\\E",
                              "\\Qa$",  "(?s)a.b",  "(?s-i:a)", "(?P<n>a)",     "x{,2}",
                              "x{a}",   "{",        "x{2}y",    "\\p{Greek}",   "\\x{10FFFF}",
                              "[?]?",   "\\??"}) {
    const auto checked = CheckPattern(pattern);
    ASSERT_TRUE(checked.ok()) << pattern << ": " << checked.status().ToString();
    EXPECT_EQ(*checked, pattern);
    EXPECT_TRUE(TextPattern::Compile(*checked).ok()) << pattern;
  }
}

TEST(CheckPattern, RefusesWhatFiltersDoNotTake) {
  for (const char* pattern :
       {"^a",     "a$",    "\\Aa",    "a\\z",     "\\bpay",    "a\\Bb",   "\\C",       "a*?",
        "a+?",    "a??",   "a{1,3}?", "a{2}?",    "a{2,}?",    "(?i)get", "(?si:get)", "(?U)a",
        "(?m)^a", "a(?i)", "[a]$",    "\\Qa\\E$", "(?P<n>^a)", "(a|^b)"}) {
    EXPECT_FALSE(CheckPattern(pattern).ok()) << pattern;
  }
}

TEST(CheckPattern, SpellsNamedGroupsAsRe2Does) {
  EXPECT_EQ(CheckPattern("(?<year>\\d+)-(?P<day>x)").value(), "(?P<year>\\d+)-(?P<day>x)");
  EXPECT_EQ(CheckPattern("[(?<n>]\\Q(?<n>\\E").value(), "[(?<n>]\\Q(?<n>\\E");
  for (const char* pattern : {"(?<=a)b", "(?<!a)b", "a(?=b)", "(a)\\1", "(?<n", "(?<", "("}) {
    const auto checked = CheckPattern(pattern);
    EXPECT_FALSE(checked.ok() && TextPattern::Compile(*checked).ok()) << pattern;
  }
}

TEST(CheckPattern, RefusesLongOnes) {
  EXPECT_TRUE(CheckPattern(std::string(kPatternBytesMax, 'a')).ok());
  EXPECT_FALSE(CheckPattern(std::string(kPatternBytesMax + 1, 'a')).ok());
}

// Whatever comes in, the scan ends, and where nothing was respelled the pattern stays as it was.
TEST(CheckPattern, SurvivesAnything) {
  static constexpr std::string_view kBits = "\\[](){}<>?*+^$:-|.PQEAzbBCUims1,a";
  Random random(TestSeed());
  for (int round = 0; round < 200'000; ++round) {
    std::string pattern;
    for (uint64_t left = random.Below(12); left > 0; --left) {
      pattern += kBits[random.Below(kBits.size())];
    }
    const auto checked = CheckPattern(pattern);
    if (!checked.ok() || pattern.find("(?<") != std::string::npos) continue;
    ASSERT_EQ(*checked, pattern);
  }
}

}  // namespace
}  // namespace larder
