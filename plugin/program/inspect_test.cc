// What inspect and verify print, and that they change nothing.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "plugin/program/commands.h"
#include "storage/engine/store.h"
#include "storage/model/span.h"
#include "tests/support/scratch_directory.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

struct Outcome {
  int code = 0;
  std::string text;
};

Outcome RunVerb(int (*verb)(const std::vector<std::string>&),
                const std::vector<std::string>& arguments) {
  testing::internal::CaptureStdout();
  const int code = verb(arguments);
  return {code, testing::internal::GetCapturedStdout()};
}

class InspectTest : public testing::Test {
 protected:
  InspectTest() : random_(TestSeed()), generator_(&random_, SpanGeneratorOptions()) {}

  std::unique_ptr<Store> Open() {
    auto store = Store::Open({.data_dir = directory_});
    EXPECT_TRUE(store.ok()) << store.status().ToString();
    return store.ok() ? std::move(store).value() : nullptr;
  }
  void Write(Store* store, TenantId tenant, uint32_t spans) {
    const std::string bytes = EncodeSpans(generator_.Batch(spans));
    ASSERT_TRUE(store->Write({.tenant = tenant, .otlp = bytes}).status.ok());
  }
  // Every file with its size and time of change.
  static std::vector<std::string> Files(const std::string& directory) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
      const std::string path = entry.path();
      // The lock names who holds it.
      if (!entry.is_regular_file() || path.ends_with("/LOCK")) continue;
      const auto changed = entry.last_write_time().time_since_epoch().count();
      files.push_back(path + " " + std::to_string(entry.file_size()) + " " +
                      std::to_string(changed));
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  const ScratchDirectory scratch_;
  const std::string directory_ = scratch_.File("data");
  Random random_;
  SpanGenerator generator_;
};

TEST_F(InspectTest, ShowsEachPartitionAndTenant) {
  auto store = Open();
  ASSERT_NE(store, nullptr);
  const auto team = store->OpenTenant("team-a");
  ASSERT_TRUE(team.ok());
  Write(store.get(), 0, 30);
  Write(store.get(), *team, 20);
  Write(store.get(), ArchiveOf(*team), 10);
  store.reset();

  const Outcome outcome = RunVerb(RunInspect, {directory_, "--json"});
  ASSERT_EQ(outcome.code, kExitOk);
  const auto found = nlohmann::json::parse(outcome.text);
  EXPECT_EQ(found["spans_stored"], 60);
  EXPECT_EQ(found["spans_in_journals"], 0);
  ASSERT_EQ(found["partitions"].size(), 2u) << outcome.text;
  for (const auto& partition : found["partitions"]) {
    const bool is_archive = partition["archive"];
    EXPECT_EQ(partition["state"], "open");
    EXPECT_EQ(partition["segments"], is_archive ? 1 : 2);
    EXPECT_EQ(partition["broken_segments"], 0);
    EXPECT_EQ(partition["spans"], is_archive ? 10 : 50);
    EXPECT_EQ(partition["tenants"], is_archive ? 1 : 2);
    EXPECT_GT(partition["bytes"], 0);
    EXPECT_GT(partition["first_arrival_unix_ns"], 0);
    EXPECT_GE(partition["last_arrival_unix_ns"], partition["first_arrival_unix_ns"]);
  }
  ASSERT_EQ(found["tenants"].size(), 2u) << outcome.text;
  EXPECT_EQ(found["tenants"][1]["name"], "team-a");
  EXPECT_EQ(found["tenants"][1]["spans"], 20);
  EXPECT_EQ(found["tenants"][1]["archived_spans"], 10);

  const Outcome tables = RunVerb(RunInspect, {directory_});
  EXPECT_EQ(tables.code, kExitOk);
  for (const char* expected : {"spans in segments            60\n", " archive ", " team-a "}) {
    EXPECT_NE(tables.text.find(expected), std::string::npos) << tables.text;
  }
}

// The retention that serve was given is not known to these verbs, so nothing may go, nor may a
// journal that a crash left be sealed.
TEST_F(InspectTest, ChangesNothing) {
  const std::string crashed = scratch_.File("crashed");
  {
    auto store = Open();
    ASSERT_NE(store, nullptr);
    Write(store.get(), 0, 30);
    ASSERT_TRUE(store->Flush().ok());
    Write(store.get(), 0, 20);
    std::filesystem::copy(directory_, crashed, std::filesystem::copy_options::recursive);
  }
  const std::vector<std::string> before = Files(crashed);
  const Outcome outcome = RunVerb(RunInspect, {crashed, "--json"});
  EXPECT_EQ(outcome.code, kExitOk);
  const auto found = nlohmann::json::parse(outcome.text);
  EXPECT_EQ(found["spans_stored"], 30);
  EXPECT_EQ(found["spans_in_journals"], 20);
  const Outcome verified = RunVerb(RunVerify, {crashed});
  EXPECT_EQ(verified.code, kExitOk) << verified.text;
  EXPECT_EQ(verified.text, "0 faults in 1 segments of 1 partitions\n");
  EXPECT_EQ(Files(crashed), before);
}

TEST_F(InspectTest, TellsWhyItCannot) {
  EXPECT_EQ(RunVerb(RunInspect, {}).code, kExitUsage);
  EXPECT_EQ(RunVerb(RunInspect, {"--yaml"}).code, kExitUsage);
  EXPECT_EQ(RunVerb(RunInspect, {directory_}).code, kExitFailure);
  const auto store = Open();
  EXPECT_EQ(RunVerb(RunInspect, {directory_}).code, kExitLiveOwner);
  EXPECT_EQ(RunVerb(RunVerify, {directory_}).code, kExitLiveOwner);
}

}  // namespace
}  // namespace larder
