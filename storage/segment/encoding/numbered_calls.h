// Counts of calls between services by minute, as columns: what a segment, an index over several
// segments and what stays of an evicted partition write of the calls they know. The bytes are the
// distances of the minutes (numbers), the parents (codes), the children (codes), the counts
// (numbers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "storage/base/coding.h"

namespace larder {

// Calls of one minute (start_ns / 60e9). Services go by numbers of whoever writes: its page says
// what they count.
struct NumberedCall {
  uint64_t minute = 0;
  uint32_t parent = 0;
  uint32_t child = 0;
  uint64_t count = 0;
  friend bool operator==(const NumberedCall&, const NumberedCall&) = default;
  friend auto operator<=>(const NumberedCall&, const NumberedCall&) = default;
};

// Appends to `out`. REQUIRES: sorted by minute.
void EncodeNumberedCalls(std::span<const NumberedCall> calls, std::string* out);
// Appends to `calls`. False when the bytes from here to the end of `in` are not what Encode writes,
// or name a service of `service_count` or above.
[[nodiscard]] bool DecodeNumberedCalls(ByteReader* in, size_t service_count,
                                       std::vector<NumberedCall>* calls);

}  // namespace larder
