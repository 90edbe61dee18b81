#include "storage/bitmap/row_set.h"

#include <array>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/seed.h"

namespace larder {
namespace {

std::vector<uint32_t> RowsIn(const RowSet& set) {
  std::vector<uint32_t> rows;
  set.ForEach([&](uint32_t row) { rows.push_back(row); });
  return rows;
}

std::vector<uint32_t> RowsIn(const std::set<uint32_t>& set) { return {set.begin(), set.end()}; }

std::string Encoded(const RowSet& set, uint32_t row_count) {
  std::string bytes;
  PutRowSet(&bytes, set, row_count);
  return bytes;
}

// Every pair of subsets of five rows.
TEST(RowSet, AgreesWithBitsOnSmallSets) {
  constexpr uint32_t kRows = 5;
  const auto set_of = [](uint32_t bits) {
    std::vector<uint32_t> rows;
    for (uint32_t row = 0; row < kRows; ++row) {
      if ((bits >> row & 1) != 0) rows.push_back(row);
    }
    return RowSet::Of(rows);
  };
  for (uint32_t a = 0; a < 1 << kRows; ++a) {
    for (uint32_t b = 0; b < 1 << kRows; ++b) {
      RowSet united = set_of(a);
      united.UnionWith(set_of(b));
      EXPECT_TRUE(united == set_of(a | b));
      RowSet common = set_of(a);
      common.IntersectWith(set_of(b));
      EXPECT_TRUE(common == set_of(a & b));
      EXPECT_EQ(common.empty(), (a & b) == 0);
      RowSet left = set_of(a);
      left.Subtract(set_of(b));
      EXPECT_TRUE(left == set_of(a & ~b));
    }
    RowSet others = set_of(a);
    others.Complement(kRows);
    EXPECT_TRUE(others == set_of(~a & ((1 << kRows) - 1)));
    RowSet read;
    ASSERT_TRUE(GetRowSet(Encoded(set_of(a), kRows), kRows, &read));
    EXPECT_TRUE(read == set_of(a));
  }
}

// A random set of some density, in runs or not.
std::set<uint32_t> RandomRows(Random* random, uint32_t row_count) {
  std::set<uint32_t> rows;
  const uint64_t one_in = uint64_t{1} << random->Below(12);
  const uint64_t run_max = random->OneIn(2) ? 1 : 1 + random->Below(300);
  for (uint64_t row = random->Below(one_in); row < row_count;
       row += 1 + random->Below(2 * one_in)) {
    for (uint64_t run = random->Between(1, run_max); run > 0 && row < row_count; --run) {
      rows.insert(static_cast<uint32_t>(row++));
    }
  }
  return rows;
}

TEST(RowSet, AgreesWithSetsOfTheLibrary) {
  Random random(TestSeed());
  std::set<char> encodings;
  for (int round = 0; round < 60; ++round) {
    const auto row_count = static_cast<uint32_t>(1 + random.Below(150'000));
    const std::set<uint32_t> expected = RandomRows(&random, row_count);
    const RowSet set = RowSet::Of(RowsIn(expected));
    ASSERT_EQ(set.count(), expected.size());
    const std::string bytes = Encoded(set, row_count);
    encodings.insert(bytes[0]);
    RowSet read;
    ASSERT_TRUE(GetRowSet(bytes, row_count, &read));
    ASSERT_EQ(RowsIn(read), RowsIn(expected));
    for (int probe = 0; probe < 50; ++probe) {
      const auto row = static_cast<uint32_t>(random.Below(row_count));
      const auto next = expected.lower_bound(row);
      EXPECT_EQ(read.contains(row), expected.contains(row));
      EXPECT_EQ(read.NextFrom(row).value_or(UINT32_MAX),
                next == expected.end() ? UINT32_MAX : *next);
      std::array<uint64_t, 16> words;
      const uint32_t first = row / 1024 * 1024;
      read.CopyBits(first, words);
      for (uint32_t bit = 0; bit < 1024; ++bit) {
        ASSERT_EQ((words[bit / 64] >> (bit % 64) & 1) != 0, expected.contains(first + bit));
      }
    }
  }
  EXPECT_EQ(encodings.size(), 3u) << "an encoding that never was the smallest";
}

TEST(RowSet, RangesAreRowsOneByOne) {
  RowSet set;
  set.AddRange(7, 7);
  EXPECT_TRUE(set.empty());
  set.AddRange(65'530, 65'540);
  EXPECT_EQ(set.count(), 10u);
  EXPECT_TRUE(set.contains(65'539));
  EXPECT_FALSE(set.contains(65'540));
}

// Damaged bytes are refused, or are another valid set: never rows that the segment does not have.
TEST(RowSet, DamagedBytes) {
  Random random(TestSeed());
  constexpr uint32_t kRows = 140'000;
  std::vector<std::string> whole;
  for (int i = 0; i < 30; ++i) {
    whole.push_back(Encoded(RowSet::Of(RowsIn(RandomRows(&random, kRows))), kRows));
  }
  int refused = 0;
  for (int round = 0; round < 600; ++round) {
    std::string bytes = whole[random.Below(whole.size())];
    if (random.OneIn(3)) {
      bytes.resize(random.Below(bytes.size()));
    } else {
      // Heads are short and matter most.
      const size_t reach = random.OneIn(2) ? std::min<size_t>(bytes.size(), 40) : bytes.size();
      for (uint64_t flips = random.Between(1, 3); flips > 0; --flips) {
        char& byte = bytes[random.Below(reach)];
        byte = static_cast<char>(byte ^ (1 << random.Below(8)));
      }
    }
    RowSet read;
    if (!GetRowSet(bytes, kRows, &read)) {
      ++refused;
      continue;
    }
    ASSERT_FALSE(read.NextFrom(kRows).has_value());
    RowSet again;
    ASSERT_TRUE(GetRowSet(Encoded(read, kRows), kRows, &again));
    ASSERT_TRUE(again == read);
  }
  EXPECT_GT(refused, 60);
}

// ---- ROWS.md ----

RowSet SetNamed(const std::string& ranges) {
  RowSet set;
  std::istringstream in(ranges);
  for (std::string range; std::getline(in, range, ',');) {
    const size_t dash = range.find('-');
    const auto first = static_cast<uint32_t>(std::stoul(range));
    set.AddRange(first, dash == std::string::npos
                            ? first + 1
                            : static_cast<uint32_t>(std::stoul(range.substr(dash + 1))) + 1);
  }
  return set;
}

std::string BytesOf(std::istringstream* words) {
  std::string bytes;
  for (std::string word; *words >> word;) {
    bytes.push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
  }
  return bytes;
}

TEST(RowsPage, ShowsTheEncodingsOfSets) {
  std::ifstream page(LARDER_ROWS_PAGE);
  ASSERT_TRUE(page.good()) << LARDER_ROWS_PAGE;
  int examples = 0;
  for (std::string line; std::getline(page, line);) {
    if (!line.starts_with("    set/")) continue;
    std::istringstream words(line);
    std::string name;
    words >> name;
    const auto row_count = static_cast<uint32_t>(std::stoul(name.substr(4)));
    // Ranges are sets in runs, as a set read from rows is.
    const RowSet set = RowSet::Of(RowsIn(SetNamed(name.substr(name.find(':') + 1))));
    EXPECT_EQ(Encoded(set, row_count), BytesOf(&words)) << name;
    ++examples;
  }
  EXPECT_EQ(examples, 4);
}

}  // namespace
}  // namespace larder
