#include <algorithm>

#include <gtest/gtest.h>

#include "storage/base/coding.h"
#include "storage/base/hash.h"
#include "storage/journal/journal.h"
#include "storage/journal/journal_format.h"
#include "tests/support/faulty_fs.h"
#include "tests/support/journal_records.h"
#include "tests/support/memory_fs.h"

namespace larder {
namespace {

// A journal of `groups` groups, its bytes, and where each frame starts (and the file ends).
struct Sample {
  std::vector<OwnedRecord> records;  // one per group
  std::string bytes;
  std::vector<size_t> starts;

  // The records of all whole frames within the first `size` bytes.
  std::vector<OwnedRecord> Within(size_t size) const {
    size_t count = 0;
    while (count + 1 < starts.size() && starts[count + 1] <= size) ++count;
    return {records.begin(), records.begin() + static_cast<ptrdiff_t>(count)};
  }
};

Sample MakeSample(Random* random, size_t groups, size_t request_bytes, bool repeats = true) {
  MemoryFs fs;
  EXPECT_TRUE(fs.CreateDirectories(kTestDirectory).ok());
  const auto writer = JournalWriter::Create(&fs, kTestDirectory, kTestGeneration, true).value();
  Sample sample;
  for (size_t i = 0; i < groups; ++i) {
    sample.starts.push_back(writer->size_bytes());
    sample.records.push_back({0, i, RandomRequest(random, request_bytes, repeats)});
    EXPECT_TRUE(CommitAll(writer.get(), {sample.records.back()}).ok());
  }
  sample.starts.push_back(writer->size_bytes());
  sample.bytes = fs.Content(kTestPath);
  return sample;
}

Result<Replayed> ReplayBytes(std::string bytes, const std::string& path = kTestPath) {
  MemoryFs fs;
  EXPECT_TRUE(fs.CreateDirectories(kTestDirectory).ok());
  fs.SetContent(path, std::move(bytes));
  return ReplayAll(&fs, path);
}

// `got` are records of `all`, in order, some left out.
bool IsSubsequence(const std::vector<OwnedRecord>& got, const std::vector<OwnedRecord>& all) {
  auto next = all.begin();
  for (const OwnedRecord& record : got) {
    next = std::find(next, all.end(), record);
    if (next == all.end()) return false;
    ++next;
  }
  return true;
}

TEST(JournalDamage, CutAtEveryByteOfTheLast64KiB) {
  Random random(TestSeed());
  const Sample sample = MakeSample(&random, 6, 11'000, false);
  ASSERT_GT(sample.bytes.size(), 64u << 10);
  MemoryFs fs;
  ASSERT_TRUE(fs.CreateDirectories(kTestDirectory).ok());
  for (size_t size = sample.bytes.size() - (64 << 10); size <= sample.bytes.size(); ++size) {
    fs.SetContent(kTestPath, sample.bytes.substr(0, size));
    uint64_t count = 0;
    const auto replay = ReplayJournal(&fs, kTestPath, [&](const JournalRecord& record) {
      EXPECT_EQ(record.request, sample.records[count].request);
      ++count;
      return Status::Ok();
    });
    ASSERT_TRUE(replay.ok());
    const size_t whole = sample.Within(size).size();
    ASSERT_EQ(count, whole) << "cut at " << size;
    ASSERT_EQ(replay->torn_tail_bytes, size - sample.starts[whole]) << "cut at " << size;
    ASSERT_TRUE(replay->damages.empty()) << "cut at " << size;
  }
}

TEST(JournalDamage, CutAtEveryByteOfASmallOne) {
  Random random(TestSeed());
  const Sample sample = MakeSample(&random, 4, 30);
  for (size_t size = 0; size < sample.bytes.size(); ++size) {
    const auto replayed = ReplayBytes(sample.bytes.substr(0, size));
    ASSERT_TRUE(replayed.ok()) << size;
    EXPECT_EQ(replayed->records, sample.Within(size)) << size;
    EXPECT_EQ(replayed->report.generation, kTestGeneration);
    EXPECT_TRUE(replayed->report.damages.empty()) << size;
  }
}

TEST(JournalDamage, EveryFlippedBitIsReportedAndCostsAtMostItsFrame) {
  Random random(TestSeed());
  const Sample sample = MakeSample(&random, 4, 60);
  for (size_t bit = 0; bit < sample.bytes.size() * 8; ++bit) {
    std::string bytes = sample.bytes;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    const auto replayed = ReplayBytes(bytes);
    ASSERT_TRUE(replayed.ok()) << bit << ": " << replayed.status().ToString();
    ASSERT_EQ(replayed->report.damages.size(), 1u) << "bit " << bit;
    const JournalDamage& damage = replayed->report.damages[0];
    EXPECT_LE(damage.offset, bit / 8);
    EXPECT_GT(damage.offset + damage.size_bytes, bit / 8);
    EXPECT_TRUE(IsSubsequence(replayed->records, sample.records)) << "bit " << bit;
    const size_t lost = bit / 8 < kJournalHeaderBytes ? 0 : 1;
    EXPECT_EQ(replayed->records.size(), sample.records.size() - lost) << "bit " << bit;
  }
}

TEST(JournalDamage, RandomDamageIsNeverServed) {
  Random random(TestSeed());
  const Sample sample = MakeSample(&random, 20, 200);
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = sample.bytes;
    const uint64_t at = kJournalHeaderBytes + random.Below(bytes.size() - kJournalHeaderBytes);
    const uint64_t length = std::min<uint64_t>(random.Between(1, 400), bytes.size() - at);
    switch (random.Below(4)) {
      case 0:
        for (uint64_t i = at; i < at + length; ++i) bytes[i] = static_cast<char>(random.Next());
        break;
      case 1:
        bytes.erase(at, length);
        break;
      case 2:
        bytes.insert(at, bytes, random.Below(bytes.size()), length);
        break;
      default:
        std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(at), length, '\0');
    }
    const auto replayed = ReplayBytes(bytes);
    ASSERT_TRUE(replayed.ok());
    ASSERT_TRUE(IsSubsequence(replayed->records, sample.records)) << "round " << round;
    const bool ends_clean = sample.bytes.starts_with(bytes);  // whole frames gone from the end
    if (replayed->records.size() < sample.records.size() && !ends_clean) {
      EXPECT_TRUE(!replayed->report.damages.empty() || replayed->report.torn_tail_bytes > 0);
    }
    // Everything whole before the damage is there.
    EXPECT_GE(replayed->records.size(), sample.Within(at).size()) << "round " << round;
  }
}

TEST(JournalDamage, FramesAfterALostStretchAreFound) {
  Random random(TestSeed());
  Sample sample = MakeSample(&random, 5, 300);
  sample.bytes.erase(sample.starts[1] + 90, sample.starts[3] - sample.starts[1]);
  const auto replayed = ReplayBytes(sample.bytes);
  ASSERT_TRUE(replayed.ok());
  EXPECT_EQ(replayed->records, (std::vector<OwnedRecord>{sample.records[0], sample.records[4]}));
  EXPECT_EQ(replayed->report.damages.size(), 1u);
}

TEST(JournalDamage, MissingFramesAreReportedEvenWhenNoByteIsBad) {
  Random random(TestSeed());
  Sample sample = MakeSample(&random, 5, 300);
  sample.bytes.erase(sample.starts[1], sample.starts[3] - sample.starts[1]);
  const auto replayed = ReplayBytes(sample.bytes);
  ASSERT_TRUE(replayed.ok());
  EXPECT_EQ(replayed->records.size(), 3u);
  ASSERT_EQ(replayed->report.damages.size(), 1u);
  EXPECT_EQ(replayed->report.damages[0].reason, "2 frames missing");
}

TEST(JournalDamage, ZeroTailIsTorn) {
  Random random(TestSeed());
  const Sample sample = MakeSample(&random, 3, 300);
  for (size_t zeros = 1; zeros < 5000; zeros += 7) {
    const auto replayed = ReplayBytes(sample.bytes + std::string(zeros, '\0'));
    ASSERT_TRUE(replayed.ok());
    EXPECT_EQ(replayed->records, sample.records);
    EXPECT_EQ(replayed->report.torn_tail_bytes, zeros);
    EXPECT_TRUE(replayed->report.damages.empty());
  }
  // The last frame's length is there, its last bytes are not.
  std::string half = sample.bytes;
  std::fill(half.end() - 100, half.end(), '\0');
  const auto replayed = ReplayBytes(half);
  ASSERT_TRUE(replayed.ok());
  EXPECT_EQ(replayed->records.size(), 2u);
  EXPECT_EQ(replayed->report.torn_tail_bytes, half.size() - sample.starts[2]);
}

TEST(JournalDamage, FramesOfAnotherGenerationAreNotTaken) {
  Random random(TestSeed());
  const Sample sample = MakeSample(&random, 2, 100);
  std::string bytes = EncodeJournalHeader(kTestGeneration + 1);
  bytes += sample.bytes.substr(kJournalHeaderBytes);
  const auto replayed = ReplayBytes(bytes);
  ASSERT_TRUE(replayed.ok());
  EXPECT_TRUE(replayed->records.empty());
  EXPECT_EQ(replayed->report.damages.size(), 1u);
}

TEST(JournalDamage, UnreadableHeaderNeedsTheName) {
  Random random(TestSeed());
  Sample sample = MakeSample(&random, 2, 100);
  sample.bytes[0] = 'X';
  EXPECT_EQ(ReplayBytes(sample.bytes)->records, sample.records);
  EXPECT_EQ(ReplayBytes(sample.bytes, kTestDirectory + "/copy").status().code(),
            StatusCode::kDataLoss);
}

TEST(JournalDamage, NewerVersionIsRefused) {
  std::string header = EncodeJournalHeader(kTestGeneration);
  StoreFixed32(header.data() + 8, kJournalVersion + 1);
  header.resize(kJournalHeaderBytes - 4);
  PutFixed32(&header, Checksum32(header));
  const auto replayed = ReplayBytes(header);
  EXPECT_EQ(replayed.status().code(), StatusCode::kFailedPrecondition);
}

TEST(JournalDamage, BadSectorsCostTheirFramesOnly) {
  Random random(TestSeed());
  const Sample sample = MakeSample(&random, 8, 6000, false);
  MemoryFs memory;
  ASSERT_TRUE(memory.CreateDirectories(kTestDirectory).ok());
  memory.SetContent(kTestPath, sample.bytes);
  for (uint64_t sector = 0; sector < sample.bytes.size(); sector += 4096) {
    FaultyFs fs(&memory);
    fs.SetUnreadable(kTestPath, sector, 1);
    const auto replayed = ReplayAll(&fs);
    ASSERT_TRUE(replayed.ok()) << replayed.status().ToString();
    EXPECT_TRUE(IsSubsequence(replayed->records, sample.records));
    // A sector touches two frames at most, since a frame is longer.
    EXPECT_GE(replayed->records.size(), sample.records.size() - 2) << "sector at " << sector;
    EXPECT_LT(replayed->records.size(), sample.records.size());
    EXPECT_EQ(replayed->report.torn_tail_bytes, 0u);
    ASSERT_FALSE(replayed->report.damages.empty());
    EXPECT_NE(replayed->report.damages[0].reason.find("cannot read"), std::string::npos);
  }
}

TEST(JournalDamage, ADiskThatReadsNothingIsAnError) {
  Random random(TestSeed());
  MemoryFs memory;
  ASSERT_TRUE(memory.CreateDirectories(kTestDirectory).ok());
  memory.SetContent(kTestPath, MakeSample(&random, 3, 6000, false).bytes);
  FaultyFs fs(&memory);
  fs.SetUnreadable(kTestPath, 0, UINT64_MAX);
  EXPECT_EQ(ReplayAll(&fs).status().code(), StatusCode::kDataLoss);
}

TEST(JournalDamage, AbsurdLengthsWithGoodChecksumsAskForNoMemory) {
  for (const FrameHeader& absurd :
       {FrameHeader{.payload_bytes = UINT32_MAX, .generation = kTestGeneration, .raw_bytes = 8},
        FrameHeader{.payload_bytes = 60, .generation = kTestGeneration, .raw_bytes = UINT32_MAX},
        FrameHeader{.payload_bytes = 60,
        .generation = kTestGeneration,
        .raw_bytes = 60,
        .record_count = UINT32_MAX}}) {
    std::string bytes = EncodeJournalHeader(kTestGeneration);
    bytes.resize(kJournalHeaderBytes + kFrameHeaderBytes);
    EncodeFrameHeader(absurd, bytes.data() + kJournalHeaderBytes);
    bytes.append(60, 'p');
    const auto replayed = ReplayBytes(bytes);
    ASSERT_TRUE(replayed.ok());
    EXPECT_EQ(replayed->report.damages.size(), 1u);
  }
}

// Every file of up to three bytes of a small alphabet, after a good header: no crash, no record.
TEST(JournalDamage, TinyFilesHoldNothing) {
  const std::string header = EncodeJournalHeader(kTestGeneration);
  for (const char a : {'\0', 'L', '\xff'}) {
    for (const char b : {'\0', 'J', '\xff'}) {
      for (size_t size = 0; size <= 2; ++size) {
        const std::string tail = std::string({a, b}).substr(0, size);
        EXPECT_TRUE(ReplayBytes(header + tail)->records.empty());
        EXPECT_TRUE(ReplayBytes(tail)->records.empty());
      }
    }
  }
}

}  // namespace
}  // namespace larder
