// The query engine over heads and segments that hold random shares of random traces, against the
// reference.
#include "storage/engine/query_engine.h"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/segment/table_source.h"
#include "tests/differential/checker.h"
#include "tests/differential/span_maker.h"

namespace larder {
namespace {

class ViewSubject : public Subject {
 public:
  void set_view(std::shared_ptr<const View> view) { view_ = std::move(view); }

  std::unique_ptr<TraceCursor> GetTraces(std::vector<TraceId> ids) override {
    return engine_.GetTraces(view_, 0, std::move(ids), {});
  }
  std::unique_ptr<TraceCursor> FindTraces(const TraceQuery& query) override {
    return engine_.FindTraces(view_, query, {});
  }
  Result<Answer<FoundTrace>> FindTraceIds(const TraceQuery& query) override {
    return engine_.FindTraceIds(view_, query, {});
  }
  Result<Answer<TraceSummary>> FindSummaries(const TraceQuery& query) override {
    return engine_.FindSummaries(view_, query, {});
  }
  Result<Answer<std::string>> Services() override { return engine_.Services(view_, 0, {}); }
  Result<Answer<Operation>> Operations(std::string_view service, int32_t kind) override {
    return engine_.Operations(view_, 0, service, kind, {});
  }
  Result<Answer<Dependency>> Dependencies(TimeRange child_start) override {
    return engine_.Dependencies(view_, 0, child_start, {});
  }

 private:
  QueryEngine engine_{QueryEngineOptions()};
  std::shared_ptr<const View> view_;
};

// Heads that grow by random requests.
class Heads {
 public:
  explicit Heads(size_t count) : tables_(count) {
    for (auto& table : tables_) table = std::make_shared<SpanTable>();
  }

  void Append(size_t head, const std::string& request) {
    const auto appended = tables_[head]->Append(request, AppendLimits());
    ASSERT_TRUE(appended.ok()) << appended.status().ToString();
    ASSERT_EQ(appended->rejected_spans, 0u) << appended->first_rejection;
    tables_[head]->Publish();
  }

  std::shared_ptr<const View> MakeView() const {
    auto view = std::make_shared<View>();
    for (size_t i = 0; i < tables_.size(); ++i) {
      SourceEntry entry;
      entry.source = MakeTableSource(tables_[i]);
      entry.id = i;
      entry.name = "head " + std::to_string(i);
      view->entries.push_back(entry);
    }
    return view;
  }

 private:
  std::vector<std::shared_ptr<SpanTable>> tables_;
};

void RunRound(Random* random, bool reuse_span_ids, uint64_t queries) {
  SpanMaker maker(random, {.reuse_span_ids = reuse_span_ids});
  Heads heads(random->Between(1, 5));
  ReferenceStore reference;
  std::vector<Span> spans;
  ViewSubject subject;
  Checker checker(&subject, &reference, &spans, random);
  const uint64_t requests = random->Between(1, 40);
  const uint64_t head_count = heads.MakeView()->entries.size();
  std::string again;
  for (uint64_t i = 0; i < requests; ++i) {
    const std::vector<Span> request = maker.Request();
    const std::string bytes = EncodeSpans(request);
    heads.Append(random->Below(head_count), bytes);
    if (random->OneIn(10)) heads.Append(random->Below(head_count), bytes);  // sent twice
    reference.Add(request);
    spans.insert(spans.end(), request.begin(), request.end());
    if (!random->OneIn(4) && i + 1 < requests) continue;
    subject.set_view(heads.MakeView());
    for (uint64_t asked = 0; asked < queries; ++asked) ASSERT_EQ(checker.Ask(true), "");
  }
  ASSERT_EQ(checker.AskEveryTrace(), "");
}

TEST(QueryEngineDifferential, AnswersAsTheReferenceOverHeads) {
  Random random(TestSeed());
  for (int round = 0; round < 20 && !HasFatalFailure(); ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    RunRound(&random, random.OneIn(2), 20);
  }
}

}  // namespace
}  // namespace larder
