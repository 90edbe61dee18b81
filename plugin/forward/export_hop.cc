#include "plugin/forward/export_hop.h"

#include <utility>

#include "plugin/wire/byte_buffer.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

constexpr const char* kExport = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
constexpr uint32_t kRetryMs = static_cast<uint32_t>(Forwarder::kTryAgainAfter.count());
// Field number and wire type.
constexpr uint32_t kPartialSuccess = (1 << 3) | 2;  // of ExportTraceServiceResponse
constexpr uint32_t kRejectedSpans = 1 << 3;         // of ExportTracePartialSuccess
constexpr uint32_t kErrorMessage = (2 << 3) | 2;

void ReadPartialSuccess(std::string_view message, WriteResult* result) {
  wire::Reader partial(message);
  while (partial.NextField()) {
    if (partial.tag_and_type() == kRejectedSpans) {
      result->rejected_spans = static_cast<uint32_t>(partial.get_int64());
    } else if (partial.tag_and_type() == kErrorMessage) {
      result->first_rejection = partial.View();
    } else {
      partial.skip();
    }
  }
}

void ReadReply(std::string_view message, WriteResult* result) try {
  wire::Reader reply(message);
  while (reply.NextField(kPartialSuccess)) ReadPartialSuccess(reply.View(), result);
} catch (const protozero::exception&) {
  result->status = Status::Internal(
      "the answer of the process that owns the data directory is no ExportTraceServiceResponse");
}

WriteResult ResultOf(const grpc::Status& outcome, const grpc::ByteBuffer& reply,
                     const Headers& trailers) {
  WriteResult result;
  if (outcome.ok()) {
    const Result<MessageBytes> bytes = ContiguousBytes(reply);
    result.status = bytes.status();
    if (bytes.ok()) ReadReply(bytes->view, &result);
    return result;
  }
  const bool is_lost = Forwarder::IsLost(outcome, trailers);
  if (is_lost) result.retry_after_ms = kRetryMs;
  const StatusCode code =
      is_lost ? StatusCode::kUnavailable : static_cast<StatusCode>(outcome.error_code());
  result.status =
      Status(code, "the process that owns the data directory: " + outcome.error_message());
  return result;
}

}  // namespace

ExportHop::ExportHop(Forwarder* forwarder, const Headers& headers, std::string otlp) {
  hop_ = forwarder->Send(kExport, headers, ToByteBuffer(std::move(otlp)),
                         std::chrono::system_clock::time_point::max(),
                         [state = state_](const grpc::Status& outcome,
                                          const grpc::ByteBuffer& reply, const Headers& trailers) {
                           state->result = ResultOf(outcome, reply, trailers);
                           const MutexLock lock(state->mu);
                           state->has_ended = true;
                           state->changed.SignalAll();
                         });
}

ExportHop::~ExportHop() {
  const MutexLock lock(state_->mu);
  while (!state_->has_ended) state_->changed.Wait(state_->mu);
}

bool ExportHop::WaitFor(std::chrono::milliseconds patience) {
  const MutexLock lock(state_->mu);
  if (!state_->has_ended) state_->changed.WaitFor(state_->mu, patience);
  return state_->has_ended;
}

}  // namespace larder
