#include "plugin/services/trace_reader_service.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plugin/calls/stream_query.h"
#include "plugin/calls/unary_query.h"
#include "plugin/paging/page_token.h"
#include "plugin/paging/span_search.h"
#include "plugin/services/replies.h"
#include "plugin/services/requests.h"
#include "plugin/services/shared_answers.h"

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
  // `token` goes into the last message.
  SummaryMessages(Answer<TraceSummary> answer, std::string token)
      : answer_(std::move(answer)), token_(std::move(token)) {}

  Result<std::optional<std::string>> Next() override {
    if (next_ == answer_.values.size()) return std::optional<std::string>();
    return std::optional<std::string>(
        EncodeSummaries(answer_.values, kSummariesBytesMax, token_, &next_));
  }
  const std::vector<Gap>& gaps() const override { return answer_.gaps; }

 private:
  const Answer<TraceSummary> answer_;
  const std::string token_;
  size_t next_ = 0;
};

// A page of spans; the token is in its last message.
class SpanMessages final : public MessageSource {
 public:
  SpanMessages(std::unique_ptr<SpanCursor> cursor, uint64_t fingerprint)
      : cursor_(std::move(cursor)), fingerprint_(fingerprint) {}

  Result<std::optional<std::string>> Next() override {
    LARDER_ASSIGN_OR_RETURN(const SpanChunk chunk, cursor_->Next());
    if (chunk.end) return std::optional<std::string>();
    const std::string token = chunk.next ? EncodePageToken(*chunk.next, fingerprint_) : "";
    return std::optional<std::string>(EncodeSpansReply(chunk.traces_data, token));
  }
  const std::vector<Gap>& gaps() const override { return cursor_->gaps(); }

 private:
  const std::unique_ptr<SpanCursor> cursor_;
  const uint64_t fingerprint_;
};

std::string TokenAfter(const std::optional<TracePosition>& next, uint64_t fingerprint) {
  return next ? EncodePageToken(*next, fingerprint) : "";
}

using Source = Result<std::unique_ptr<MessageSource>>;

Source TraceSource(std::unique_ptr<TraceCursor> cursor) {
  return std::unique_ptr<MessageSource>(std::make_unique<TraceMessages>(std::move(cursor)));
}

}  // namespace

TraceReaderService::Stream* TraceReaderService::GetTraces(Context* context, const Buffer* request) {
  return StreamQuery::Start(
      parts_, Rpc::kGetTraces, context, request, [](const Question& asked) -> Source {
        LARDER_ASSIGN_OR_RETURN(std::vector<TraceId> ids, ParseGetTraces(asked.request));
        return TraceSource(asked.store.GetTraces(asked.tenant, std::move(ids), asked.limits));
      });
}

TraceReaderService::Stream* TraceReaderService::FindTraces(Context* context,
                                                           const Buffer* request) {
  return StreamQuery::Start(
      parts_, Rpc::kFindTraces, context, request, [this](const Question& asked) -> Source {
        LARDER_ASSIGN_OR_RETURN(TraceQuery query,
                                ParseFindTraces(asked.request, asked.tenant, Limits()));
        return TraceSource(asked.store.FindTraces(std::move(query), asked.limits));
      });
}

TraceReaderService::Stream* TraceReaderService::FindTraceSummaries(Context* context,
                                                                   const Buffer* request) {
  return StreamQuery::Start(
      parts_, Rpc::kFindTraceSummaries, context, request, [this](const Question& asked) -> Source {
        LARDER_ASSIGN_OR_RETURN(const TraceSearch search,
                                ParseTraceSearch(asked.request, asked.tenant, Limits()));
        LARDER_ASSIGN_OR_RETURN(Answer<TraceSummary> answer,
                                asked.store.FindSummaries(search.query, asked.limits));
        std::string token = TokenAfter(answer.next, search.fingerprint);
        return std::unique_ptr<MessageSource>(
            std::make_unique<SummaryMessages>(std::move(answer), std::move(token)));
      });
}

TraceReaderService::Stream* TraceReaderService::FindSpans(Context* context, const Buffer* request) {
  return StreamQuery::Start(
      parts_, Rpc::kFindSpans, context, request, [this](const Question& asked) -> Source {
        LARDER_ASSIGN_OR_RETURN(SpanSearch search,
                                ParseFindSpans(asked.request, asked.tenant, parts_.page_size_max));
        return std::unique_ptr<MessageSource>(std::make_unique<SpanMessages>(
            asked.store.FindSpans(std::move(search.query), asked.limits), search.fingerprint));
      });
}

grpc::ServerUnaryReactor* TraceReaderService::FindTraceIDs(Context* context, const Buffer* request,
                                                           Buffer* reply) {
  return UnaryQuery::Start(
      parts_, Rpc::kFindTraceIds, context, request, reply,
      [this](const Question& asked) -> Result<UnaryReply> {
        LARDER_ASSIGN_OR_RETURN(const TraceSearch search,
                                ParseTraceSearch(asked.request, asked.tenant, Limits()));
        LARDER_ASSIGN_OR_RETURN(Answer<FoundTrace> answer,
                                asked.store.FindTraceIds(search.query, asked.limits));
        const std::string token = TokenAfter(answer.next, search.fingerprint);
        return UnaryReply{EncodeTraceIds(answer.values, token), std::move(answer.gaps)};
      });
}

grpc::ServerUnaryReactor* TraceReaderService::GetServices(Context* context, const Buffer* request,
                                                          Buffer* reply) {
  return UnaryQuery::Start(parts_, Rpc::kGetServices, context, request, reply, AnswerServices);
}

grpc::ServerUnaryReactor* TraceReaderService::GetOperations(Context* context, const Buffer* request,
                                                            Buffer* reply) {
  return UnaryQuery::Start(
      parts_, Rpc::kGetOperations, context, request, reply,
      [](const Question& asked) -> Result<UnaryReply> {
        LARDER_ASSIGN_OR_RETURN(const OperationsRequest wanted, ParseGetOperations(asked.request));
        int32_t kind = -1;
        if (!wanted.kind_word.empty()) {
          kind = KindNumber(wanted.kind_word);
          if (kind < 0) return UnaryReply{};  // no span is of a kind that does not exist
        }
        LARDER_ASSIGN_OR_RETURN(
            Answer<Operation> answer,
            asked.store.Operations(asked.tenant, wanted.service, kind, asked.limits));
        return UnaryReply{EncodeOperations(answer.values), std::move(answer.gaps)};
      });
}

}  // namespace larder
