// Random structured filters, as callers write them, over heads and segments of random spans: what
// they find against what the naive evaluator says of the tree that they were written from.
#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/filter/resolve.h"
#include "tests/filter/expression_writer.h"
#include "tests/filter/searched_spans.h"
#include "tests/support/filter_generator.h"
#include "tests/support/reference_evaluator.h"
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

// How many filters to ask; LARDER_FILTERS asks more than a test run can wait for.
uint64_t FilterCount() {
  const char* const asked = std::getenv("LARDER_FILTERS");
  return asked == nullptr ? 6'000 : std::strtoull(asked, nullptr, 10);
}

// The operators, levels and fields that came up, to see that all did.
struct Seen {
  std::set<FilterOp> operators;
  std::set<AttributeLevel> levels;
  std::set<Field> fields;
  uint64_t pairs = 0;

  void Note(const Operand& operand) {
    if (const auto* attribute = std::get_if<AttributeRef>(&operand)) {
      levels.insert(attribute->level);
    } else if (const auto* field = std::get_if<FieldRef>(&operand)) {
      fields.insert(field->field);
    }
  }
  void Note(const FilterNode& node) {
    operators.insert(node.op);
    for (const FilterNode& child : node.children) Note(child);
    if (!node.children.empty()) return;
    Note(node.left);
    const bool compares = node.op >= FilterOp::kEq && node.op <= FilterOp::kLte;
    if (!compares || std::holds_alternative<Constant>(node.right)) return;
    Note(node.right);
    ++pairs;
  }
};

TEST(FilterDifferential, SearchesFindWhatTheNaiveEvaluatorSays) {
  Random random(TestSeed());
  PageCache cache(16 << 20);
  Seen seen;
  uint64_t found = 0;
  const uint64_t filters_max = FilterCount();
  for (uint64_t asked = 0; asked < filters_max;) {
    SpanGenerator generator(&random);
    const std::vector<Span> sent =
        generator.Batch(static_cast<uint32_t>(random.OneIn(20) ? 2500 : random.Between(1, 60)));
    const auto source = random.OneIn(2) ? HeadOf(sent) : SegmentOf(sent, &cache);
    const std::vector<Span> spans = RowsOf(*source);
    FilterGenerator generate(&random, &spans, {.only_structured = true});
    for (const uint64_t end = asked + 100; asked < end; ++asked) {
      const FilterNode tree = generate.Tree(static_cast<uint32_t>(random.Below(5)));
      const CallExpression written = WriteExpression(tree, &random);
      const auto resolved = ResolveFilter(written);
      ASSERT_TRUE(resolved.ok()) << resolved.status().ToString() << " of " << FilterToText(tree);
      const TimeRange range = generate.Range();
      std::vector<uint32_t> expected;
      for (uint32_t row = 0; row < spans.size(); ++row) {
        if (range.contains(spans[row].start_ns) && ReferenceMatches(tree, spans[row])) {
          expected.push_back(row);
        }
      }
      const auto rows = SearchedRows(*source, *resolved, range);
      ASSERT_TRUE(rows.ok()) << rows.status().ToString() << " of " << FilterToText(tree);
      ASSERT_EQ(*rows, expected) << "filter " << asked << ": " << FilterToText(tree)
                                 << "\nresolved: " << FilterToText(*resolved);
      found += expected.empty() ? 0U : 1U;
      seen.Note(tree);
    }
  }
  // A test that asks for nothing, or finds nothing, tests nothing.
  EXPECT_GT(found * 4, filters_max);
  EXPECT_EQ(seen.operators.size(), 16U);
  EXPECT_EQ(seen.levels.size(), 6U);
  EXPECT_EQ(seen.fields.size(), 22U);
  EXPECT_GT(seen.pairs, 100U);
}

}  // namespace
}  // namespace larder
