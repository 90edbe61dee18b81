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

inline constexpr uint32_t kColdPartVersion = 1;
inline constexpr uint32_t kColdShardBitsMax = 16;
// A look-up of a trace that is not there asks the tier for nothing in all but one of 2^24 cases:
// years of partitions are asked at once.
inline constexpr uint32_t kColdCheckBits = 24;

inline constexpr PageKey kColdFactsKey{Section::kHeader, 0, 0};
inline constexpr PageKey kColdCallsKey{Section::kEdges, 0, 0};

// How many spans start in an hour (start_ns / 3600e9).
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
