#include "storage/segment/encoding/numbered_calls.h"

#include "storage/segment/encoding/encoding.h"

namespace larder {

void EncodeNumberedCalls(std::span<const NumberedCall> calls, std::string* out) {
  std::vector<uint64_t> minutes;
  std::vector<uint32_t> parents;
  std::vector<uint32_t> children;
  std::vector<uint64_t> counts;
  uint64_t before = 0;
  for (const NumberedCall& call : calls) {
    minutes.push_back(call.minute - before);
    before = call.minute;
    parents.push_back(call.parent);
    children.push_back(call.child);
    counts.push_back(call.count);
  }
  EncodeNumbers(minutes, out);
  EncodeCodes(parents, out);
  EncodeCodes(children, out);
  EncodeNumbers(counts, out);
}

bool DecodeNumberedCalls(ByteReader* in, size_t service_count, std::vector<NumberedCall>* calls) {
  std::vector<uint64_t> minutes;
  std::vector<uint32_t> parents;
  std::vector<uint32_t> children;
  std::vector<uint64_t> counts;
  if (!DecodeNumbers(in, &minutes) || !DecodeCodes(in, &parents)) return false;
  if (!DecodeCodes(in, &children) || !DecodeNumbers(in, &counts) || !in->empty()) return false;
  const size_t size = minutes.size();
  if (parents.size() != size || children.size() != size || counts.size() != size) return false;
  uint64_t minute = 0;
  for (size_t i = 0; i < size; ++i) {
    minute += minutes[i];
    if (parents[i] >= service_count || children[i] >= service_count) return false;
    calls->push_back({minute, parents[i], children[i], counts[i]});
  }
  return true;
}

}  // namespace larder
