#include "plugin/calls/grpc_status.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <protozero/pbf_writer.hpp>

namespace larder {
namespace {

// Trailers share 8 KiB at the usual client; a message may triple when it is percent-encoded.
constexpr size_t kMessageBytesMax = 1024;
constexpr size_t kGapsBytesMax = 512;

std::string Cut(std::string_view text, size_t size_max) {
  if (text.size() <= size_max) return std::string(text);
  return std::string(text.substr(0, size_max)) + "...";
}

// google.rpc.Status { code 1, message 2, details 3: Any { type_url 1, value 2: RetryInfo } }
// google.rpc.RetryInfo { retry_delay 1: Duration { seconds 1, nanos 2 } }
std::string RetryDetails(StatusCode code, const std::string& message, uint32_t retry_after_ms) {
  std::string duration;
  protozero::pbf_writer duration_writer(duration);
  duration_writer.add_int64(1, retry_after_ms / 1000);
  duration_writer.add_int32(2, static_cast<int32_t>(retry_after_ms % 1000) * 1'000'000);
  std::string retry_info;
  protozero::pbf_writer(retry_info).add_message(1, duration);
  std::string any;
  protozero::pbf_writer any_writer(any);
  any_writer.add_string(1, "type.googleapis.com/google.rpc.RetryInfo");
  any_writer.add_bytes(2, retry_info);
  std::string details;
  protozero::pbf_writer details_writer(details);
  details_writer.add_int32(1, static_cast<int32_t>(code));
  details_writer.add_string(2, message);
  details_writer.add_message(3, any);
  return details;
}

}  // namespace

grpc::Status ToGrpcStatus(const Status& status, uint32_t retry_after_ms) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  std::string message = Cut(status.message(), kMessageBytesMax);
  if (retry_after_ms == 0) return {code, message};
  return {code, message, RetryDetails(status.code(), message, retry_after_ms)};
}

std::string GapsTrailer(const std::vector<Gap>& gaps) {
  std::string text = std::to_string(gaps.size()) + " unread: ";
  for (const Gap& gap : gaps) {
    if (text.size() > kGapsBytesMax) break;
    text += gap.place + " (" + gap.reason + "); ";
  }
  text = Cut(text, kGapsBytesMax);
  // A trailer that is not printable ASCII makes the peer drop the whole answer.
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  while (text.ends_with(' ') || text.ends_with(';')) text.pop_back();
  return text;
}

}  // namespace larder
