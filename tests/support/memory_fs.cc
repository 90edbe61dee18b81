#include "tests/support/memory_fs.h"

#include <algorithm>
#include <set>
#include <utility>

namespace larder {
namespace {

// The bytes of a file. What is durable is the first `synced` of them, or `before_cut` when the file
// was cut below that since the last sync.
struct Inode {
  std::string bytes;
  size_t synced = 0;
  bool cut_unsynced = false;
  std::string before_cut;

  void Sync() {
    synced = bytes.size();
    cut_unsynced = false;
    before_cut.clear();
  }
  void Cut(size_t size) {
    if (size < synced && !cut_unsynced) {
      before_cut = bytes.substr(0, synced);
      cut_unsynced = true;
    }
    bytes.resize(size);
    synced = std::min(synced, size);
  }
  void LosePower(const PowerCutOptions& options, std::string_view path) {
    if (cut_unsynced && options.tail != UnsyncedTail::kKept) {
      bytes = before_cut;
    } else {
      const std::string tail =
          TailAfterPowerCut(std::string_view(bytes).substr(synced), options, path);
      bytes.replace(synced, std::string::npos, tail);
    }
    Sync();
  }
};

using Names = std::map<std::string, std::shared_ptr<Inode>>;

std::string ParentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  return slash == std::string::npos ? "." : path.substr(0, slash);
}

Status PowerIsOff() { return Status::Unavailable("the power was cut"); }
Status Missing(const std::string& path) { return Status::NotFound(path + ": no such file"); }

}  // namespace

struct MemoryFs::State {
  Mutex mu;
  Names names GUARDED_BY(mu);
  Names durable_names GUARDED_BY(mu);
  std::set<std::string> directories GUARDED_BY(mu);
  std::set<std::string> locks GUARDED_BY(mu);
  DiskSpace space GUARDED_BY(mu) = {.total_bytes = 1ull << 40, .free_bytes = 1ull << 39};
  uint64_t boots GUARDED_BY(mu) = 0;  // power cuts so far; handles of earlier boots are dead
};

class MemoryFs::File : public AppendFile {
 public:
  File(std::shared_ptr<State> state, std::shared_ptr<Inode> inode, uint64_t boot)
      : state_(std::move(state)), inode_(std::move(inode)), boot_(boot) {}

  Status Append(std::string_view bytes) override {
    const MutexLock lock(state_->mu);
    if (state_->boots != boot_) return PowerIsOff();
    inode_->bytes.append(bytes);
    return Status::Ok();
  }
  Status Sync() override {
    const MutexLock lock(state_->mu);
    if (state_->boots != boot_) return PowerIsOff();
    inode_->Sync();
    return Status::Ok();
  }
  Status Truncate(uint64_t size_bytes) override {
    const MutexLock lock(state_->mu);
    if (state_->boots != boot_) return PowerIsOff();
    inode_->Cut(size_bytes);
    return Status::Ok();
  }
  uint64_t size_bytes() const override {
    const MutexLock lock(state_->mu);
    return inode_->bytes.size();
  }

 private:
  const std::shared_ptr<State> state_;
  const std::shared_ptr<Inode> inode_;  // guarded by state_->mu
  const uint64_t boot_;
};

class MemoryFs::Lease : public FileLock {
 public:
  Lease(std::shared_ptr<State> state, std::string path, uint64_t boot)
      : state_(std::move(state)), path_(std::move(path)), boot_(boot) {}
  ~Lease() override {
    const MutexLock lock(state_->mu);
    if (state_->boots == boot_) state_->locks.erase(path_);
  }

 private:
  const std::shared_ptr<State> state_;
  const std::string path_;
  const uint64_t boot_;
};

MemoryFs::MemoryFs() : state_(std::make_shared<State>()) {}
MemoryFs::~MemoryFs() = default;

void MemoryFs::PowerCut(const PowerCutOptions& options) {
  const MutexLock lock(state_->mu);
  ++state_->boots;
  state_->locks.clear();
  if (options.keep_names) state_->durable_names = state_->names;
  state_->names = state_->durable_names;
  for (const auto& [path, inode] : state_->names) inode->LosePower(options, path);
}

std::string MemoryFs::Content(const std::string& path) {
  const MutexLock lock(state_->mu);
  const auto at = state_->names.find(path);
  return at == state_->names.end() ? std::string() : at->second->bytes;
}

void MemoryFs::SetContent(const std::string& path, std::string bytes) {
  const MutexLock lock(state_->mu);
  auto inode = std::make_shared<Inode>();
  inode->bytes = std::move(bytes);
  inode->Sync();
  state_->names[path] = inode;
  state_->durable_names[path] = inode;
}

