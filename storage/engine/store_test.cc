#include "storage/engine/store.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <thread>

#include <gtest/gtest.h>

#include "storage/base/coding.h"
#include "storage/base/mutex.h"
#include "storage/model/span.h"
#include "storage/model/table/span_table.h"
#include "tests/support/fake_clock.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;

// Spans by trace, each as its own encoding, sorted.
using Content = std::map<std::string, std::vector<std::string>>;

void AddSpans(const std::vector<Span>& spans, Content* content) {
  for (const Span& span : spans) {
    (*content)[std::string(span.trace_id.view())].push_back(EncodeSpans({span}));
  }
}

void DropDuplicates(Content* content) {
  for (auto& [id, spans] : *content) {
    std::sort(spans.begin(), spans.end());
    spans.erase(std::unique(spans.begin(), spans.end()), spans.end());
  }
}

class StoreTest : public testing::Test {
 protected:
  StoreTest() : random_(TestSeed()), generator_(&random_, GeneratorOptions()) {
    options_.data_dir = scratch_.File("data");
    options_.clock = &clock_;
    Open();
  }

  static SpanGeneratorOptions GeneratorOptions() {
    SpanGeneratorOptions options;
    options.duplicate_one_in = 0;
    return options;
  }
  void Open() {
    store_.reset();
    auto store = Store::Open(options_);
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(store).value();
  }
  // Goes on with what a process that is killed now leaves: nothing of it is sealed.
  void Die() {
    const std::string left = options_.data_dir;
    options_.data_dir += "+";
    std::filesystem::copy(left, options_.data_dir, std::filesystem::copy_options::recursive);
    Open();
  }
  WriteResult WriteBytes(const std::string& bytes) { return store_->Write({.otlp = bytes}); }
  void Write(uint32_t spans) {
    const std::vector<Span> batch = generator_.Batch(spans);
    const WriteResult result = WriteBytes(EncodeSpans(batch));
    ASSERT_TRUE(result.status.ok()) << result.status.ToString();
    ASSERT_EQ(result.accepted_spans, spans);
    AddSpans(batch, &written_);
  }
  Content Read() {
    std::vector<TraceId> ids;
    for (const auto& [id, spans] : written_) ids.push_back(TraceId::From(id));
    auto cursor = store_->GetTraces(0, ids, {});
    Content content;
    for (;;) {
      auto chunk = cursor->Next();
      EXPECT_TRUE(chunk.ok()) << chunk.status().ToString();
      if (!chunk.ok() || chunk->end) break;
      auto spans = DecodeSpans(chunk->traces_data);
      EXPECT_TRUE(spans.ok());
      AddSpans(*spans, &content);
    }
    EXPECT_TRUE(cursor->gaps().empty());
    return content;
  }
  void ExpectAllThere() {
    Content expected = written_;
    Content found = Read();
    DropDuplicates(&expected);
    for (auto& [id, spans] : found) std::sort(spans.begin(), spans.end());
    EXPECT_EQ(found.size(), expected.size());
    EXPECT_TRUE(found == expected);
    std::vector<std::string> faults;
    EXPECT_TRUE(store_->Verify(&faults).ok());
    EXPECT_TRUE(faults.empty()) << faults.front();
  }

  const ScratchDirectory scratch_;
  FakeClock clock_;
  Random random_;
  SpanGenerator generator_;
  StoreOptions options_;
  std::unique_ptr<Store> store_;
  Content written_;
};

TEST_F(StoreTest, SpansAreVisibleAtOnceAndAfterEachMove) {
  Write(50);
  ExpectAllThere();
  Write(50);
  EXPECT_EQ(store_->stats().head_rows, 100u);
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(store_->stats().head_rows, 0u);
  EXPECT_EQ(store_->stats().stored_rows, 100u);
  EXPECT_EQ(store_->stats().segments, 1u);
  ExpectAllThere();
  Write(50);
  ExpectAllThere();
  Open();
  ExpectAllThere();
  EXPECT_EQ(store_->stats().segments, 2u);
}

TEST_F(StoreTest, SmallSegmentsAreMergedOnce) {
  for (int i = 0; i < 20; ++i) {
    Write(30);
    ASSERT_TRUE(store_->Flush().ok());
  }
  ASSERT_TRUE(store_->Settle().ok());
  // Sixteen at least became one; the maintenance thread may have begun before the last came.
  const uint64_t segments = store_->stats().segments;
  const uint64_t merged_bytes = store_->stats().merge_bytes_written;
  EXPECT_LE(segments, 5u);
  EXPECT_GT(merged_bytes, 0u);
  ExpectAllThere();
  Open();
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().segments, segments);
  EXPECT_EQ(store_->stats().merge_bytes_written, 0u);
  ExpectAllThere();
}

