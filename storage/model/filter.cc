#include "storage/model/filter.h"

#include <utility>

namespace larder {

FilterOp Mirror(FilterOp op) {
  switch (op) {
    case FilterOp::kGt:
      return FilterOp::kLt;
    case FilterOp::kLt:
      return FilterOp::kGt;
    case FilterOp::kGte:
      return FilterOp::kLte;
    case FilterOp::kLte:
      return FilterOp::kGte;
    default:
      return op;
  }
}

FilterNode FilterNode::Leaf(FilterOp op, Operand left, Operand right) {
  FilterNode node;
  node.op = op;
  node.left = std::move(left);
  node.right = std::move(right);
  return node;
}

FilterNode FilterNode::Group(FilterOp op, std::vector<FilterNode> children) {
  FilterNode node;
  node.op = op;
  node.children = std::move(children);
  return node;
}

}  // namespace larder
