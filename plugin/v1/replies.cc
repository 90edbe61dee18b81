#include "plugin/v1/replies.h"

#include <optional>
#include <set>
#include <utility>

#include "plugin/services/requests.h"
#include "plugin/v1/from_otlp.h"
#include "storage/model/otlp_fields.h"
#include "storage/model/wire.h"

namespace larder::v1 {
namespace {

using otlp::Bytes;
using otlp::Varint;

constexpr size_t kChunkSpansMax = 1000;  // as Jaeger's own server

class SpanChunks final : public MessageSource {
 public:
  SpanChunks(std::unique_ptr<TraceCursor> cursor, const SpanChunkOptions& options)
      : cursor_(std::move(cursor)), options_(options) {}

  Result<std::optional<std::string>> Next() override;
  const std::vector<Gap>& gaps() const override { return cursor_->gaps(); }

 private:
  // Turns to the next piece of a trace; false at the end.
  Result<bool> OpenPiece();
  // Adds spans of the piece at hand to the message until one of them is at its end.
  Status Fill(std::string* message);
  // The span that waits for its message, or the next one of the piece; empty at its end.
  Result<std::string> TakeSpan();

  const std::unique_ptr<TraceCursor> cursor_;
  const SpanChunkOptions options_;
  std::string traces_data_;
  std::optional<SpansFromOtlp> piece_;  // reads traces_data_
  std::string waiting_;                 // did not fit into the message before
  bool has_found_ = false;
};

Result<bool> SpanChunks::OpenPiece() {
  LARDER_ASSIGN_OR_RETURN(TraceChunk chunk, cursor_->Next());
  if (chunk.end) {
    if (!has_found_ && options_.must_find) return Status::NotFound("trace not found");
    return false;
  }
  has_found_ = true;
  piece_.reset();
  traces_data_ = std::move(chunk.traces_data);
  piece_.emplace(traces_data_);
  return true;
}

Result<std::string> SpanChunks::TakeSpan() {
  if (!waiting_.empty()) return std::exchange(waiting_, {});
  LARDER_ASSIGN_OR_RETURN(const bool has_next, piece_->Next());
  if (!has_next) return std::string();
  return piece_->Encode(options_.span_bytes_max);
}

Status SpanChunks::Fill(std::string* message) {
  for (size_t count = 0; count < kChunkSpansMax; ++count) {
    LARDER_ASSIGN_OR_RETURN(std::string span, TakeSpan());
    if (span.empty()) {
      piece_.reset();
      break;
    }
    const size_t size = wire::BytesFieldSize(Bytes(1), span.size());
    if (!message->empty() && message->size() + size > options_.chunk_bytes_max) {
      waiting_ = std::move(span);
      break;
    }
    wire::AppendBytes(Bytes(1), span, message);
  }
  return Status::Ok();
}

Result<std::optional<std::string>> SpanChunks::Next() {
  for (std::string message;;) {
    if (!piece_) {
      LARDER_ASSIGN_OR_RETURN(const bool has_piece, OpenPiece());
      if (!has_piece) return std::optional<std::string>();
    }
    LARDER_RETURN_IF_ERROR(Fill(&message));
    if (!message.empty()) return std::optional<std::string>(std::move(message));
  }
}

}  // namespace

std::string EncodeOperations(const std::vector<Operation>& operations, std::string_view no_kind) {
  std::string reply;
  std::set<std::pair<std::string_view, std::string_view>> written;
  for (const Operation& operation : operations) {
    std::string_view word = OperationKindWord(operation.kind);
    if (word.empty()) word = no_kind;
    if (!written.emplace(operation.name, word).second) continue;
    std::string entry;
    wire::AppendBytesIfAny(Bytes(1), operation.name, &entry);
    wire::AppendBytesIfAny(Bytes(2), word, &entry);
    wire::AppendBytes(Bytes(2), entry, &reply);
  }
  return reply;
}

std::string EncodeTraceIds(const std::vector<FoundTrace>& traces) {
  std::string reply;
  for (const FoundTrace& trace : traces) {
    wire::AppendBytes(Bytes(1), trace.trace_id.view(), &reply);
  }
  return reply;
}

std::string EncodeCapabilities(bool has_archive, bool has_streaming) {
  std::string reply;
  wire::AppendVarintIfAny(Varint(1), has_archive ? 1 : 0, &reply);
  wire::AppendVarintIfAny(Varint(2), has_archive ? 1 : 0, &reply);
  wire::AppendVarintIfAny(Varint(3), has_streaming ? 1 : 0, &reply);
  return reply;
}

std::unique_ptr<MessageSource> NewSpanChunks(std::unique_ptr<TraceCursor> cursor,
                                             const SpanChunkOptions& options) {
  return std::make_unique<SpanChunks>(std::move(cursor), options);
}

}  // namespace larder::v1
