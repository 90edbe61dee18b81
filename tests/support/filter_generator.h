// Random filter trees that have something to find: most constants are values of given spans.
#pragma once

#include <string>
#include <vector>

#include "storage/model/filter.h"
#include "storage/model/query.h"
#include "storage/model/span.h"
#include "tests/support/seed.h"

namespace larder {

struct FilterGeneratorOptions {
  // Only trees that a structured filter can say (storage/filter): no constants and levels of the
  // legacy search, two conditions or more under and and or, lists of one type, words that are
  // words.
  bool only_structured = false;
};

// Not thread-safe.
class FilterGenerator {
 public:
  // `random` and `spans` (at least one) must outlive this.
  FilterGenerator(Random* random, const std::vector<Span>* spans,
                  const FilterGeneratorOptions& options = {})
      : random_(random), spans_(spans), options_(options) {}

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
  FilterNode WordsLeaf(FilterNode leaf, const std::string& text);
  FilterNode MembersLeaf(FilterNode leaf, const Constant& first);
  FilterNode Some(uint32_t depth);
  Field AnyField();
  Operand AnyReference();
  FilterOp Comparison();
  // The same leaf with an operator that a structured filter takes.
  FilterNode WithOrderWhereThereIsOne(FilterNode leaf) const;
  // An attribute of some span, at one of its levels; `level` says where it was found.
  Attribute AnyAttribute(AttributeLevel* level);
  AttributeRef Reference(const Attribute& attribute, AttributeLevel found_at);
  Constant AttributeConstant(const Attribute& attribute);
  Constant FieldConstant(Field field);

  Random* random_;
  const std::vector<Span>* spans_;
  FilterGeneratorOptions options_;
  // What kSome has bound around the node that is made: its references come up more often.
  bool in_events_ = false;
  bool in_links_ = false;
};

// A filter tree in one line, for the message of a failed test.
std::string FilterToText(const FilterNode& filter);

}  // namespace larder
