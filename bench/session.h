// What the verbs of larder-bench share: the load and the store that the flags ask for.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "bench/flags.h"
#include "bench/pump.h"
#include "bench/workload.h"
#include "storage/engine/store.h"
#include "tests/support/scratch_directory.h"

namespace larder::bench {

struct Session {
  TemplateSet templates;
  WorkloadOptions load;
  uint32_t in_flight = 0;
  StoreOptions store;
  std::shared_ptr<ScratchDirectory> scratch;  // when no --data-dir was given
};

// Flags: --profile --seed --spans --rate --span-hours --skewed --in-flight --data-dir --durability
// --memory-mib. `span_hours`: the default of --span-hours, the time that the load's spans cover,
// ending now; 0 leaves the rate to --rate.
Result<Session> ReadSession(Flags* flags, uint64_t spans, uint64_t span_hours);

// Sends the whole load into the store.
Result<PumpResult> Fill(const Session& session, Workload* load, Store* store);

// Every sampled trace of the load is in the store with all of its spans: kDataLoss when not.
Status CheckTraces(const Workload& load, Store* store, uint64_t samples);

// Spans that the store returns for a trace.
Result<uint64_t> CountSpans(Store* store, const TraceId& trace_id);

}  // namespace larder::bench
