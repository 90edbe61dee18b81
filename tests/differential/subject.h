// What the differential tests ask.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine/store.h"
#include "storage/model/query.h"
#include "storage/model/span_query.h"

namespace larder {

// A Store, or the query engine over a View.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual std::unique_ptr<TraceCursor> GetTraces(std::vector<TraceId> ids) = 0;
  virtual std::unique_ptr<TraceCursor> FindTraces(const TraceQuery& query) = 0;
  virtual Result<Answer<FoundTrace>> FindTraceIds(const TraceQuery& query) = 0;
  virtual Result<Answer<TraceSummary>> FindSummaries(const TraceQuery& query) = 0;
  virtual std::unique_ptr<SpanCursor> FindSpans(const SpanQuery& query) = 0;
  virtual Result<Answer<std::string>> Services() = 0;
  virtual Result<Answer<Operation>> Operations(std::string_view service, int32_t kind) = 0;
  virtual Result<Answer<Dependency>> Dependencies(TimeRange child_start) = 0;
};

}  // namespace larder
