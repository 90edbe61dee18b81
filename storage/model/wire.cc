#include "storage/model/wire.h"

#include <array>

#include <protozero/varint.hpp>

namespace larder::wire {
namespace {

constexpr uint32_t kGroupEnd = 4;
constexpr uint64_t kFieldNumberMax = (1u << 29) - 1;

}  // namespace

// Inside a group stand fields and groups until its end, which has the number of its start. Which
// groups are open is remembered here and not by recursion: the bytes are a client's. A start or an
// end that may not stand where it does is left to protozero, to which it is an unknown wire type.
void Reader::PassGroup() {
  std::array<uint64_t, kGroupNestingMax> open{};
  size_t depth = 0;
  do {
    const char* at = data().data();
    const char* const end = at + length();
    const uint64_t tag_and_type = protozero::decode_varint(&at, end);  // throws at the end
    const uint64_t wire_type = tag_and_type & kWireTypeMask;
    const uint64_t number = tag_and_type >> 3;
    const bool named = number > 0 && number <= kFieldNumberMax;
    if (wire_type == kGroupStart && named && depth < open.size()) {
      if (depth == 0) tag_and_type_ = static_cast<uint32_t>(tag_and_type);
      open[depth++] = number;
    } else if (wire_type == kGroupEnd && depth > 0 && open[depth - 1] == number) {
      --depth;
    } else {
      next();
      pbf_reader::skip();
      continue;
    }
    pbf_reader::operator=(pbf_reader(at, static_cast<size_t>(end - at)));
  } while (depth > 0);
}

}  // namespace larder::wire
