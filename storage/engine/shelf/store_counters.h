// What the parts of the store count, for Store::stats().
#pragma once

#include <atomic>
#include <cstdint>

namespace larder {

// Thread-safe: every member stands for itself.
struct StoreCounters {
  std::atomic<uint64_t> spans_accepted = 0;
  std::atomic<uint64_t> spans_rejected = 0;
  std::atomic<uint64_t> spans_duplicate = 0;
  std::atomic<uint64_t> requests_refused = 0;
  std::atomic<uint64_t> journal_bytes_written = 0;
  std::atomic<uint64_t> journal_syncs = 0;
  std::atomic<uint64_t> segment_bytes_written = 0;
  std::atomic<uint64_t> index_bytes_written = 0;
  std::atomic<uint64_t> merge_bytes_written = 0;
  std::atomic<uint64_t> records_set_aside = 0;
  std::atomic<uint64_t> partitions_dropped = 0;
  std::atomic<uint64_t> partitions_evicted = 0;
  std::atomic<uint64_t> partitions_kept = 0;  // uploaded, and not evicted: a page is unreadable
  std::atomic<uint64_t> partitions_lost = 0;  // dropped for space before they were in the cold tier
  std::atomic<uint64_t> tier_spans_uploaded = 0;
  std::atomic<uint64_t> tier_packs_uploaded = 0;
  std::atomic<uint64_t> tier_packs_resent = 0;
  std::atomic<uint64_t> tier_requests = 0;
  std::atomic<uint64_t> tier_bytes_uploaded = 0;
  std::atomic<uint64_t> tier_failures = 0;
  std::atomic<uint64_t> tier_cpu_ns = 0;
  std::atomic<uint64_t> tier_partitions_fetched = 0;
  std::atomic<uint64_t> tier_spans_fetched = 0;
  std::atomic<uint64_t> active_head_bytes = 0;  // of the generation that takes spans
  std::atomic<uint64_t> archive_head_bytes = 0;
  std::atomic<uint64_t> append_cpu_ns = 0;
  std::atomic<uint64_t> journal_cpu_ns = 0;
  std::atomic<uint64_t> seal_cpu_ns = 0;
  std::atomic<uint64_t> maintenance_cpu_ns = 0;
};

}  // namespace larder
