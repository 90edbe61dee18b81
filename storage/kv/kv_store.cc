#include "storage/kv/kv_store.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <utility>

#include <rocksdb/convenience.h>
#include <rocksdb/metadata.h>
#include <rocksdb/sst_file_writer.h>
#include <rocksdb/table_properties.h>

#include "storage/base/check.h"
#include "storage/base/mutex.h"
#include "storage/kv/rocks_database.h"
#include "storage/kv/rocks_options.h"

namespace larder {
namespace {

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

class RocksFamily : public KvFamily {
 public:
  RocksFamily(std::shared_ptr<RocksDatabase> database, std::string name)
      : database_(std::move(database)), name_(std::move(name)) {}
  ~RocksFamily() override { database_->GiveBack(name_); }
  const std::string& name() const override { return name_; }

 private:
  const std::shared_ptr<RocksDatabase> database_;
  const std::string name_;
};

class RocksValue : public KvValue {
 public:
  explicit RocksValue(std::shared_ptr<RocksDatabase> database) : database_(std::move(database)) {}
  std::string_view view() const override { return ToView(slice_); }
  rocksdb::PinnableSlice* slice() { return &slice_; }

 private:
  const std::shared_ptr<RocksDatabase> database_;  // owns the cache that the slice pins
  rocksdb::PinnableSlice slice_;
};

// Writes the family's name into the properties of a sorted file.
class FamilyTag : public rocksdb::TablePropertiesCollector {
 public:
  explicit FamilyTag(std::string family) : family_(std::move(family)) {}
  rocksdb::Status AddUserKey(const rocksdb::Slice&, const rocksdb::Slice&, rocksdb::EntryType,
                             rocksdb::SequenceNumber, uint64_t) override {
    return rocksdb::Status::OK();
  }
  rocksdb::Status Finish(rocksdb::UserCollectedProperties* properties) override {
    (*properties)[kFamilyProperty] = family_;
    return rocksdb::Status::OK();
  }
  rocksdb::UserCollectedProperties GetReadableProperties() const override {
    return {{kFamilyProperty, family_}};
  }
  const char* Name() const override { return "LarderFamilyTag"; }

 private:
  const std::string family_;
};

class FamilyTagFactory : public rocksdb::TablePropertiesCollectorFactory {
 public:
  explicit FamilyTagFactory(std::string family) : family_(std::move(family)) {}
  rocksdb::TablePropertiesCollector* CreateTablePropertiesCollector(Context) override {
    return new FamilyTag(family_);  // RocksDB takes it over
  }
  const char* Name() const override { return "LarderFamilyTagFactory"; }

 private:
  const std::string family_;
};

rocksdb::Options FileOptions(const RocksDatabase& database, const std::string& family) {
  rocksdb::Options options = database.options();
  options.table_properties_collector_factories = {std::make_shared<FamilyTagFactory>(family)};
  return options;
}

class RocksFileWriter : public KvFileWriter {
 public:
  RocksFileWriter(std::shared_ptr<RocksDatabase> database, const std::string& family,
                  std::string path)
      : database_(std::move(database)),
        path_(std::move(path)),
        writer_(rocksdb::EnvOptions(), FileOptions(*database_, family)) {}
  ~RocksFileWriter() override {
    database_->options().env->DeleteFile(path_).PermitUncheckedError();
  }

  Status Open() { return FromRocks(writer_.Open(path_)); }
  Status Add(std::string_view key, std::string_view value) override {
    return FromRocks(writer_.Put(ToSlice(key), ToSlice(value)));
  }
  Status Finish() override {
    rocksdb::ExternalSstFileInfo info;
    LARDER_RETURN_IF_ERROR(FromRocks(writer_.Finish(&info)));
    size_bytes_ = info.file_size;
    return Status::Ok();
  }
  uint64_t size_bytes() const override { return size_bytes_; }
  const std::string& path() const { return path_; }

 private:
  const std::shared_ptr<RocksDatabase> database_;
  const std::string path_;
  rocksdb::SstFileWriter writer_;
  uint64_t size_bytes_ = 0;
};

class RocksStore : public KvStore {
 public:
  RocksStore(const KvOptions& options, std::shared_ptr<RocksDatabase> database)
      : path_(options.path), read_only_(options.read_only), database_(std::move(database)) {
    for (const std::string& name : database_->Families()) {
      auto family = std::make_shared<RocksFamily>(database_, name);
      if (name == rocksdb::kDefaultColumnFamilyName) default_family_ = family;
      families_[name] = std::move(family);
    }
    LARDER_CHECK(default_family_ != nullptr);
  }

