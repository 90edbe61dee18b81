// Hostile and extreme requests: answered, bounded, and counted for what they take.
#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include <gtest/gtest.h>

#include "storage/model/otlp_fields.h"
#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "storage/model/traces_data_writer.h"
#include "storage/model/wire.h"
#include "tests/support/span_generator.h"

namespace {

// What the process holds through new, by what was asked for; the allocator's own share is not in.
std::atomic<int64_t> allocated_bytes{0};

constexpr size_t kHeader = alignof(std::max_align_t);

void* Allocate(size_t size) {
  char* const block = static_cast<char*>(std::malloc(size + kHeader));  // NOLINT: this is new
  if (block == nullptr) std::abort();
  *reinterpret_cast<size_t*>(block) = size;
  allocated_bytes += static_cast<int64_t>(size);
  return block + kHeader;
}

void Free(void* pointer) {
  if (pointer == nullptr) return;
  char* const block = static_cast<char*>(pointer) - kHeader;
  allocated_bytes -= static_cast<int64_t>(*reinterpret_cast<size_t*>(block));
  std::free(block);  // NOLINT: this is delete
}

}  // namespace

void* operator new(size_t size) { return Allocate(size); }
void* operator new[](size_t size) { return Allocate(size); }
void operator delete(void* pointer) noexcept { Free(pointer); }
void operator delete[](void* pointer) noexcept { Free(pointer); }
void operator delete(void* pointer, size_t) noexcept { Free(pointer); }
void operator delete[](void* pointer, size_t) noexcept { Free(pointer); }

