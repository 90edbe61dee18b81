// The sorted files hold all that was ever ingested, and each names its family. So a lost manifest
// costs nothing but the small catalog that went through the write-ahead log.
#include <map>
#include <utility>

#include <rocksdb/sst_file_reader.h>
#include <rocksdb/table_properties.h>

#include "storage/base/log.h"
#include "storage/kv/rocks_database.h"
#include "storage/kv/rocks_options.h"

namespace larder {
namespace {

// The family that a file names, empty when it names none; an error when the file cannot be read.
Result<std::string> FamilyOf(const rocksdb::Options& options, const std::string& path) {
  rocksdb::SstFileReader reader(options);
  LARDER_RETURN_IF_ERROR(FromRocks(reader.Open(path)));
  const auto properties = reader.GetTableProperties();
  const auto family = properties->user_collected_properties.find(kFamilyProperty);
  // The catalog's own flushed files are nobody's: they carry sequence numbers, so that they cannot
  // be ingested.
  if (family == properties->user_collected_properties.end()) return std::string();
  return family->second;
}

std::vector<std::string> SortedFiles(rocksdb::Env* env, const std::string& directory) {
  std::vector<std::string> names;
  std::vector<std::string> paths;
  env->GetChildren(directory, &names).PermitUncheckedError();
  for (const std::string& name : names) {
    if (name.ends_with(".sst")) paths.push_back(directory + "/" + name);
  }
  return paths;
}

void SetAside(const std::string& file, const Status& why, std::vector<std::string>* faults) {
  faults->push_back(file + ": " + std::string(why.message()));
  Log(LogLevel::kError, "a data file cannot be read and stays aside",
      {{"file", file}, {"reason", why.ToString()}});
}

}  // namespace

Status SalvageFiles(const KvOptions& options, const std::string& damaged,
                    std::vector<std::string>* faults) {
  rocksdb::Options settings(MakeDbOptions(rocksdb::Env::Default()),
                            MakeFamilyOptions(MakeBlockCache(1 << 20)));
  rocksdb::DB* raw = nullptr;
  LARDER_RETURN_IF_ERROR(FromRocks(rocksdb::DB::Open(settings, options.path, &raw)));
  const std::unique_ptr<rocksdb::DB> db(raw);
  std::map<std::string, rocksdb::ColumnFamilyHandle*> families;
  for (const std::string& path : SortedFiles(settings.env, damaged)) {
    auto family = FamilyOf(settings, path);
    if (!family.ok()) {
      SetAside(path, family.status(), faults);
      continue;
    }
    if (family->empty()) continue;
    rocksdb::ColumnFamilyHandle*& handle = families[*family];
    if (handle == nullptr) {
      LARDER_RETURN_IF_ERROR(FromRocks(db->CreateColumnFamily(settings, *family, &handle)));
    }
    const Status ingested = FromRocks(db->IngestExternalFile(handle, {path}, MakeIngestOptions()));
    if (!ingested.ok()) SetAside(path, ingested, faults);
  }
  for (const auto& [name, handle] : families) {
    db->DestroyColumnFamilyHandle(handle).PermitUncheckedError();
  }
  return Status::Ok();
}

}  // namespace larder
