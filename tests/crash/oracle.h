// What a store must still know after a crash: numbered requests, of which some were acknowledged.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine/store.h"
#include "storage/model/span.h"

namespace larder {

// Request `number`, always the same: three spans of a trace of its own, and one of a trace that it
// shares with its neighbours.
std::vector<Span> NumberedSpans(uint64_t number);
std::string NumberedRequest(uint64_t number);
// The number of spans in each request.
inline constexpr uint32_t kNumberedSpans = 4;

// Data sets that numbered requests go to in turns, when a test uses tenants: tenant 0, two tenants
// with names, and the archive of one. So generations and partitions hold several, and neighbours
// in a shared trace lie apart.
inline constexpr uint64_t kDataSets = 4;
inline constexpr uint64_t kLimitedDataSet = 1;  // of the same tenant as the archive
inline constexpr uint64_t kPurgedDataSet = 2;   // of a tenant of its own, which a test may purge
inline constexpr uint64_t kArchiveDataSet = 3;
// Empty for tenant 0.
std::string_view NameOfDataSet(uint64_t data_set);
// To write with: makes the tenant. The store must take tenants.
TenantId OpenDataSet(Store* store, uint64_t data_set);
// To ask with.
TenantId FindDataSet(Store* store, uint64_t data_set);

// Whether any of the request's own trace is in the store.
bool IsThere(Store* store, uint64_t number);

// Thread-compatible.
class Oracle {
 public:
  // Request n is of data set n % kDataSets, instead of all of tenant 0.
  void UseTenants() { data_sets_ = kDataSets; }
  // Of kPurgedDataSet everything below `number`.
  void PurgeAttempted(uint64_t number) { purging_below_ = number; }
  void PurgeAcknowledged(uint64_t number) { purged_below_ = number; }
  void Attempted(uint64_t number) { attempted_.insert(number); }
  void Acknowledged(uint64_t number) { acknowledged_.insert(number); }
  // That limits had taken it.
  void SeenGone(uint64_t number) { gone_.insert(number); }
  const std::set<uint64_t>& gone() const { return gone_; }
  const std::set<uint64_t>& acknowledged() const { return acknowledged_; }
  uint64_t next_number() const { return attempted_.empty() ? 0 : *attempted_.rbegin() + 1; }

  struct Allowance {
    // Acknowledged requests that retention may have dropped (as a whole).
    std::function<bool(uint64_t number)> may_be_gone = [](uint64_t) { return false; };
    // Of those the oldest go first, in each data set.
    bool oldest_go_first = false;
    // Damage: anything may be missing, but what is there must be right.
    bool may_be_damaged = false;
  };
  // Compares the store with what it was told. One line per difference:
  //   - an acknowledged request is there, each span once; one that was attempted only is there as a
  //     whole or not at all, and so is one that may be gone;
  //   - what was purged is gone, and of a purge that was attempted only, all or nothing is;
  //   - what was seen to be gone has not come back;
  //   - nothing else is there, and nothing is there in another form;
  //   - a search for everything finds the same traces as asking for each by id;
  //   - the store's own check of everything on disk finds no fault.
  std::vector<std::string> Check(Store* store, const Allowance& allowance) const;
  std::vector<std::string> Check(Store* store) const { return Check(store, Allowance()); }
  // Of the last Check: requests that were there.
  uint64_t present() const { return present_; }

 private:
  void CheckOrder(uint64_t number, bool is_there, std::optional<uint64_t>* oldest_there,
                  std::vector<std::string>* differences) const;
  void CheckPurge(uint64_t present, uint64_t expected, std::vector<std::string>* differences) const;

  uint64_t data_sets_ = 1;
  uint64_t purging_below_ = 0;
  uint64_t purged_below_ = 0;
  std::set<uint64_t> attempted_;
  std::set<uint64_t> acknowledged_;
  std::set<uint64_t> gone_;
  mutable uint64_t present_ = 0;
};

}  // namespace larder
