#include "tests/support/faulty_fs.h"

#include <algorithm>
#include <utility>

namespace larder {
namespace {

std::string ParentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

Status DiskFull(const std::string& path) {
  return Status::ResourceExhausted(path + ": cannot write: the disk is full (a test's fault)");
}

}  // namespace

class FaultyFs::File : public AppendFile {
 public:
  File(FaultyFs* owner, std::string path, std::unique_ptr<AppendFile> base)
      : owner_(owner), path_(std::move(path)), base_(std::move(base)) {}

  Status Append(std::string_view bytes) override {
    bool tear = false;
    const Status fault = owner_->Count(&tear);
    if (!fault.ok() && !tear) return fault;
    const uint64_t wanted = tear ? bytes.size() / 2 : bytes.size();
    const uint64_t room = owner_->TakeSpace(wanted);
    LARDER_RETURN_IF_ERROR(base_->Append(bytes.substr(0, room)));
    if (!fault.ok()) return fault;
    return room < wanted ? DiskFull(path_) : Status::Ok();
  }
  Status Sync() override {
    LARDER_RETURN_IF_ERROR(owner_->Count());
    LARDER_RETURN_IF_ERROR(base_->Sync());
    owner_->NoteSynced(path_, base_->size_bytes());
    return Status::Ok();
  }
  Status Truncate(uint64_t size_bytes) override {
    LARDER_RETURN_IF_ERROR(owner_->Count());
    const uint64_t before = base_->size_bytes();
    LARDER_RETURN_IF_ERROR(base_->Truncate(size_bytes));
    if (size_bytes < before) owner_->GiveSpace(before - size_bytes);
    return Status::Ok();
  }
  uint64_t size_bytes() const override { return base_->size_bytes(); }

 private:
  FaultyFs* const owner_;
  const std::string path_;
  const std::unique_ptr<AppendFile> base_;
};

FaultyFs::FaultyFs(FileSystem* base) : base_(base) {}
FaultyFs::~FaultyFs() = default;

uint64_t FaultyFs::calls() const {
  const MutexLock lock(mu_);
  return calls_;
}

void FaultyFs::ResetCount() {
  const MutexLock lock(mu_);
  calls_ = 0;
}

void FaultyFs::FailAt(uint64_t n, Status error) {
  const MutexLock lock(mu_);
  fault_at_ = n;
  fault_ = std::move(error);
  fault_tears_ = false;
  fault_is_power_ = false;
}

void FaultyFs::TearAt(uint64_t n, Status error) {
  FailAt(n, std::move(error));
  const MutexLock lock(mu_);
  fault_tears_ = true;
}

void FaultyFs::CutPowerAt(uint64_t n) {
  FailAt(n, Status::Unavailable("the power is off"));
  const MutexLock lock(mu_);
  fault_tears_ = true;
  fault_is_power_ = true;
}

void FaultyFs::SetSpaceLeft(uint64_t bytes) {
  const MutexLock lock(mu_);
  space_left_ = bytes;
}

void FaultyFs::SetUnreadable(const std::string& path, uint64_t offset, uint64_t size) {
  const MutexLock lock(mu_);
  unreadable_path_ = path;
  unreadable_from_ = offset;
  unreadable_until_ = offset + size;
}

void FaultyFs::Heal() {
  const MutexLock lock(mu_);
  unreadable_path_.clear();
  fault_at_ = UINT64_MAX;
  power_is_off_ = false;
  space_left_ = UINT64_MAX;
}

Status FaultyFs::Count(bool* tear) {
  const MutexLock lock(mu_);
  const uint64_t call = calls_++;
  if (power_is_off_) return fault_;
  if (call != fault_at_) return Status::Ok();
  power_is_off_ = fault_is_power_;
  if (tear != nullptr) *tear = fault_tears_;
  return fault_;
}

Status FaultyFs::CheckPower() {
  const MutexLock lock(mu_);
  return power_is_off_ ? fault_ : Status::Ok();
}

uint64_t FaultyFs::TakeSpace(uint64_t wanted) {
  const MutexLock lock(mu_);
  if (space_left_ == UINT64_MAX) return wanted;
  const uint64_t taken = std::min(wanted, space_left_);
  space_left_ -= taken;
  return taken;
}

void FaultyFs::GiveSpace(uint64_t bytes) {
  const MutexLock lock(mu_);
  if (space_left_ != UINT64_MAX) space_left_ += bytes;
}

void FaultyFs::NoteSynced(const std::string& path, uint64_t size_bytes) {
  const MutexLock lock(mu_);
  synced_bytes_[path] = size_bytes;
}

void FaultyFs::PowerCut(const PowerCutOptions& options) {
  const MutexLock lock(mu_);
  for (const auto& [path, synced] : synced_bytes_) {
    if (!options.keep_names && unsynced_names_.contains(path)) {
      LARDER_CHECK(base_->Remove(path).ok());
      continue;
    }
    Result<std::string> tail = base_->Read(path, synced, UINT64_MAX);
    Result<std::unique_ptr<AppendFile>> file = base_->OpenFile(path);
    if (!tail.ok() || !file.ok()) continue;  // removed since
    if ((*file)->size_bytes() <= synced) continue;
    LARDER_CHECK((*file)->Truncate(synced).ok());
    LARDER_CHECK((*file)->Append(TailAfterPowerCut(*tail, options, path)).ok());
  }
  synced_bytes_.clear();
  unsynced_names_.clear();
}

Result<std::unique_ptr<AppendFile>> FaultyFs::CreateFile(const std::string& path) {
  LARDER_RETURN_IF_ERROR(Count());
  const bool is_new = !base_->Exists(path);
  const uint64_t before = is_new ? 0 : base_->FileSize(path).value();
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file, base_->CreateFile(path));
  GiveSpace(before);
  const MutexLock lock(mu_);
  synced_bytes_[path] = 0;
  if (is_new) unsynced_names_.insert(path);
  return std::unique_ptr<AppendFile>(std::make_unique<File>(this, path, std::move(file)));
}

