#include "plugin/filter/filter_wire.h"

#include <string>
#include <utility>

#include <protozero/exception.hpp>

#include "storage/filter/expression_path.h"
#include "storage/filter/resolve.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

using protozero::pbf_wire_type;

constexpr uint32_t Bytes(uint32_t field) {
  return protozero::tag_and_type(field, pbf_wire_type::length_delimited);
}

// Fields 1 and 2 of a message, both text.
void ReadTwoTexts(std::string_view message, std::string* first, std::string* second) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case Bytes(1):
        *first = reader.get_string();
        break;
      case Bytes(2):
        *second = reader.get_string();
        break;
      default:
        reader.skip();
    }
  }
}

// The member of a oneof that a field sets: what it holds already when it is of that kind, since
// protobuf merges a message that comes twice.
template <typename T>
T& Member(Expression* expression) {
  if (!std::holds_alternative<T>(expression->term)) expression->term.emplace<T>();
  return std::get<T>(expression->term);
}

// May throw protozero::exception.
class FilterReader {
 public:
  Status Call(std::string_view message, const ExpressionPath* path, size_t depth,
              CallExpression* call) {
    if (depth > kFilterDepthMax) {
      return RefusedAt(path, "calls lie more than " + std::to_string(kFilterDepthMax) + " deep");
    }
    wire::Reader reader(message);
    while (reader.NextField()) {
      switch (reader.tag_and_type()) {
        case Bytes(1):
          call->op = reader.get_string();
          break;
        case Bytes(2):
          LARDER_RETURN_IF_ERROR(Argument(reader.View(), path, depth, call));
          break;
        default:
          reader.skip();
      }
    }
    return Status::Ok();
  }

  // Appends to the arguments of `call`.
  Status Argument(std::string_view message, const ExpressionPath* path, size_t depth,
                  CallExpression* call) {
    if (++nodes_ > kFilterNodesMax) {
      return RefusedAt(nullptr, "more than " + std::to_string(kFilterNodesMax) + " arguments");
    }
    const ExpressionPath here{path, call->args.size()};
    wire::Reader reader(message);
    Expression expression;
    while (reader.NextField()) LARDER_RETURN_IF_ERROR(Term(&reader, &here, depth, &expression));
    if (std::holds_alternative<std::monostate>(expression.term)) {
      return RefusedAt(&here, "an expression without a term");
    }
    call->args.push_back(std::move(expression));
    return Status::Ok();
  }

 private:
  Status Term(wire::Reader* reader, const ExpressionPath* here, size_t depth,
              Expression* expression) {
    switch (reader->tag_and_type()) {
      case Bytes(1): {
        auto& attribute = Member<AttributeExpression>(expression);
        ReadTwoTexts(reader->View(), &attribute.key, &attribute.level);
        return Status::Ok();
      }
      case Bytes(2): {
        auto& field = Member<FieldExpression>(expression);
        ReadTwoTexts(reader->View(), &field.name, &field.level);
        return Status::Ok();
      }
      case Bytes(3): {
        auto& nested = Member<NestedExpression>(expression);
        std::string ignored;
        ReadTwoTexts(reader->View(), &nested.level, &ignored);
        return Status::Ok();
      }
      case Bytes(4): {
        auto& scalar = Member<ScalarExpression>(expression);
        ReadTwoTexts(reader->View(), &scalar.value, &scalar.type);
        return Status::Ok();
      }
      case Bytes(5):
        return List(reader->View(), &Member<ListExpression>(expression));
      case Bytes(6):
        return Call(reader->View(), here, depth + 1, &Member<CallExpression>(expression));
      default:
        reader->skip();
        return Status::Ok();
    }
  }

  Status List(std::string_view message, ListExpression* list) {
    wire::Reader reader(message);
    while (reader.NextField()) {
      switch (reader.tag_and_type()) {
        case Bytes(1):
          if (++values_ > kFilterValuesMax) {
            return RefusedAt(nullptr,
                             "more than " + std::to_string(kFilterValuesMax) + " list values");
          }
          list->values.push_back(reader.get_string());
          break;
        case Bytes(2):
          list->type = reader.get_string();
          break;
        default:
          reader.skip();
      }
    }
    return Status::Ok();
  }

  size_t nodes_ = 0;
  size_t values_ = 0;
};

}  // namespace

Result<CallExpression> DecodeFilter(std::string_view call) {
  if (call.size() > kFilterBytesMax) {
    return RefusedAt(nullptr, "a filter of " + std::to_string(call.size()) + " bytes; at most " +
                                  std::to_string(kFilterBytesMax) + " are taken");
  }
  try {
    CallExpression filter;
    LARDER_RETURN_IF_ERROR(FilterReader().Call(call, nullptr, 1, &filter));
    return filter;
  } catch (const protozero::exception& broken) {
    return RefusedAt(nullptr, "not a valid protobuf message (" + std::string(broken.what()) + ")");
  }
}

Result<Expression> DecodeExpression(std::string_view expression) {
  try {
    CallExpression call;
    LARDER_RETURN_IF_ERROR(FilterReader().Argument(expression, nullptr, 1, &call));
    return std::move(call.args.front());
  } catch (const protozero::exception& broken) {
    return RefusedAt(nullptr, "not a valid protobuf message (" + std::string(broken.what()) + ")");
  }
}

Status AppendFilter(std::string_view call, std::optional<std::string>* filter) {
  if (!filter->has_value()) filter->emplace();
  if ((*filter)->size() + call.size() > kFilterBytesMax) {
    return Status::InvalidArgument("filter: more than " + std::to_string(kFilterBytesMax) +
                                   " bytes");
  }
  **filter += call;
  return Status::Ok();
}

Result<FilterNode> ParseFilter(std::string_view call) {
  LARDER_ASSIGN_OR_RETURN(const CallExpression filter, DecodeFilter(call));
  return ResolveFilter(filter);
}

}  // namespace larder
