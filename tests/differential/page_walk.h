// Searches taken a page at a time while the store changes: what was there when the search began
// comes up once, in order.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/model/query.h"
#include "storage/model/span.h"
#include "storage/model/span_query.h"
#include "storage/query/answer.h"
#include "tests/differential/subject.h"
#include "tests/support/reference_store.h"
#include "tests/support/seed.h"

namespace larder {

// Up to four terms, as often none.
std::vector<SpanSort> RandomOrder(Random* random);

// Reads a page to its end. Empty, or what is wrong with it.
std::string ReadPage(SpanCursor* cursor, std::vector<Span>* spans,
                     std::optional<SpanPosition>* next);

class PageWalk {
 public:
  virtual ~PageWalk() = default;
  // Asks for the next page. Empty, or what is wrong with it.
  virtual std::string Step(Subject* subject) = 0;
  virtual bool is_over() const = 0;
  // After the last page: what is wrong with all of them, when the store now holds `now`.
  virtual std::string Verify(const ReferenceStore& now) const = 0;
};

// `now` is what the store holds when the walk begins, of which nothing is dropped until it ends.
std::unique_ptr<PageWalk> NewSpanWalk(const SpanQuery& query, const ReferenceStore& now);
std::unique_ptr<PageWalk> NewTraceWalk(const TraceQuery& query, const ReferenceStore& now);

}  // namespace larder
