#include "plugin/filter/filter_wire.h"

#include <fstream>
#include <sstream>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <jaeger/expression/v1/expression.pb.h>

#include "tests/support/seed.h"

namespace larder {
namespace {

namespace v1 = jaeger::expression::v1;

// What protobuf's own parser reads.
CallExpression Plain(const v1::Call& call) {
  CallExpression plain{call.op(), {}};
  for (const v1::Expression& arg : call.args()) {
    Expression& term = plain.args.emplace_back();
    switch (arg.term_case()) {
      case v1::Expression::kAttr:
        term.term = AttributeExpression{arg.attr().key(), arg.attr().level()};
        break;
      case v1::Expression::kField:
        term.term = FieldExpression{arg.field().name(), arg.field().level()};
        break;
      case v1::Expression::kNested:
        term.term = NestedExpression{arg.nested().level()};
        break;
      case v1::Expression::kScalar:
        term.term = ScalarExpression{arg.scalar().value(), arg.scalar().type()};
        break;
      case v1::Expression::kList:
        term.term = ListExpression{{arg.list().values().begin(), arg.list().values().end()},
                                   arg.list().type()};
        break;
      case v1::Expression::kCall:
        term.term = Plain(arg.call());
        break;
      case v1::Expression::TERM_NOT_SET:
        break;
    }
  }
  return plain;
}

// A text form that two equal trees share.
std::string Shape(const CallExpression& call) {
  std::string shape = call.op + "(";
  for (const Expression& arg : call.args) {
    shape += std::to_string(arg.term.index()) + ":";
    if (const auto* attr = std::get_if<AttributeExpression>(&arg.term)) {
      shape += attr->key + "@" + attr->level;
    } else if (const auto* field = std::get_if<FieldExpression>(&arg.term)) {
      shape += field->name + "@" + field->level;
    } else if (const auto* nested = std::get_if<NestedExpression>(&arg.term)) {
      shape += nested->level;
    } else if (const auto* scalar = std::get_if<ScalarExpression>(&arg.term)) {
      shape += scalar->value + "@" + scalar->type;
    } else if (const auto* list = std::get_if<ListExpression>(&arg.term)) {
      for (const std::string& value : list->values) shape += value + ";";
      shape += "@" + list->type;
    } else if (const auto* inner = std::get_if<CallExpression>(&arg.term)) {
      shape += Shape(*inner);
    }
    shape += ",";
  }
  return shape + ")";
}

v1::Call RandomCall(Random* random, int depth) {
  const auto word = [&] {
    return std::string(random->Below(5), static_cast<char>('a' + random->Below(4)));
  };
  v1::Call call;
  call.set_op(word());
  for (uint64_t left = random->Below(4); left > 0; --left) {
    v1::Expression* arg = call.add_args();
    switch (random->Below(depth > 0 ? 7 : 5)) {
      case 0:
        arg->mutable_attr()->set_key(word());
        arg->mutable_attr()->set_level(word());
        break;
      case 1:
        arg->mutable_field()->set_name(word());
        arg->mutable_field()->set_level(word());
        break;
      case 2:
        arg->mutable_nested()->set_level(word());
        break;
      case 3:
        arg->mutable_scalar()->set_value(word());
        arg->mutable_scalar()->set_type(word());
        break;
      case 4:
        for (uint64_t values = random->Below(4); values > 0; --values) {
          arg->mutable_list()->add_values(word());
        }
        arg->mutable_list()->set_type(word());
        break;
      default:
        *arg->mutable_call() = RandomCall(random, depth - 1);
    }
  }
  return call;
}

TEST(FilterWire, ReadsWhatProtobufReads) {
  Random random(TestSeed());
  for (int round = 0; round < 5000; ++round) {
    const v1::Call call = RandomCall(&random, 4);
    const auto decoded = DecodeFilter(call.SerializeAsString());
    ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
    ASSERT_EQ(Shape(*decoded), Shape(Plain(call)));
  }
}

// Flipped bytes: refused, or read as protobuf reads them. Where a text is not UTF-8 the generated
// parser refuses what this one takes.
TEST(FilterWire, ReadsMangledBytesAsProtobufDoes) {
  Random random(TestSeed());
  int compared = 0;
  for (int round = 0; round < 50'000; ++round) {
    std::string bytes = RandomCall(&random, 2).SerializeAsString();
    if (bytes.empty()) continue;
    for (uint64_t edits = random.Between(1, 3); edits > 0; --edits) {
      bytes[random.Below(bytes.size())] =
          static_cast<char>(random.Below(random.OneIn(2) ? 64 : 256));
    }
    const auto decoded = DecodeFilter(bytes);
    v1::Call call;
    if (!call.ParseFromString(bytes)) continue;
    if (!decoded.ok()) {
      // Ours also refuses groups and expressions without a term.
      EXPECT_EQ(decoded.status().code(), StatusCode::kInvalidArgument);
      continue;
    }
    ASSERT_EQ(Shape(*decoded), Shape(Plain(call)));
    ++compared;
  }
  EXPECT_GT(compared, 1000);
}

TEST(FilterWire, OfAOneofTheLastCountsAndEqualOnesAreMerged) {
  v1::Expression list;
  list.mutable_list()->add_values("a");
  v1::Expression more;
  more.mutable_list()->add_values("b");
  v1::Expression scalar;
  scalar.mutable_scalar()->set_value("c");
  const auto filter = [](const std::string& expression) {
    std::string call = "\x0a\x02in\x12";
    call.push_back(static_cast<char>(expression.size()));
    return call + expression;
  };
  const std::string bytes[] = {list.SerializeAsString(), more.SerializeAsString(),
                               scalar.SerializeAsString()};
  for (const std::string& merged :
       {bytes[0] + bytes[1], bytes[0] + bytes[2] + bytes[1], bytes[2] + bytes[0] + bytes[2]}) {
    v1::Call call;
    ASSERT_TRUE(call.ParseFromString(filter(merged)));
    const auto decoded = DecodeFilter(filter(merged));
    ASSERT_TRUE(decoded.ok());
    EXPECT_EQ(Shape(*decoded), Shape(Plain(call)));
  }
}

TEST(FilterWire, IsBounded) {
  const auto message = [](const Status& status) { return std::string(status.message()); };
  v1::Call call;
  call.set_op("or");
  for (size_t i = 0; i < kFilterNodesMax; ++i) call.add_args()->mutable_attr();
  EXPECT_TRUE(DecodeFilter(call.SerializeAsString()).ok());
  call.add_args()->mutable_attr();
  EXPECT_EQ(message(DecodeFilter(call.SerializeAsString()).status()),
            "filter: more than 10000 arguments");

  call.clear_args();
  for (int lists = 0; lists < 2; ++lists) {
    auto* list = call.add_args()->mutable_list();
    for (size_t i = 0; i < kFilterValuesMax / 2; ++i) list->add_values("");
  }
  EXPECT_TRUE(DecodeFilter(call.SerializeAsString()).ok());
  call.mutable_args(0)->mutable_list()->add_values("");
  EXPECT_EQ(message(DecodeFilter(call.SerializeAsString()).status()),
            "filter: more than 10000 list values");

  v1::Call deep;
  for (size_t depth = 1; depth <= kFilterDepthMax; ++depth) {
    v1::Call outer;
    outer.set_op("not");
    *outer.add_args()->mutable_call() = deep;
    EXPECT_EQ(DecodeFilter(outer.SerializeAsString()).ok(), depth < kFilterDepthMax);
    deep = outer;
  }

  call.Clear();
  call.set_op(std::string(kFilterBytesMax, 'x'));
  EXPECT_FALSE(DecodeFilter(call.SerializeAsString()).ok());
}

// The bytes in the page's last section.
TEST(FilterWire, ThePagesExampleIsWhatItSays) {
  std::ifstream page(LARDER_FILTER_PAGE);
  std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  const size_t begin = text.find("as wire bytes:");
  ASSERT_NE(begin, std::string::npos);
  std::istringstream digits(text.substr(begin + sizeof "as wire bytes:"));
  std::string bytes;
  for (std::string byte; digits >> byte;) {
    bytes.push_back(static_cast<char>(std::stoi(byte, nullptr, 16)));
  }
  const auto decoded = DecodeFilter(bytes);
  ASSERT_TRUE(decoded.ok()) << decoded.status().ToString();
  EXPECT_EQ(Shape(*decoded), "and(6:gt(2:duration@span,4:2s@,),6:in(1:user@,5:u1;u2;@,),)");
  const auto filter = ParseFilter(bytes);
  ASSERT_TRUE(filter.ok()) << filter.status().ToString();
  EXPECT_EQ(std::get<Constant>(filter->children[0].right).number, 2'000'000'000);
}

TEST(FilterWire, AnExpressionNeedsATerm) {
  v1::Call call;
  call.set_op("exists");
  call.add_args();
  EXPECT_EQ(DecodeFilter(call.SerializeAsString()).status().message(),
            "filter.args[0]: an expression without a term");
}

}  // namespace
}  // namespace larder
