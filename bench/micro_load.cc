#include "bench/micro_load.h"

#include <cstdio>
#include <cstdlib>

#include "bench/workload.h"

namespace larder::bench {
namespace {

MicroLoad MakeLoad() {
  const char* const spans = std::getenv("LARDER_BENCH_SPANS");
  const Result<TemplateSet> templates = LoadTemplates("", 1);
  if (!templates.ok()) {
    std::fprintf(stderr, "%s\n", templates.status().ToString().c_str());
    std::exit(1);
  }
  Workload workload(&*templates,
                    {.spans = spans != nullptr ? std::strtoull(spans, nullptr, 10) : 100'000,
                     .epoch_ns = 1'760'000'000'000'000'000});
  MicroLoad load;
  Request request;
  while (workload.Next(&request)) {
    load.spans += request.span_count;
    load.bytes += request.otlp.size();
    load.requests.push_back(request.otlp);
  }
  return load;
}

}  // namespace

const MicroLoad& TheMicroLoad() {
  static const MicroLoad load = MakeLoad();
  return load;
}

}  // namespace larder::bench
