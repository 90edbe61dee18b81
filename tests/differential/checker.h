// Asks a store random questions and compares every answer with the reference's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/model/query.h"
#include "storage/model/span.h"
#include "storage/model/span_query.h"
#include "tests/differential/subject.h"
#include "tests/support/filter_generator.h"
#include "tests/support/reference_store.h"
#include "tests/support/seed.h"

namespace larder {

// Not thread-safe. Borrows all that it is given; `spans` (a sample to make questions of) may grow.
class Checker {
 public:
  Checker(Subject* subject, const ReferenceStore* reference, const std::vector<Span>* spans,
          Random* random)
      : subject_(subject),
        reference_(reference),
        spans_(spans),
        random_(random),
        filters_(random, spans) {}

  // Asks one random question. What was asked and what is wrong with the answer; empty when it is
  // right.
  std::string Ask();
  // Every trace of the reference, whole.
  std::string AskEveryTrace();
  uint64_t asked() const { return asked_; }
  // Partitions that left the disk count calls as they were then: not as the reference does.
  void SkipDependencies() { asks_dependencies_ = false; }
  TraceQuery RandomQuery();
  SpanQuery RandomSpanQuery();

 private:
  std::string AskIds(const TraceQuery& query);
  std::string AskTraces(const TraceQuery& query);
  std::string AskSummaries(const TraceQuery& query);
  std::string AskById();
  std::string AskServices();
  std::string AskDependencies();
  // Page by page.
  std::string AskSpans(SpanQuery query);
  std::string AskIdsInPages(TraceQuery query);
  FilterNode RandomFilter();
  FilterNode NamedTraceFilter();
  TimeRange RandomRange();
  std::string CompareTraces(TraceCursor* cursor, const std::vector<TraceId>& expected);

  Subject* const subject_;
  const ReferenceStore* const reference_;
  const std::vector<Span>* const spans_;
  Random* const random_;
  FilterGenerator filters_;
  uint64_t asked_ = 0;
  bool asks_dependencies_ = true;
};

}  // namespace larder
