// POST /tier/fetch of the admin port: brings a range of time back from the cold tier.
//
//   from, to    of the spans' starts, as ParseTimeNs takes them (plugin/settings/time_value.h)
//   keep-for    a duration, 7d when it is not given
//
// What is refused is told at once, by the code: 400 what is asked, 404 nothing of that time lies in
// the tier alone, 409 no tier, 507 no room, 503 no store. Else the answer is 200 and a line of JSON
// now and then, the last with `end`, or with `error`. Whoever hangs up ends the fetch.
#pragma once

#include <atomic>
#include <memory>
#include <set>

#include "plugin/store/store_gate.h"
#include "storage/base/mutex.h"

namespace httplib {
struct Request;
struct Response;
}  // namespace httplib

namespace larder {

// Thread-safe.
class FetchEndpoint {
 public:
  // `gate` must outlive it and the answers.
  explicit FetchEndpoint(StoreGate* gate) : gate_(gate) {}

  void Handle(const httplib::Request& request, httplib::Response& response);
  // Fetches that run end soon; none begins from now on.
  void Stop();

 private:
  using Flag = std::atomic<bool>;

  // Null after Stop.
  std::shared_ptr<Flag> Begin();
  void End(const std::shared_ptr<Flag>& cancelled);

  StoreGate* const gate_;
  Mutex mu_;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::set<std::shared_ptr<Flag>> running_ GUARDED_BY(mu_);
};

}  // namespace larder