TEST_F(StoreTest, AQueryKeepsWhatAMergeReplaces) {
  const auto write_segments = [this](int count) {
    for (int i = 0; i < count; ++i) {
      Write(30);
      ASSERT_TRUE(store_->Flush().ok());
    }
  };
  write_segments(15);  // one more, and they are merged
  std::vector<TraceId> ids;
  for (const auto& [id, spans] : written_) ids.push_back(TraceId::From(id));
  Open();  // so that no page is in a cache
  auto cursor = store_->GetTraces(0, ids, {});
  write_segments(3);
  ASSERT_TRUE(store_->Settle().ok());
  ASSERT_GT(store_->stats().merge_bytes_written, 0u);
  size_t traces = 0;
  for (auto chunk = cursor->Next(); chunk.ok() && !chunk->end; chunk = cursor->Next()) ++traces;
  EXPECT_TRUE(cursor->gaps().empty()) << cursor->gaps().front().reason;
  EXPECT_EQ(traces, ids.size());
  cursor.reset();
  ASSERT_TRUE(store_->Settle().ok());
  ExpectAllThere();
}

TEST_F(StoreTest, AClosedPartitionHasAnIndexOfItsOwn) {
  options_.partition_ms = 600'000;
  Open();
  // Two segments that are too large to be merged.
  Span span;
  span.resource = std::make_shared<Resource>();
  span.scope = std::make_shared<Scope>();
  for (uint64_t i = 0; i < 2; ++i) {
    std::vector<Span> batch;
    for (uint64_t row = 0; row < 33'000; ++row) {
      const uint64_t number = 1 + i * 33'000 + row;
      std::memcpy(span.trace_id.bytes.data(), &number, sizeof number);
      std::memcpy(span.span_id.bytes.data(), &number, sizeof number);
      batch.push_back(span);
    }
    ASSERT_TRUE(WriteBytes(EncodeSpans(batch)).status.ok());
    ASSERT_TRUE(store_->Flush().ok());
  }
  Write(20);
  clock_.Advance(601 * kSecondNs);
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_GE(store_->stats().segments, 2u);
  EXPECT_GT(store_->stats().index_bytes_written, 0u);
  ExpectAllThere();
  Open();
  ExpectAllThere();
}

