// A generation: one journal file and one head, which hold the same spans.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "storage/journal/journal.h"
#include "storage/model/ids.h"
#include "storage/model/table/span_table.h"

namespace larder {

// Belongs to the committer while it takes spans, then to the sealer; never to both.
struct Generation {
  uint64_t id = 0;
  uint64_t partition = 0;
  std::unique_ptr<JournalWriter> journal;  // null when it was replayed
  std::map<TenantId, std::shared_ptr<SpanTable>> heads;
  uint64_t arrival_min_ns = UINT64_MAX;  // wall clock
  uint64_t arrival_max_ns = 0;
  uint64_t last_write_monotonic_ns = 0;
  uint64_t memory_bytes = 0;        // of the heads
  bool journal_is_damaged = false;  // found at replay: the file is kept aside

  uint64_t published_rows() const {
    uint64_t rows = 0;
    for (const auto& [tenant, table] : heads) rows += table->published_rows();
    return rows;
  }
  void NoteArrival(uint64_t arrival_ns) {
    if (arrival_ns < arrival_min_ns) arrival_min_ns = arrival_ns;
    if (arrival_ns > arrival_max_ns) arrival_max_ns = arrival_ns;
  }
};

}  // namespace larder
