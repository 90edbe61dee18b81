#include "storage/model/table/some_step.h"

#include <algorithm>
#include <utility>

namespace larder {
namespace {

bool ReadsLevelOf(const Operand& operand, Level level) {
  if (const auto* attribute = std::get_if<AttributeRef>(&operand)) {
    return ReadsLevel(attribute->level, level);
  }
  const auto* field = std::get_if<FieldRef>(&operand);
  return field != nullptr && FieldLevel(field->field) == level;
}

bool ReadsElements(const FilterLeaf& leaf) {
  const auto reads = [](const Operand& operand) {
    return ReadsLevelOf(operand, Level::kEvent) || ReadsLevelOf(operand, Level::kLink);
  };
  return reads(leaf.left) || (leaf.other && reads(*leaf.other));
}

class WholeMaker {
 public:
  WholeMaker(const std::vector<FilterLeaf>& leaves, FilterNode::Element element,
             std::vector<FilterStep>* steps)
      : leaves_(leaves), element_(element), steps_(*steps) {}

  // The step that every span satisfies for which `number` holds with something bound.
  uint32_t WholeOf(uint32_t number) {
    const FilterStep step = steps_[number];  // a copy: steps are added
    switch (step.kind) {
      case FilterStep::Kind::kTrue:
        return number;
      case FilterStep::Kind::kAnd:
      case FilterStep::Kind::kOr: {
        FilterStep whole{.kind = step.kind, .children = {}};
        for (const uint32_t child : step.children) whole.children.push_back(WholeOf(child));
        return whole.children == step.children ? number : Add(std::move(whole));
      }
      case FilterStep::Kind::kSome:
        return WholeOf(step.children[0]);
      case FilterStep::Kind::kNot:
        return IsFree(step.children[0]) ? number : Add({.children = {}});
      case FilterStep::Kind::kLeaf: {
        const FilterLeaf& leaf = leaves_[step.leaf];
        return leaf.negated && ReadsElements(leaf) ? Add({.children = {}}) : number;
      }
    }
    return number;
  }

  // Whether `number` holds for some element when it holds for the span as a whole.
  bool IsExact(uint32_t number) const {
    const FilterStep& step = steps_[number];
    const auto is_exact = [this](uint32_t child) { return IsExact(child); };
    const auto is_free = [this](uint32_t child) { return IsFree(child); };
    const auto count = static_cast<std::ptrdiff_t>(step.children.size());
    switch (step.kind) {
      case FilterStep::Kind::kLeaf:
        return ReadsElementAlone(leaves_[step.leaf]);
      case FilterStep::Kind::kOr:
        return std::all_of(step.children.begin(), step.children.end(), is_exact);
      case FilterStep::Kind::kAnd:  // of two conditions each may hold for another element
        return std::count_if(step.children.begin(), step.children.end(), is_exact) == 1 &&
               std::count_if(step.children.begin(), step.children.end(), is_free) == count - 1;
      default:
        return false;
    }
  }

 private:
  // Whether nothing in it depends on what is bound.
  bool IsFree(uint32_t number) const {
    const FilterStep& step = steps_[number];
    if (step.kind == FilterStep::Kind::kLeaf) return !ReadsElements(leaves_[step.leaf]);
    if (step.kind == FilterStep::Kind::kSome) return false;
    return std::all_of(step.children.begin(), step.children.end(),
                       [this](uint32_t child) { return IsFree(child); });
  }

  // A positive leaf that holds for a span only by a value of an element.
  bool ReadsElementAlone(const FilterLeaf& leaf) const {
    if (leaf.negated || leaf.other) return false;
    for (uint32_t level = 0; level < kLevelCount; ++level) {
      const bool is_own = static_cast<Level>(level) ==
                          (element_ == FilterNode::Element::kEvent ? Level::kEvent : Level::kLink);
      if (leaf.reads(static_cast<Level>(level)) != is_own) return false;
    }
    return true;
  }

  uint32_t Add(FilterStep step) {
    steps_.push_back(std::move(step));
    return static_cast<uint32_t>(steps_.size() - 1);
  }

  const std::vector<FilterLeaf>& leaves_;
  const FilterNode::Element element_;
  std::vector<FilterStep>& steps_;
};

}  // namespace

void AddWhole(const std::vector<FilterLeaf>& leaves, FilterStep* some,
              std::vector<FilterStep>* steps) {
  WholeMaker maker(leaves, some->element, steps);
  some->whole_is_exact = maker.IsExact(some->children[0]);
  some->whole = maker.WholeOf(some->children[0]);
}

}  // namespace larder
