#include "tiering/sls_tier/sls_tier.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "storage/base/log.h"
#include "storage/base/mutex.h"
#include "tiering/row/packer.h"
#include "tiering/row/row_reader.h"
#include "tiering/sls_tier/push_down.h"
#include "tiering/sls_tier/sls_check.h"
#include "tiering/sls_tier/sls_index.h"

namespace larder {
namespace {

constexpr uint64_t kNanosOfSecond = 1'000'000'000;
constexpr uint64_t kNanosOfMs = 1'000'000;
// SLS takes 7 days back and 15 minutes ahead; this leaves room for retries and clocks.
constexpr uint64_t kAgeSecondsMax = 13 * 24 * 3600 / 2;
constexpr uint64_t kAheadSecondsMax = 10 * 60;
constexpr uint64_t kCallMsMax = 3600 * 1000;  // of calls without a deadline
constexpr size_t kTracesOfQuery = 10;         // each in two spellings
constexpr size_t kTracesOfCount = 28;         // SLS takes 30 terms
constexpr uint64_t kOrderSeconds = 60;        // within a minute SLS's order is open
constexpr const char* kRestampedTopic = "larder-restamped";

std::string ScopeName(const ColdScope& scope) {
  // The name of a pack, without segment and row.
  std::string name = PackName(scope, {});
  for (int cut = 0; cut < 2; ++cut) name.resize(name.rfind('-'));
  return name;
}

std::string Column(const SlsRow& row, std::string_view key) {
  const auto found = row.find(key);
  return found == row.end() ? std::string() : found->second;
}

// Of the pack that brought the row; nothing: of none that is known.
std::optional<uint64_t> SegmentOf(const ColdScope& scope, const SlsRow& row) {
  PackId pack;
  if (!ParsePackName(scope, Column(row, kPackField), &pack)) return std::nullopt;
  return pack.segment;
}

uint64_t TimeOf(const SlsRow& row) {
  const std::string text = Column(row, "__time__");
  uint64_t time = 0;
  std::from_chars(text.data(), text.data() + text.size(), time);
  return time;
}

std::string AndQuery(const std::vector<std::string>& clauses) {
  std::string query;
  for (const std::string& clause : clauses) {
    if (clause.empty()) continue;
    query += (query.empty() ? "" : " and ") + clause;
  }
  return query.empty() ? "*" : query;
}

// Of the column of microseconds.
std::string StartClause(TimeRange start) {
  return "start >= " + std::to_string(start.min_ns / 1000) +
         " and start <= " + std::to_string(start.max_ns / 1000);
}

uint64_t BytesOf(const SlsRow& row) {
  uint64_t bytes = 0;
  for (const auto& [key, value] : row) bytes += key.size() + value.size();
  return bytes;
}

class SlsTier : public ColdTier {
 public:
  SlsTier(TierOptions options, std::unique_ptr<SlsClient> client, Clock* clock)
      : options_(std::move(options)),
        logstore_(options_.sls.LogstoreName()),
        client_(std::move(client)),
        clock_(clock) {}

  std::string name() const override { return "SLS " + options_.sls.project + "/" + logstore_; }
  // Whichever endpoint leads there.
  Result<std::string> identity() const override { return name(); }
  uint64_t span_age_ms_max() const override { return kAgeSecondsMax * 1000; }

  Result<PackReceipt> Upload(const ColdScope& scope, const Pack& pack,
                             const QueryLimits& limits) override;
  Result<bool> Verify(const ColdScope& scope, const PackId& pack, const PackReceipt& receipt,
                      const QueryLimits& limits) override;
  Status ReadTraces(const ColdScope& scope, const std::vector<ColdTrace>& traces,
                    const QueryLimits& limits, ColdRows* rows) override;
  Result<uint64_t> Search(const ColdScope& scope, const ColdSearch& search,
                          const QueryLimits& limits, ColdRows* rows) override;
  Result<std::optional<uint64_t>> CountSpans(const ColdScope& scope, TimeRange start,
                                             const QueryLimits& limits) override;
  // SLS deletes by time alone: the Logstore's time to live does it.
  Status Remove(const ColdScope&, const QueryLimits&) override { return Status::Ok(); }

