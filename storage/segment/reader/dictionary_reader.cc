#include "storage/segment/reader/dictionary_reader.h"

#include <algorithm>

#include "storage/base/coding.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/encoding/payload_order.h"

namespace larder {
namespace {

uint64_t DoubleBits(uint64_t order) {
  return (order >> 63) != 0 ? order & ~(uint64_t{1} << 63) : ~order;
}

bool IsNumber(ValueType type) { return type == ValueType::kInt || type == ValueType::kDouble; }

bool DecodeNumberChunk(ValueType type, ByteReader* in, DictionaryChunk* chunk) {
  std::vector<uint64_t> steps;
  if (!DecodeNumbers(in, &steps)) return false;
  chunk->offsets.push_back(0);
  uint64_t number = 0;
  for (const uint64_t step : steps) {
    number += step;
    PutFixed64(&chunk->arena, type == ValueType::kDouble ? DoubleBits(number) : number);
    chunk->offsets.push_back(static_cast<uint32_t>(chunk->arena.size()));
  }
  return true;
}

}  // namespace

// Where the chunks begin: their first codes and first payloads.
class DictionaryReader::Directory : public CachedPage {
 public:
  std::vector<uint32_t> first_codes;  // of each chunk, then the dictionary's size
  std::vector<uint32_t> offsets;
  std::string arena;

  std::string_view first_payload(size_t chunk) const {
    return std::string_view(arena).substr(offsets[chunk], offsets[chunk + 1] - offsets[chunk]);
  }
  uint64_t memory_bytes() const override {
    return sizeof(*this) + (first_codes.capacity() + offsets.capacity()) * sizeof(uint32_t) +
           arena.capacity();
  }
};

DictionaryReader::DictionaryReader(const SegmentPages* pages, uint32_t column)
    : pages_(pages),
      column_(column),
      chunk_count_(std::max(pages->header().page_count(Section::kDictionaries, column), 2u) - 1) {}

PageOf<DictionaryReader::Directory> DictionaryReader::ReadDirectory() const {
  const PageKey key = KeyOf(chunk_count_);
  const auto decode = [&](std::string_view body, Directory* directory) {
    ByteReader in(body);
    std::vector<uint64_t> counts;
    if (!DecodeNumbers(&in, &counts) ||
        !DecodeStrings(&in, &directory->offsets, &directory->arena) || !in.empty()) {
      return pages_->Fault(key, "is no dictionary directory");
    }
    uint64_t code = 0;
    directory->first_codes.push_back(0);
    for (const uint64_t count : counts) {
      if (count == 0 || count > kStreamValuesMax) return pages_->Fault(key, "has an empty chunk");
      code += count;
      directory->first_codes.push_back(static_cast<uint32_t>(code));
    }
    if (counts.size() != chunk_count_ || directory->offsets.size() != counts.size() + 1 ||
        code != size()) {
      return pages_->Fault(key, "does not agree with the header");
    }
    return Status::Ok();
  };
  return pages_->Get<Directory>(key, decode);
}

Status DictionaryReader::DecodeChunk(PageKey key, std::string_view body, uint32_t value_count,
                                     DictionaryChunk* chunk) const {
  ByteReader in(body);
  const bool decoded = IsNumber(info().type) ? DecodeNumberChunk(info().type, &in, chunk)
                                             : DecodeStrings(&in, &chunk->offsets, &chunk->arena);
  if (!decoded || !in.empty()) return pages_->Fault(key, "is no dictionary chunk");
  if (chunk->size() != value_count) return pages_->Fault(key, "has another number of payloads");
  return Status::Ok();
}

PageOf<DictionaryChunk> DictionaryReader::ReadChunk(uint32_t chunk, uint32_t value_count) const {
  const PageKey key = KeyOf(chunk);
  return pages_->Get<DictionaryChunk>(key, [&](std::string_view body, DictionaryChunk* decoded) {
    return DecodeChunk(key, body, value_count, decoded);
  });
}

Result<std::shared_ptr<const DictionaryChunk>> DictionaryReader::ChunkOf(
    uint32_t code, uint32_t* first_code) const {
  *first_code = 0;
  if (code >= size()) {
    return pages_->Fault(KeyOf(0), "has no code " + std::to_string(code));
  }
  if (chunk_count_ == 1) return ReadChunk(0, size());
  LARDER_ASSIGN_OR_RETURN(const auto directory, ReadDirectory());
  const std::vector<uint32_t>& firsts = directory->first_codes;
  const auto chunk = static_cast<uint32_t>(std::upper_bound(firsts.begin(), firsts.end(), code) -
                                           firsts.begin() - 1);
  *first_code = firsts[chunk];
  return ReadChunk(chunk, firsts[chunk + 1] - firsts[chunk]);
}

Status DictionaryReader::Append(uint32_t code, std::string* payload) const {
  uint32_t first_code = 0;
  LARDER_ASSIGN_OR_RETURN(const auto chunk, ChunkOf(code, &first_code));
  payload->append(chunk->payload(code - first_code));
  return Status::Ok();
}

Result<uint32_t> DictionaryReader::LowerBound(std::string_view payload) const {
  if (size() == 0) return 0u;
  uint32_t code = 0;
  if (chunk_count_ > 1) {
    // The last chunk whose first payload is less; if there is none, everything is greater or equal.
    LARDER_ASSIGN_OR_RETURN(const auto directory, ReadDirectory());
    uint32_t low = 0;
    uint32_t high = chunk_count_;
    while (low < high) {
      const uint32_t middle = low + (high - low) / 2;
      if (PayloadLess(info().type, directory->first_payload(middle), payload)) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    if (low == 0) return 0u;
    code = directory->first_codes[low - 1];
  }
  uint32_t first_code = 0;
  LARDER_ASSIGN_OR_RETURN(const auto chunk, ChunkOf(code, &first_code));
  uint32_t low = 0;
  uint32_t high = chunk->size();
  while (low < high) {
    const uint32_t middle = low + (high - low) / 2;
    if (PayloadLess(info().type, chunk->payload(middle), payload)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return first_code + low;
}

Result<std::optional<uint32_t>> DictionaryReader::Find(std::string_view payload) const {
  if (IsNumber(info().type) && payload.size() != sizeof(uint64_t)) {
    return std::optional<uint32_t>();
  }
  LARDER_ASSIGN_OR_RETURN(const uint32_t code, LowerBound(payload));
  if (code == size()) return std::optional<uint32_t>();
  std::string found;
  LARDER_RETURN_IF_ERROR(Append(code, &found));
  return found == payload ? std::optional<uint32_t>(code) : std::optional<uint32_t>();
}

Status DictionaryReader::ForEach(
    uint32_t first, uint32_t last,
    const std::function<bool(uint32_t, std::string_view)>& visit) const {
  for (uint32_t code = first; code < last;) {
    uint32_t first_code = 0;
    LARDER_ASSIGN_OR_RETURN(const auto chunk, ChunkOf(code, &first_code));
    const uint32_t end = std::min(last, first_code + chunk->size());
    for (; code < end; ++code) {
      if (!visit(code, chunk->payload(code - first_code))) return Status::Ok();
    }
  }
  return Status::Ok();
}

}  // namespace larder
