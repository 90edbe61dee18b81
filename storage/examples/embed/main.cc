// Keeps traces in this process, without a server: writes one, finds it, opens the store again and
// gets it by its id.
//
//   embed DATA_DIR
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/engine/store.h"
#include "storage/model/span.h"

namespace {

using larder::Span;
using larder::Status;
using larder::Store;

uint64_t NowNs() {
  using std::chrono::nanoseconds;
  return static_cast<uint64_t>(
      std::chrono::duration_cast<nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
}

// A request with one step inside, both of the service "bakery".
std::vector<Span> MakeTrace() {
  auto resource = std::make_shared<larder::Resource>();
  resource->attributes.push_back({"service.name", larder::ValueType::kString, "bakery"});

  Span request;
  request.trace_id.bytes.fill(0xab);
  request.span_id.bytes.fill(0x01);
  request.name = "POST /bread";
  request.kind = 2;  // server
  request.start_ns = NowNs();
  request.end_ns = request.start_ns + 7'000'000;
  request.resource = resource;
  request.scope = std::make_shared<larder::Scope>();

  Span step = request;
  step.span_id.bytes.fill(0x02);
  step.parent_span_id = request.span_id;
  step.name = "bake";
  step.kind = 1;  // internal
  step.attributes.push_back({"flour", larder::ValueType::kString, "rye"});
  return {request, step};
}

// Prints the spans that a cursor yields and returns their number.
larder::Result<int> Print(larder::TraceCursor& cursor) {
  int count = 0;
  for (;;) {
    LARDER_ASSIGN_OR_RETURN(larder::TraceChunk chunk, cursor.Next());
    if (chunk.end) {
      return count;
    }
    LARDER_ASSIGN_OR_RETURN(std::vector<Span> spans, larder::DecodeSpans(chunk.traces_data));
    for (const Span& span : spans) {
      std::printf("  %s, %lld us\n", span.name.c_str(),
                  static_cast<long long>(span.duration_ns() / 1000));
      ++count;
    }
  }
}

Status WriteAndFind(const std::string& data_dir) {
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<Store> store, Store::Open({.data_dir = data_dir}));
  const std::string otlp = larder::EncodeSpans(MakeTrace());
  LARDER_RETURN_IF_ERROR(store->Write({.otlp = otlp}).status);

  larder::LegacySearch search;
  search.service = "bakery";
  search.attributes.emplace_back(
      "flour", larder::Constant{.type = larder::Constant::Type::kLegacyText, .text = "rye"});
  std::printf("found by service and attribute:\n");
  auto found = store->FindTraces({.filter = larder::LowerLegacySearch(search), .depth = 20}, {});
  LARDER_ASSIGN_OR_RETURN(int count, Print(*found));
  return count == 2 ? Status::Ok() : Status::Internal("not every span was found");
}

Status OpenAgainAndGet(const std::string& data_dir) {
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<Store> store, Store::Open({.data_dir = data_dir}));
  std::printf("after opening again, by trace id:\n");
  auto trace = store->GetTraces(/*tenant=*/0, {MakeTrace().front().trace_id}, {});
  LARDER_ASSIGN_OR_RETURN(int count, Print(*trace));
  return count == 2 ? Status::Ok() : Status::Internal("not every span came back");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: embed DATA_DIR\n");
    return 2;
  }
  for (auto* step : {WriteAndFind, OpenAgainAndGet}) {
    if (Status status = step(argv[1]); !status.ok()) {
      std::fprintf(stderr, "embed: %s\n", status.ToString().c_str());
      return 1;
    }
  }
  return 0;
}
