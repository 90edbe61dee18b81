// Page tokens: where a page ended, as text that clients hand back unread. PAGING.md specifies them.
//
// Stateless: a token holds the position itself, so it outlives a restart. It is bound by a
// fingerprint to the tenant and the query that it came from, and a checksum finds damage; it is no
// secret and grants nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/model/query.h"
#include "storage/model/span_query.h"

namespace larder {

// What a token is bound to. Fields are added in the order in which they came; equal queries give
// equal fingerprints.
class QueryFingerprint {
 public:
  explicit QueryFingerprint(TenantId tenant);
  // One field of the query, as it lies on the wire.
  void Add(std::string_view field);
  // The order that is in effect, however it was asked for.
  void Add(const SpanOrder& order);
  // The size of the pages, as it was asked for.
  void AddPageSize(uint32_t size);
  uint64_t value() const;

 private:
  std::string bytes_;
};

std::string EncodePageToken(const TracePosition& position, uint64_t fingerprint);
std::string EncodePageToken(const SpanPosition& position, uint64_t fingerprint);

// kInvalidArgument: damaged, of another query, or of a version that this server does not know.
Result<TracePosition> DecodeTraceToken(std::string_view token, uint64_t fingerprint);
Result<SpanPosition> DecodeSpanToken(std::string_view token, uint64_t fingerprint);
// The same for a token that may have come of a query without pages, whose fingerprint is `whole`.
Result<SpanPosition> DecodeSpanToken(std::string_view token, uint64_t fingerprint, uint64_t whole);

}  // namespace larder
