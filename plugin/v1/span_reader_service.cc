#include "plugin/v1/span_reader_service.h"

#include <memory>
#include <string>
#include <utility>

#include "plugin/calls/stream_query.h"
#include "plugin/calls/unary_query.h"
#include "plugin/services/requests.h"
#include "plugin/services/shared_answers.h"
#include "plugin/v1/replies.h"
#include "plugin/v1/requests.h"
#include "plugin/wire/byte_buffer.h"

namespace larder::v1 {
namespace {

using Source = Result<std::unique_ptr<MessageSource>>;

// The number of a kind to ask for, -1 for all; nothing when no span can be of that kind.
std::optional<int32_t> KindAskedFor(const std::string& word) {
  if (word.empty()) return -1;
  if (word == "unspecified") return 0;
  const int32_t kind = KindNumber(word);
  return kind < 0 ? std::nullopt : std::optional(kind);
}

// The trace of a GetTraceRequest, from the data set that the guard of `parts` answers for.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartGetTrace(const ServiceParts& parts,
                                                          const ServiceOptions& options, Rpc rpc,
                                                          grpc::CallbackServerContext* context,
                                                          const grpc::ByteBuffer* request) {
  return StreamQuery::Start(
      parts, rpc, context, request, [&options](const Question& asked) -> Source {
        LARDER_ASSIGN_OR_RETURN(const TraceId id, ParseGetTrace(asked.request));
        return NewSpanChunks(asked.store.GetTraces(asked.tenant, {id}, asked.limits),
                             {.must_find = true, .span_bytes_max = options.span_bytes_max});
      });
}

}  // namespace

SpanReaderService::Stream* SpanReaderService::GetTrace(Context* context, const Buffer* request) {
  return StartGetTrace(parts_, options_, Rpc::kV1GetTrace, context, request);
}

SpanReaderService::Stream* SpanReaderService::FindTraces(Context* context, const Buffer* request) {
  return StreamQuery::Start(
      parts_, Rpc::kV1FindTraces, context, request, [this](const Question& asked) -> Source {
        LARDER_ASSIGN_OR_RETURN(TraceQuery query,
                                ParseFindTraces(asked.request, parts_.search_depth_max));
        query.tenant = asked.tenant;
        return NewSpanChunks(asked.store.FindTraces(std::move(query), asked.limits),
                             {.span_bytes_max = options_.span_bytes_max});
      });
}

grpc::ServerUnaryReactor* SpanReaderService::FindTraceIDs(Context* context, const Buffer* request,
                                                          Buffer* reply) {
  return UnaryQuery::Start(
      parts_, Rpc::kV1FindTraceIds, context, request, reply,
      [this](const Question& asked) -> Result<UnaryReply> {
        LARDER_ASSIGN_OR_RETURN(TraceQuery query,
                                ParseFindTraces(asked.request, parts_.search_depth_max));
        query.tenant = asked.tenant;
        LARDER_ASSIGN_OR_RETURN(Answer<FoundTrace> answer,
                                asked.store.FindTraceIds(query, asked.limits));
        return UnaryReply{v1::EncodeTraceIds(answer.values), std::move(answer.gaps)};
      });
}

grpc::ServerUnaryReactor* SpanReaderService::GetServices(Context* context, const Buffer* request,
                                                         Buffer* reply) {
  return UnaryQuery::Start(parts_, Rpc::kV1GetServices, context, request, reply, AnswerServices);
}

grpc::ServerUnaryReactor* SpanReaderService::GetOperations(Context* context, const Buffer* request,
                                                           Buffer* reply) {
  return UnaryQuery::Start(
      parts_, Rpc::kV1GetOperations, context, request, reply,
      [this](const Question& asked) -> Result<UnaryReply> {
        LARDER_ASSIGN_OR_RETURN(const OperationsRequest wanted, ParseGetOperations(asked.request));
        const std::optional<int32_t> kind = KindAskedFor(wanted.kind_word);
        if (!kind) return UnaryReply{};
        LARDER_ASSIGN_OR_RETURN(
            Answer<Operation> answer,
            asked.store.Operations(asked.tenant, wanted.service, *kind, asked.limits));
        return UnaryReply{EncodeOperations(answer.values, options_.no_kind),
                          std::move(answer.gaps)};
      });
}

grpc::ServerWriteReactor<grpc::ByteBuffer>* ArchiveSpanReaderService::GetArchiveTrace(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request) {
  return StartGetTrace(parts_, options_, Rpc::kV1GetArchiveTrace, context, request);
}

grpc::ServerUnaryReactor* DependenciesReaderService::GetDependencies(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* request,
    grpc::ByteBuffer* reply) {
  return UnaryQuery::Start(parts_, Rpc::kV1GetDependencies, context, request, reply,
                           AnswerDependencies);
}

grpc::ServerUnaryReactor* PluginCapabilitiesService::Capabilities(
    grpc::CallbackServerContext* context, const grpc::ByteBuffer* /*request*/,
    grpc::ByteBuffer* reply) {
  parts_.metrics->Started(Rpc::kV1Capabilities);
  *reply = ToByteBuffer(EncodeCapabilities(options_.has_archive, options_.has_streaming));
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  parts_.metrics->Ended(Rpc::kV1Capabilities, StatusCode::kOk, 0);
  return reactor;
}

}  // namespace larder::v1
