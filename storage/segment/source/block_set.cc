// A set on disk: one varint, whose low two bits say how and whose rest says how many, then
//   0 list    that many gaps: the first block, then each block's distance from the one before, less
//   1 1 holes   the same, of the blocks that are not in the set 2 bits    one bit per block, low
//   bits first (how many: 0) 3 runs    that many pairs: the gap before the run, the run's length
//   less 1
#include "storage/segment/source/block_set.h"

#include <array>

namespace larder {
namespace {

enum Encoding : uint64_t { kList = 0, kHoles = 1, kBits = 2, kRuns = 3 };

std::string EncodeList(const BlockSet& set, Encoding encoding) {
  std::string bytes;
  PutVarint(&bytes, uint64_t{set.count()} << 2 | encoding);
  uint32_t next = 0;
  set.ForEach([&](uint32_t block) {
    PutVarint(&bytes, block - next);
    next = block + 1;
  });
  return bytes;
}

std::string EncodeRuns(const BlockSet& set) {
  std::string pairs;
  uint64_t count = 0;
  uint32_t end = 0;  // of the run before
  uint32_t first = 0;
  uint32_t last = 0;
  const auto flush = [&] {
    if (last == first) return;
    PutVarint(&pairs, first - end);
    PutVarint(&pairs, last - first - 1);
    end = last;
    ++count;
  };
  set.ForEach([&](uint32_t block) {
    if (block != last || last == first) {
      flush();
      first = block;
    }
    last = block + 1;
  });
  flush();
  std::string bytes;
  PutVarint(&bytes, count << 2 | kRuns);
  return bytes + pairs;
}

std::string EncodeBits(const BlockSet& set) {
  std::string bytes;
  PutVarint(&bytes, kBits);
  const size_t head = bytes.size();
  bytes.resize(head + (set.block_count() + 7) / 8);
  set.ForEach([&](uint32_t block) {
    char& byte = bytes[head + block / 8];
    byte = static_cast<char>(byte | 1 << (block % 8));
  });
  return bytes;
}

bool AddGaps(ByteReader* from, uint64_t count, BlockSet* set) {
  uint64_t next = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint32_t gap = 0;
    if (!from->GetVarint32(&gap)) return false;
    next += gap;
    if (next >= set->block_count()) return false;
    set->Add(static_cast<uint32_t>(next++));
  }
  return true;
}

bool AddBits(ByteReader* from, BlockSet* set) {
  std::string_view bits;
  if (!from->GetBytes((set->block_count() + 7) / 8, &bits)) return false;
  for (uint32_t block = 0; block < set->block_count(); ++block) {
    if ((static_cast<uint8_t>(bits[block / 8]) >> (block % 8) & 1) != 0) set->Add(block);
  }
  return true;
}

bool AddRuns(ByteReader* from, uint64_t count, BlockSet* set) {
  uint64_t next = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint32_t gap = 0;
    uint32_t more = 0;
    if (!from->GetVarint32(&gap) || !from->GetVarint32(&more)) return false;
    const uint64_t first = next + gap;
    next = first + more + 1;
    if (next > set->block_count()) return false;
    set->AddRange(static_cast<uint32_t>(first), static_cast<uint32_t>(next));
  }
  return true;
}

}  // namespace

BlockSet BlockSet::All(uint32_t block_count) {
  BlockSet set(block_count);
  set.AddAll();
  return set;
}

void BlockSet::AddAll() {
  for (uint64_t& word : words_) word = ~uint64_t{0};
  if (block_count_ % 64 != 0) words_.back() &= (uint64_t{1} << (block_count_ % 64)) - 1;
}

void BlockSet::AddRange(uint32_t first, uint32_t last) {
  for (uint32_t block = first; block < last; ++block) Add(block);
}

void BlockSet::UnionWith(const BlockSet& other) {
  for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
}

void BlockSet::IntersectWith(const BlockSet& other) {
  for (size_t i = 0; i < words_.size(); ++i) words_[i] &= other.words_[i];
}

void BlockSet::Subtract(const BlockSet& other) {
  for (size_t i = 0; i < words_.size(); ++i) words_[i] &= ~other.words_[i];
}

void BlockSet::Complement() {
  BlockSet all = All(block_count_);
  all.Subtract(*this);
  *this = std::move(all);
}

bool BlockSet::empty() const {
  for (const uint64_t word : words_) {
    if (word != 0) return false;
  }
  return true;
}

uint32_t BlockSet::count() const {
  int count = 0;
  for (const uint64_t word : words_) count += std::popcount(word);
  return static_cast<uint32_t>(count);
}

void PutBlockSet(std::string* to, const BlockSet& set) {
  const uint32_t count = set.count();
  std::string best;
  if (count <= set.block_count() / 2) {
    best = EncodeList(set, kList);
  } else {
    BlockSet holes = set;
    holes.Complement();
    best = EncodeList(holes, kHoles);
  }
  // A list of a few bytes is not beaten, and most sets are that small.
  if (best.size() > 3) {
    for (const std::string& other : std::array{EncodeBits(set), EncodeRuns(set)}) {
      if (other.size() < best.size()) best = other;
    }
  }
  to->append(best);
}

bool AddBlockSet(ByteReader* from, BlockSet* set) {
  uint64_t head = 0;
  if (!from->GetVarint(&head)) return false;
  const uint64_t count = head >> 2;
  if (count > set->block_count()) return false;
  switch (head & 3) {
    case kList:
      return AddGaps(from, count, set);
    case kHoles: {
      BlockSet holes(set->block_count());
      if (!AddGaps(from, count, &holes)) return false;
      holes.Complement();
      set->UnionWith(holes);
      return true;
    }
    case kBits:
      return AddBits(from, set);
    default:
      return AddRuns(from, count, set);
  }
}

bool SkipBlockSet(ByteReader* from, uint32_t block_count) {
  uint64_t head = 0;
  if (!from->GetVarint(&head)) return false;
  uint64_t varints = head >> 2;
  if (varints > block_count) return false;
  if ((head & 3) == kBits) return from->Skip((block_count + 7) / 8);
  if ((head & 3) == kRuns) varints *= 2;
  uint64_t ignored = 0;
  for (uint64_t i = 0; i < varints; ++i) {
    if (!from->GetVarint(&ignored)) return false;
  }
  return true;
}

}  // namespace larder