namespace larder {
namespace {

Span MakeSpan(uint32_t number) {
  static const auto resource = std::make_shared<Resource>();
  static const auto scope = std::make_shared<Scope>();
  Span span;
  span.trace_id.bytes[0] = 1;
  for (size_t i = 0; i < 4; ++i) span.span_id.bytes[i] = static_cast<uint8_t>(number >> 8 * i);
  span.span_id.bytes[7] = 1;
  span.resource = resource;
  span.scope = scope;
  return span;
}

std::vector<Span> Contents(const SpanTable& table) {
  TracesDataWriter writer;
  for (uint32_t i = 0; i < table.published_rows(); ++i) {
    const SpanRow& row = table.row(i);
    std::string span;
    table.EncodeSpan(i, &span);
    writer.Add(table.resource(row.resource).envelope, table.scope(row.scope).envelope, span);
  }
  return DecodeSpans(writer.Finish()).value();
}

std::vector<Span> KeptOf(const std::vector<Span>& spans) {
  SpanTable table;
  const auto result = table.Append(EncodeSpans(spans), {});
  EXPECT_TRUE(result.ok());
  table.Publish();
  return Contents(table);
}

TEST(SpanTableLimitsTest, ManyDistinctKeys) {
  std::vector<Span> spans = {MakeSpan(1), MakeSpan(2)};
  for (uint32_t i = 0; i < 100'000; ++i) {
    spans[0].attributes.push_back({"key-" + std::to_string(i), ValueType::kString, "v"});
  }
  for (uint32_t i = 0; i < 50'000; ++i) spans[1].events.push_back({.time_ns = i});
  EXPECT_EQ(KeptOf(spans), spans);
}

TEST(SpanTableLimitsTest, ManyValuesOfOneKey) {
  std::vector<Span> spans;
  for (uint32_t i = 0; i < 3000; ++i) {
    Span& span = spans.emplace_back(MakeSpan(i));
    span.attributes = {{"a", ValueType::kString, "same"},
                       {"id", ValueType::kString, "id-" + std::to_string(i)},
                       {"z", ValueType::kString, "same"},
                       {"id", ValueType::kString, "id-" + std::to_string(i / 2)}};
  }
  EXPECT_EQ(KeptOf(spans), spans);
}

TEST(SpanTableLimitsTest, LargeValues) {
  std::vector<Span> spans = {MakeSpan(1), MakeSpan(2)};
  spans[0].attributes = {{"large", ValueType::kString, std::string(1 << 20, 'x')}};
  spans[0].name = std::string(1 << 20, 'n');
  EXPECT_EQ(KeptOf(spans), spans);

  spans[1].attributes = {{"larger", ValueType::kString, std::string((1 << 20) + 1, 'x')}};
  EXPECT_EQ(KeptOf(spans), (std::vector<Span>{spans[0]}));
}

TEST(SpanTableLimitsTest, ExtremeTimes) {
  std::vector<Span> spans;
  const uint64_t times[] = {0, 1, 9'223'372'036'854'775'807u, 9'223'372'036'854'775'808u,
                            UINT64_MAX};
  for (const uint64_t start : times) {
    for (const uint64_t end : times) {
      Span& span = spans.emplace_back(MakeSpan(static_cast<uint32_t>(spans.size())));
      span.start_ns = start;
      span.end_ns = end;
    }
  }
  EXPECT_EQ(KeptOf(spans), spans);
}

// An attribute whose AnyValue holds `depth` arrays, one in the other.
Attribute Nested(uint32_t depth) {
  std::string array;
  for (uint32_t i = 1; i < depth; ++i) {
    // The KeyValue of a keyless array is the value tag, a length and the AnyValue.
    std::string key_value;
    EncodeKeyValue({"", ValueType::kArray, array}, &key_value);
    key_value[0] = '\x0a';  // an ArrayValue's element instead
    array = key_value;
  }
  return {"nested", ValueType::kArray, array};
}

TEST(SpanTableLimitsTest, Nesting) {
  for (const uint32_t depth : {1u, 100u, 101u, 102u, 1000u, 10'000u}) {
    Span deep = MakeSpan(2);
    deep.attributes = {Nested(depth)};
    SpanTable table;
    const auto result = table.Append(EncodeSpans({MakeSpan(1), deep}), {});
    ASSERT_TRUE(result.ok());
    if (depth <= 101) {
      EXPECT_EQ(result->accepted_spans, 2u) << depth;
    } else {
      EXPECT_EQ(result->accepted_spans, 1u) << depth;
      EXPECT_EQ(result->first_rejection, "span 1: attribute 0: value nested deeper than 100");
    }
  }
}

TEST(SpanTableLimitsTest, ValuesOfResourceAndScope) {
  Span large_resource = MakeSpan(2);
  large_resource.resource = std::make_shared<Resource>(
      Resource{.attributes = {{"x", ValueType::kBytes, std::string(2 << 20, 'x')}}});
  Span deep_scope = MakeSpan(3);
  deep_scope.scope = std::make_shared<Scope>(Scope{.attributes = {Nested(1000)}});
  SpanTable table;
  const auto result =
      table.Append(EncodeSpans({MakeSpan(1), large_resource, deep_scope, MakeSpan(4)}), {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->accepted_spans, 2u);
  EXPECT_EQ(result->rejected_spans, 2u);
  EXPECT_EQ(result->first_rejection,
            "span 1: attribute of its resource or scope: key or value larger than 1048576 bytes");
}

TEST(SpanTableLimitsTest, ItemsOfARequest) {
  std::vector<Span> spans = {MakeSpan(1), MakeSpan(2), MakeSpan(3)};
  spans[0].attributes.resize(5);
  spans[1].events.resize(2);
  SpanTable table;
  const auto result = table.Append(EncodeSpans(spans), {.request_items_max = 9});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->accepted_spans, 2u);
  EXPECT_EQ(result->first_rejection,
            "span 1: the request has more than 9 attributes, events and links");
  table.Publish();
  EXPECT_EQ(Contents(table), (std::vector<Span>{spans[0], spans[2]}));
}

// 16 MiB in which every two bytes are an event: refused span by span, at no great expense.
TEST(SpanTableLimitsTest, BytesThatUnfold) {
  std::string span = "\x0a\x10" + std::string(16, 't') + "\x12\x08" + std::string(8, 's');
  for (int i = 0; i < 8 << 20; ++i) span += std::string_view("\x5a\x00", 2);
  TracesDataWriter writer;
  writer.Add("", "", span);
  const std::string request = writer.Finish();
  SpanTable table;
  const auto result = table.Append(request, {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->rejected_spans, 1u);
  EXPECT_LT(table.memory_bytes(), 16u << 20);
}

// The envelope of a resource with that many attributes, two bytes each, and a schema of its own.
std::string LargeEnvelope(size_t attributes, uint32_t number) {
  std::string resource;
  for (size_t i = 0; i < attributes; ++i) resource += std::string_view("\x0a\x00", 2);
  std::string envelope;
  wire::AppendBytes(otlp::group::kOwner, resource, &envelope);
  wire::AppendBytes(otlp::group::kSchemaUrl, std::to_string(number), &envelope);
  return envelope;
}

// One resource more than half a piece, so that the table leaves as much unused as it fills.
std::string ManyLargeEnvelopes(uint32_t count) {
  const std::string span = "\x0a\x10" + std::string(16, 't') + "\x12\x08" + std::string(8, 's');
  TracesDataWriter writer;
  for (uint32_t i = 0; i < count; ++i) writer.Add(LargeEnvelope(513, i), "", span);
  return writer.Finish();
}

TEST(SpanTableLimitsTest, ResourcesThatUnfold) {
  const std::string request = ManyLargeEnvelopes(4000);
  const auto most = static_cast<int64_t>((32 << 20) + 4 * request.size() + (4 << 20));
  {
    const int64_t before = allocated_bytes;
    SpanTable table;
    const auto result = table.Append(request, {});
    ASSERT_TRUE(result.ok());
    EXPECT_GT(result->accepted_spans, 500u);
    EXPECT_EQ(result->accepted_spans + result->rejected_spans, 4000u);
    EXPECT_EQ(result->first_rejection, "span " + std::to_string(result->accepted_spans) +
                                           ": the request unfolds to more than " +
                                           std::to_string((32 << 20) + 4 * request.size()) +
                                           " bytes; send its spans in several");
    EXPECT_LT(allocated_bytes - before, most);
    // What is there takes no room, and the next request has room of its own.
    const auto again = table.Append(request, {});
    ASSERT_TRUE(again.ok());
    EXPECT_GT(again->accepted_spans, result->accepted_spans + 500);
  }
  const int64_t before = allocated_bytes;
  SpanTable table;
  const auto result = table.Append(request, AppendLimits::None());
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->accepted_spans, 4000u);
  EXPECT_GT(allocated_bytes - before, 2 * most);  // what the limit is there for
}

TEST(SpanTableLimitsTest, OneResourceThatUnfolds) {
  const std::string span = "\x0a\x10" + std::string(16, 't') + "\x12\x08" + std::string(8, 's');
  TracesDataWriter writer;
  writer.Add(LargeEnvelope(8 << 20, 0), "", span);
  writer.Add("", "", span);
  SpanTable table;
  const auto result = table.Append(writer.Finish(), {});
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->accepted_spans, 1u);
  EXPECT_EQ(result->rejected_spans, 1u);
  EXPECT_LT(table.memory_bytes(), 1u << 20);
}

// Spans too: each of these attributes is a key of its own.
TEST(SpanTableLimitsTest, KeysThatUnfold) {
  TracesDataWriter writer;
  for (uint32_t i = 0; i < 300; ++i) {
    std::string span = "\x0a\x10" + std::string(16, 't') + "\x12\x08" + std::string(8, 's');
    for (uint32_t key = 0; key < 4000; ++key) {
      const uint32_t number = i * 4000 + key;
      std::string name(reinterpret_cast<const char*>(&number), 3);
      wire::AppendBytes(otlp::span::kAttributes, "\x0a\x03" + name, &span);
    }
    writer.Add("", "", span);
  }
  const std::string request = writer.Finish();
  SpanTable table;
  const auto result = table.Append(request, {});
  ASSERT_TRUE(result.ok());
  EXPECT_GT(result->accepted_spans, 20u);
  EXPECT_GT(result->rejected_spans, 20u);
  EXPECT_LT(table.memory_bytes(), (32u << 20) + 4 * request.size() + (48u << 20));
}

TEST(SpanTableLimitsTest, FullTableRefusesAndKeepsWhatItHas) {
  TracesDataWriter writer;
  const std::string span = "\x0a\x10" + std::string(16, 't') + "\x12\x08" + std::string(8, 's');
  for (int i = 0; i < 1 << 17; ++i) writer.Add("", "", span);
  const std::string request = writer.Finish();
  SpanTable table;
  for (uint32_t rows = 0; rows < SpanTable::kRowsMax; rows += 1 << 17) {
    ASSERT_TRUE(table.Append(request, {}).ok());
  }
  table.Publish();
  EXPECT_EQ(table.published_rows(), SpanTable::kRowsMax);
  EXPECT_EQ(table.Append(request, {}).status().code(), StatusCode::kResourceExhausted);
  table.Publish();
  EXPECT_EQ(table.published_rows(), SpanTable::kRowsMax);
}

TEST(SpanTableLimitsTest, MemoryIsCountedHonestly) {
  Random random(TestSeed());
  for (const uint32_t requests : {1u, 20u, 200u}) {
    SpanGenerator generator(&random);
    std::vector<std::string> encoded;  // ahead, since the generator keeps spans too
    for (uint32_t i = 0; i < requests; ++i) {
      std::vector<Span> spans = generator.Batch(100);
      if (i % 10 == 0) {
        spans[0].attributes.push_back({"l", ValueType::kString, std::string(50'000, 'x')});
      }
      encoded.push_back(EncodeSpans(spans));
    }
    const int64_t before = allocated_bytes;
    SpanTable table;
    for (const std::string& request : encoded) {
      ASSERT_TRUE(table.Append(request, {}).ok());
      table.Publish();
    }
    const auto taken = static_cast<double>(allocated_bytes - before);
    const auto counted = static_cast<double>(table.memory_bytes());
    EXPECT_GT(counted, 0.9 * taken);
    EXPECT_LT(counted, 1.1 * taken);
  }
}

}  // namespace
}  // namespace larder
