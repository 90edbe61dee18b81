// Store: the public entry of the library. Start here.
//
//   LARDER_ASSIGN_OR_RETURN(auto store, Store::Open({.data_dir = "/var/lib/larder"}));
//   WriteResult written = store->Write({.otlp = request_bytes});
//   auto traces = store->FindTraces(query, {});
//   for (;;) { LARDER_ASSIGN_OR_RETURN(TraceChunk chunk, traces->Next()); if (chunk.end) break; }
//
// Thread-safe: any number of threads may write and ask at once.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/base/clock.h"
#include "storage/base/file_system.h"
#include "storage/base/status.h"
#include "storage/engine/catalog/tenants.h"
#include "storage/engine/fetch.h"
#include "storage/model/query.h"
#include "storage/model/span_query.h"
#include "storage/query/answer.h"

namespace larder {

class ColdTier;
class KvFileHooks;

enum class Durability : uint8_t {
  kSync,   // acknowledged spans survive kill -9 and power loss
  kAsync,  // acknowledged spans survive kill -9
};

// When partitions go to the cold tier. Ages are from when a partition closes.
struct ColdPolicy {
  uint64_t after_ms = 24ull * 3600 * 1000;            // it is uploaded
  uint64_t evict_after_ms = 0;                        // its local copy goes; 0: at the retention
  uint64_t retention_ms = 365ull * 24 * 3600 * 1000;  // its spans in the tier are forgotten
  uint64_t outage_ms_max = 3ull * 24 * 3600 * 1000;   // how long uploads may be held up
  uint64_t bytes_per_second = 4 << 20;                // of spans uploaded; 0: no limit
  uint64_t confirm_ms_max = 30'000;  // what is not readable in the tier then is sent again
  uint64_t read_ms_max = 10'000;     // what one query may wait for the tier
};

struct StoreOptions {
  std::string data_dir;
  Durability durability = Durability::kSync;
  uint64_t retention_ms = 7ull * 24 * 3600 * 1000;
  uint64_t disk_bytes_max = 0;               // 0: such that 10% of the disk stays free
  uint64_t memory_bytes_max = 256ull << 20;  // heads, caches and queries together
  uint64_t request_bytes_max = 64ull << 20;
  uint64_t attribute_value_bytes_max = 1ull << 20;
  uint64_t head_bytes_max = 64ull << 20;  // a generation ends at this size
  uint64_t head_idle_ms = 15'000;         // ... or when no span came for this long
  uint64_t query_memory_bytes_max = 64ull << 20;
  uint64_t query_time_ms_max = 30'000;
  uint64_t partition_ms = 0;         // 0: retention / 48, between 10 minutes and 24 hours
  uint64_t partition_bytes_max = 0;  // 0: disk cap / 48
  uint64_t partition_rows_max = 1ull << 31;
  uint32_t search_depth_max = 10'000;  // traces of one answer
  uint32_t page_size_max = 10'000;     // spans of one answer
  // Take nothing and change nothing: nothing is sealed, merged or dropped, and Open creates no
  // store. Writes are refused with kUnavailable.
  bool read_only = false;
  TenantOptions tenants = {};
  uint64_t archive_bytes_max = 0;  // 0: half of what may be on disk in all
  // DataDirectory::Lock of `data_dir`, when the caller has taken it; null: Open takes it.
  std::shared_ptr<FileLock> lock = {};
  FileSystem* file_system = &FileSystem::Posix();  // these two must outlive the store
  Clock* clock = &Clock::System();
  ColdTier* tier = nullptr;  // null: none; must outlive the store too. Spans that are in one when
                             // it is taken away stay there, and are gaps in answers.
  ColdPolicy cold = {};
  KvFileHooks* kv_hooks = nullptr;  // faults under RocksDB, for tests; must outlive the store too
};

// One OTLP ExportTraceServiceRequest.
struct WriteRequest {
  TenantId tenant = 0;
  std::string_view otlp = {};
  std::shared_ptr<const void> owner = {};  // keeps `otlp` alive until the callback ran; may be null
                                           // for Write, which blocks
};

struct WriteResult {
  // kInvalidArgument: not protobuf, or every span rejected. kResourceExhausted, kUnavailable: try
  // again after retry_after_ms; nothing of the request is kept, or all of it may be (a retry is
  // recognised). OK: every accepted span is durable as configured and visible to every query.
  Status status;
  uint32_t accepted_spans = 0;
  uint32_t rejected_spans = 0;
  std::string first_rejection;
  uint32_t retry_after_ms = 0;
};

// What a tenant has in segments.
struct TenantStatus {
  TenantId id = 0;
  std::string name;  // empty: tenant 0, or one whose name was lost
  uint64_t rows = 0;
  uint64_t bytes = 0;  // indexes included
  uint64_t archive_rows = 0;
  uint64_t archive_bytes = 0;
};

// A partition on disk.
struct StoredPartition {
  uint64_t id = 0;
  // "open", "full" (takes no more and will close), "closed", "uploading", "uploaded", "evicted"
  // (in the cold tier alone), "fetched" (evicted, and a copy is here), "dropping". Lives for ever.
  std::string_view state = {};
  bool is_archive = false;
  uint64_t arrival_min_ns = 0;  // when its spans came in, wall clock; 0: no segment yet
  uint64_t arrival_max_ns = 0;
  uint64_t segments = 0;
  uint64_t broken_segments = 0;  // among them: those that cannot be opened
  uint64_t rows = 0;
  uint64_t bytes = 0;             // indexes included
  uint64_t tenants = 0;           // that have segments in it
  uint64_t cold_rows = 0;         // in the cold tier alone
  uint64_t cold_local_bytes = 0;  // of what stays here of them
  std::string tier = {};          // where it is, or goes (ColdTier::identity); empty: nowhere
};

// Of the cold tier.
struct TierStats {
  std::string name;  // empty: there is none
  uint64_t spans_uploaded = 0;
  uint64_t bytes_uploaded = 0;  // as they went over the wire, compressed
  uint64_t packs_uploaded = 0;
  uint64_t packs_resent = 0;
  uint64_t requests = 0;
  uint64_t failures = 0;
  std::string last_error;  // empty: the last attempt did not fail
  uint64_t partitions_evicted = 0;
  uint64_t partitions_kept = 0;  // uploaded, and kept here all the same: a page is unreadable
  uint64_t partitions_lost = 0;  // dropped for space before they were uploaded
  uint64_t cpu_ns = 0;
  uint64_t waiting_partitions = 0;  // closed, and not all in the tier
  uint64_t waiting_rows = 0;
  uint64_t cold_partitions = 0;       // in the tier alone
  uint64_t elsewhere_partitions = 0;  // of those: in another than the settings name
  uint64_t cold_rows = 0;
  uint64_t cold_local_bytes = 0;    // of what stays here of all that was evicted
  uint64_t fetched_partitions = 0;  // evicted, with a copy here
  uint64_t fetched_rows = 0;
  uint64_t fetched_bytes = 0;
  uint64_t partitions_fetched = 0;  // since the start
  uint64_t spans_fetched = 0;
};

// Counters and gauges for /metrics and status. All since the start of the process.
struct StoreStats {
  uint64_t spans_accepted = 0;
  uint64_t spans_rejected = 0;
  uint64_t spans_duplicate = 0;   // left out because their request had been seen
  uint64_t requests_refused = 0;  // overload, full disk
  uint64_t journal_bytes_written = 0;
  uint64_t journal_syncs = 0;
  uint64_t segment_bytes_written = 0;
  uint64_t index_bytes_written = 0;
  uint64_t merge_bytes_written = 0;
  uint64_t records_set_aside = 0;  // damaged journal records
  uint64_t read_gaps = 0;
  uint64_t head_rows = 0;
  uint64_t head_bytes = 0;
  uint64_t cache_bytes = 0;
  uint64_t query_bytes = 0;
  uint64_t segments = 0;
  uint64_t partitions = 0;
  uint64_t stored_rows = 0;
  uint64_t stored_bytes = 0;  // segments and indexes on disk
  uint64_t archive_rows = 0;  // among the stored ones
  uint64_t archive_bytes = 0;
  uint64_t journal_bytes = 0;      // journals on disk
  uint64_t oldest_arrival_ns = 0;  // of the oldest partition kept; 0: none
  uint64_t partitions_dropped = 0;
  // CPU time of the store's own threads by stage, nanoseconds.
  uint64_t append_cpu_ns = 0;
  uint64_t journal_cpu_ns = 0;
  uint64_t seal_cpu_ns = 0;
  uint64_t maintenance_cpu_ns = 0;
  TierStats tier;
  bool writable = true;
  std::string not_writable_reason;  // with the cure
};

class Store {
 public:
  // Opens or creates. Fails only with kInvalidArgument (spans would be too old for the tier before
  // they are uploaded), kFailedPrecondition (a newer format), kAlreadyExists (a live
  // owner, its pid named) or kUnavailable (the directory cannot be written and cannot be read);
  // what is damaged is set aside, logged, and counted in stats(). With `read_only` also with what
  // keeps a database from being read, which only an opening that may write can repair.
  static Result<std::unique_ptr<Store>> Open(const StoreOptions& options);
  // For one who must write, as the next owner of a shared directory: a store that cannot be opened
  // for writing is not opened to be read; then it fails with what is in the way. A full disk alone
  // is not: such a store refuses spans until space is free. REQUIRES: not `read_only`.
  static Result<std::unique_ptr<Store>> OpenToWrite(const StoreOptions& options);
  // Flushes and closes. No cursor may be alive.
  virtual ~Store() = default;