Result<std::unique_ptr<AppendFile>> FaultyFs::OpenFile(const std::string& path) {
  LARDER_RETURN_IF_ERROR(Count());
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file, base_->OpenFile(path));
  const MutexLock lock(mu_);
  synced_bytes_.try_emplace(path, file->size_bytes());
  return std::unique_ptr<AppendFile>(std::make_unique<File>(this, path, std::move(file)));
}

Result<std::string> FaultyFs::Read(const std::string& path, uint64_t offset, uint64_t size_bytes) {
  LARDER_RETURN_IF_ERROR(CheckPower());
  LARDER_ASSIGN_OR_RETURN(std::string bytes, base_->Read(path, offset, size_bytes));
  const MutexLock lock(mu_);
  if (path == unreadable_path_ && offset < unreadable_until_ &&
      offset + bytes.size() > unreadable_from_) {
    return Status::Unavailable(path + ": cannot read: a bad sector (a test's fault)");
  }
  return bytes;
}

Result<uint64_t> FaultyFs::FileSize(const std::string& path) {
  LARDER_RETURN_IF_ERROR(CheckPower());
  return base_->FileSize(path);
}

bool FaultyFs::Exists(const std::string& path) { return base_->Exists(path); }

Result<std::vector<std::string>> FaultyFs::List(const std::string& directory) {
  LARDER_RETURN_IF_ERROR(CheckPower());
  return base_->List(directory);
}

Status FaultyFs::CreateDirectories(const std::string& directory) {
  LARDER_RETURN_IF_ERROR(Count());
  return base_->CreateDirectories(directory);
}

Status FaultyFs::Remove(const std::string& path) {
  LARDER_RETURN_IF_ERROR(Count());
  const Result<uint64_t> size = base_->FileSize(path);
  LARDER_RETURN_IF_ERROR(base_->Remove(path));
  if (size.ok()) GiveSpace(*size);
  const MutexLock lock(mu_);
  synced_bytes_.erase(path);
  unsynced_names_.erase(path);
  return Status::Ok();
}

Status FaultyFs::Rename(const std::string& from, const std::string& to) {
  LARDER_RETURN_IF_ERROR(Count());
  LARDER_RETURN_IF_ERROR(base_->Rename(from, to));
  const MutexLock lock(mu_);
  unsynced_names_.erase(from);
  if (auto entry = synced_bytes_.extract(from)) {
    synced_bytes_[to] = entry.mapped();
  } else {
    synced_bytes_.erase(to);
  }
  return Status::Ok();
}

Status FaultyFs::SyncDirectory(const std::string& directory) {
  LARDER_RETURN_IF_ERROR(Count());
  LARDER_RETURN_IF_ERROR(base_->SyncDirectory(directory));
  const MutexLock lock(mu_);
  std::erase_if(unsynced_names_,
                [&](const std::string& path) { return ParentOf(path) == directory; });
  return Status::Ok();
}

Result<DiskSpace> FaultyFs::Space(const std::string& directory) {
  LARDER_RETURN_IF_ERROR(CheckPower());
  LARDER_ASSIGN_OR_RETURN(DiskSpace space, base_->Space(directory));
  const MutexLock lock(mu_);
  space.free_bytes = std::min(space.free_bytes, space_left_);
  return space;
}

Status FaultyFs::Allocate(const std::string& path, uint64_t size_bytes) {
  LARDER_RETURN_IF_ERROR(Count());
  const uint64_t room = TakeSpace(size_bytes);
  if (room < size_bytes) {
    GiveSpace(room);
    return DiskFull(path);
  }
  return base_->Allocate(path, size_bytes);
}

Result<std::unique_ptr<FileLock>> FaultyFs::Lock(const std::string& path) {
  LARDER_RETURN_IF_ERROR(CheckPower());
  return base_->Lock(path);
}

}  // namespace larder