TEST_F(StoreTest, PartitionsCloseByTimeAndExpire) {
  options_.retention_ms = 10'000'000;
  options_.partition_ms = 600'000;
  Open();
  for (int i = 0; i < 4; ++i) {
    Write(30);
    ASSERT_TRUE(store_->Flush().ok());
    clock_.Advance(601 * kSecondNs);
    ASSERT_TRUE(store_->Settle().ok());
    EXPECT_EQ(store_->stats().partitions, static_cast<uint64_t>(i) + 1);
  }
  ExpectAllThere();
  Open();
  ExpectAllThere();
  clock_.Advance(9'000 * kSecondNs);
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_LT(store_->stats().partitions, 4u);
  EXPECT_GT(store_->stats().partitions_dropped, 0u);
  clock_.Advance(9'000 * kSecondNs);
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().partitions, 0u);
  EXPECT_TRUE(Read().empty());
}

TEST_F(StoreTest, ARetryIsRecognised) {
  const std::vector<Span> batch = generator_.Batch(20);
  const std::string bytes = EncodeSpans(batch);
  AddSpans(batch, &written_);
  ASSERT_TRUE(WriteBytes(bytes).status.ok());
  const WriteResult again = WriteBytes(bytes);
  EXPECT_TRUE(again.status.ok());
  EXPECT_EQ(again.accepted_spans, 20u);
  EXPECT_EQ(store_->stats().spans_duplicate, 20u);
  EXPECT_EQ(store_->stats().head_rows, 20u);
  ASSERT_TRUE(store_->Flush().ok());
  // After the window it is taken again, and dropped by every read.
  clock_.Advance(601 * kSecondNs);
  ASSERT_TRUE(WriteBytes(bytes).status.ok());
  EXPECT_EQ(store_->stats().head_rows, 20u);
  ExpectAllThere();
}

TEST_F(StoreTest, ARetryIsToldTheSameReason) {
  std::vector<Span> batch = generator_.Batch(3);
  batch[1].span_id = {};
  const std::string bytes = EncodeSpans(batch);
  const std::string reason = WriteBytes(bytes).first_rejection;
  EXPECT_EQ(reason, "span 1: span id has 0 bytes, not 8");
  const WriteResult again = WriteBytes(bytes);
  EXPECT_EQ(store_->stats().spans_duplicate, 2u);
  EXPECT_EQ(again.rejected_spans, 1u);
  EXPECT_EQ(again.first_rejection, reason);
}

// Its answer got lost with the process that stored it: the journal knows what is to be remembered.
TEST_F(StoreTest, ARetryIsRecognisedByTheNextProcess) {
  const std::vector<Span> batch = generator_.Batch(20);
  const std::string bytes = EncodeSpans(batch);
  AddSpans(batch, &written_);
  ASSERT_TRUE(WriteBytes(bytes).status.ok());
  Die();
  const WriteResult again = WriteBytes(bytes);
  EXPECT_TRUE(again.status.ok()) << again.status.ToString();
  EXPECT_EQ(again.accepted_spans, 20u);
  EXPECT_EQ(store_->stats().spans_duplicate, 20u);
  ASSERT_TRUE(store_->Flush().ok());
  EXPECT_EQ(store_->stats().stored_rows, 20u);
  ExpectAllThere();
}

TEST_F(StoreTest, BadRequestsAreAnsweredAndLeaveNothing) {
  EXPECT_EQ(WriteBytes("\xff\xff\xff not protobuf").status.code(), StatusCode::kInvalidArgument);
  const WriteResult empty = WriteBytes("");
  EXPECT_TRUE(empty.status.ok());
  EXPECT_EQ(empty.accepted_spans, 0u);
  std::vector<Span> zero = generator_.Batch(2);
  zero[0].trace_id = {};
  WriteResult result = WriteBytes(EncodeSpans({zero[0]}));
  EXPECT_EQ(result.status.code(), StatusCode::kInvalidArgument);
  EXPECT_EQ(result.rejected_spans, 1u);
  result = WriteBytes(EncodeSpans(zero));
  EXPECT_TRUE(result.status.ok());
  EXPECT_EQ(result.accepted_spans, 1u);
  EXPECT_EQ(result.rejected_spans, 1u);
  EXPECT_FALSE(result.first_rejection.empty());
  AddSpans({zero[1]}, &written_);
  options_.request_bytes_max = 10;
  Open();
  EXPECT_EQ(WriteBytes(std::string(11, 'x')).status.code(), StatusCode::kInvalidArgument);
  ExpectAllThere();
}

TEST_F(StoreTest, RefusedRequestsDoNotPileUpInMemory) {
  options_.head_bytes_max = 4 << 20;
  Open();
  Span span = generator_.Next();
  for (int i = 0; i < 20; ++i) {
    // The first value is taken in before the second is found too large.
    span.attributes = {{"a", ValueType::kString, std::string(1 << 20, static_cast<char>(i))},
                       {"b", ValueType::kString, std::string((1 << 20) + 1, 'b')}};
    EXPECT_EQ(WriteBytes(EncodeSpans({span})).status.code(), StatusCode::kInvalidArgument);
  }
  Write(1);  // answered after the head was looked at
  EXPECT_LT(store_->stats().head_bytes, 8u << 20);
  ExpectAllThere();
}

TEST_F(StoreTest, TenantsDoNotSeeEachOther) {
  const std::vector<Span> batch = generator_.Batch(20);
  const std::string bytes = EncodeSpans(batch);
  ASSERT_TRUE(store_->Write({.tenant = 1, .otlp = bytes}).status.ok());
  ASSERT_TRUE(store_->Write({.tenant = 2, .otlp = bytes}).status.ok());
  EXPECT_EQ(store_->stats().spans_duplicate, 0u);
  for (int pass = 0; pass < 2; ++pass) {
    EXPECT_TRUE(store_->Services(0, {})->values.empty());
    EXPECT_EQ(store_->Services(1, {})->values, store_->Services(2, {})->values);
    EXPECT_FALSE(store_->Services(1, {})->values.empty());
    ASSERT_TRUE(store_->Flush().ok());
  }
  EXPECT_EQ(store_->stats().segments, 2u);
}

TEST_F(StoreTest, PurgeLeavesNothing) {
  Write(50);
  ASSERT_TRUE(store_->Flush().ok());
  Write(50);
  ASSERT_TRUE(store_->Purge().ok());
  EXPECT_TRUE(Read().empty());
  EXPECT_EQ(store_->stats().stored_bytes, 0u);
  EXPECT_EQ(store_->stats().head_rows, 0u);
  written_.clear();
  Write(50);
  ExpectAllThere();
  Open();
  ExpectAllThere();
}

// More spans than a head takes, behind others in their group: it must be told so, and not begin one
// generation after the other.
TEST_F(StoreTest, ARequestThatFitsIntoNoHeadIsRefusedAndHarmsNoOther) {
  options_.memory_bytes_max = uint64_t{2} << 30;
  Open();
  std::string span = "\x12\x1c\x0a\x10";  // ScopeSpans.spans, Span.trace_id
  span += std::string(16, 't') + "\x12\x08" + std::string(8, 's');
  std::string scope_spans;
  for (uint32_t i = 0; i <= SpanTable::kRowsMax; ++i) scope_spans += span;
  std::string resource_spans;
  PutVarint(&resource_spans, (2 << 3) | 2);
  PutVarint(&resource_spans, scope_spans.size());
  resource_spans += scope_spans;
  std::string hostile;
  PutVarint(&hostile, (1 << 3) | 2);
  PutVarint(&hostile, resource_spans.size());
  hostile += resource_spans;

  std::vector<std::string> requests;
  for (int i = 0; i < 8; ++i) requests.push_back(EncodeSpans(generator_.Batch(3)));
  requests[4] = hostile;
  std::promise<void> all_wait;  // the committer is kept until they do: so they are one group
  std::promise<void> kept;
  const std::string first = EncodeSpans(generator_.Batch(3));
  store_->WriteAsync({.otlp = first}, [&](const WriteResult&) {
    kept.set_value();
    all_wait.get_future().wait();
  });
  kept.get_future().wait();
  std::vector<std::promise<StatusCode>> answers(requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    store_->WriteAsync({.otlp = requests[i]}, [&answers, i](const WriteResult& result) {
      answers[i].set_value(result.status.code());
    });
  }
  all_wait.set_value();
  for (size_t i = 0; i < answers.size(); ++i) {
    EXPECT_EQ(answers[i].get_future().get(),
              i == 4 ? StatusCode::kInvalidArgument : StatusCode::kOk);
  }
}

// Damage in one of the segments that are to be merged holds up nothing but itself.
TEST_F(StoreTest, APageThatCannotBeReadStaysOutOfMerges) {
  for (int i = 0; i < 15; ++i) {
    Write(800);
    ASSERT_TRUE(store_->Flush().ok());
  }
  store_.reset();
  for (const auto& file : std::filesystem::recursive_directory_iterator(options_.data_dir)) {
    if (file.path().extension() != ".sst" || file.file_size() < 4096) continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(file.file_size() / 2));
    bytes.write("damage", 6);
    break;
  }
  Open();
  for (int i = 0; i < 3; ++i) {
    Write(800);
    ASSERT_TRUE(store_->Flush().ok());
  }
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().segments, 2u);  // 17 in one, and the damaged one
  clock_.Advance(86'400 * kSecondNs);
  Write(1);  // its partition is closed, since no merge is waited for
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_EQ(store_->stats().partitions, 2u);
}