  std::vector<std::shared_ptr<KvFamily>> families() const override;
  std::shared_ptr<KvFamily> default_family() const override { return default_family_; }

  Result<std::shared_ptr<KvFamily>> CreateFamily(const std::string& name) override;
  Status DropFamily(std::shared_ptr<KvFamily> family) override;
  Result<std::shared_ptr<const KvValue>> Get(const KvFamily& family,
                                             std::string_view key) const override;
  Status Scan(const KvFamily& family, std::string_view prefix,
              const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  Status Commit(const KvFamily& family, const std::vector<Change>& changes) override;
  Result<std::unique_ptr<KvFileWriter>> NewFile(const KvFamily& family) override;
  Status Ingest(const KvFamily& family, std::vector<std::unique_ptr<KvFileWriter>> files) override;
  Status DeleteFiles(const KvFamily& family, std::string_view from,
                     std::string_view until) override;
  std::vector<KvFileInfo> Files(const KvFamily& family) const override;
  uint64_t FamilyBytes(const KvFamily& family) const override;
  std::vector<std::string> Faults() const override { return database_->Faults(); }

 private:
  // To be called before a write: RocksDB refuses all of them after one that failed.
  Status Ready();
  // To be called with the outcome of a write.
  Status Outcome(const rocksdb::Status& status);

  const std::string path_;
  const bool read_only_;
  const std::shared_ptr<RocksDatabase> database_;
  std::shared_ptr<KvFamily> default_family_;
  std::atomic<uint64_t> next_file_ = 1;
  std::atomic<bool> write_failed_ = false;

  mutable Mutex mu_;
  std::map<std::string, std::shared_ptr<KvFamily>> families_ GUARDED_BY(mu_);
};

std::vector<std::shared_ptr<KvFamily>> RocksStore::families() const {
  MutexLock lock(mu_);
  std::vector<std::shared_ptr<KvFamily>> all;
  for (const auto& [name, family] : families_) {
    if (family != default_family_) all.push_back(family);
  }
  return all;
}

Result<std::shared_ptr<KvFamily>> RocksStore::CreateFamily(const std::string& name) {
  LARDER_RETURN_IF_ERROR(Ready());
  const std::vector<std::string> names = database_->Families();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    const RocksDatabase::Use use(database_.get(), default_family_->name());
    LARDER_RETURN_IF_ERROR(use.status());
    rocksdb::ColumnFamilyHandle* handle = nullptr;
    LARDER_RETURN_IF_ERROR(
        Outcome(use.db()->CreateColumnFamily(database_->options(), name, &handle)));
    database_->AddHandle(handle);
  }
  auto family = std::make_shared<RocksFamily>(database_, name);
  MutexLock lock(mu_);
  families_[name] = family;
  return std::shared_ptr<KvFamily>(std::move(family));
}

Status RocksStore::DropFamily(std::shared_ptr<KvFamily> family) {
  LARDER_RETURN_IF_ERROR(Ready());
  {
    const RocksDatabase::Use use(database_.get(), family->name());
    LARDER_RETURN_IF_ERROR(use.status());
    LARDER_RETURN_IF_ERROR(Outcome(use.db()->DropColumnFamily(use.handle())));
  }
  MutexLock lock(mu_);
  families_.erase(family->name());
  return Status::Ok();
}

Result<std::shared_ptr<const KvValue>> RocksStore::Get(const KvFamily& family,
                                                       std::string_view key) const {
  const RocksDatabase::Use use(database_.get(), family.name());
  LARDER_RETURN_IF_ERROR(use.status());
  auto value = std::make_shared<RocksValue>(database_);
  LARDER_RETURN_IF_ERROR(
      FromRocks(use.db()->Get(rocksdb::ReadOptions(), use.handle(), ToSlice(key), value->slice())));
  return std::shared_ptr<const KvValue>(std::move(value));
}

Status RocksStore::Scan(
    const KvFamily& family, std::string_view prefix,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  const RocksDatabase::Use use(database_.get(), family.name());
  LARDER_RETURN_IF_ERROR(use.status());
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  const std::unique_ptr<rocksdb::Iterator> iterator(use.db()->NewIterator(options, use.handle()));
  for (iterator->Seek(ToSlice(prefix)); iterator->Valid(); iterator->Next()) {
    if (!ToView(iterator->key()).starts_with(prefix)) break;
    if (!visit(ToView(iterator->key()), ToView(iterator->value()))) return Status::Ok();
  }
  return FromRocks(iterator->status());
}

Status RocksStore::Commit(const KvFamily& family, const std::vector<Change>& changes) {
  LARDER_RETURN_IF_ERROR(Ready());
  const RocksDatabase::Use use(database_.get(), family.name());
  LARDER_RETURN_IF_ERROR(use.status());
  rocksdb::WriteBatch batch;
  for (const Change& change : changes) {
    const rocksdb::Status added = change.is_delete
                                      ? batch.Delete(use.handle(), change.key)
                                      : batch.Put(use.handle(), change.key, change.value);
    LARDER_RETURN_IF_ERROR(FromRocks(added));
  }
  rocksdb::WriteOptions options;
  options.sync = true;
  return Outcome(use.db()->Write(options, &batch));
}

Result<std::unique_ptr<KvFileWriter>> RocksStore::NewFile(const KvFamily& family) {
  LARDER_RETURN_IF_ERROR(Ready());
  const std::string name = std::to_string(next_file_.fetch_add(1)) + ".sst";
  auto writer = std::make_unique<RocksFileWriter>(database_, family.name(),
                                                  StagingDirectory(path_) + "/" + name);
  LARDER_RETURN_IF_ERROR(writer->Open());
  return std::unique_ptr<KvFileWriter>(std::move(writer));
}

Status RocksStore::Ingest(const KvFamily& family,
                          std::vector<std::unique_ptr<KvFileWriter>> files) {
  LARDER_RETURN_IF_ERROR(Ready());
  std::vector<std::string> paths;
  for (const auto& file : files) {
    LARDER_CHECK(file->size_bytes() > 0);
    paths.push_back(static_cast<const RocksFileWriter&>(*file).path());
  }
  const RocksDatabase::Use use(database_.get(), family.name());
  LARDER_RETURN_IF_ERROR(use.status());
  return Outcome(use.db()->IngestExternalFile(use.handle(), paths, MakeIngestOptions()));
}

Status RocksStore::DeleteFiles(const KvFamily& family, std::string_view from,
                               std::string_view until) {
  LARDER_RETURN_IF_ERROR(Ready());
  const RocksDatabase::Use use(database_.get(), family.name());
  LARDER_RETURN_IF_ERROR(use.status());
  const rocksdb::Slice begin = ToSlice(from);
  const rocksdb::Slice end = ToSlice(until);
  return Outcome(rocksdb::DeleteFilesInRange(use.db(), use.handle(), &begin, &end,
                                             /*include_end=*/false));
}

std::vector<KvFileInfo> RocksStore::Files(const KvFamily& family) const {
  std::vector<KvFileInfo> files;
  const RocksDatabase::Use use(database_.get(), family.name());
  if (!use.status().ok()) return files;
  rocksdb::ColumnFamilyMetaData metadata;
  use.db()->GetColumnFamilyMetaData(use.handle(), &metadata);
  for (const rocksdb::LevelMetaData& level : metadata.levels) {
    for (const rocksdb::SstFileMetaData& file : level.files) {
      files.push_back({.name = file.name,
                       .smallest_key = file.smallestkey,
                       .largest_key = file.largestkey,
                       .size_bytes = file.size});
    }
  }
  return files;
}

uint64_t RocksStore::FamilyBytes(const KvFamily& family) const {
  uint64_t bytes = 0;
  for (const KvFileInfo& file : Files(family)) bytes += file.size_bytes;
  return bytes;
}

Status RocksStore::Ready() {
  if (read_only_) return Status::FailedPrecondition("the database is open for reading only");
  if (!write_failed_.exchange(false)) return Status::Ok();
  Status reopened = database_->Reopen();
  if (!reopened.ok()) write_failed_ = true;
  return reopened;
}

Status RocksStore::Outcome(const rocksdb::Status& status) {
  if (!status.ok()) write_failed_ = true;
  return FromRocks(status);
}

}  // namespace

Result<std::unique_ptr<KvStore>> KvStore::Open(const KvOptions& options) {
  LARDER_ASSIGN_OR_RETURN(auto database, RocksDatabase::Open(options));
  return std::unique_ptr<KvStore>(std::make_unique<RocksStore>(options, std::move(database)));
}

}  // namespace larder
