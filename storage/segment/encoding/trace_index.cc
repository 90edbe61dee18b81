#include "storage/segment/encoding/trace_index.h"

#include <algorithm>
#include <bit>

#include "storage/base/check.h"
#include "storage/segment/encoding/encoding.h"

namespace larder {
namespace {

uint32_t ShiftFor(size_t entry_count, uint32_t check_bits) {
  const auto bits = static_cast<uint32_t>(std::bit_width(entry_count)) + check_bits;
  return bits >= 64 ? 0 : 64 - bits;
}

}  // namespace

uint32_t TraceIndexChunkOf(uint64_t hash, uint32_t chunk_count) {
  LARDER_CHECK(chunk_count > 0);
  // The upper half of the product: chunks share the range of hashes evenly.
  return static_cast<uint32_t>(((hash >> 32) * chunk_count) >> 32);
}

// shift varint | distances of kept hashes (numbers) | places (codes)
std::vector<std::string> EncodeTraceIndex(std::vector<TraceIndexEntry> entries,
                                          uint32_t check_bits) {
  std::stable_sort(
      entries.begin(), entries.end(),
      [](const TraceIndexEntry& a, const TraceIndexEntry& b) { return a.hash < b.hash; });
  const auto chunk_count = static_cast<uint32_t>(std::max<size_t>(
      1, (entries.size() + kTraceIndexChunkEntries / 2) / kTraceIndexChunkEntries));
  const uint32_t shift = ShiftFor(entries.size(), check_bits);
  std::vector<std::string> chunks(chunk_count);
  size_t next = 0;
  for (uint32_t chunk = 0; chunk < chunk_count; ++chunk) {
    std::vector<uint64_t> distances;
    std::vector<uint32_t> places;
    uint64_t before = 0;
    for (; next < entries.size() && TraceIndexChunkOf(entries[next].hash, chunk_count) == chunk;
         ++next) {
      const uint64_t kept = entries[next].hash >> shift;
      distances.push_back(kept - before);
      places.push_back(entries[next].place);
      before = kept;
    }
    PutVarint(&chunks[chunk], shift);
    EncodeNumbers(distances, &chunks[chunk]);
    EncodeCodes(places, &chunks[chunk]);
  }
  return chunks;
}

bool TraceIndexChunk::Decode(std::string_view body) {
  ByteReader in(body);
  if (!in.GetVarint32(&shift_) || shift_ >= 64) return false;
  if (!DecodeNumbers(&in, &kept_) || !DecodeCodes(&in, &places_) || !in.empty()) return false;
  if (kept_.size() != places_.size()) return false;
  for (size_t i = 1; i < kept_.size(); ++i) kept_[i] += kept_[i - 1];
  return std::is_sorted(kept_.begin(), kept_.end());
}

void TraceIndexChunk::Find(uint64_t hash, std::vector<uint32_t>* places) const {
  const auto [first, last] = std::equal_range(kept_.begin(), kept_.end(), hash >> shift_);
  for (auto i = first; i != last; ++i) {
    places->push_back(places_[static_cast<size_t>(i - kept_.begin())]);
  }
}

uint64_t TraceIndexChunk::memory_bytes() const {
  return sizeof(*this) + kept_.capacity() * sizeof(uint64_t) +
         places_.capacity() * sizeof(uint32_t);
}

}  // namespace larder
