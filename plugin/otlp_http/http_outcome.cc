#include "plugin/otlp_http/http_outcome.h"

#include <nlohmann/json.hpp>
#include <protozero/pbf_writer.hpp>

#include "plugin/services/replies.h"

namespace larder {
namespace {

constexpr uint32_t kRetryDefaultMs = 1000;

unsigned HttpCodeOf(StatusCode code) {
  switch (code) {
    case StatusCode::kInvalidArgument:
      return 400;
    case StatusCode::kUnauthenticated:
      return 401;
    case StatusCode::kPermissionDenied:
    case StatusCode::kFailedPrecondition:  // too many tenants, a full archive: no retry helps, and
                                           // clients send again what has a code from 500 on
      return 403;
    case StatusCode::kResourceExhausted:
      return 429;
    case StatusCode::kOutOfRange:  // Gunzip's
      return 413;
    case StatusCode::kUnavailable:
      return 503;
    default:
      return 500;
  }
}

// A status' message may quote bytes of a file name, which need not be UTF-8.
std::string Dump(const nlohmann::ordered_json& document) {
  return document.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace

bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char from = text[i];
    const char c = from >= 'A' && from <= 'Z' ? static_cast<char>(from - 'A' + 'a') : from;
    if (c != lower[i]) return false;
  }
  return true;
}

std::string_view ContentType(OtlpEncoding encoding) {
  return encoding == OtlpEncoding::kJson ? "application/json" : "application/x-protobuf";
}

std::optional<OtlpEncoding> EncodingOf(std::string_view content_type) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  for (const OtlpEncoding encoding : {OtlpEncoding::kProtobuf, OtlpEncoding::kJson}) {
    if (EqualsIgnoringCase(type, ContentType(encoding))) return encoding;
  }
  return std::nullopt;
}

HttpOutcome OutcomeOf(const WriteResult& result, OtlpEncoding encoding) {
  if (!result.status.ok()) return RefusalOf(result.status, encoding, 0, result.retry_after_ms);
  HttpOutcome outcome;
  outcome.encoding = encoding;
  if (encoding == OtlpEncoding::kProtobuf) {
    outcome.body = EncodeExportReply(result);
    return outcome;
  }
  nlohmann::ordered_json reply = nlohmann::ordered_json::object();
  if (result.rejected_spans > 0) {
    reply["partialSuccess"] = {{"rejectedSpans", std::to_string(result.rejected_spans)},
                               {"errorMessage", RejectionText(result)}};
  }
  outcome.body = Dump(reply);
  return outcome;
}

HttpOutcome RefusalOf(const Status& status, OtlpEncoding encoding, unsigned http_code,
                      uint32_t retry_after_ms) {
  HttpOutcome outcome;
  outcome.code = http_code != 0 ? http_code : HttpCodeOf(status.code());
  outcome.encoding = encoding;
  if (outcome.code == 429 || outcome.code == 503) {
    const uint32_t retry_ms = retry_after_ms > 0 ? retry_after_ms : kRetryDefaultMs;
    outcome.retry_after_seconds = (retry_ms + 999) / 1000;  // the header has whole seconds
  }
  const int32_t code = static_cast<int32_t>(status.code());
  if (encoding == OtlpEncoding::kJson) {
    outcome.body = Dump({{"code", code}, {"message", status.message()}});
  } else {
    // google.rpc.Status { code 1, message 2 }
    protozero::pbf_writer writer(outcome.body);
    writer.add_int32(1, code);
    writer.add_string(2, status.message().data(), status.message().size());
  }
  return outcome;
}

}  // namespace larder
