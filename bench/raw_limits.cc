#include "bench/raw_limits.h"

#include <memory>

#include <zstd.h>

#include "bench/process_facts.h"
#include "bench/report.h"
#include "storage/base/file_system.h"

namespace larder::bench {
namespace {

constexpr uint64_t kSpans = 50'000;
constexpr int kSyncs = 50;

double SyncMs(const std::string& directory) {
  const std::string path = directory + "/raw-limit";
  const std::string bytes(64 << 10, 'x');
  auto file = FileSystem::Posix().CreateFile(path);
  if (!file.ok()) return 0;
  const double start_us = NowUs();
  bool ok = true;
  for (int i = 0; i < kSyncs; ++i) ok = ok && (*file)->Append(bytes).ok() && (*file)->Sync().ok();
  const double end_us = NowUs();
  ok = FileSystem::Posix().Remove(path).ok() && ok;
  return ok ? (end_us - start_us) / 1e3 / kSyncs : 0;
}

}  // namespace

RawLimits MeasureRawLimits(const TemplateSet& templates, WorkloadOptions load,
                           const std::string& directory) {
  RawLimits limits;
  limits.sync_ms = SyncMs(directory);
  load.spans = kSpans;
  load.spans_per_s = 0;  // so that its requests are no smaller than those that were sent
  Workload workload(&templates, load);
  const std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx*)> context(ZSTD_createCCtx(),
                                                                   ZSTD_freeCCtx);
  Request request;
  std::string packed;
  std::string copy;
  double spans = 0;
  while (workload.Next(&request)) {
    packed.resize(ZSTD_compressBound(request.otlp.size()));
    const double start_us = ThreadCpuUs();
    const size_t size = ZSTD_compressCCtx(context.get(), packed.data(), packed.size(),
                                          request.otlp.data(), request.otlp.size(), 3);
    const double packed_us = ThreadCpuUs();
    copy.assign(request.otlp);
    limits.copy_us_per_span += ThreadCpuUs() - packed_us;
    limits.zstd_us_per_span += packed_us - start_us;
    limits.zstd_bytes_per_span += static_cast<double>(size);
    spans += request.span_count;
  }
  limits.zstd_us_per_span /= spans;
  limits.zstd_bytes_per_span /= spans;
  limits.copy_us_per_span /= spans;
  return limits;
}

void PrintRawLimits(const RawLimits& limits) {
  PrintTitle("the same bytes without a store");
  PrintFigure("write of 64 KiB and sync", limits.sync_ms, "ms");
  PrintFigure("zstd -3 of the requests, CPU", limits.zstd_us_per_span, "us/span");
  PrintFigure("zstd -3 of the requests, size", limits.zstd_bytes_per_span, "B/span");
  PrintFigure("one copy of the requests, CPU", limits.copy_us_per_span, "us/span");
}

}  // namespace larder::bench
