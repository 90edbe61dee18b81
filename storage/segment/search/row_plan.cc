#include "storage/segment/search/row_plan.h"

#include <algorithm>
#include <utility>

#include "storage/segment/index/index_format.h"
#include "storage/segment/index/index_reader.h"

namespace larder {
namespace {

// More sets than these are not read for one leaf.
constexpr size_t kSetsMax = 16;

// What is known of a step: not swaps the two and takes what they leave.
struct RowTruth {
  std::optional<RowSet> possible;  // no other row satisfies it; nullopt: any may
  std::optional<RowSet> certain;   // all of these do; nullopt: perhaps none
};

void Meet(std::optional<RowSet>* rows, std::optional<RowSet> others) {
  if (!others) return;
  if (*rows) {
    (*rows)->IntersectWith(*others);
  } else {
    *rows = std::move(others);
  }
}

void Join(std::optional<RowSet>* rows, std::optional<RowSet> others) {
  if (!others) return;
  if (*rows) {
    (*rows)->UnionWith(*others);
  } else {
    *rows = std::move(others);
  }
}

class RowPlanner {
 public:
  RowPlanner(const SegmentColumns& columns, const SpanFilter& filter,
             const std::vector<LeafPlan>& plans)
      : columns_(columns), filter_(filter), plans_(plans), index_(columns) {}

  Result<RowTruth> Plan(uint32_t number) const {
    const FilterStep& step = filter_.steps()[number];
    switch (step.kind) {
      case FilterStep::Kind::kAnd:
        return PlanAll(step);
      case FilterStep::Kind::kOr:
        return PlanAny(step);
      case FilterStep::Kind::kNot: {
        LARDER_ASSIGN_OR_RETURN(RowTruth rows, Plan(step.children[0]));
        return Negated(std::move(rows));
      }
      case FilterStep::Kind::kLeaf:
        return PlanLeaf(filter_.leaves()[step.leaf], plans_[step.leaf]);
      case FilterStep::Kind::kSome: {
        LARDER_ASSIGN_OR_RETURN(RowTruth rows, Plan(step.whole));
        if (!step.whole_is_exact) rows.certain.reset();
        return rows;
      }
      case FilterStep::Kind::kTrue:
        break;
    }
    return RowTruth();
  }

 private:
  RowTruth Negated(RowTruth rows) const {
    std::swap(rows.possible, rows.certain);
    if (rows.possible) rows.possible->Complement(columns_.row_count());
    if (rows.certain) rows.certain->Complement(columns_.row_count());
    return rows;
  }

  Result<RowTruth> PlanAll(const FilterStep& step) const {
    RowTruth rows;
    bool all_certain = true;
    for (const uint32_t child : step.children) {
      LARDER_ASSIGN_OR_RETURN(RowTruth of_child, Plan(child));
      all_certain &= of_child.certain.has_value();
      Meet(&rows.possible, std::move(of_child.possible));
      Meet(&rows.certain, std::move(of_child.certain));
    }
    if (!all_certain) rows.certain.reset();
    return rows;
  }

  Result<RowTruth> PlanAny(const FilterStep& step) const {
    RowTruth rows;
    bool all_bounded = true;
    for (const uint32_t child : step.children) {
      LARDER_ASSIGN_OR_RETURN(RowTruth of_child, Plan(child));
      all_bounded &= of_child.possible.has_value();
      Join(&rows.possible, std::move(of_child.possible));
      Join(&rows.certain, std::move(of_child.certain));
    }
    if (!all_bounded) rows.possible.reset();
    return rows;
  }

  Result<RowTruth> PlanLeaf(const FilterLeaf& leaf, const LeafPlan& plan) const {
    switch (plan.method) {
      case LeafPlan::Method::kRanges: {
        RowSet rows;
        for (const RowRange& range : plan.ranges) rows.AddRange(range.first, range.last);
        RowTruth truth{rows, rows};
        return leaf.negated ? Negated(std::move(truth)) : std::move(truth);
      }
      case LeafPlan::Method::kFields: {
        const bool is_duration = leaf.field()->field == Field::kDuration && !leaf.other;
        return is_duration && !leaf.negated ? PlanDuration(leaf) : RowTruth();
      }
      case LeafPlan::Method::kColumns: {
        LARDER_ASSIGN_OR_RETURN(RowTruth truth, PlanColumns(plan));
        if (!leaf.negated) return truth;
        // Without a value it does not hold either.
        truth = Negated(std::move(truth));
        truth.certain.reset();
        return truth;
      }
      case LeafPlan::Method::kRows:
        break;
    }
    return RowTruth();
  }

