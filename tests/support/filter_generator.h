// Random filter trees that have something to find: most constants are values of given spans.
#pragma once

#include <string>
#include <vector>

#include "storage/model/filter.h"
#include "storage/model/query.h"
#include "storage/model/span.h"
#include "tests/support/seed.h"

namespace larder {

// Not thread-safe.
class FilterGenerator {
 public:
  // `random` and `spans` (at least one) must outlive this.
  FilterGenerator(Random* random, const std::vector<Span>* spans)
      : random_(random), spans_(spans) {}

  // A tree of every operator, nested at most `depth` deep.
  FilterNode Tree(uint32_t depth);
  // Jaeger's search fields, each left out more often than not; some attributes are special keys.
  LegacySearch Legacy();
  // A range that holds all spans, some of them, or none.
  TimeRange Range();

 private:
  const Span& AnySpan() { return (*spans_)[random_->Below(spans_->size())]; }
  FilterNode Leaf();
  FilterNode AttributeLeaf();
  FilterNode FieldLeaf();
  FilterNode ReferenceLeaf();
  FilterOp Comparison();
  // An attribute of some span, at one of its levels; `level` says where it was found.
  Attribute AnyAttribute(AttributeLevel* level);
  AttributeRef Reference(const Attribute& attribute, AttributeLevel found_at);
  Constant AttributeConstant(const Attribute& attribute);
  Constant FieldConstant(Field field);

  Random* random_;
  const std::vector<Span>* spans_;
};

// A filter tree in one line, for the message of a failed test.
std::string FilterToText(const FilterNode& filter);

}  // namespace larder
