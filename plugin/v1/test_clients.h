// A server with clients that call jaeger.storage.v1 as Jaeger does, for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <jaeger/storage/v1/storage.grpc.pb.h>

#include "plugin/server/server.h"
#include "storage/engine/store.h"

namespace larder {

inline constexpr int64_t kNowSeconds = 1'760'000'000;
inline constexpr int64_t kYearOne = -62'135'596'800;  // Go's time that is not set

// What Jaeger asks of one port.
class Clients {
 public:
  explicit Clients(int port) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(4 << 20);  // as Jaeger's client
    channel = grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port),
                                        grpc::InsecureChannelCredentials(), arguments);
    reader = jaeger::storage::v1::SpanReaderPlugin::NewStub(channel);
    writer = jaeger::storage::v1::SpanWriterPlugin::NewStub(channel);
    streaming_writer = jaeger::storage::v1::StreamingSpanWriterPlugin::NewStub(channel);
  }

  grpc::Status Write(const jaeger::api_v2::Span& span) {
    grpc::ClientContext context;
    jaeger::storage::v1::WriteSpanRequest request;
    *request.mutable_span() = span;
    jaeger::storage::v1::WriteSpanResponse reply;
    return writer->WriteSpan(&context, request, &reply);
  }

  using Chunks = std::vector<jaeger::storage::v1::SpansResponseChunk>;
  template <typename Stream>
  static Chunks ReadAll(Stream stream, grpc::Status* status) {
    Chunks chunks;
    jaeger::storage::v1::SpansResponseChunk chunk;
    while (stream->Read(&chunk)) chunks.push_back(chunk);
    *status = stream->Finish();
    return chunks;
  }
  Chunks Get(const std::string& trace_id, grpc::Status* status) {
    grpc::ClientContext context;
    jaeger::storage::v1::GetTraceRequest request;
    request.set_trace_id(trace_id);
    request.mutable_start_time()->set_seconds(kYearOne);
    request.mutable_end_time()->set_seconds(kYearOne);
    return ReadAll(reader->GetTrace(&context, request), status);
  }
  Chunks Find(const jaeger::storage::v1::TraceQueryParameters& query, grpc::Status* status) {
    grpc::ClientContext context;
    jaeger::storage::v1::FindTracesRequest request;
    *request.mutable_query() = query;
    return ReadAll(reader->FindTraces(&context, request), status);
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<jaeger::storage::v1::SpanReaderPlugin::Stub> reader;
  std::unique_ptr<jaeger::storage::v1::SpanWriterPlugin::Stub> writer;
  std::unique_ptr<jaeger::storage::v1::StreamingSpanWriterPlugin::Stub> streaming_writer;
};

inline std::unique_ptr<Server> StartServer(ServerOptions options) {
  options.listen = "127.0.0.1:0";
  auto server = Server::Start(options);
  EXPECT_TRUE(server.ok()) << server.status().ToString();
  return std::move(server).value();
}

// A server with its clients. `store` must outlive it.
class Remote : public Clients {
 public:
  explicit Remote(Store* store, const ServerOptions& options = {})
      : Remote(StartServer(options), store) {}
  Server& server() { return *server_; }

 private:
  Remote(std::unique_ptr<Server> server, Store* store)
      : Clients(server->port()), server_(std::move(server)) {
    if (store != nullptr) server_->Open(store);
  }

  std::unique_ptr<Server> server_;
};

inline std::vector<jaeger::api_v2::Span> SpansOf(const Remote::Chunks& chunks) {
  std::vector<jaeger::api_v2::Span> spans;
  for (const auto& chunk : chunks) {
    spans.insert(spans.end(), chunk.spans().begin(), chunk.spans().end());
  }
  return spans;
}

inline jaeger::api_v2::Span MakeSpan(char trace, int span, const std::string& service = "front") {
  jaeger::api_v2::Span made;
  made.set_trace_id(std::string(16, trace));
  made.set_span_id("span" + std::to_string(1000 + span));
  made.set_operation_name("GET");
  made.mutable_start_time()->set_seconds(kNowSeconds + span);
  made.mutable_duration()->set_nanos(5000);
  made.mutable_process()->set_service_name(service);
  return made;
}
inline void AddTag(jaeger::api_v2::Span* span, const std::string& key, const std::string& text) {
  jaeger::api_v2::KeyValue* tag = span->add_tags();
  tag->set_key(key);
  tag->set_v_str(text);
}

}  // namespace larder
