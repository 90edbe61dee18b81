// The numbers and pages of COLD.md that writer and reader share. All part of the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/model/ids.h"
#include "storage/model/query.h"
#include "storage/query/cold/cold_tier.h"
#include "storage/query/shards/trace_shards.h"
#include "storage/segment/page/page_store.h"

namespace larder {

inline constexpr uint32_t kColdPartVersion = 2;
// From this version on the trace index says how many spans a trace has.
inline constexpr uint32_t kColdCountsVersion = 2;
inline constexpr uint32_t kColdShardBitsMax = 16;
// A trace that the index has and the tier has not is a gap: the index errs in one look-up of 2^40,
// since a search looks up every trace of its page in years of partitions.
inline constexpr uint32_t kColdCheckBits = 40;

// A place of the trace index: the segment, counted as in the facts, and how many spans of the trace
// it has, at most kColdSpansMax. Of spans with equal ids one counts.
inline constexpr uint32_t kColdSpansBits = 12;
inline constexpr uint32_t kColdSpansMax = (1u << kColdSpansBits) - 1;
inline constexpr uint32_t ColdPlaceCode(uint32_t segment, uint32_t spans) {
  return segment << kColdSpansBits | spans;
}

inline constexpr PageKey kColdFactsKey{Section::kHeader, 0, 0};
inline constexpr PageKey kColdCallsKey{Section::kEdges, 0, 0};

inline constexpr uint64_t kColdHourNs = 3600ull * 1'000'000'000;

// How many spans start in an hour (start_ns / kColdHourNs).
struct ColdHour {
  uint64_t hour = 0;
  uint64_t rows = 0;
  friend bool operator==(const ColdHour&, const ColdHour&) = default;
};

struct ColdOperation {
  std::string service;
  Operation operation;
  friend bool operator==(const ColdOperation&, const ColdOperation&) = default;
  friend auto operator<=>(const ColdOperation&, const ColdOperation&) = default;
};

// Calls of one minute (start_ns / 60e9). The count may be below zero: it is what the partition adds
// to what younger ones count (storage/query/calls/call_join.h).
struct ColdCall {
  uint64_t minute = 0;
  std::string parent;
  std::string child;
  int64_t count = 0;
  friend bool operator==(const ColdCall&, const ColdCall&) = default;
  friend auto operator<=>(const ColdCall&, const ColdCall&) = default;
};

// What is known at once of one tenant's spans of an evicted partition.
struct ColdFacts {
  uint64_t part_id = 0;  // from the numbers that segment ids are of: unique for ever
  uint64_t partition = 0;
  TenantId tenant = 0;
  uint64_t rows = 0;
  TimeRange start;  // of its spans
  uint64_t arrival_min_ns = 0;
  uint64_t arrival_max_ns = 0;
  FiledTimes filed;
  std::vector<uint64_t> segment_ids;      // as they were uploaded
  std::vector<ColdHour> hours;            // by hour; none is empty
  std::vector<ColdOperation> operations;  // sorted
  TraceShards shards;                     // of the trace index
};

// Page bodies. The decoders return false when the bytes make no sense; facts of a newer version
// decode as far as the version.
std::string EncodeColdFacts(const ColdFacts& facts);
[[nodiscard]] bool DecodeColdFacts(std::string_view body, uint32_t* version, ColdFacts* facts);
// REQUIRES: sorted by minute.
std::string EncodeColdCalls(const std::vector<ColdCall>& calls);
// Appends.
[[nodiscard]] bool DecodeColdCalls(std::string_view body, std::vector<ColdCall>* calls);

}  // namespace larder
