// ColdTier: a place far away that keeps the spans of aged partitions. The store moves whole
// partitions there, in packs, and asks for their spans again; tiering/ has the implementations.
//
// What is written here once is never changed: a pack holds the same spans whenever it is uploaded,
// so that uploading it again, after a crash or a lost answer, does no harm. A tier may hold spans
// twice then; the store drops what is equal.
//
// How a call fails says what the caller does:
//   kUnavailable, kResourceExhausted   away or overloaded: try later; a query reports a gap
//   kDeadlineExceeded, kCancelled      the limits of the call ended it
//   kNotFound                          gone: the tier has not, or no longer, what was asked for
//   kDataLoss                          there, but not readable
//   anything else                      a setting is wrong (credentials, names): it needs a person
// Messages name the tier's end that failed and never hold a secret.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/filter.h"
#include "storage/model/ids.h"
#include "storage/model/query.h"
#include "storage/query/answer.h"

namespace larder {

// Under which times a tier files its rows, seconds since 1970, both ends inclusive. For a tier that
// takes spans of any age that is their start; one that does not files late ones under the time of
// their upload. min > max: nothing is filed.
struct FiledTimes {
  uint64_t min_s = UINT64_MAX;
  uint64_t max_s = 0;
  void Add(const FiledTimes& other) {
    if (other.min_s < min_s) min_s = other.min_s;
    if (other.max_s > max_s) max_s = other.max_s;
  }
  friend bool operator==(const FiledTimes&, const FiledTimes&) = default;
};

// One tenant's spans of one partition of one store. Several stores may share a tier, and tenants
// always do; none may ever see another's spans.
struct ColdScope {
  uint64_t store = 0;  // drawn at random once for each store
  uint64_t partition = 0;
  TenantId tenant = 0;
  std::string tenant_name = {};  // empty: tenant 0
  FiledTimes filed = {};         // of everything that was uploaded; not set for Upload
  std::string tier = {};         // the identity of the tier that has it; a tier does not look at it
  // When something is read: of which segments. Rows of others were taken back after their upload
  // (by a quota, a purge) and are never answered again. Null: of any.
  std::shared_ptr<const std::vector<uint64_t>> segments = {};

  bool Has(uint64_t segment) const;
};

// Names a pack for ever, together with its scope.
struct PackId {
  uint64_t segment = 0;    // of the partition
  uint32_t first_row = 0;  // of that segment; rows follow each other
};
// "larder-00c0ffee00c0ffee-3-0-17-4096": store, partition, tenant, segment, first row. At most 100
// characters, of letters, digits and '-'.
std::string PackName(const ColdScope& scope, const PackId& pack);
// Also of a name with more behind it, which a tier gave to a part of a pack. False: of no pack of
// the scope.
bool ParsePackName(const ColdScope& scope, std::string_view name, PackId* pack);

// A span as it is uploaded: OTLP, in pieces (storage/model/traces_data_writer.h puts them
// together). Canonical: equal spans have equal bytes.
struct PackedSpan {
  TraceId trace_id;
  uint64_t start_ns = 0;
  std::string_view resource;  // ResourceSpans without its scope_spans
  std::string_view scope;     // ScopeSpans without its spans
  std::string_view span;      // Span
};

inline constexpr uint32_t kPackRowsMax = 4096;

struct Pack {
  PackId id;
  std::vector<PackedSpan> spans;  // 1 to kPackRowsMax; views are valid during the call
};

struct PackedTrace {
  TraceId trace_id;
  uint32_t spans = 0;
};

// What a request of an upload carried, for a tier that looks for it by that when it verifies.
struct PackPart {
  FiledTimes filed;
  std::vector<PackedTrace> traces{};
};

// What came of an upload.
struct PackReceipt {
  FiledTimes filed;
  std::vector<uint32_t> parts;     // spans in each request that the tier made of the pack, in order
  std::vector<PackPart> contents;  // of each part; may be empty
  // As they went over the wire or were written: compressed, and again when they were sent again.
  uint64_t bytes_sent = 0;
  // Spans (places in the pack, ascending) that the tier does not take, as it is configured: they
  // are in no part, and the store keeps the partition.
  std::vector<uint32_t> refused;
};

// Takes what a read finds. Called from the thread that reads.
class ColdRows {
 public:
  virtual ~ColdRows() = default;
  // `traces_data`: a TracesData message, of any number of spans of one segment (PackId::segment).
  // What fails (memory) ends the read, which then returns it.
  virtual Status Add(uint64_t segment, std::string_view traces_data) = 0;
  // The tier is about to hold so many bytes in all for the read, beside what it added. What fails
  // (memory) ends the read.
  virtual Status Hold(uint64_t /*bytes*/) { return Status::Ok(); }
};

// A trace that is looked for, and the segments of the partition that may have spans of it (a hint:
// ids as in PackId).
struct ColdTrace {
  TraceId trace_id;
  std::vector<uint64_t> segments;
};

// The spans that start in `start` and satisfy `filter`, latest start first. The tier answers a
// superset of them: whatever it cannot decide the store decides.
struct ColdSearch {
  const FilterNode* filter = nullptr;
  TimeRange start;
  uint32_t rows_wanted = 1000;  // it may stop when it has found so many matches
};

// Thread-safe: any number of calls at once. Every call ends by its limits, soon.
class ColdTier {
 public:
  virtual ~ColdTier() = default;

  // "directory /mnt/nas/larder", for logs, status and gaps.
  virtual std::string name() const = 0;
  // Names the place where the rows lie, by whichever way it is reached and for as long as it lasts:
  // two tiers of one identity hold the same rows. At most 1,024 characters. kUnavailable: it cannot
  // be told while the tier is away.
  virtual Result<std::string> identity() const = 0;
  // Spans whose start is older than this are re-stamped or refused; UINT64_MAX: any age is taken.
  virtual uint64_t span_age_ms_max() const { return UINT64_MAX; }

  // OK: the tier has taken every span that is not refused, for good. It may split the pack, always
  // at the same places.
  virtual Result<PackReceipt> Upload(const ColdScope& scope, const Pack& pack,
                                     const QueryLimits& limits) = 0;
  // Whether every span of the receipt's parts can be read back by now; false: not yet, or not all
  // of them arrived.
  virtual Result<bool> Verify(const ColdScope& scope, const PackId& pack,
                              const PackReceipt& receipt, const QueryLimits& limits) = 0;

  // All spans of the traces that the scope has.
  virtual Status ReadTraces(const ColdScope& scope, const std::vector<ColdTrace>& traces,
                            const QueryLimits& limits, ColdRows* rows) = 0;
  // Returns from which start on the answer is complete: every match that starts then or later was
  // given to `rows`. search.start.min_ns or less: all of them.
  virtual Result<uint64_t> Search(const ColdScope& scope, const ColdSearch& search,
                                  const QueryLimits& limits, ColdRows* rows) = 0;

  // How many spans of the scope that start in `start` can be found by now, each as often as it is
  // there. It may answer more, never fewer. Nothing: it cannot tell.
  virtual Result<std::optional<uint64_t>> CountSpans(const ColdScope& /*scope*/,
                                                     TimeRange /*start*/,
                                                     const QueryLimits& /*limits*/) {
    return std::optional<uint64_t>();
  }

  // Nobody will ask for the scope again. OK also when it is gone, or goes by itself in time.
  virtual Status Remove(const ColdScope& scope, const QueryLimits& limits) = 0;
};

}  // namespace larder
