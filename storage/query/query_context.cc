#include "storage/query/query_context.h"

#include <algorithm>
#include <string>

#include "storage/base/log.h"

namespace larder {

bool MemoryBudget::TryTake(uint64_t bytes) {
  uint64_t held = bytes_.load(std::memory_order_relaxed);
  do {
    if (bytes > bytes_max_ || held > bytes_max_ - bytes) return false;
  } while (!bytes_.compare_exchange_weak(held, held + bytes, std::memory_order_relaxed));
  return true;
}

QueryContext::QueryContext(const QueryBounds& bounds, const QueryLimits& limits)
    : bounds_(bounds), limits_(limits) {}

QueryContext::~QueryContext() { Release(memory_bytes_); }

QueryContext::Work::Work(QueryContext* context) : context_(context) {
  context_->work_began_ns_ = context_->bounds_.clock->MonotonicNanos();
}

QueryContext::Work::~Work() {
  context_->worked_ns_ += context_->bounds_.clock->MonotonicNanos() - context_->work_began_ns_;
}

Status QueryContext::Check() const {
  if (limits_.cancelled != nullptr && limits_.cancelled->load(std::memory_order_relaxed)) {
    return Status::Cancelled("the caller cancelled the query");
  }
  const uint64_t now_ns = bounds_.clock->MonotonicNanos();
  if (now_ns >= limits_.deadline_monotonic_ns) {
    return Status::DeadlineExceeded("the caller's deadline passed");
  }
  if (worked_ns_ + (now_ns - work_began_ns_) > bounds_.time_ns_max) {
    return Status::ResourceExhausted("the query used up its time of " +
                                     std::to_string(bounds_.time_ns_max / 1'000'000) +
                                     " ms; narrow it, or raise the limit");
  }
  return Status::Ok();
}

Status QueryContext::Charge(uint64_t bytes) {
  if (bytes > bounds_.memory_bytes_max || memory_bytes_ > bounds_.memory_bytes_max - bytes) {
    return Status::ResourceExhausted("the query needs more than its memory of " +
                                     std::to_string(bounds_.memory_bytes_max >> 10) +
                                     " KiB; narrow it, or raise the limit");
  }
  if (bounds_.shared_memory != nullptr && !bounds_.shared_memory->TryTake(bytes)) {
    return Status::ResourceExhausted("the running queries hold all memory that queries may use");
  }
  memory_bytes_ += bytes;
  return Status::Ok();
}

void QueryContext::Release(uint64_t bytes) {
  LARDER_CHECK(bytes <= memory_bytes_);
  memory_bytes_ -= bytes;
  if (bounds_.shared_memory != nullptr) bounds_.shared_memory->Give(bytes);
}

Result<bool> QueryContext::Read(std::string_view place, const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      ++parts_read_;
      return true;
    case StatusCode::kDataLoss:
    case StatusCode::kUnavailable:
    case StatusCode::kNotFound:  // a page that should be there
      AddGap(place, status);
      return false;
    default:
      return status;
  }
}

void QueryContext::AddGap(std::string_view place, const Status& status) {
  if (first_failure_.ok()) first_failure_ = status.With(place);
  List({std::string(place), status.ToString()});
}

void QueryContext::Repeat(const Gap& gap) {
  if (first_failure_.ok()) first_failure_ = Status::DataLoss(gap.place + ": " + gap.reason);
  List(gap);
}

void QueryContext::List(const Gap& gap) {
  ++failed_reads_;
  latest_gap_ = gap;
  const bool known = std::any_of(gaps_.begin(), gaps_.end(), [this](const Gap& listed) {
    return listed.place == latest_gap_.place && listed.reason == latest_gap_.reason;
  });
  if (known || gaps_.size() == kGapsMax) return;
  gaps_.push_back(latest_gap_);
  if (bounds_.gap_count != nullptr) bounds_.gap_count->fetch_add(1, std::memory_order_relaxed);
  Log(LogLevel::kWarning, "a query goes on without what it could not read",
      {{"place", latest_gap_.place}, {"reason", latest_gap_.reason}});
}

Status QueryContext::Finish(const Status& status, bool found) {
  if (status.code() == StatusCode::kResourceExhausted && found) {
    AddGap("query", status);
    return Status::Ok();
  }
  if (status.ok() && parts_read_ == 0) return first_failure_;
  return status;
}

}  // namespace larder