  // The tenant may be an archive (ArchiveOf): spans that it holds already are accepted and not
  // stored again; kFailedPrecondition when it is full, since nothing in it ever expires.
  // `done` runs on a thread of the store, once, after the outcome is durable; it must not block.
  virtual void WriteAsync(WriteRequest request, std::function<void(WriteResult)> done) = 0;
  WriteResult Write(const WriteRequest& request);

  // The number of a tenant's name, to write with: given to it the first time, and then kept for
  // ever. kInvalidArgument: a name that cannot be one; kFailedPrecondition: too many tenants.
  virtual Result<TenantId> OpenTenant(std::string_view name) = 0;
  // To ask with; kNoTenant, which has no spans, when nothing was written under that name.
  virtual TenantId FindTenant(std::string_view name) = 0;
  virtual std::vector<TenantStatus> TenantStatuses() = 0;  // by number
  virtual std::vector<StoredPartition> Partitions() = 0;   // oldest first

  // Each trace whole, from every place that has spans of it. Unknown ids are skipped; repeated ids
  // are answered once; order as asked.
  virtual std::unique_ptr<TraceCursor> GetTraces(TenantId tenant, std::vector<TraceId> ids,
                                                 const QueryLimits& limits) = 0;
  // In the query's order.
  virtual std::unique_ptr<TraceCursor> FindTraces(TraceQuery query, const QueryLimits& limits) = 0;
  virtual Result<Answer<FoundTrace>> FindTraceIds(const TraceQuery& query,
                                                  const QueryLimits& limits) = 0;
  virtual Result<Answer<TraceSummary>> FindSummaries(const TraceQuery& query,
                                                     const QueryLimits& limits) = 0;
  // One page of spans, each exactly as it is stored, in the query's order. Pages that follow each
  // other, each asked for from where the one before ended, hold every span once that was there
  // before the first, whatever is written, sealed, merged or restarted in between; so do the pages
  // of the two above for traces that get no new span.
  virtual std::unique_ptr<SpanCursor> FindSpans(SpanQuery query, const QueryLimits& limits) = 0;
  // Sorted by name. A resource without service.name is no service.
  virtual Result<Answer<std::string>> Services(TenantId tenant, const QueryLimits& limits) = 0;
  // Sorted by name, then kind; kind -1: any.
  virtual Result<Answer<Operation>> Operations(TenantId tenant, std::string_view service,
                                               int32_t kind, const QueryLimits& limits) = 0;
  // By the child's start, both ends inclusive. Sorted by parent, child.
  virtual Result<Answer<Dependency>> Dependencies(TenantId tenant, TimeRange child_start,
                                                  const QueryLimits& limits) = 0;

