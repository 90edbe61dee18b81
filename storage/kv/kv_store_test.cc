#include "storage/kv/kv_store.h"

#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "storage/base/mutex.h"
#include "storage/kv/keys.h"
#include "tests/support/scratch_directory.h"

namespace larder {
namespace {

namespace fs = std::filesystem;

class KvStoreTest : public testing::Test {
 protected:
  KvStoreTest() { Reopen(); }

  void Reopen(bool read_only = false) {
    store_.reset();
    auto store = KvStore::Open({.path = path_ / "db", .read_only = read_only, .hooks = hooks_});
    ASSERT_TRUE(store.ok()) << store.status().ToString();
    store_ = std::move(store).value();
  }
  std::shared_ptr<KvFamily> Family(const std::string& name) {
    for (const auto& family : store_->families()) {
      if (family->name() == name) return family;
    }
    auto family = store_->CreateFamily(name);
    EXPECT_TRUE(family.ok()) << family.status().ToString();
    return *family;
  }
  static std::string Key(uint64_t segment, uint32_t page) {
    return EncodeShelfKey({.segment_id = segment, .section = 1, .page = page});
  }
  // A finished file of one segment with `pages` pages of about 4 kB.
  std::unique_ptr<KvFileWriter> File(const KvFamily& family, uint64_t segment, uint32_t pages) {
    auto file = store_->NewFile(family);
    EXPECT_TRUE(file.ok()) << file.status().ToString();
    for (uint32_t page = 0; page < pages; ++page) {
      EXPECT_TRUE((*file)->Add(Key(segment, page), Value(segment, page)).ok());
    }
    EXPECT_TRUE((*file)->Finish().ok());
    return std::move(file).value();
  }
  static std::string Value(uint64_t segment, uint32_t page) {
    std::string value(4096, static_cast<char>(segment * 31 + page));
    value += std::to_string(page);
    return value;
  }
  Status Ingest(const KvFamily& family, uint64_t segment, uint32_t pages) {
    std::vector<std::unique_ptr<KvFileWriter>> files;
    files.push_back(File(family, segment, pages));
    return store_->Ingest(family, std::move(files));
  }
  bool Has(const KvFamily& family, uint64_t segment, uint32_t page) {
    auto value = store_->Get(family, Key(segment, page));
    if (!value.ok()) {
      EXPECT_EQ(value.status().code(), StatusCode::kNotFound);
      return false;
    }
    return (*value)->view() == Value(segment, page);
  }
  std::vector<fs::path> SstFiles() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(path_ / "db")) {
      if (entry.path().extension() == ".sst") files.push_back(entry.path());
    }
    return files;
  }

  const ScratchDirectory scratch_;
  const fs::path path_ = scratch_.path();
  KvFileHooks* hooks_ = nullptr;
  std::unique_ptr<KvStore> store_;
};

TEST_F(KvStoreTest, CatalogSurvivesReopen) {
  ASSERT_TRUE(store_
                  ->Commit(*store_->default_family(),
                           {{.key = "a", .value = "1"}, {.key = "b", .value = "2"}})
                  .ok());
  ASSERT_TRUE(store_->Commit(*store_->default_family(), {{.key = "a", .is_delete = true}}).ok());
  Reopen();
  std::map<std::string, std::string> found;
  ASSERT_TRUE(store_
                  ->Scan(*store_->default_family(), "",
                         [&](auto key, auto value) {
                           found.emplace(key, value);
                           return true;
                         })
                  .ok());
  EXPECT_EQ(found, (std::map<std::string, std::string>{{"b", "2"}}));
}

