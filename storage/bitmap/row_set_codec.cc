// A set on disk: a byte that says how, then
//   0 list     a varint each: the first row, then each row's distance from the one before, less 1
//   1 bits     one bit per row of the segment, low bits first
//   2 roaring  the portable format (https://github.com/RoaringBitmap/RoaringFormatSpec)
#include <bit>
#include <cstring>
#include <vector>

#include "storage/base/coding.h"
#include "storage/bitmap/row_set.h"
#include "storage/bitmap/row_set_bitmap.h"

namespace larder {
namespace {

enum Encoding : uint8_t { kList = 0, kBits = 1, kRoaring = 2 };

constexpr uint32_t kCookie = 12347;        // low 16 bits; the rest is chunks less 1
constexpr uint32_t kCookieNoRuns = 12346;  // the number of chunks follows
constexpr uint32_t kChunkRows = 1 << 16;
constexpr uint32_t kArrayRowsMax = 4096;  // more of them are a bitset
constexpr uint32_t kNoOffsetChunks = 4;   // fewer chunks with runs have no offsets

uint16_t Load16(std::string_view bytes, size_t index) {
  uint16_t value;
  std::memcpy(&value, bytes.data() + index * sizeof value, sizeof value);
  return value;
}

// Walks the portable format. The vendor's reader minds the end of the bytes and nothing else, and
// what it makes of rows out of order or wrong counts is not safe to use.
class PortableCheck {
 public:
  explicit PortableCheck(std::string_view bytes) : size_(bytes.size()), reader_(bytes) {}

  bool IsValid(uint32_t row_count) {
    if (!ReadHead()) return false;
    uint32_t next_key = 0;
    for (uint32_t i = 0; i < chunk_count_; ++i) {
      const uint32_t key = Load16(heads_, size_t{i} * 2);
      const uint32_t count = uint32_t{Load16(heads_, size_t{i} * 2 + 1)} + 1;
      if (key < next_key) return false;
      next_key = key + 1;
      if (!offsets_.empty() &&
          LoadFixed32(offsets_.data() + size_t{i} * 4) != size_ - reader_.remaining_bytes()) {
        return false;
      }
      if (!ReadChunk(has_runs(i), count)) return false;
      if (uint64_t{key} * kChunkRows + last_ >= row_count) return false;
    }
    return reader_.empty();
  }

 private:
  bool has_runs(uint32_t chunk) const {
    return !runs_.empty() && (static_cast<uint8_t>(runs_[chunk / 8]) >> (chunk % 8) & 1) != 0;
  }

  bool ReadHead() {
    uint32_t cookie = 0;
    if (!reader_.GetFixed32(&cookie)) return false;
    if ((cookie & 0xFFFF) == kCookie) {
      chunk_count_ = (cookie >> 16) + 1;
      if (!reader_.GetBytes((chunk_count_ + 7) / 8, &runs_)) return false;
    } else if (cookie != kCookieNoRuns || !reader_.GetFixed32(&chunk_count_) ||
               chunk_count_ > kChunkRows) {
      return false;
    }
    if (!reader_.GetBytes(size_t{chunk_count_} * 4, &heads_)) return false;
    const bool has_offsets = runs_.empty() || chunk_count_ >= kNoOffsetChunks;
    return !has_offsets || reader_.GetBytes(size_t{chunk_count_} * 4, &offsets_);
  }

  // Leaves the chunk's last row in last_.
  bool ReadChunk(bool runs, uint32_t count) {
    if (runs) return ReadRuns(count);
    return count <= kArrayRowsMax ? ReadArray(count) : ReadBits(count);
  }

  bool ReadRuns(uint32_t count) {
    std::string_view head;
    std::string_view runs;
    if (!reader_.GetBytes(2, &head)) return false;
    const uint32_t run_count = Load16(head, 0);
    if (run_count == 0 || !reader_.GetBytes(size_t{run_count} * 4, &runs)) return false;
    uint32_t total = 0;
    uint32_t first_min = 0;  // runs that touch would be one
    for (uint32_t i = 0; i < run_count; ++i) {
      const uint32_t first = Load16(runs, size_t{i} * 2);
      last_ = first + Load16(runs, size_t{i} * 2 + 1);
      if (first < first_min || last_ >= kChunkRows) return false;
      first_min = last_ + 2;
      total += last_ - first + 1;
    }
    return total == count;
  }

  bool ReadArray(uint32_t count) {
    std::string_view rows;
    if (!reader_.GetBytes(size_t{count} * 2, &rows)) return false;
    uint32_t next = 0;
    for (uint32_t i = 0; i < count; ++i) {
      last_ = Load16(rows, i);
      if (last_ < next) return false;
      next = last_ + 1;
    }
    return true;
  }