 private:
  // A group as it is sent, and what Verify finds it by.
  struct SentGroup {
    PackedGroup group;
    PackPart contents;
  };
  static void AddGroups(std::vector<PackedGroup> groups, const std::vector<TraceId>& ids,
                        std::vector<SentGroup>* sent);
  Result<std::vector<SentGroup>> MakeGroups(const ColdScope& scope, const Pack& pack,
                                            std::vector<uint32_t>* refused) const;
  Result<SlsIndex> Index(const SlsCallLimits& limits);
  std::string ScopeClause(const ColdScope& scope, const SlsIndex& index) const;
  std::string TracesClause(const std::vector<PackedTrace>& traces, size_t first) const;
  Result<uint64_t> CountPart(const std::string& part, const SlsQuery& query,
                             const SlsCallLimits& limits, uint64_t wanted);
  // Whether all spans of a part are there, where packs have no index.
  Result<bool> FindPart(const ColdScope& scope, const std::string& part, const PackPart& contents,
                        const SlsIndex& index, const SlsCallLimits& limits);
  // Gives the spans of rows of the scope to `rows`. REQUIRES: limits.hold is set.
  Status Deliver(const ColdScope& scope, const std::vector<SlsRow>& found, const SlsIndex& index,
                 const SlsCallLimits& limits, bool skips_restamped, ColdRows* rows);
  // REQUIRES: limits.hold is set.
  Result<std::string> ReadParts(const SlsRow& row, const SlsIndex& index,
                                const SlsCallLimits& limits);
  Status SearchRestamped(const ColdScope& scope, const ColdSearch& search,
                         const std::string& clauses, const SlsIndex& index,
                         const SlsCallLimits& limits, ColdRows* rows);

  // With `rows`, what answers take is charged to whoever reads.
  SlsCallLimits CallLimits(const QueryLimits& limits, ColdRows* rows = nullptr) const {
    SlsCallLimits call{.time_ms_max = kCallMsMax};
    if (limits.deadline_monotonic_ns != UINT64_MAX) {
      const uint64_t now = clock_->MonotonicNanos();
      const uint64_t deadline = limits.deadline_monotonic_ns;
      call.time_ms_max = deadline > now ? (deadline - now) / kNanosOfMs : 0;
    }
    if (limits.cancelled != nullptr) {
      call.is_cancelled = [cancelled = limits.cancelled] { return cancelled->load(); };
    }
    if (rows != nullptr) call.hold = [rows](uint64_t bytes) { return rows->Hold(bytes); };
    return call;
  }

