// Requests that were accepted lately, so that a client's retry is not stored twice.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "storage/base/hash.h"
#include "storage/model/ids.h"

namespace larder {

// The identity of a request: equal bytes of equal tenants.
Hash128 RequestIdentity(TenantId tenant, std::string_view otlp);

// Not thread-safe. Bounded in time and in number: the oldest are forgotten first, and those of a
// tenant that has more than its share before those of others.
class DuplicateWindow {
 public:
  struct Outcome {
    uint32_t accepted_spans = 0;
    uint32_t rejected_spans = 0;
    std::shared_ptr<const std::string> first_rejection = {};  // null: none was rejected
  };

  DuplicateWindow(uint64_t window_ns, size_t requests_max)
      : window_ns_(window_ns), requests_max_(requests_max) {}

  // What became of the request when it was seen; nothing when it was not.
  std::optional<Outcome> Find(const Hash128& identity, uint64_t now_monotonic_ns) const;
  void Add(TenantId tenant, const Hash128& identity, Outcome outcome, uint64_t now_monotonic_ns);
  void Clear();
  void Clear(TenantId tenant);
  size_t size() const { return seen_.size(); }

 private:
  using Identities = std::deque<Hash128>;  // of one tenant, oldest first

  struct Hasher {
    size_t operator()(const Hash128& hash) const { return static_cast<size_t>(hash.low); }
  };
  struct Seen {
    Outcome outcome;
    uint64_t monotonic_ns = 0;
  };

  void ForgetOld(Identities* identities, uint64_t now_monotonic_ns);
  void ForgetFirst(Identities* identities);
  // Whose oldest request makes room for one of `tenant`.
  Identities* WhoGivesWay(TenantId tenant);

  const uint64_t window_ns_;
  const size_t requests_max_;
  std::unordered_map<Hash128, Seen, Hasher> seen_;
  std::map<TenantId, Identities> order_;
};

}  // namespace larder
