#include <algorithm>
#include <array>

#include "storage/segment/encoding/encoding.h"

namespace larder {
namespace {

// How a string is written. Part of the format.
enum Form : uint32_t {
  kPlain = 0,
  kHex = 1,   // the bytes that the lower-case hex digits spell
  kUuid = 2,  // the 16 bytes that 8-4-4-4-12 lower-case hex digits spell
};

constexpr size_t kUuidTextBytes = 36;
constexpr size_t kUuidBytes = 16;
// Shorter hex is not worth its form: it would set the forms of a whole page apart.
constexpr size_t kHexBytesMin = 8;

// The value of each lower-case hex digit, -1 for every other byte.
constexpr std::array<int8_t, 256> kNibbles = [] {
  std::array<int8_t, 256> nibbles{};
  nibbles.fill(-1);
  for (int8_t i = 0; i < 10; ++i) nibbles[static_cast<size_t>('0' + i)] = i;
  for (int8_t i = 0; i < 6; ++i)
    nibbles[static_cast<size_t>('a' + i)] = static_cast<int8_t>(10 + i);
  return nibbles;
}();

int Nibble(char c) { return kNibbles[static_cast<uint8_t>(c)]; }

bool IsDash(size_t i) { return i == 8 || i == 13 || i == 18 || i == 23; }

Form FormOf(std::string_view text) {
  if (text.size() == kUuidTextBytes) {
    for (size_t i = 0; i < text.size(); ++i) {
      if (IsDash(i) ? text[i] != '-' : Nibble(text[i]) < 0) return kPlain;
    }
    return kUuid;
  }
  if (text.size() < kHexBytesMin || text.size() % 2 != 0) return kPlain;
  const bool hex = std::all_of(text.begin(), text.end(), [](char c) { return Nibble(c) >= 0; });
  return hex ? kHex : kPlain;
}

// Two nibbles at a time, dashes skipped.
void AppendPacked(std::string_view text, std::string* out) {
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '-') {
      ++i;
      continue;
    }
    out->push_back(static_cast<char>(Nibble(text[i]) * 16 + Nibble(text[i + 1])));
    i += 2;
  }
}

// The two digits of each byte.
constexpr std::array<std::array<char, 2>, 256> kDigits = [] {
  std::array<std::array<char, 2>, 256> digits{};
  for (size_t i = 0; i < 256; ++i) {
    digits[i] = {"0123456789abcdef"[i >> 4], "0123456789abcdef"[i & 15]};
  }
  return digits;
}();

void AppendSpelled(Form form, std::string_view bytes, std::string* out) {
  const size_t start = out->size();
  out->resize(start + bytes.size() * 2 + (form == kUuid ? 4 : 0));
  char* to = out->data() + start;
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (form == kUuid && (i == 4 || i == 6 || i == 8 || i == 10)) *to++ = '-';
    const std::array<char, 2>& digits = kDigits[static_cast<uint8_t>(bytes[i])];
    *to++ = digits[0];
    *to++ = digits[1];
  }
}

}  // namespace

// forms (codes) | written lengths (numbers) | the bytes
void EncodeStrings(std::span<const std::string_view> strings, std::string* out) {
  std::vector<uint32_t> forms(strings.size());
  std::vector<uint64_t> lengths(strings.size());
  std::string bytes;
  for (size_t i = 0; i < strings.size(); ++i) {
    const size_t start = bytes.size();
    forms[i] = FormOf(strings[i]);
    if (forms[i] == kPlain) {
      bytes.append(strings[i]);
    } else {
      AppendPacked(strings[i], &bytes);
    }
    lengths[i] = bytes.size() - start;
  }
  EncodeCodes(forms, out);
  EncodeNumbers(lengths, out);
  out->append(bytes);
}

bool DecodeStrings(ByteReader* in, std::vector<uint32_t>* offsets, std::string* arena) {
  arena->clear();
  std::vector<uint32_t> forms;
  std::vector<uint64_t> lengths;
  if (!DecodeCodes(in, &forms) || !DecodeNumbers(in, &lengths)) return false;
  if (forms.size() != lengths.size()) return false;
  offsets->clear();
  offsets->reserve(forms.size() + 1);
  arena->reserve(in->remaining_bytes());
  offsets->push_back(0);
  for (size_t i = 0; i < forms.size(); ++i) {
    std::string_view bytes;
    if (forms[i] > kUuid || !in->GetBytes(lengths[i], &bytes)) return false;
    if (forms[i] == kUuid && bytes.size() != kUuidBytes) return false;
    if (forms[i] == kPlain) {
      arena->append(bytes);
    } else {
      AppendSpelled(static_cast<Form>(forms[i]), bytes, arena);
    }
    if (arena->size() > UINT32_MAX) return false;
    offsets->push_back(static_cast<uint32_t>(arena->size()));
  }
  return true;
}

}  // namespace larder
