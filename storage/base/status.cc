#include "storage/base/status.h"

#include <array>

namespace larder {

std::string_view StatusCodeName(StatusCode code) {
  static constexpr std::array<std::string_view, 17> kNames = {
      "ok",
      "cancelled",
      "unknown",
      "invalid argument",
      "deadline exceeded",
      "not found",
      "already exists",
      "permission denied",
      "resource exhausted",
      "failed precondition",
      "aborted",
      "out of range",
      "unimplemented",
      "internal",
      "unavailable",
      "data loss",
      "unauthenticated",
  };
  return kNames[static_cast<size_t>(code)];
}

Status::Status(StatusCode code, std::string message)
    : rep_(std::make_unique<Rep>(Rep{code, std::move(message)})) {
  LARDER_CHECK(code != StatusCode::kOk);
}

Status::Status(const Status& other)
    : rep_(other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr) {}

Status& Status::operator=(const Status& other) {
  if (this != &other) rep_ = other.rep_ ? std::make_unique<Rep>(*other.rep_) : nullptr;
  return *this;
}

std::string Status::ToString() const {
  std::string text(StatusCodeName(code()));
  if (!ok()) text.append(": ").append(rep_->message);
  return text;
}

Status Status::With(std::string_view context) const {
  if (ok()) return Ok();
  return {rep_->code, std::string(context).append(": ").append(rep_->message)};
}

}  // namespace larder
