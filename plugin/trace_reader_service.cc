#include "plugin/trace_reader_service.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugin/byte_buffer.h"
#include "plugin/replies.h"
#include "plugin/requests.h"
#include "plugin/stream_query.h"
#include "plugin/unary_query.h"

namespace larder {
namespace {

// Well below the 4 MiB that Jaeger's client takes in one message.
constexpr size_t kSummariesBytesMax = 1 << 20;

// The chunks of a cursor are messages as they are.
class TraceMessages final : public MessageSource {
 public:
  explicit TraceMessages(std::unique_ptr<TraceCursor> cursor) : cursor_(std::move(cursor)) {}

  Result<std::optional<std::string>> Next() override {
    LARDER_ASSIGN_OR_RETURN(TraceChunk chunk, cursor_->Next());
    if (chunk.end) return std::optional<std::string>();
    return std::optional<std::string>(std::move(chunk.traces_data));
  }
  const std::vector<Gap>& gaps() const override { return cursor_->gaps(); }

 private:
  const std::unique_ptr<TraceCursor> cursor_;
};

class SummaryMessages final : public MessageSource {
 public:
  explicit SummaryMessages(Answer<TraceSummary> answer) : answer_(std::move(answer)) {}

  Result<std::optional<std::string>> Next() override {
    if (next_ == answer_.values.size()) return std::optional<std::string>();
    return std::optional<std::string>(EncodeSummaries(answer_.values, kSummariesBytesMax, &next_));
  }
  const std::vector<Gap>& gaps() const override { return answer_.gaps; }

 private:
  const Answer<TraceSummary> answer_;
  size_t next_ = 0;
};

using Source = Result<std::unique_ptr<MessageSource>>;

Source TraceSource(std::unique_ptr<TraceCursor> cursor) {
  return std::unique_ptr<MessageSource>(std::make_unique<TraceMessages>(std::move(cursor)));
}

}  // namespace

TraceReaderService::Stream* TraceReaderService::GetTraces(Context* context, const Buffer* request) {
  return StreamQuery::Start(
      parts_, Rpc::kGetTraces, context,
      [this, request = *request](Store& store, const Caller& caller,
                                 const QueryLimits& limits) -> Source {
        LARDER_ASSIGN_OR_RETURN(const MessageBytes bytes,
                                ReadRequest(request, parts_.request_bytes_max));
        LARDER_ASSIGN_OR_RETURN(std::vector<TraceId> ids, ParseGetTraces(bytes.view));
        return TraceSource(store.GetTraces(caller.tenant, std::move(ids), limits));
      });
}

TraceReaderService::Stream* TraceReaderService::FindTraces(Context* context,
                                                           const Buffer* request) {
  return StreamQuery::Start(
      parts_, Rpc::kFindTraces, context,
      [this, request = *request](Store& store, const Caller& caller,
                                 const QueryLimits& limits) -> Source {
        LARDER_ASSIGN_OR_RETURN(const MessageBytes bytes,
                                ReadRequest(request, parts_.request_bytes_max));
        LARDER_ASSIGN_OR_RETURN(TraceQuery query,
                                ParseFindTraces(bytes.view, parts_.search_depth_max));
        query.tenant = caller.tenant;
        return TraceSource(store.FindTraces(std::move(query), limits));
      });
}

TraceReaderService::Stream* TraceReaderService::FindTraceSummaries(Context* context,
                                                                   const Buffer* request) {
  return StreamQuery::Start(
      parts_, Rpc::kFindTraceSummaries, context,
      [this, request = *request](Store& store, const Caller& caller,
                                 const QueryLimits& limits) -> Source {
        LARDER_ASSIGN_OR_RETURN(const MessageBytes bytes,
                                ReadRequest(request, parts_.request_bytes_max));
        LARDER_ASSIGN_OR_RETURN(TraceQuery query,
                                ParseFindTraces(bytes.view, parts_.search_depth_max));
        query.tenant = caller.tenant;
        LARDER_ASSIGN_OR_RETURN(Answer<TraceSummary> answer, store.FindSummaries(query, limits));
        return std::unique_ptr<MessageSource>(std::make_unique<SummaryMessages>(std::move(answer)));
      });
}

TraceReaderService::Stream* TraceReaderService::FindSpans(Context* context,
                                                          const Buffer* /*request*/) {
  return StreamQuery::Start(
      parts_, Rpc::kFindSpans, context, [](Store&, const Caller&, const QueryLimits&) -> Source {
        return Status::Unimplemented("FindSpans is not served by this version");
      });
}

grpc::ServerUnaryReactor* TraceReaderService::FindTraceIDs(Context* context, const Buffer* request,
                                                           Buffer* reply) {
  return UnaryQuery::Start(
      parts_, Rpc::kFindTraceIds, context, reply,
      [this, request = *request](Store& store, const Caller& caller,
                                 const QueryLimits& limits) -> Result<UnaryReply> {
        LARDER_ASSIGN_OR_RETURN(const MessageBytes bytes,
                                ReadRequest(request, parts_.request_bytes_max));
        LARDER_ASSIGN_OR_RETURN(TraceQuery query,
                                ParseFindTraces(bytes.view, parts_.search_depth_max));
        query.tenant = caller.tenant;
        LARDER_ASSIGN_OR_RETURN(Answer<FoundTrace> answer, store.FindTraceIds(query, limits));
        return UnaryReply{EncodeTraceIds(answer.values), std::move(answer.gaps)};
      });
}

grpc::ServerUnaryReactor* TraceReaderService::GetServices(Context* context,
                                                          const Buffer* /*request*/,
                                                          Buffer* reply) {
  return UnaryQuery::Start(
      parts_, Rpc::kGetServices, context, reply,
      [](Store& store, const Caller& caller, const QueryLimits& limits) -> Result<UnaryReply> {
        LARDER_ASSIGN_OR_RETURN(Answer<std::string> answer, store.Services(caller.tenant, limits));
        return UnaryReply{EncodeServices(answer.values), std::move(answer.gaps)};
      });
}

grpc::ServerUnaryReactor* TraceReaderService::GetOperations(Context* context, const Buffer* request,
                                                            Buffer* reply) {
  return UnaryQuery::Start(
      parts_, Rpc::kGetOperations, context, reply,
      [this, request = *request](Store& store, const Caller& caller,
                                 const QueryLimits& limits) -> Result<UnaryReply> {
        LARDER_ASSIGN_OR_RETURN(const MessageBytes bytes,
                                ReadRequest(request, parts_.request_bytes_max));
        LARDER_ASSIGN_OR_RETURN(const OperationsRequest asked, ParseGetOperations(bytes.view));
        int32_t kind = -1;
        if (!asked.kind_word.empty()) {
          kind = KindNumber(asked.kind_word);
          if (kind < 0) return UnaryReply{};  // no span is of a kind that does not exist
        }
        LARDER_ASSIGN_OR_RETURN(Answer<Operation> answer,
                                store.Operations(caller.tenant, asked.service, kind, limits));
        return UnaryReply{EncodeOperations(answer.values), std::move(answer.gaps)};
      });
}

}  // namespace larder