void MemoryFs::SetSpace(DiskSpace space) {
  const MutexLock lock(state_->mu);
  state_->space = space;
}

Result<std::unique_ptr<AppendFile>> MemoryFs::CreateFile(const std::string& path) {
  const MutexLock lock(state_->mu);
  if (!state_->directories.contains(ParentOf(path))) return Missing(ParentOf(path));
  std::shared_ptr<Inode>& inode = state_->names[path];
  if (inode == nullptr) {
    inode = std::make_shared<Inode>();
  } else {
    inode->Cut(0);
  }
  return std::unique_ptr<AppendFile>(std::make_unique<File>(state_, inode, state_->boots));
}

Result<std::unique_ptr<AppendFile>> MemoryFs::OpenFile(const std::string& path) {
  const MutexLock lock(state_->mu);
  const auto at = state_->names.find(path);
  if (at == state_->names.end()) return Missing(path);
  return std::unique_ptr<AppendFile>(std::make_unique<File>(state_, at->second, state_->boots));
}

Result<std::string> MemoryFs::Read(const std::string& path, uint64_t offset, uint64_t size_bytes) {
  const MutexLock lock(state_->mu);
  const auto at = state_->names.find(path);
  if (at == state_->names.end()) return Missing(path);
  const std::string& bytes = at->second->bytes;
  if (offset >= bytes.size()) return std::string();
  return bytes.substr(offset, size_bytes);
}

Result<uint64_t> MemoryFs::FileSize(const std::string& path) {
  const MutexLock lock(state_->mu);
  const auto at = state_->names.find(path);
  if (at == state_->names.end()) return Missing(path);
  return static_cast<uint64_t>(at->second->bytes.size());
}

bool MemoryFs::Exists(const std::string& path) {
  const MutexLock lock(state_->mu);
  return state_->names.contains(path) || state_->directories.contains(path);
}

Result<std::vector<std::string>> MemoryFs::List(const std::string& directory) {
  const MutexLock lock(state_->mu);
  if (!state_->directories.contains(directory)) return Missing(directory);
  std::set<std::string> found;
  const auto add = [&](const std::string& path) {
    if (ParentOf(path) == directory) found.insert(path.substr(directory.size() + 1));
  };
  for (const auto& [path, inode] : state_->names) add(path);
  for (const std::string& path : state_->directories) add(path);
  return std::vector<std::string>(found.begin(), found.end());
}

Status MemoryFs::CreateDirectories(const std::string& directory) {
  const MutexLock lock(state_->mu);
  for (std::string path = directory; !path.empty() && path != "."; path = ParentOf(path)) {
    state_->directories.insert(path);
    if (path.find('/') == std::string::npos) break;
  }
  return Status::Ok();
}

Status MemoryFs::Remove(const std::string& path) {
  const MutexLock lock(state_->mu);
  return state_->names.erase(path) == 1 ? Status::Ok() : Missing(path);
}

Status MemoryFs::Rename(const std::string& from, const std::string& to) {
  const MutexLock lock(state_->mu);
  const auto at = state_->names.find(from);
  if (at == state_->names.end()) return Missing(from);
  const std::shared_ptr<Inode> inode = at->second;
  state_->names.erase(at);
  state_->names[to] = inode;
  return Status::Ok();
}

Status MemoryFs::SyncDirectory(const std::string& directory) {
  const MutexLock lock(state_->mu);
  if (!state_->directories.contains(directory)) return Missing(directory);
  std::erase_if(state_->durable_names,
                [&](const auto& entry) { return ParentOf(entry.first) == directory; });
  for (const auto& [path, inode] : state_->names) {
    if (ParentOf(path) == directory) state_->durable_names[path] = inode;
  }
  return Status::Ok();
}

Result<DiskSpace> MemoryFs::Space(const std::string& /*directory*/) {
  const MutexLock lock(state_->mu);
  return state_->space;
}

Status MemoryFs::Allocate(const std::string& path, uint64_t size_bytes) {
  const MutexLock lock(state_->mu);
  if (!state_->directories.contains(ParentOf(path))) return Missing(ParentOf(path));
  std::shared_ptr<Inode>& inode = state_->names[path];
  if (inode == nullptr) inode = std::make_shared<Inode>();
  if (inode->bytes.size() < size_bytes) inode->bytes.resize(size_bytes);
  return Status::Ok();
}

Result<std::unique_ptr<FileLock>> MemoryFs::Lock(const std::string& path) {
  const MutexLock lock(state_->mu);
  if (!state_->locks.insert(path).second) {
    return Status::AlreadyExists(path + ": held by process 1 (a test)");
  }
  return std::unique_ptr<FileLock>(std::make_unique<Lease>(state_, path, state_->boots));
}

}  // namespace larder
