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
  std::atomic<uint64_t> active_head_bytes = 0;  // of the generation that takes spans
  std::atomic<uint64_t> archive_head_bytes = 0;
  std::atomic<uint64_t> append_cpu_ns = 0;
  std::atomic<uint64_t> journal_cpu_ns = 0;
  std::atomic<uint64_t> seal_cpu_ns = 0;
  std::atomic<uint64_t> maintenance_cpu_ns = 0;
};

}  // namespace larder