  // Seals the heads and waits until every acknowledged span lies in a segment.
  virtual Status Flush() = 0;
  // Flush, then merges, closing, retention and uploads until nothing is left to do (benches,
  // tests).
  virtual Status Settle() = 0;
  // What Fetch would bring back. Refuses as it does, but for a fetch that is on its way.
  virtual Result<FetchProgress> PlanFetch(const FetchRequest& request) = 0;
  // Brings evicted partitions back from the cold tier, of every tenant, so that questions about
  // them need it no more. Each is a copy that counts once it is whole and checked; until then, and
  // when the copy goes again, questions ask the tier. Copies that are here are kept from now on as
  // asked. Under disk pressure copies are the first that go. kFailedPrecondition: there is no tier;
  // kNotFound: it alone has nothing of that time; kResourceExhausted: no room for it;
  // kUnavailable: the tier is away, or the store takes nothing; kAborted: another fetch is on its
  // way; kCancelled. Partitions that were finished stay, whatever ends it.
  virtual Result<FetchProgress> Fetch(const FetchRequest& request, const FetchWatch& watch) = 0;
  // Deletes everything of every tenant. Returns when it is gone.
  virtual Status Purge() = 0;
  // Deletes everything of one tenant. Returns when it is gone for good, whatever crashes; queries
  // of that tenant which are on their way may miss parts.
  virtual Status PurgeTenant(TenantId tenant) = 0;
  // Reads and verifies everything on disk; one line per fault.
  virtual Status Verify(std::vector<std::string>* faults) = 0;
  // Bytes on disk by section over all segments, for reports.
  virtual Status SectionSizes(std::vector<std::pair<std::string, uint64_t>>* sizes) = 0;
  virtual StoreStats stats() const = 0;
};

}  // namespace larder