TEST_F(KvStoreTest, FilesAppearTogetherAndSurviveReopen) {
  auto family = Family("p1");
  std::vector<std::unique_ptr<KvFileWriter>> files;
  files.push_back(File(*family, 1, 100));
  files.push_back(File(*family, 2, 100));
  EXPECT_FALSE(Has(*family, 1, 0));
  ASSERT_TRUE(store_->Ingest(*family, std::move(files)).ok());
  family.reset();
  Reopen();
  family = Family("p1");
  for (uint32_t page = 0; page < 100; ++page) {
    EXPECT_TRUE(Has(*family, 1, page));
    EXPECT_TRUE(Has(*family, 2, page));
  }
  EXPECT_FALSE(Has(*family, 1, 100));
  EXPECT_GT(store_->FamilyBytes(*family), 200u * 4096);
  EXPECT_TRUE(fs::is_empty(path_ / "db" / "staging"));
}

TEST_F(KvStoreTest, BooksNameTheSegmentOfEveryFile) {
  auto family = Family("p1");
  ASSERT_TRUE(Ingest(*family, 7, 10).ok());
  ASSERT_TRUE(Ingest(*family, 3, 10).ok());
  std::vector<uint64_t> segments;
  for (const KvFileInfo& file : store_->Files(*family)) {
    ShelfKey first;
    ShelfKey last;
    ASSERT_TRUE(DecodeShelfKey(file.smallest_key, &first));
    ASSERT_TRUE(DecodeShelfKey(file.largest_key, &last));
    EXPECT_EQ(first.segment_id, last.segment_id);
    segments.push_back(first.segment_id);
  }
  std::sort(segments.begin(), segments.end());
  EXPECT_EQ(segments, (std::vector<uint64_t>{3, 7}));
}

TEST_F(KvStoreTest, DeleteFilesTakesWholeSegments) {
  auto family = Family("p1");
  for (uint64_t segment = 1; segment <= 3; ++segment) {
    ASSERT_TRUE(Ingest(*family, segment, 10).ok());
  }
  ASSERT_TRUE(store_->DeleteFiles(*family, SegmentPrefix(0, 2), SegmentPrefix(0, 3)).ok());
  EXPECT_TRUE(Has(*family, 1, 5));
  EXPECT_FALSE(Has(*family, 2, 5));
  EXPECT_TRUE(Has(*family, 3, 0));
  family.reset();
  Reopen();
  family = Family("p1");
  EXPECT_FALSE(Has(*family, 2, 5));
  EXPECT_TRUE(Has(*family, 3, 0));
}

TEST_F(KvStoreTest, DroppedFamilyStaysReadableWhileHeldThenGivesItsSpaceBack) {
  auto family = Family("p1");
  ASSERT_TRUE(Ingest(*family, 1, 100).ok());
  auto value = store_->Get(*family, Key(1, 1));
  ASSERT_TRUE(value.ok());
  ASSERT_TRUE(store_->DropFamily(family).ok());
  EXPECT_TRUE(store_->families().empty());
  EXPECT_TRUE(Has(*family, 1, 0));
  EXPECT_FALSE(SstFiles().empty());
  family.reset();
  EXPECT_TRUE(SstFiles().empty());
  EXPECT_EQ((*value)->view(), Value(1, 1));
}

TEST_F(KvStoreTest, ReadOnlyReadsAndRefusesToWrite) {
  auto family = Family("p1");
  ASSERT_TRUE(Ingest(*family, 1, 10).ok());
  family.reset();
  Reopen(/*read_only=*/true);
  family = Family("p1");
  EXPECT_TRUE(Has(*family, 1, 3));
  EXPECT_EQ(store_->Commit(*store_->default_family(), {}).code(), StatusCode::kFailedPrecondition);
  EXPECT_EQ(store_->NewFile(*family).status().code(), StatusCode::kFailedPrecondition);
}