  bool ReadBits(uint32_t count) {
    std::string_view bits;
    if (!reader_.GetBytes(kChunkRows / 8, &bits)) return false;
    uint32_t total = 0;
    for (uint32_t word = 0; word < kChunkRows / 64; ++word) {
      const uint64_t value = LoadFixed64(bits.data() + size_t{word} * 8);
      total += static_cast<uint32_t>(std::popcount(value));
      if (value != 0) last_ = word * 64 + static_cast<uint32_t>(std::bit_width(value)) - 1;
    }
    return total == count;
  }

  const size_t size_;
  ByteReader reader_;
  uint32_t chunk_count_ = 0;
  std::string_view runs_;     // a bit per chunk; empty: no chunk has runs
  std::string_view heads_;    // key and count less 1 of each chunk
  std::string_view offsets_;  // of each chunk, from the start; perhaps none
  uint32_t last_ = 0;
};

std::vector<uint32_t> RowsOf(const roaring_bitmap_t* bitmap) {
  std::vector<uint32_t> rows(roaring_bitmap_get_cardinality(bitmap));
  roaring_bitmap_to_uint32_array(bitmap, rows.data());
  return rows;
}

void PutList(std::string* to, const std::vector<uint32_t>& rows) {
  to->push_back(static_cast<char>(kList));
  uint32_t next = 0;
  for (const uint32_t row : rows) {
    PutVarint(to, row - next);
    next = row + 1;
  }
}

void PutBits(std::string* to, const std::vector<uint32_t>& rows, uint32_t row_count) {
  to->push_back(static_cast<char>(kBits));
  const size_t head = to->size();
  to->resize(head + (row_count + 7) / 8);
  for (const uint32_t row : rows) {
    char& byte = (*to)[head + row / 8];
    byte = static_cast<char>(byte | 1 << (row % 8));
  }
}

bool GetList(ByteReader reader, uint32_t row_count, std::vector<uint32_t>* rows) {
  uint64_t next = 0;
  while (!reader.empty()) {
    uint32_t gap = 0;
    if (!reader.GetVarint32(&gap)) return false;
    next += gap;
    if (next >= row_count) return false;
    rows->push_back(static_cast<uint32_t>(next++));
  }
  return true;
}

bool GetBits(std::string_view bits, uint32_t row_count, std::vector<uint32_t>* rows) {
  if (bits.size() != (row_count + 7) / 8) return false;
  for (uint32_t byte = 0; byte < bits.size(); ++byte) {
    for (auto left = static_cast<uint8_t>(bits[byte]); left != 0;
         left = static_cast<uint8_t>(left & (left - 1))) {
      rows->push_back(byte * 8 + static_cast<uint32_t>(std::countr_zero(left)));
    }
  }
  return rows->empty() || rows->back() < row_count;
}

}  // namespace

void PutRowSet(std::string* to, const RowSet& set, uint32_t row_count) {
  const roaring_bitmap_t* const bitmap = set.bitmap_->get();
  const std::vector<uint32_t> rows = RowsOf(bitmap);
  std::string list;
  PutList(&list, rows);
  const size_t roaring_bytes = 1 + roaring_bitmap_portable_size_in_bytes(bitmap);
  const size_t bits_bytes = 1 + (size_t{row_count} + 7) / 8;
  if (list.size() <= std::min(roaring_bytes, bits_bytes)) {
    to->append(list);
  } else if (bits_bytes <= roaring_bytes) {
    PutBits(to, rows, row_count);
  } else {
    to->push_back(static_cast<char>(kRoaring));
    const size_t head = to->size();
    to->resize(head + roaring_bytes - 1);
    roaring_bitmap_portable_serialize(bitmap, to->data() + head);
  }
}

bool GetRowSet(std::string_view bytes, uint32_t row_count, RowSet* set) {
  if (bytes.empty()) return false;
  const auto encoding = static_cast<uint8_t>(bytes[0]);
  bytes.remove_prefix(1);
  if (encoding == kRoaring) {
    if (!PortableCheck(bytes).IsValid(row_count)) return false;
    roaring_bitmap_t* const bitmap =
        roaring_bitmap_portable_deserialize_safe(bytes.data(), bytes.size());
    if (bitmap == nullptr) return false;
    set->bitmap_ = std::make_unique<RowSet::Bitmap>(bitmap);
    return true;
  }
  std::vector<uint32_t> rows;
  const bool ok = encoding == kList   ? GetList(ByteReader(bytes), row_count, &rows)
                  : encoding == kBits ? GetBits(bytes, row_count, &rows)
                                      : false;
  if (ok) *set = RowSet::Of(rows);
  return ok;
}

}  // namespace larder
