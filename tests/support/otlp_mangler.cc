#include "tests/support/otlp_mangler.h"

#include <utility>
#include <vector>

#include "storage/model/wire.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

enum class Message {
  kRequest,
  kResourceSpans,
  kScopeSpans,
  kResource,
  kScope,
  kSpan,
  kEvent,
  kLink,
  kStatus,
  kOpaque
};

// What lies in a length-delimited field; kOpaque is not looked into.
Message Child(Message parent, uint32_t number) {
  switch (parent) {
    case Message::kRequest:
      return number == 1 ? Message::kResourceSpans : Message::kOpaque;
    case Message::kResourceSpans:
      return number == 1   ? Message::kResource
             : number == 2 ? Message::kScopeSpans
                           : Message::kOpaque;
    case Message::kScopeSpans:
      return number == 1 ? Message::kScope : number == 2 ? Message::kSpan : Message::kOpaque;
    case Message::kSpan:
      return number == 11   ? Message::kEvent
             : number == 13 ? Message::kLink
             : number == 15 ? Message::kStatus
                            : Message::kOpaque;
    default:
      return Message::kOpaque;
  }
}

bool IsSingular(Message message) {
  return message == Message::kResource || message == Message::kScope || message == Message::kStatus;
}

constexpr uint32_t kUnknownTag = 100 << 3;  // OTLP's numbers are below

struct Field {
  uint32_t tag = 0;
  std::string bytes;  // with tag and length
};

// A varint of up to two bytes more than it needs.
void AppendLongVarint(Random* random, uint64_t value, std::string* out) {
  size_t extra = random->OneIn(8) ? random->Between(1, 2) : 0;
  if (wire::VarintSize(value) + extra > 5) extra = 0;
  for (; value >= 0x80 || extra > 0; value >>= 7) {
    if (value < 0x80) --extra;
    *out += static_cast<char>((value & 0x7f) | 0x80);
  }
  *out += static_cast<char>(value);
}

std::string LengthDelimited(Random* random, uint32_t tag, std::string_view bytes) {
  std::string field;
  AppendLongVarint(random, tag, &field);
  AppendLongVarint(random, bytes.size(), &field);
  field += bytes;
  return field;
}

struct Mangling {
  Random* random;
  bool add_unknown;
};

std::string Mangle(const Mangling& how, Message kind, std::string_view message);

// One message or, where the readers must merge, two.
std::vector<Field> MangleChild(const Mangling& how, Message kind, uint32_t tag,
                               std::string_view message) {
  Random* const random = how.random;
  const std::string whole = Mangle(how, kind, message);
  if (IsSingular(kind) && random->OneIn(4)) {
    // Empty first or last: merging it changes nothing.
    Field empty{tag, LengthDelimited(random, tag, "")};
    Field full{tag, LengthDelimited(random, tag, whole)};
    if (random->OneIn(2)) std::swap(empty, full);
    return {empty, full};
  }
  return {{tag, LengthDelimited(random, tag, whole)}};
}

// The last value counts, so one before it changes nothing. Not for repeated fields.
bool IsRepeated(Message kind, uint32_t number) {
  switch (kind) {
    case Message::kRequest:
      return number == 1;
    case Message::kResourceSpans:
    case Message::kScopeSpans:
      return number == 2;
    case Message::kResource:
      return number == 1;
    case Message::kScope:
    case Message::kEvent:
      return number == 3;
    case Message::kLink:
      return number == 4;
    case Message::kSpan:
      return number == 9 || number == 11 || number == 13;
    default:
      return false;
  }
}

// Any order that keeps fields of one number in theirs, and unknown fields among each other.
void Shuffle(Random* random, std::vector<Field>* fields) {
  for (size_t i = 1; i < fields->size(); ++i) {
    if (!random->OneIn(3)) continue;
    for (size_t j = i; j > 0; --j) {
      Field& a = (*fields)[j - 1];
      Field& b = (*fields)[j];
      const bool unknown = a.tag >= kUnknownTag && b.tag >= kUnknownTag;
      if (a.tag >> 3 == b.tag >> 3 || unknown || random->OneIn(8)) break;
      std::swap(a, b);
    }
  }
}

std::string Mangle(const Mangling& how, Message kind, std::string_view message) {
  Random* const random = how.random;
  std::vector<Field> fields;
  wire::Reader reader(message);
  while (reader.NextField()) {
    const uint32_t tag = reader.tag_and_type();
    const uint32_t number = reader.tag();
    const bool is_bytes = reader.is_length_delimited();
    const Message child = is_bytes ? Child(kind, number) : Message::kOpaque;
    if (child != Message::kOpaque) {
      for (Field& field : MangleChild(how, child, tag, reader.View())) {
        fields.push_back(std::move(field));
      }
      continue;
    }
    const std::string field(reader.SkipField());
    const bool again = tag < kUnknownTag && !IsRepeated(kind, number) && random->OneIn(12);
    if (again && is_bytes) {
      fields.push_back({tag, LengthDelimited(random, tag, "overridden")});
    } else if (again) {
      fields.push_back({tag, field});
    }
    fields.push_back({tag, field});
  }
  if (how.add_unknown && random->OneIn(6)) {
    fields.push_back({kUnknownTag, UnknownField(random)});
  }
  Shuffle(random, &fields);
  std::string out;
  for (const Field& field : fields) out += field.bytes;
  return out;
}

}  // namespace

std::string MangleRequest(Random* random, std::string_view request, bool add_unknown) {
  return Mangle({random, add_unknown}, Message::kRequest, request);
}

}  // namespace larder
