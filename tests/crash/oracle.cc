#include "tests/crash/oracle.h"

#include <cstring>
#include <map>

#include "storage/base/check.h"

namespace larder {
namespace {

constexpr uint64_t kStartNs = 1'700'000'000'000'000'000;
constexpr uint64_t kNeighbours = 10;

TraceId MakeTraceId(uint64_t kind, uint64_t number) {
  TraceId id;
  const uint64_t mixed = (number + 1) * 0x9e3779b97f4a7c15;
  std::memcpy(id.bytes.data(), &mixed, sizeof mixed);
  const uint64_t tail = kind << 56 | number;
  std::memcpy(id.bytes.data() + 8, &tail, sizeof tail);
  return id;
}
TraceId OwnTrace(uint64_t number) { return MakeTraceId(1, number); }
TraceId SharedTrace(uint64_t number) { return MakeTraceId(2, number / kNeighbours); }

SpanId MakeSpanId(uint64_t number, uint64_t place) {
  SpanId id;
  const uint64_t value = (number + 1) << 8 | place;
  std::memcpy(id.bytes.data(), &value, sizeof value);
  return id;
}

Span MakeSpan(uint64_t number, uint64_t place) {
  Span span;
  span.trace_id = place == 3 ? SharedTrace(number) : OwnTrace(number);
  span.span_id = MakeSpanId(number, place);
  if (place == 1 || place == 2) span.parent_span_id = MakeSpanId(number, 0);
  span.name = "operation " + std::to_string(number % 7);
  span.kind = static_cast<int32_t>(place);
  span.start_ns = kStartNs + number * 1'000'000 + place;
  span.end_ns = span.start_ns + 5'000 + number % 100;
  span.attributes.push_back(
      {.key = "number", .type = ValueType::kString, .payload = std::to_string(number)});
  return span;
}

using Found = std::map<TraceId, std::multiset<std::string>>;

class Checker {
 public:
  Checker(Store* store, TenantId tenant, const Oracle::Allowance& allowance,
          std::vector<std::string>* differences)
      : store_(store), tenant_(tenant), allowance_(allowance), differences_(differences) {}

  void ReadTraces(const std::set<uint64_t>& numbers) {
    std::set<TraceId> ids;
    for (const uint64_t number : numbers) ids.insert({OwnTrace(number), SharedTrace(number)});
    auto cursor = store_->GetTraces(tenant_, {ids.begin(), ids.end()}, {});
    for (;;) {
      auto chunk = cursor->Next();
      if (!chunk.ok()) {
        if (!allowance_.may_be_damaged) Say("traces: " + chunk.status().ToString());
        break;
      }
      if (chunk->end) break;
      auto spans = DecodeSpans(chunk->traces_data);
      if (!spans.ok()) {
        Say("traces: " + spans.status().ToString());
        break;
      }
      for (Span& span : *spans) {
        DropWarnings(&span);
        found_[chunk->trace_id].insert(EncodeSpans({span}));
      }
    }
    if (!cursor->gaps().empty() && !allowance_.may_be_damaged) {
      Say("gap: " + cursor->gaps()[0].place + ": " + cursor->gaps()[0].reason);
    }
  }

  // Takes the request's spans out of what was found; how many there were.
  uint32_t Take(uint64_t number) {
    uint32_t there = 0;
    for (const Span& span : NumberedSpans(number)) {
      std::multiset<std::string>& spans = found_[span.trace_id];
      const auto place = spans.find(EncodeSpans({span}));
      if (place == spans.end()) continue;
      spans.erase(place);
      ++there;
    }
    return there;
  }

  void ExpectNothingLeft() {
    for (const auto& [id, spans] : found_) {
      if (!spans.empty()) Say("a trace has spans twice, or other than they were written");
    }
  }

  void CheckSearch() {
    TraceQuery query;
    query.tenant = tenant_;
    query.depth = 10'000;
    query.filter.op = FilterOp::kTrue;
    auto found = store_->FindTraceIds(query, {});
    if (!found.ok()) {
      if (!allowance_.may_be_damaged) Say("search: " + found.status().ToString());
      return;
    }
    size_t known = 0;
    for (const FoundTrace& trace : found->values) {
      if (found_.count(trace.trace_id) == 0) Say("a search finds a trace that cannot be read");
      ++known;
    }
    if (known != found_.size() && found_.size() <= 10'000 && !allowance_.may_be_damaged) {
      Say("a search finds " + std::to_string(known) + " traces of " +
          std::to_string(found_.size()));
    }
  }

  void CheckVerify() {
    if (allowance_.may_be_damaged) return;
    std::vector<std::string> faults;
    const Status verified = store_->Verify(&faults);
    if (!verified.ok()) Say("verify: " + verified.ToString());
    for (const std::string& fault : faults) Say("verify: " + fault);
  }

  // Reads leave equal spans out, so that a span which is stored twice shows in the number of rows
  // only.
  void CheckRows(uint64_t present) {
    if (allowance_.may_be_damaged) return;
    // Numbers of one moment: a seal that is on its way may be counted on both sides.
    (void)store_->Flush().ok();
    const StoreStats stats = store_->stats();
    const uint64_t rows = stats.stored_rows + stats.head_rows + stats.tier.cold_rows;
    if (stats.writable && rows != present * kNumberedSpans) {
      Say("there are " + std::to_string(rows) + " rows for " + std::to_string(present) +
          " requests");
    }
  }

