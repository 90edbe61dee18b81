#include "storage/kv/keys.h"

namespace larder {
namespace {

// Big-endian, so that bytewise order is the order of the numbers.
template <typename T>
void PutBigEndian(T value, std::string* out) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

template <typename T>
T GetBigEndian(std::string_view* in) {
  T value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>((value << 8) | static_cast<uint8_t>((*in)[i]));
  }
  in->remove_prefix(sizeof(T));
  return value;
}

}  // namespace

std::string EncodeShelfKey(const ShelfKey& key) {
  std::string out = SegmentPrefix(key.tenant, key.segment_id);
  out.reserve(kShelfKeyBytes);
  out.push_back(static_cast<char>(key.section));
  PutBigEndian(key.column, &out);
  PutBigEndian(key.page, &out);
  return out;
}

bool DecodeShelfKey(std::string_view bytes, ShelfKey* key) {
  if (bytes.size() != kShelfKeyBytes) return false;
  key->tenant = GetBigEndian<uint32_t>(&bytes);
  key->segment_id = GetBigEndian<uint64_t>(&bytes);
  key->section = static_cast<uint8_t>(bytes[0]);
  bytes.remove_prefix(1);
  key->column = GetBigEndian<uint32_t>(&bytes);
  key->page = GetBigEndian<uint32_t>(&bytes);
  return true;
}

std::string TenantPrefix(TenantId tenant) {
  std::string out;
  PutBigEndian(tenant, &out);
  return out;
}

std::string SegmentPrefix(TenantId tenant, uint64_t segment_id) {
  std::string out = TenantPrefix(tenant);
  PutBigEndian(segment_id, &out);
  return out;
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && static_cast<uint8_t>(end.back()) == 0xff) end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(end.back() + 1);
  return end;
}

}  // namespace larder