  Result<RowTruth> PlanDuration(const FilterLeaf& leaf) const {
    const auto bounds = leaf.matcher.DurationBounds();
    LARDER_ASSIGN_OR_RETURN(const auto bands, index_.DurationBands());
    const std::vector<int64_t>& least = bands->least_ns;
    // What is shorter than all bands is in none of them.
    if (!bounds || least.empty() || bounds->first < least[0]) return RowTruth();
    RowTruth rows{RowSet(), RowSet()};
    for (uint32_t band = 0; band < least.size() && least[band] <= bounds->second; ++band) {
      const bool last = band + 1 == least.size();
      if (!last && least[band + 1] <= bounds->first) continue;
      LARDER_ASSIGN_OR_RETURN(const auto of_band, index_.RowsOfBand(band));
      rows.possible->UnionWith(of_band->rows);
      const bool inside =
          bounds->first <= least[band] &&
          (last ? bounds->second == INT64_MAX : least[band + 1] - 1 <= bounds->second);
      if (inside) rows.certain->UnionWith(of_band->rows);
    }
    return rows;
  }

  // Of the positive form.
  Result<RowTruth> PlanColumns(const LeafPlan& plan) const {
    const LeafTable& spans = plan.tables[static_cast<size_t>(ItemTable::kSpans)];
    const bool span_columns_alone = !plan.has_events && !plan.has_links;
    const bool based = std::any_of(plan.base.begin(), plan.base.end(),
                                   [](LeafState state) { return state.matched; });
    if (!span_columns_alone || based || spans.columns.size() != 1) return RowTruth();
    const LeafColumn& column = spans.columns[0];
    const ColumnInfo& info = columns_.columns()[column.column];
    const bool coded = info.coding == ColumnCoding::kDictionary && !column.overflow &&
                       !column.must_match && column.can_match;
    if (!coded || info.dictionary_size <= 1) return RowTruth();
    return PlanCodes(spans, column);
  }

  Result<RowTruth> PlanCodes(const LeafTable& spans, const LeafColumn& column) const {
    LARDER_ASSIGN_OR_RETURN(const auto codes, index_.Codes(column.column));
    const std::vector<uint32_t>& matching = column.matching_codes;
    const bool all_kept = std::all_of(matching.begin(), matching.end(), [&](uint32_t code) {
      return codes->PlaceOfRows(code).has_value();
    });
    bool single_slots = true;
    for (uint32_t shape = 0; shape + 1 < spans.shape_starts.size(); ++shape) {
      single_slots &= spans.slots_of(shape).size() <= 1;
    }
    RowTruth rows;
    if (all_kept && matching.size() <= kSetsMax) {
      LARDER_ASSIGN_OR_RETURN(rows.possible, RowsOfCodes(column.column, *codes, matching));
      // Of several slots the first decides, and the set may mean another.
      if (single_slots) rows.certain = rows.possible;
      return rows;
    }
    // A value too frequent to keep its rows has none of the rows of the others.
    if (!single_slots || codes->row_codes.empty() ||
        codes->row_codes.size() > kRowSetsOfColumnMax) {
      return rows;
    }
    std::vector<uint32_t> others;
    for (const uint32_t code : codes->row_codes) {
      if (!column.code_matches(code)) others.push_back(code);
    }
    LARDER_ASSIGN_OR_RETURN(rows.possible, RowsOfCodes(column.column, *codes, others));
    rows.possible->Complement(columns_.row_count());
    return rows;
  }

  // REQUIRES: the rows of all of them are kept.
  Result<RowSet> RowsOfCodes(uint32_t column, const CodeIndexPage& page,
                             const std::vector<uint32_t>& codes) const {
    RowSet rows;
    for (const uint32_t code : codes) {
      LARDER_ASSIGN_OR_RETURN(const auto of_code,
                              index_.RowsOfCode(column, *page.PlaceOfRows(code)));
      rows.UnionWith(of_code->rows);
    }
    return rows;
  }

  const SegmentColumns& columns_;
  const SpanFilter& filter_;
  const std::vector<LeafPlan>& plans_;
  const IndexReader index_;
};

}  // namespace

Result<std::optional<RowSet>> PossibleRows(const SegmentColumns& columns, const SpanFilter& filter,
                                           const std::vector<LeafPlan>& plans) {
  LARDER_ASSIGN_OR_RETURN(RowTruth rows, RowPlanner(columns, filter, plans).Plan(filter.root()));
  return std::move(rows.possible);
}

}  // namespace larder