  void Say(std::string difference) { differences_->push_back(std::move(difference)); }
  const Found& found() const { return found_; }

 private:
  // The note that a damaged part leaves on a span of a trace that it belongs to.
  static void DropWarnings(Span* span) {
    std::erase_if(span->attributes,
                  [](const Attribute& attribute) { return attribute.key == "@jaeger@warnings"; });
  }

  Store* const store_;
  const TenantId tenant_;
  const Oracle::Allowance& allowance_;
  std::vector<std::string>* const differences_;
  Found found_;
};

}  // namespace

std::vector<Span> NumberedSpans(uint64_t number) {
  auto resource = std::make_shared<Resource>();
  resource->attributes.push_back({.key = "service.name",
                                  .type = ValueType::kString,
                                  .payload = "service " + std::to_string(number % 3)});
  const auto scope = std::make_shared<Scope>();
  std::vector<Span> spans;
  for (uint64_t place = 0; place < kNumberedSpans; ++place) {
    spans.push_back(MakeSpan(number, place));
    spans.back().resource = resource;
    spans.back().scope = scope;
  }
  return spans;
}

std::string NumberedRequest(uint64_t number) { return EncodeSpans(NumberedSpans(number)); }

std::string_view NameOfDataSet(uint64_t data_set) {
  if (data_set == 0) return {};
  return data_set == kPurgedDataSet ? "purged" : "kept";
}

TenantId OpenDataSet(Store* store, uint64_t data_set) {
  if (data_set == 0) return 0;
  const auto tenant = store->OpenTenant(NameOfDataSet(data_set));
  LARDER_CHECK(tenant.ok());
  return data_set == kArchiveDataSet ? ArchiveOf(*tenant) : *tenant;
}

TenantId FindDataSet(Store* store, uint64_t data_set) {
  if (data_set == 0) return 0;
  const TenantId tenant = store->FindTenant(NameOfDataSet(data_set));
  return data_set == kArchiveDataSet ? ArchiveOf(tenant) : tenant;
}

bool IsThere(Store* store, uint64_t number) {
  const auto cursor =
      store->GetTraces(FindDataSet(store, number % kDataSets), {OwnTrace(number)}, {});
  const auto chunk = cursor->Next();
  LARDER_CHECK(chunk.ok());
  return !chunk->end;
}

std::vector<std::string> Oracle::Check(Store* store, const Allowance& allowance) const {
  std::vector<std::string> differences;
  present_ = 0;
  uint64_t purging_present = 0;
  uint64_t purging_expected = 0;
  for (uint64_t data_set = 0; data_set < data_sets_; ++data_set) {
    std::set<uint64_t> numbers;
    for (const uint64_t number : attempted_) {
      if (number % data_sets_ == data_set) numbers.insert(number);
    }
    Checker checker(store, FindDataSet(store, data_set), allowance, &differences);
    checker.ReadTraces(numbers);
    checker.CheckSearch();
    std::optional<uint64_t> oldest_there;
    for (const uint64_t number : numbers) {
      const uint32_t there = checker.Take(number);
      const bool whole = there == kNumberedSpans;
      if (whole) ++present_;
      if (there != 0 && !whole && !allowance.may_be_damaged) {
        checker.Say("request " + std::to_string(number) + " is there in part");
      }
      if (there != 0 && gone_.count(number) > 0) {
        checker.Say("request " + std::to_string(number) + " was gone and has come back");
      }
      if (allowance.oldest_go_first) CheckOrder(number, whole, &oldest_there, &differences);
      const bool acknowledged = acknowledged_.count(number) > 0;
      if (!acknowledged || allowance.may_be_damaged || allowance.may_be_gone(number)) continue;
      if (data_set == kPurgedDataSet && number < purging_below_) {
        ++purging_expected;
        if (whole) ++purging_present;
      } else if (!whole) {
        checker.Say("request " + std::to_string(number) + " was acknowledged and is lost");
      }
    }
    checker.ExpectNothingLeft();
  }
  CheckPurge(purging_present, purging_expected, &differences);
  Checker whole_store(store, 0, allowance, &differences);
  whole_store.CheckRows(present_);
  whole_store.CheckVerify();
  return differences;
}

// REQUIRES: called for the numbers of one data set in ascending order.
void Oracle::CheckOrder(uint64_t number, bool is_there, std::optional<uint64_t>* oldest_there,
                        std::vector<std::string>* differences) const {
  if (number % kDataSets == kPurgedDataSet && number < purging_below_) return;
  if (is_there) {
    if (!oldest_there->has_value()) *oldest_there = number;
  } else if (oldest_there->has_value() && acknowledged_.count(number) > 0) {
    differences->push_back("request " + std::to_string(number) + " is gone, and the older " +
                           std::to_string(**oldest_there) + " is there");
  }
}

void Oracle::CheckPurge(uint64_t present, uint64_t expected,
                        std::vector<std::string>* differences) const {
  if (present == 0) return;
  if (purging_below_ == purged_below_) {
    differences->push_back(std::to_string(present) + " purged requests are there");
  } else if (present != expected) {
    differences->push_back("a purge took a part: of " + std::to_string(expected) + " requests " +
                           std::to_string(present) + " are there");
  }
}

}  // namespace larder
