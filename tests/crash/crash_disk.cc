#include "tests/crash/crash_disk.h"

#include <filesystem>
#include <fstream>
#include <sstream>

namespace larder {
namespace {

namespace fs = std::filesystem;

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream bytes;
  bytes << file.rdbuf();
  return bytes.str();
}

std::string DirectoryOf(const std::string& path) { return fs::path(path).parent_path().string(); }

}  // namespace

CrashDisk::CrashDisk() : files_(&FileSystem::Posix()) {}
CrashDisk::~CrashDisk() = default;

uint64_t CrashDisk::kv_calls() {
  MutexLock lock(mu_);
  return calls_;
}

void CrashDisk::CutPowerAtKvCall(uint64_t n) {
  MutexLock lock(mu_);
  cut_at_ = n;
}

void CrashDisk::CutPowerAtFileCall(uint64_t n) { files_.CutPowerAt(n); }

void CrashDisk::FailKvCall(uint64_t n, Status error) {
  MutexLock lock(mu_);
  fail_at_ = n;
  failure_ = std::move(error);
}

void CrashDisk::FillAtKvCall(uint64_t n) {
  MutexLock lock(mu_);
  full_from_ = n;
}

void CrashDisk::Heal() {
  files_.Heal();
  MutexLock lock(mu_);
  cut_at_ = fail_at_ = full_from_ = UINT64_MAX;
  power_is_off_ = false;
}

// The other half of the disk may have lost the power first: then its reads fail.
bool CrashDisk::PowerIsOff() {
  if (!power_is_off_ && !files_.Space("/").ok()) power_is_off_ = true;
  return power_is_off_;
}

Status CrashDisk::Before(const KvFileEvent& event) {
  MutexLock lock(mu_);
  if (PowerIsOff()) return Status::Unavailable("the power is off");
  const uint64_t call = calls_++;
  if (call == cut_at_) {
    power_is_off_ = true;
    files_.CutPowerAt(files_.calls());
    return Status::Unavailable("the power is off");
  }
  if (call == fail_at_) return failure_;
  if (call >= full_from_ && event.call == KvFileCall::kAppend) {
    return Status::ResourceExhausted("the disk is full");
  }
  if (event.call == KvFileCall::kRename && fs::exists(event.target)) {
    replaced_[event.target] = ReadAll(event.target);
  }
  return Status::Ok();
}

void CrashDisk::After(const KvFileEvent& event) {
  MutexLock lock(mu_);
  switch (event.call) {
    case KvFileCall::kCreate:
      written_[event.path] = {event.size_bytes, event.size_bytes};
      if (event.size_bytes == 0) unsynced_names_.push_back({.path = event.path});
      break;
    case KvFileCall::kAppend:
      written_[event.path].size_bytes = event.size_bytes + event.grown_bytes;
      break;
    case KvFileCall::kSync:
      written_[event.path] = {event.size_bytes, event.size_bytes};
      break;
    case KvFileCall::kTruncate:
      break;
    case KvFileCall::kRename: {
      Name name{.path = event.target, .renamed_from = event.path, .old_bytes = std::nullopt};
      const auto replaced = replaced_.find(event.target);
      if (replaced != replaced_.end()) name.old_bytes = replaced->second;
      unsynced_names_.push_back(std::move(name));
      written_[event.target] = written_[event.path];
      written_.erase(event.path);
      break;
    }
    case KvFileCall::kLink:
      written_[event.target] = written_[event.path];
      unsynced_names_.push_back({.path = event.target});
      break;
    case KvFileCall::kRemove:
      written_.erase(event.path);
      std::erase_if(unsynced_names_, [&](const Name& name) { return name.path == event.path; });
      break;
    case KvFileCall::kSyncDirectory:
      std::erase_if(unsynced_names_, [&](const Name& name) {
        return DirectoryOf(name.path) == fs::path(event.path).lexically_normal().string();
      });
      break;
  }
}

void CrashDisk::DropUnsynced() {
  files_.PowerCut();
  MutexLock lock(mu_);
  std::error_code gone;  // a file that is not there any more needs nothing
  for (const auto& [path, file] : written_) {
    if (file.synced_bytes < file.size_bytes) fs::resize_file(path, file.synced_bytes, gone);
  }
  for (auto name = unsynced_names_.rbegin(); name != unsynced_names_.rend(); ++name) {
    if (name->renamed_from.empty()) {
      fs::remove(name->path, gone);
    } else {
      fs::rename(name->path, name->renamed_from, gone);
    }
    if (name->old_bytes.has_value()) {
      std::ofstream(name->path, std::ios::binary) << *name->old_bytes;
    }
  }
  written_.clear();
  unsynced_names_.clear();
  replaced_.clear();
}

}  // namespace larder
