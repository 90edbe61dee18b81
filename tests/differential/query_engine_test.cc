// The query engine over every layout of heads, segments and indexes, against the reference.
#include "storage/query/query_engine.h"

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/query/query_context.h"
#include "storage/query/traces/trace_walk.h"
#include "tests/differential/checker.h"
#include "tests/differential/layout.h"
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
  std::unique_ptr<SpanCursor> FindSpans(const SpanQuery& query) override {
    return engine_.FindSpans(view_, query, {});
  }
  Result<Answer<std::string>> Services() override { return engine_.Services(view_, 0, {}); }
  Result<Answer<Operation>> Operations(std::string_view service, int32_t kind) override {
    return engine_.Operations(view_, 0, service, kind, {});
  }
  Result<Answer<Dependency>> Dependencies(TimeRange child_start) override {
    return engine_.Dependencies([this](TenantId /*of*/) { return view_; }, 0, child_start, {});
  }

 private:
  QueryEngine engine_{QueryEngineOptions()};
  std::shared_ptr<const View> view_;
};

// One random history: requests and steps of the layout, with questions after each.
class History {
 public:
  History(Random* random, bool has_clashes)
      : random_(random),
        has_clashes_(has_clashes),
        maker_(random, {.reuse_span_ids = has_clashes}),
        layout_(random) {}

  void Run(uint64_t operations, uint64_t questions) {
    for (uint64_t i = 0; i < operations; ++i) {
      Operate();
      if (!spans_.empty()) Ask(questions);
      if (!spans_.empty()) AskInPages();
      if (testing::Test::HasFailure()) return;
    }
    layout_.Close();
    log_ += "close\n";
    Ask(questions);
  }

  const std::string& log() const { return log_; }

  // A search taken up again after each few traces finds the same traces as in one go.
  void AskInPages() {
    const auto view = layout_.MakeView();
    FilterGenerator filters(random_, &spans_);
    TraceQuery query;
    query.filter = filters.Tree(2);
    if (random_->OneIn(2)) query.start = filters.Range();
    query.depth = 100'000;
    const auto expected = layout_.MakeReference().Find(query);
    query.depth = static_cast<uint32_t>(random_->Between(1, 5));
    size_t found = 0;
    for (bool is_last = false; !is_last;) {
      QueryContext context({}, {});
      TraceWalk walk(*view, query, &context);
      std::optional<TracePosition> after;
      is_last = true;
      for (;;) {
        const auto next = walk.Next();
        ASSERT_TRUE(next.ok()) << next.status().ToString();
        if (!next->has_value()) break;
        ASSERT_LT(found, expected.size());
        ASSERT_EQ((*next)->trace_id, expected[found].trace_id) << "trace " << found;
        ASSERT_EQ((*next)->latest_match_ns, expected[found].latest_match_ns);
        ++found;
        after = **next;
        is_last = false;
      }
      query.after = after;
    }
    ASSERT_EQ(found, expected.size());
  }

 private:
  void Operate() {
    if (!requests_.empty() && random_->OneIn(3)) {
      log_ += layout_.Step() + "\n";
      return;
    }
    const bool is_retry = has_clashes_ && !requests_.empty() && random_->OneIn(8);
    const std::vector<Span> request =
        is_retry ? requests_[random_->Below(requests_.size())] : maker_.Request();
    log_ += "append " + std::to_string(request.size()) + (is_retry ? " spans again\n" : " spans\n");
    layout_.Append(request);
    requests_.push_back(request);
    spans_.insert(spans_.end(), request.begin(), request.end());
  }

  void Ask(uint64_t questions) {
    const ReferenceStore reference = layout_.MakeReference();
    subject_.set_view(layout_.MakeView());
    Checker checker(&subject_, &reference, &spans_, random_);
    for (uint64_t i = 0; i < questions; ++i) ASSERT_EQ(checker.Ask(), "");
    ASSERT_EQ(checker.AskEveryTrace(), "");
  }

  Random* const random_;
  const bool has_clashes_;
  SpanMaker maker_;
  Layout layout_;
  ViewSubject subject_;
  std::vector<std::vector<Span>> requests_;
  std::vector<Span> spans_;
  std::string log_;
};

TEST(QueryEngineDifferential, AnswersAsTheReferenceInEveryLayout) {
  Random random(TestSeed());
  for (int round = 0; round < 12; ++round) {
    History history(&random, random.OneIn(2));
    history.Run(random.Between(1, 60), 12);
    ASSERT_FALSE(HasFailure()) << "round " << round << "\n" << history.log();
  }
}

}  // namespace
}  // namespace larder