// Rows are few and bytes many: a merge takes no more than fits beside two heads.
TEST_F(StoreTest, AMergeIsBoundedByBytes) {
  for (int segment = 0; segment < 16; ++segment) {
    std::vector<Span> batch = generator_.Batch(5);
    for (size_t i = 0; i < batch.size(); ++i) {
      const std::string text = std::to_string(segment) + " " + std::to_string(i);
      batch[i].attributes.push_back({"text", ValueType::kString, text + std::string(900'000, 'x')});
    }
    ASSERT_TRUE(WriteBytes(EncodeSpans(batch)).status.ok());
    AddSpans(batch, &written_);
    ASSERT_TRUE(store_->Flush().ok());
  }
  ASSERT_TRUE(store_->Settle().ok());
  EXPECT_GT(store_->stats().segments, 1u);
  EXPECT_LT(store_->stats().segments, 16u);
  ExpectAllThere();
}

TEST_F(StoreTest, ManyWritersLoseNothing) {
  Mutex mu;
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      Random random(1000 + thread);
      SpanGenerator generator(&random, GeneratorOptions());
      for (int i = 0; i < 100; ++i) {
        const std::vector<Span> batch = generator.Batch(10);
        const WriteResult result = WriteBytes(EncodeSpans(batch));
        EXPECT_TRUE(result.status.ok()) << result.status.ToString();
        MutexLock lock(mu);
        AddSpans(batch, &written_);
      }
    });
  }
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(store_->Flush().ok());
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store_->stats().spans_accepted, 4000u);
  EXPECT_LE(store_->stats().journal_syncs, 400u);
  ExpectAllThere();
  ASSERT_TRUE(store_->Settle().ok());
  ExpectAllThere();
}

TEST_F(StoreTest, AnIdleHeadIsSealed) {
  Write(10);
  clock_.Advance(16 * kSecondNs);
  for (int i = 0; i < 1200 && store_->stats().segments == 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(store_->stats().segments, 1u);
  ExpectAllThere();
}

TEST_F(StoreTest, ASecondOwnerIsRefusedByPid) {
  const Status refused = Store::Open(options_).status();
  EXPECT_EQ(refused.code(), StatusCode::kAlreadyExists);
  EXPECT_NE(refused.message().find(std::to_string(getpid())), std::string::npos)
      << refused.message();
}

}  // namespace
}  // namespace larder
