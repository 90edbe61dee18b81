#include "storage/model/table/chunked_array.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/model/table/byte_arena.h"
#include "storage/model/table/trace_chains.h"
#include "tests/support/seed.h"

namespace larder {
namespace {

using Small = ChunkedArray<uint32_t, 2, 4, 1u << 7>;

TEST(ChunkedArray, KeepsElementsWhereTheyAre) {
  Small array;
  std::vector<const uint32_t*> places;
  for (uint32_t i = 0; i < Small::kSizeMax; ++i) {
    array.PushBack(i * 3);
    places.push_back(&array[i]);
    for (uint32_t j = 0; j <= i; ++j) {
      ASSERT_EQ(&array[j], places[j]);
      ASSERT_EQ(array[j], j * 3);
    }
  }
  uint32_t first = 0;
  EXPECT_FALSE(array.AllocateRun(1, &first));
}

TEST(ChunkedArray, GrowsWithWhatItHolds) {
  ChunkedArray<uint64_t, 4, 10, 1u << 20> array;
  const uint64_t empty_bytes = array.memory_bytes();
  EXPECT_LT(empty_bytes, 256u);
  for (uint32_t i = 0; i < 100'000; ++i) {
    array.PushBack(i);
    const uint64_t needed_bytes = uint64_t{i + 1} * sizeof(uint64_t);
    ASSERT_LE(array.memory_bytes(), empty_bytes + 2 * needed_bytes + needed_bytes / 4 + 256);
  }
  EXPECT_LT(array.memory_bytes(), 100'000 * sizeof(uint64_t) * 5 / 4);
}

// Every run of up to `kSizeMax` elements behind every number of single ones.
TEST(ChunkedArray, ARunIsInOnePiece) {
  for (uint32_t before = 0; before <= 40; ++before) {
    for (uint32_t count = 0; count <= Small::kSizeMax; ++count) {
      Small array;
      for (uint32_t i = 0; i < before; ++i) array.PushBack(i);
      uint32_t first = 0;
      if (!array.AllocateRun(count, &first)) {
        ASSERT_GT(before + count, Small::kSizeMax - Small::kPieceSize);
        continue;
      }
      for (uint32_t i = 0; i < count; ++i) array.Mutable(first + i) = 1000 + i;
      const auto run = array.Run(first, count);
      ASSERT_EQ(run.size(), count);
      for (uint32_t i = 0; i < count; ++i) {
        ASSERT_EQ(run[i], 1000 + i);
        ASSERT_EQ(&run[i], &array[first + i]);
      }
      for (uint32_t i = 0; i < before; ++i) ASSERT_EQ(array[i], i);
    }
  }
}

// Random runs and cuts beside a plain vector of (first, values).
TEST(ChunkedArray, CutsFromTheEndAlone) {
  Random random(TestSeed());
  for (int round = 0; round < 200; ++round) {
    ChunkedArray<uint32_t, 2, 5, 1u << 12> array;
    std::vector<std::pair<uint32_t, uint32_t>> runs;  // first, count; values are the indexes
    std::vector<uint32_t> sizes_before;
    while (array.size() < 2000) {
      if (!runs.empty() && random.Next() % 4 == 0) {
        array.Truncate(sizes_before.back());
        runs.pop_back();
        sizes_before.pop_back();
        continue;
      }
      const auto count = static_cast<uint32_t>(1 + random.Next() % 50);
      const uint32_t size_before = array.size();
      uint32_t first = 0;
      ASSERT_TRUE(array.AllocateRun(count, &first));
      for (uint32_t i = 0; i < count; ++i) array.Mutable(first + i) = first + i;
      runs.emplace_back(first, count);
      sizes_before.push_back(size_before);
    }
    for (const auto& [first, count] : runs) {
      for (uint32_t i = 0; i < count; ++i) ASSERT_EQ(array.Run(first, count)[i], first + i);
    }
  }
}

TEST(ByteArena, KeepsBytesAndTakesLittleForFew) {
  ByteArena arena;
  std::vector<std::pair<std::string_view, std::string>> kept;
  uint64_t copied_bytes = 0;
  for (uint32_t i = 0; i < 3000; ++i) {
    const std::string bytes(i % 97 == 0 ? 20'000 : i % 60, static_cast<char>('a' + i % 26));
    kept.emplace_back(arena.Copy(bytes), bytes);
    copied_bytes += bytes.size();
    ASSERT_LE(arena.memory_bytes(), 1024 + 2 * copied_bytes + (i < 100 ? 0 : 64 << 10));
  }
  for (const auto& [view, bytes] : kept) EXPECT_EQ(view, bytes);
}

TEST(TraceChains, LeadToEveryRowOfATrace) {
  constexpr uint32_t kRows = 40'000;
  TraceChains chains;
  std::vector<uint32_t> next(kRows);
  std::vector<TraceId> ids(kRows);
  for (uint32_t row = 0; row < kRows; ++row) {
    const uint64_t trace = row * 2654435761u % 7000;
    std::memcpy(ids[row].bytes.data(), &trace, sizeof trace);
    std::atomic<uint32_t>& head = chains.Head(row, ids[row]);
    next[row] = head.load();
    head.store(row + 1);
    if (row == 60) {
      EXPECT_EQ(chains.memory_bytes(), 256u);
    }
  }
  for (uint32_t row = 0; row < kRows; row += 397) {
    std::vector<uint32_t> found;
    for (size_t level = TraceChains::kLevels; level-- > 0;) {
      for (uint32_t at = chains.First(level, ids[row]); at != 0; at = next[at - 1]) {
        if (ids[at - 1] == ids[row]) found.push_back(at - 1);
      }
    }
    std::vector<uint32_t> expected;
    for (uint32_t i = kRows; i-- > 0;) {
      if (ids[i] == ids[row]) expected.push_back(i);
    }
    ASSERT_EQ(found, expected);
  }
}

}  // namespace
}  // namespace larder
