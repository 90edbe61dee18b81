#include "plugin/otlp_http/export_call.h"

#include <utility>

#include "plugin/otlp_http/otlp_json.h"
#include "plugin/wire/gunzip.h"

namespace larder {
namespace {

constexpr std::string_view kPath = "/v1/traces";

bool IsPath(std::string_view target) { return target.substr(0, target.find('?')) == kPath; }

}  // namespace

ExportCall::ExportCall(const ExportParts& parts)
    : parts_(parts), started_ns_(parts.clock->MonotonicNanos()), share_(parts.budget) {
  parts_.metrics->Started(Rpc::kExportHttp);
}

ExportCall::~ExportCall() { Settle(); }

void ExportCall::Settle() {
  if (is_settled_) return;
  is_settled_ = true;
  share_.Resize(0);
  parts_.metrics->Ended(Rpc::kExportHttp, code_, parts_.clock->MonotonicNanos() - started_ns_);
}

std::optional<HttpOutcome> ExportCall::Begin(const ExportHeader& header) {
  const std::optional<OtlpEncoding> encoding = EncodingOf(header.content_type);
  if (encoding) encoding_ = *encoding;
  // A stranger is told nothing else.
  const Result<Caller> known = parts_.guard->Admit(*header.metadata, Access::kNone);
  if (!known.ok()) return EndRefused(known.status());
  if (!IsPath(header.target)) {
    return EndRefused(Status::NotFound("only /v1/traces is served here"), 404);
  }
  if (header.method != "POST") {
    return EndRefused(Status::Unimplemented("traces are sent by POST"), 405);
  }
  if (!encoding) {
    return EndRefused(Status::InvalidArgument("the content type must be application/x-protobuf or "
                                              "application/json"),
                      415);
  }
  is_gzip_ = EqualsIgnoringCase(header.content_encoding, "gzip");
  if (!is_gzip_ && !header.content_encoding.empty() &&
      !EqualsIgnoringCase(header.content_encoding, "identity")) {
    return EndRefused(Status::InvalidArgument("the content encoding must be gzip or none"), 415);
  }
  const Result<Store*> store = parts_.gate->Get();
  if (!store.ok()) return EndRefused(store.status(), 0, kGateRetryMs);
  // Last: it makes the tenant of a first write known.
  const Result<Caller> caller = parts_.guard->Admit(*header.metadata, Access::kWrite);
  if (!caller.ok()) return EndRefused(caller.status());
  caller_ = *caller;
  return std::nullopt;
}

std::optional<HttpOutcome> ExportCall::Hold(uint64_t body_bytes) {
  if (share_.Resize(body_bytes)) return std::nullopt;
  return EndRefused(Status::ResourceExhausted("too many bytes are on their way; try again"));
}

HttpOutcome ExportCall::Refuse(const Status& status, unsigned http_code) {
  return EndRefused(status, http_code);
}

Result<std::string> ExportCall::Decode(std::string body) {
  if (is_gzip_) {
    LARDER_ASSIGN_OR_RETURN(body, Gunzip(body, parts_.request_bytes_max));
    if (!share_.Resize(body.size())) {
      return Status::ResourceExhausted("too many bytes are on their way; try again");
    }
  }
  if (encoding_ == OtlpEncoding::kJson) return OtlpJsonToWire(body);
  return body;
}

void ExportCall::Write(std::string body, std::function<void(HttpOutcome)> done) {
  Result<std::string> wire = Decode(std::move(body));
  if (!wire.ok()) return done(EndRefused(wire.status()));
  const Result<Store*> store = parts_.gate->Get();
  if (!store.ok()) return done(EndRefused(store.status(), 0, kGateRetryMs));
  const auto owner = std::make_shared<const std::string>(std::move(wire).value());
  (*store)->WriteAsync({.tenant = caller_.tenant, .otlp = *owner, .owner = owner},
                       [this, done = std::move(done)](const WriteResult& result) {
                         done(End(OutcomeOf(result, encoding_), result.status.code()));
                       });
}

HttpOutcome ExportCall::End(HttpOutcome outcome, StatusCode code) {
  code_ = code;
  return outcome;
}

HttpOutcome ExportCall::EndRefused(const Status& status, unsigned http_code, uint32_t retry_ms) {
  return End(RefusalOf(status, encoding_, http_code, retry_ms), status.code());
}

}  // namespace larder
