#include "storage/engine/catalog/data_directory.h"

#include <charconv>
#include <string_view>
#include <utility>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"

namespace larder {
namespace {

constexpr std::string_view kFormatWord = "larder ";

std::string FormatText(uint32_t version) {
  return std::string(kFormatWord) + std::to_string(version) + "\n";
}

// 0: torn or flipped.
uint32_t VersionIn(std::string_view format) {
  uint32_t version = 0;
  if (format.starts_with(kFormatWord)) {
    std::from_chars(format.data() + kFormatWord.size(), format.data() + format.size(), version);
  }
  return version;
}

// The catalog holds the version too.
void WarnIfTorn(const std::string& path, std::string_view format) {
  if (VersionIn(format) != 0) return;
  Log(LogLevel::kWarning, "the format file cannot be understood", {{"file", path}});
}

}  // namespace

DataDirectory::DataDirectory(FileSystem* file_system, std::string path,
                             std::shared_ptr<FileLock> held)
    : file_system_(file_system), path_(std::move(path)), lock_(std::move(held)) {}

Result<std::shared_ptr<FileLock>> DataDirectory::Lock(FileSystem* file_system,
                                                      const std::string& path) {
  DataDirectory directory(file_system, path, nullptr);
  LARDER_RETURN_IF_ERROR(file_system->CreateDirectories(path));
  // The format first: a directory of a newer program is not ours to touch, not even its lock.
  LARDER_RETURN_IF_ERROR(directory.CheckFormat());
  LARDER_RETURN_IF_ERROR(directory.TakeLock());
  return std::move(directory.lock_);
}

Result<std::unique_ptr<DataDirectory>> DataDirectory::Open(FileSystem* file_system,
                                                           const std::string& path,
                                                           std::shared_ptr<FileLock> held) {
  if (held == nullptr) {
    LARDER_ASSIGN_OR_RETURN(held, Lock(file_system, path));
  }
  std::unique_ptr<DataDirectory> directory(new DataDirectory(file_system, path, std::move(held)));
  LARDER_RETURN_IF_ERROR(directory->CheckFormat());
  LARDER_RETURN_IF_ERROR(file_system->CreateDirectories(directory->journal_path()));
  LARDER_RETURN_IF_ERROR(directory->WriteFormat());
  return directory;
}

Result<std::unique_ptr<DataDirectory>> DataDirectory::OpenReadOnly(FileSystem* file_system,
                                                                   const std::string& path,
                                                                   std::shared_ptr<FileLock> held) {
  std::unique_ptr<DataDirectory> directory(new DataDirectory(file_system, path, std::move(held)));
  LARDER_RETURN_IF_ERROR(directory->CheckFormat());
  const auto format = file_system->Read(path + "/FORMAT", 0, 64);
  if (format.ok()) WarnIfTorn(path + "/FORMAT", *format);
  if (directory->lock_ == nullptr && file_system->Exists(path + "/FORMAT")) {
    const Status locked = directory->TakeLock();
    // A disk that cannot be written has no owner that writes.
    if (locked.code() == StatusCode::kAlreadyExists) return locked;
  }
  return directory;
}

Status DataDirectory::TakeLock() {
  LARDER_ASSIGN_OR_RETURN(lock_, file_system_->Lock(lock_path()));
  return Status::Ok();
}

Status DataDirectory::CheckFormat() {
  const std::string path = path_ + "/FORMAT";
  if (!file_system_->Exists(path)) return Status::Ok();
  LARDER_ASSIGN_OR_RETURN(const std::string text, file_system_->Read(path, 0, 64));
  const uint32_t version = VersionIn(text);
  if (version == 0) return Status::Ok();
  if (version <= kFormatVersion) {
    format_version_ = version;
    return Status::Ok();
  }
  return Status::FailedPrecondition(path_ + " has format version " + std::to_string(version) +
                                    ", this program knows versions up to " +
                                    std::to_string(kFormatVersion) + ": use a newer program");
}

// Written aside and renamed, so that it is never seen half.
Status DataDirectory::WriteFormat() {
  const std::string path = path_ + "/FORMAT";
  const auto now = file_system_->Read(path, 0, 64);
  const std::string text = FormatText(format_version_);
  if (now.ok() && *now == text) return Status::Ok();
  if (now.ok()) WarnIfTorn(path, *now);
  LARDER_ASSIGN_OR_RETURN(auto file, file_system_->CreateFile(path + ".new"));
  LARDER_RETURN_IF_ERROR(file->Append(text));
  LARDER_RETURN_IF_ERROR(file->Sync());
  file.reset();
  LARDER_RETURN_IF_ERROR(file_system_->Rename(path + ".new", path));
  return file_system_->SyncDirectory(path_);
}

Status DataDirectory::RaiseFormat(uint32_t version) {
  if (format_version_ >= version) return Status::Ok();
  const uint32_t was = std::exchange(format_version_, version);
  Status written = WriteFormat();
  if (!written.ok()) format_version_ = was;
  return written;
}

Status RaiseFormat(DataDirectory* directory, Catalog* catalog, uint32_t version) {
  LARDER_RETURN_IF_ERROR(directory->RaiseFormat(version));
  LARDER_CRASH_POINT("format.file");
  return catalog->RaiseFormat(version);
}

void DataDirectory::SetAsideJournal(const std::string& file_name) {
  const std::string aside = path_ + "/set-aside";
  const std::string from = journal_path() + "/" + file_name;
  Status moved = file_system_->CreateDirectories(aside);
  if (moved.ok()) moved = file_system_->Rename(from, aside + "/" + file_name);
  if (moved.ok()) return;
  Log(LogLevel::kWarning, "a damaged journal cannot be kept aside and is removed",
      {{"file", from}, {"reason", moved.ToString()}});
  const Status removed = file_system_->Remove(from);
  if (!removed.ok()) {
    Log(LogLevel::kWarning, "a journal cannot be removed",
        {{"file", from}, {"reason", removed.ToString()}});
  }
}

}  // namespace larder
