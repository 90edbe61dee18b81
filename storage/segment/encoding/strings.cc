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

size_t SpelledBytes(Form form, size_t written_bytes) {
  if (form == kPlain) return written_bytes;
  return form == kUuid ? kUuidTextBytes : written_bytes * 2;
}

// Returns the end of what it wrote. REQUIRES: room for SpelledBytes.
char* Spell(Form form, std::string_view bytes, char* to) {
  if (form == kPlain) return std::copy(bytes.begin(), bytes.end(), to);
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (form == kUuid && (i == 4 || i == 6 || i == 8 || i == 10)) *to++ = '-';
    const std::array<char, 2>& digits = kDigits[static_cast<uint8_t>(bytes[i])];
    *to++ = digits[0];
    *to++ = digits[1];
  }
  return to;
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
  offsets->resize(forms.size() + 1);
  // The sizes first: growing the arena string by string costs more than spelling.
  const uint64_t bytes_left = in->remaining_bytes();
  uint64_t written = 0;
  uint64_t spelled = 0;
  for (size_t i = 0; i < forms.size(); ++i) {
    if (forms[i] > kUuid || lengths[i] > bytes_left - written) return false;
    if (forms[i] == kUuid && lengths[i] != kUuidBytes) return false;
    (*offsets)[i] = static_cast<uint32_t>(spelled);
    written += lengths[i];
    spelled += SpelledBytes(static_cast<Form>(forms[i]), lengths[i]);
    if (spelled > UINT32_MAX) return false;
  }
  offsets->back() = static_cast<uint32_t>(spelled);
  std::string_view bytes;
  if (!in->GetBytes(written, &bytes)) return false;
  arena->resize(spelled);
  char* to = arena->data();
  for (size_t i = 0; i < forms.size(); ++i) {
    to = Spell(static_cast<Form>(forms[i]), bytes.substr(0, lengths[i]), to);
    bytes.remove_prefix(lengths[i]);
  }
  return true;
}

}  // namespace larder
