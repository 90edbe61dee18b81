// The bytes of a pack file (PACKS.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/query/cold/cold_tier.h"

namespace larder {

inline constexpr std::string_view kPackMagic = "larder pack 1\n";
// Magic, then the length of the header's page.
inline constexpr size_t kPackLeadBytes = 18;
inline constexpr uint32_t kPackPageBytesMax = 1u << 30;

// What is known of a pack without its spans.
struct PackHeader {
  uint32_t rows = 0;
  TimeRange start;
  std::vector<uint64_t> trace_hashes;  // TraceIdHash, ascending, each once
  bool MayHave(uint64_t hash) const;
};

// The same pack gives the same bytes. kResourceExhausted: a pack of more than a gigabyte.
Result<std::string> EncodePack(const Pack& pack);

// The length of the header's page, from the first kPackLeadBytes. kDataLoss.
Result<uint32_t> DecodePackLead(std::string_view lead);
// From the bytes of the header's page.
Result<PackHeader> DecodePackHeader(std::string_view page);
// The spans as a TracesData message, from all that follows the header's page.
Result<std::string> DecodePackSpans(std::string_view rest);

}  // namespace larder