  const TierOptions options_;
  const std::string logstore_;
  const std::unique_ptr<SlsClient> client_;
  Clock* const clock_;
  Mutex mu_;
  std::optional<SlsIndex> index_ GUARDED_BY(mu_);
};

// Joins groups with the traces of their spans, which lie in them in the order of `ids`.
void SlsTier::AddGroups(std::vector<PackedGroup> groups, const std::vector<TraceId>& ids,
                        std::vector<SentGroup>* sent) {
  auto next = ids.begin();
  for (PackedGroup& group : groups) {
    PackPart contents{.filed = {.min_s = group.time_min_s, .max_s = group.time_max_s}};
    std::map<TraceId, uint32_t> counts;
    for (uint32_t i = 0; i < group.spans; ++i) ++counts[*next++];
    for (const auto& [id, spans] : counts) contents.traces.push_back({id, spans});
    sent->push_back({std::move(group), std::move(contents)});
  }
}

Result<std::vector<SlsTier::SentGroup>> SlsTier::MakeGroups(const ColdScope& scope,
                                                            const Pack& pack,
                                                            std::vector<uint32_t>* refused) const {
  const uint64_t now_s = clock_->NowUnixNanos() / kNanosOfSecond;
  PackerOptions named{.pack_name = PackName(scope, pack.id),
                      .tags = {{std::string(kScopeTag), ScopeName(scope)}}};
  SpanRowWriter writer(
      {.trace_ids = options_.sls.trace_ids, .writes_raw_payload = options_.sls.writes_raw_payload});
  Packer fresh(named);
  std::vector<TraceId> fresh_ids;
  std::vector<SlsSpanRow> late;
  std::vector<TraceId> late_ids;
  for (uint32_t i = 0; i < pack.spans.size(); ++i) {
    const PackedSpan& span = pack.spans[i];
    const uint64_t start_s = span.start_ns / kNanosOfSecond;
    const bool is_taken = start_s + kAgeSecondsMax >= now_s && start_s <= now_s + kAheadSecondsMax;
    if (!is_taken && options_.old_rows == TierOldRows::kKeep) {
      refused->push_back(i);
      continue;
    }
    std::optional<uint32_t> filed_s;
    if (!is_taken) filed_s = static_cast<uint32_t>(now_s);
    LARDER_ASSIGN_OR_RETURN(SlsSpanRow row,
                            writer.Write({span.resource, span.scope, span.span}, filed_s));
    (is_taken ? fresh_ids : late_ids).push_back(span.trace_id);
    if (is_taken) {
      fresh.Add(row);
    } else {
      late.push_back(std::move(row));
    }
  }
  std::vector<SentGroup> groups;
  AddGroups(fresh.Finish(), fresh_ids, &groups);
  named.first_group = static_cast<uint32_t>(groups.size());
  named.topic = kRestampedTopic;
  Packer restamped(named);
  for (const SlsSpanRow& row : late) restamped.Add(row);
  AddGroups(restamped.Finish(), late_ids, &groups);
  return groups;
}

Result<PackReceipt> SlsTier::Upload(const ColdScope& scope, const Pack& pack,
                                    const QueryLimits& limits) {
  PackReceipt receipt;
  LARDER_ASSIGN_OR_RETURN(std::vector<SentGroup> groups, MakeGroups(scope, pack, &receipt.refused));
  for (SentGroup& sent : groups) {
    LARDER_RETURN_IF_ERROR(
        client_->PutLogs(logstore_, sent.group.bytes, "", CallLimits(limits), &receipt.bytes_sent)
            .With(name()));
    receipt.filed.Add(sent.contents.filed);
    receipt.parts.push_back(sent.group.spans);
    receipt.contents.push_back(std::move(sent.contents));
  }
  return receipt;
}

Result<SlsIndex> SlsTier::Index(const SlsCallLimits& limits) {
  {
    const MutexLock lock(mu_);
    if (index_) return *index_;
  }
  auto json = client_->GetIndex(logstore_, limits);
  if (json.status().code() == StatusCode::kPermissionDenied) return SlsIndex::Least();
  if (!json.ok()) return json.status().With(name());
  LARDER_ASSIGN_OR_RETURN(SlsIndex index, SlsIndex::Parse(*json));
  const MutexLock lock(mu_);
  index_ = index;
  return index;
}

std::string SlsTier::ScopeClause(const ColdScope& scope, const SlsIndex& index) const {
  if (!index.finds_text(kScopeField)) return {};
  return std::string(kScopeField) + ": " + QuoteTerm(ScopeName(scope));
}

// Rows of the part, until `wanted` were found.
Result<uint64_t> SlsTier::CountPart(const std::string& part, const SlsQuery& query,
                                    const SlsCallLimits& limits, uint64_t wanted) {
  uint64_t count = 0;
  const Status status = client_->ReadAll(logstore_, query, limits, [&](auto* rows) {
    for (const SlsRow& row : *rows) count += Column(row, kPackField) == part ? 1U : 0U;
    return count < wanted;
  });
  if (!status.ok()) return status;
  return count;
}

// As Larder spells them.
std::string SlsTier::TracesClause(const std::vector<PackedTrace>& traces, size_t first) const {
  std::string clause;
  for (size_t i = first; i < std::min(first + kTracesOfCount, traces.size()); ++i) {
    clause += clause.empty() ? "(" : " or ";
    clause +=
        "traceID: " + QuoteTerm(TraceIdText(traces[i].trace_id.view(), options_.sls.trace_ids));
  }
  return clause + ")";
}

// Its rows are looked for by what every index has, their traces: so the cost is that of its own
// rows, however many others lie in the same seconds.
Result<bool> SlsTier::FindPart(const ColdScope& scope, const std::string& part,
                               const PackPart& contents, const SlsIndex& index,
                               const SlsCallLimits& limits) {
  SlsQuery query{.from_s = contents.filed.min_s, .to_s = contents.filed.max_s + 1};
  if (contents.traces.empty()) {  // continuations of a span in another part
    LARDER_ASSIGN_OR_RETURN(const uint64_t count, CountPart(part, query, limits, 1));
    return count > 0;
  }
  for (size_t first = 0; first < contents.traces.size(); first += kTracesOfCount) {
    uint64_t wanted = 0;
    for (size_t i = first; i < std::min(first + kTracesOfCount, contents.traces.size()); ++i) {
      wanted += contents.traces[i].spans;
    }
    query.query = AndQuery({ScopeClause(scope, index), TracesClause(contents.traces, first)});
    LARDER_ASSIGN_OR_RETURN(const uint64_t count, CountPart(part, query, limits, wanted));
    if (count < wanted) return false;
  }
  return true;
}

Result<bool> SlsTier::Verify(const ColdScope& scope, const PackId& pack, const PackReceipt& receipt,
                             const QueryLimits& limits) {
  LARDER_ASSIGN_OR_RETURN(const SlsIndex index, Index(CallLimits(limits)));
  for (size_t i = 0; i < receipt.parts.size(); ++i) {
    const std::string part = PackName(scope, pack) + "-" + std::to_string(i);
    if (!index.finds_exactly(kPackField, part)) {
      auto is_there = FindPart(scope, part, receipt.contents[i], index, CallLimits(limits));
      if (!is_there.ok()) return is_there.status().With(name());
      if (!*is_there) return false;
      continue;
    }
    const SlsQuery query{.from_s = receipt.filed.min_s,
                         .to_s = receipt.filed.max_s + 1,
                         .query = std::string(kPackField) + ": " + QuoteTerm(part)};
    auto count = client_->CountLogs(logstore_, query, CallLimits(limits));
    if (!count.ok()) return count.status().With(name());
    // A group is stored whole or not at all; one that was sent twice has more.
    if (*count < std::max(receipt.parts[i], 1U)) return false;
  }
  return true;
}

Result<std::string> SlsTier::ReadParts(const SlsRow& row, const SlsIndex& index,
                                       const SlsCallLimits& limits) {
  const uint64_t time = TimeOf(row);
  const std::string ref = Column(row, kRefKey);
  SlsQuery query{.from_s = time, .to_s = time + 1};
  if (index.finds_text(kRefKey)) query.query = std::string(kRefKey) + ": " + QuoteTerm(ref);
  std::vector<SlsColumns> parts;
  uint64_t parts_bytes = 0;
  SlsCallLimits beside = limits;
  beside.hold = [&](uint64_t bytes) { return limits.hold(parts_bytes + bytes); };
  LARDER_RETURN_IF_ERROR(client_->ReadAll(logstore_, query, beside, [&](auto* rows) {
    for (SlsRow& other : *rows) {
      if (PayloadKindOf(other) != PayloadKind::kPart || Column(other, kRefKey) != ref) continue;
      parts_bytes += BytesOf(other);
      parts.push_back(std::move(other));
    }
    return true;
  }));
  return JoinPayload(row, parts, beside.hold);
}

Status SlsTier::Deliver(const ColdScope& scope, const std::vector<SlsRow>& found,
                        const SlsIndex& index, const SlsCallLimits& limits, bool skips_restamped,
                        ColdRows* rows) {
  const std::string scope_name = ScopeName(scope);
  // By segment; messages that follow each other are one message.
  std::map<uint64_t, std::string> traces_data;
  uint64_t held_bytes = 0;
  for (const SlsRow& row : found) held_bytes += BytesOf(row);
  SlsCallLimits beside = limits;
  beside.hold = [&](uint64_t bytes) { return limits.hold(held_bytes + bytes); };
  Status broken;
  for (const SlsRow& row : found) {
    const PayloadKind kind = PayloadKindOf(row);
    if (Column(row, kScopeField) != scope_name || kind == PayloadKind::kPart) continue;
    const std::optional<uint64_t> segment = SegmentOf(scope, row);
    // What was taken back after it was uploaded.
    if (segment.has_value() && !scope.Has(*segment)) continue;
    if (skips_restamped && row.contains(kRestampedKey)) continue;
    auto span =
        kind == PayloadKind::kParts ? ReadParts(row, index, beside) : ReadSpanRow(row, beside.hold);
    if (span.ok()) {
      held_bytes += span->size();
      traces_data[segment.value_or(0)] += *span;
    } else if (span.status().code() != StatusCode::kDataLoss) {
      return span.status();
    } else if (broken.ok()) {
      broken = span.status().With("pack " + Column(row, kPackField));
    }
  }
  LARDER_RETURN_IF_ERROR(beside.hold(0));
  for (const auto& [segment, spans] : traces_data) {
    LARDER_RETURN_IF_ERROR(rows->Add(segment, spans));
  }
  LARDER_RETURN_IF_ERROR(limits.hold(0));
  return broken;
}

Status SlsTier::ReadTraces(const ColdScope& scope, const std::vector<ColdTrace>& traces,
                           const QueryLimits& limits, ColdRows* rows) {
  if (scope.filed.min_s > scope.filed.max_s) return Status::Ok();
  const SlsCallLimits call = CallLimits(limits);
  LARDER_ASSIGN_OR_RETURN(const SlsIndex index, Index(call));
  Status broken;
  for (size_t first = 0; first < traces.size(); first += kTracesOfQuery) {
    std::string ids;
    for (size_t i = first; i < std::min(first + kTracesOfQuery, traces.size()); ++i) {
      const std::string_view id = traces[i].trace_id.view();
      const std::string wide = TraceIdText(id, SlsTraceIds::kW3c);
      const std::string narrow = TraceIdText(id, SlsTraceIds::kShort);
      ids += (ids.empty() ? "traceID: " : " or traceID: ") + QuoteTerm(wide);
      if (narrow != wide) ids += " or traceID: " + QuoteTerm(narrow);
    }
    const SlsQuery query{.from_s = scope.filed.min_s,
                         .to_s = scope.filed.max_s + 1,
                         .query = AndQuery({ScopeClause(scope, index), "(" + ids + ")"})};
    Status delivered;
    const Status read =
        client_->ReadAll(logstore_, query, CallLimits(limits, rows), [&](auto* found) {
          delivered = Deliver(scope, *found, index, CallLimits(limits, rows), false, rows);
          if (delivered.code() == StatusCode::kDataLoss)
            broken = std::exchange(delivered, Status());
          return delivered.ok();
        });
    LARDER_RETURN_IF_ERROR(read.With(name()));
    LARDER_RETURN_IF_ERROR(delivered);
  }
  return broken.With(name());
}

// Continuations have no start, so that rows are counted and nothing else.
Result<std::optional<uint64_t>> SlsTier::CountSpans(const ColdScope& scope, TimeRange start,
                                                    const QueryLimits& limits) {
  if (scope.filed.min_s > scope.filed.max_s) return std::optional<uint64_t>();
  LARDER_ASSIGN_OR_RETURN(const SlsIndex index, Index(CallLimits(limits)));
  if (!index.finds_text(kScopeField) || !index.is_number("start")) return std::optional<uint64_t>();
  const SlsQuery query{.from_s = scope.filed.min_s,
                       .to_s = scope.filed.max_s + 1,
                       .query = AndQuery({ScopeClause(scope, index), StartClause(start)})};
  auto count = client_->CountLogs(logstore_, query, CallLimits(limits));
  if (!count.ok()) return count.status().With(name());
  return std::optional<uint64_t>(*count);
}

// Late spans lie anywhere in the times of upload, so all that match are read.
Status SlsTier::SearchRestamped(const ColdScope& scope, const ColdSearch& search,
                                const std::string& clauses, const SlsIndex& index,
                                const SlsCallLimits& limits, ColdRows* rows) {
  SlsQuery query{.from_s = scope.filed.min_s,
                 .to_s = scope.filed.max_s + 1,
                 .query = clauses,
                 .topic = kRestampedTopic};
  if (index.is_number("start")) {
    query.query = AndQuery({clauses == "*" ? "" : clauses, StartClause(search.start)});
  }
  Status delivered;
  LARDER_RETURN_IF_ERROR(client_->ReadAll(logstore_, query, limits, [&](auto* found) {
    delivered = Deliver(scope, *found, index, limits, false, rows);
    return delivered.ok();
  }));
  return delivered;
}

Result<uint64_t> SlsTier::Search(const ColdScope& scope, const ColdSearch& search,
                                 const QueryLimits& limits, ColdRows* rows) {
  const FiledTimes& filed = scope.filed;
  if (filed.min_s > filed.max_s) return uint64_t{0};
  LARDER_ASSIGN_OR_RETURN(const SlsIndex index, Index(CallLimits(limits)));
  const std::string clauses =
      AndQuery({ScopeClause(scope, index), PushDown(*search.filter, index)});
  const Status late =
      SearchRestamped(scope, search, clauses, index, CallLimits(limits, rows), rows);
  LARDER_RETURN_IF_ERROR(late.With(name()));
  const uint64_t from_s = std::max(search.start.min_ns / kNanosOfSecond, filed.min_s);
  const uint64_t to_s = std::min(search.start.max_ns / kNanosOfSecond, filed.max_s) + 1;
  if (from_s >= to_s) return uint64_t{0};
  uint64_t complete_from_s = 0;
  uint64_t oldest_s = UINT64_MAX;
  uint64_t row_count = 0;
  Status delivered;
  const SlsQuery query{.from_s = from_s, .to_s = to_s, .query = clauses, .newest_first = true};
  const Status read =
      client_->ReadAll(logstore_, query, CallLimits(limits, rows), [&](auto* found) {
        delivered = Deliver(scope, *found, index, CallLimits(limits, rows), true, rows);
        if (!delivered.ok()) return false;
        for (const SlsRow& row : *found) oldest_s = std::min(oldest_s, TimeOf(row));
        row_count += found->size();
        const uint64_t complete_s = (oldest_s / kOrderSeconds + 1) * kOrderSeconds;
        // Whoever asks goes on from there, so it must lie before where he began.
        if (row_count < search.rows_wanted || complete_s >= to_s) return true;
        complete_from_s = complete_s;
        return false;
      });
  LARDER_RETURN_IF_ERROR(read.With(name()));
  LARDER_RETURN_IF_ERROR(delivered.With(name()));
  return complete_from_s * kNanosOfSecond;
}

}  // namespace

std::unique_ptr<ColdTier> MakeSlsTier(TierOptions options, std::unique_ptr<SlsClient> client,
                                      Clock* clock) {
  return std::make_unique<SlsTier>(std::move(options), std::move(client), clock);
}

Result<std::unique_ptr<ColdTier>> OpenSlsTier(const TierOptions& options) {
  LARDER_RETURN_IF_ERROR(CheckTierOptions(options));
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<SlsClient> client, SlsClient::Make(options.sls));
  for (const TierCheckStep& step : CheckSlsTier(options, client.get())) {
    // Whatever the network says (a token that has run out, a proxy), spans can be taken meanwhile.
    if (!step.status.ok()) {
      Log(LogLevel::kError, "SLS cannot be used yet; partitions wait on the local disk",
          {{"step", step.what}, {"why", step.status.message()}});
    } else if (step.note.find("WARNING") != std::string::npos) {
      Log(LogLevel::kWarning, "the tier", {{"step", step.what}, {"note", step.note}});
    }
  }
  return MakeSlsTier(options, std::move(client));
}

}  // namespace larder
