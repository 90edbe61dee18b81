// Pieces of the protobuf wire format that protozero does not have: fields appended to a string by
// tag (otlp_fields.h), sizes known before anything is written, and a reader that remembers where a
// field began, so that unknown fields can be kept as they are.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <protozero/pbf_reader.hpp>

namespace larder::wire {

static_assert(std::endian::native == std::endian::little, "fixed fields are copied as they are");

inline constexpr size_t kVarintBytesMax = 10;

constexpr size_t VarintSize(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// Writes at most kVarintBytesMax bytes and returns where they end.
inline char* WriteVarint(uint64_t value, char* to) {
  for (; value >= 0x80; value >>= 7) *to++ = static_cast<char>(value | 0x80);
  *to++ = static_cast<char>(value);
  return to;
}

inline void AppendVarint(uint64_t value, std::string* out) {
  char buffer[kVarintBytesMax];
  out->append(buffer, static_cast<size_t>(WriteVarint(value, buffer) - buffer));
}

// Size of a length-delimited field, tag and length included.
constexpr size_t BytesFieldSize(uint32_t tag, size_t size) {
  return VarintSize(tag) + VarintSize(size) + size;
}

inline void AppendBytesHeader(uint32_t tag, size_t size, std::string* out) {
  AppendVarint(tag, out);
  AppendVarint(size, out);
}

inline void AppendBytes(uint32_t tag, std::string_view bytes, std::string* out) {
  AppendBytesHeader(tag, bytes.size(), out);
  out->append(bytes);
}

// The proto3 forms: a field with its default value is not written.
inline void AppendBytesIfAny(uint32_t tag, std::string_view bytes, std::string* out) {
  if (!bytes.empty()) AppendBytes(tag, bytes, out);
}

inline void AppendVarintIfAny(uint32_t tag, uint64_t value, std::string* out) {
  if (value == 0) return;
  AppendVarint(tag, out);
  AppendVarint(value, out);
}

template <typename T>
void AppendFixedIfAny(uint32_t tag, T value, std::string* out) {
  if (value == 0) return;
  AppendVarint(tag, out);
  char buffer[sizeof value];
  std::memcpy(buffer, &value, sizeof value);
  out->append(buffer, sizeof value);
}

// An enum or int32 on the wire: sign-extended.
constexpr uint64_t FromInt32(int32_t value) {
  return static_cast<uint64_t>(static_cast<int64_t>(value));
}

// Groups (wire types 3 and 4, which OTLP does not use itself) within groups deeper than this are
// refused: as deep as the parsers of C++ and Python go.
inline constexpr uint32_t kGroupNestingMax = 100;

// protozero::pbf_reader that can tell the bytes of the current field, tag included, and that knows
// groups: one is a field from its start to its end. Like its base it throws protozero::exception
// on broken bytes: what uses it is called from within a try block.
class Reader : private protozero::pbf_reader {
 public:
  explicit Reader(std::string_view message) : pbf_reader(message.data(), message.size()) {}

  bool NextField() {
    field_ = data().data();
    if (length() > 0 && (static_cast<uint8_t>(*field_) & kWireTypeMask) == kGroupStart)
        [[unlikely]] {
      PassGroup();
      return true;
    }
    const bool found = next();
    tag_and_type_ = pbf_reader::tag_and_type();
    return found;
  }
  // The next field with this number and wire type; others are skipped.
  bool NextField(uint32_t tag_and_type) {
    while (NextField()) {
      if (tag_and_type_ == tag_and_type) return true;
      skip();
    }
    return false;
  }

  // Of the current field.
  uint32_t tag_and_type() const { return tag_and_type_; }
  uint32_t tag() const { return tag_and_type_ >> 3; }
  bool is_length_delimited() const { return (tag_and_type_ & kWireTypeMask) == 2; }

  using pbf_reader::get_bool;
  using pbf_reader::get_double;
  using pbf_reader::get_enum;
  using pbf_reader::get_fixed32;
  using pbf_reader::get_fixed64;
  using pbf_reader::get_int32;
  using pbf_reader::get_int64;
  using pbf_reader::get_string;
  using pbf_reader::get_uint32;
  using pbf_reader::get_uint64;

  std::string_view View() {
    const protozero::data_view view = get_view();
    return {view.data(), view.size()};
  }
  void skip() {
    if ((tag_and_type_ & kWireTypeMask) != kGroupStart) pbf_reader::skip();
  }
  // Skips the current field and returns all of it.
  std::string_view SkipField() {
    skip();
    return ReadField();
  }
  // The current field, after its value has been read.
  std::string_view ReadField() const {
    return {field_, static_cast<size_t>(data().data() - field_)};
  }
  // Whether the field's number is one that OTLP gives another wire type.
  bool IsMistyped(uint32_t last, uint32_t first = 1) const {
    return tag() >= first && tag() <= last;
  }

 private:
  static constexpr uint32_t kWireTypeMask = 7;
  static constexpr uint32_t kGroupStart = 3;

  // Makes the group that begins here the current field, passed over already.
  void PassGroup();

  const char* field_ = nullptr;
  uint32_t tag_and_type_ = 0;
};

}  // namespace larder::wire