TEST_F(KvStoreTest, FlippedBitIsDataLossAndTheRestIsServed) {
  auto family = Family("p1");
  ASSERT_TRUE(Ingest(*family, 1, 50).ok());
  ASSERT_TRUE(Ingest(*family, 2, 50).ok());
  family.reset();
  store_.reset();
  std::vector<fs::path> files = SstFiles();
  ASSERT_EQ(files.size(), 2u);
  std::sort(files.begin(), files.end());
  std::fstream file(files[0], std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096 * 20);
  file.put('\x7e');
  file.close();
  Reopen();
  family = Family("p1");
  int lost = 0;
  for (uint32_t page = 0; page < 50; ++page) {
    auto value = store_->Get(*family, Key(1, page));
    if (value.ok()) {
      EXPECT_EQ((*value)->view(), Value(1, page));
    } else {
      EXPECT_EQ(value.status().code(), StatusCode::kDataLoss);
      ++lost;
    }
    EXPECT_TRUE(Has(*family, 2, page));
  }
  EXPECT_GE(lost, 1);
  EXPECT_LE(lost, 3);
}

TEST_F(KvStoreTest, DamagedManifestIsMadeAnewFromTheFiles) {
  for (const char* name : {"p1", "p2"}) {
    ASSERT_TRUE(Ingest(*Family(name), 1, 20).ok());
    ASSERT_TRUE(Ingest(*Family(name), 2, 20).ok());
  }
  store_.reset();
  for (const auto& entry : fs::directory_iterator(path_ / "db")) {
    if (!entry.path().filename().string().starts_with("MANIFEST")) continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20);
    file << "broken";
  }
  Reopen();
  EXPECT_EQ(store_->families().size(), 2u);
  for (const char* name : {"p1", "p2"}) {
    auto family = Family(name);
    for (uint32_t page = 0; page < 20; ++page) {
      EXPECT_TRUE(Has(*family, 1, page));
      EXPECT_TRUE(Has(*family, 2, page));
    }
  }
  EXPECT_TRUE(fs::exists(path_ / "db.damaged"));
  ASSERT_TRUE(Ingest(*Family("p1"), 3, 20).ok());
}

// Fails the calls of one kind.
class FailingHooks : public KvFileHooks {
 public:
  Status Before(const KvFileEvent& event) override {
    MutexLock lock(mu_);
    ++calls_[event.call];
    if (failing_ && event.call == call_) return Status::ResourceExhausted("no space in the test");
    return Status::Ok();
  }
  void After(const KvFileEvent&) override {}
  void Fail(KvFileCall call) {
    MutexLock lock(mu_);
    failing_ = true;
    call_ = call;
  }
  void Heal() {
    MutexLock lock(mu_);
    failing_ = false;
  }
  int calls(KvFileCall call) {
    MutexLock lock(mu_);
    return calls_[call];
  }

 private:
  Mutex mu_;
  bool failing_ GUARDED_BY(mu_) = false;
  KvFileCall call_ GUARDED_BY(mu_) = KvFileCall::kCreate;
  std::map<KvFileCall, int> calls_ GUARDED_BY(mu_);
};

TEST_F(KvStoreTest, FullDiskIsReportedAndLeftBehind) {
  FailingHooks hooks;
  hooks_ = &hooks;
  Reopen();
  auto family = Family("p1");
  ASSERT_TRUE(Ingest(*family, 1, 20).ok());
  EXPECT_GT(hooks.calls(KvFileCall::kSync), 0);
  for (const KvFileCall call : {KvFileCall::kAppend, KvFileCall::kSync, KvFileCall::kLink}) {
    auto file = File(*family, 2, 20);
    hooks.Fail(call);
    std::vector<std::unique_ptr<KvFileWriter>> files;
    files.push_back(std::move(file));
    EXPECT_EQ(store_->Ingest(*family, std::move(files)).code(), StatusCode::kResourceExhausted);
    hooks.Heal();
    EXPECT_TRUE(Has(*family, 1, 7));
  }
  EXPECT_FALSE(Has(*family, 2, 7));
  ASSERT_TRUE(Ingest(*family, 2, 20).ok());
  EXPECT_TRUE(Has(*family, 2, 7));
  family.reset();
  store_.reset();
}

}  // namespace
}  // namespace larder
