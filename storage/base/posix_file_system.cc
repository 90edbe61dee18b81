#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "storage/base/file_system.h"
#include "storage/base/posix_status.h"

namespace larder {
namespace {

// Owns a file descriptor. Close errors are not looked at: what had to be durable was synced.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Descriptor OpenRetrying(const std::string& path, int flags) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC, 0600);
  } while (fd < 0 && errno == EINTR);
  return Descriptor(fd);
}

class PosixAppendFile : public AppendFile {
 public:
  PosixAppendFile(std::string path, Descriptor descriptor, uint64_t size_bytes)
      : path_(std::move(path)), descriptor_(std::move(descriptor)), size_bytes_(size_bytes) {}

  Status Append(std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_.fd(), bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return PosixStatus(path_, "cannot write", errno);
      size_bytes_ += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return Status::Ok();
  }

  Status Sync() override {
    if (::fdatasync(descriptor_.fd()) != 0) return PosixStatus(path_, "cannot sync", errno);
    return Status::Ok();
  }

  Status Truncate(uint64_t size_bytes) override {
    if (::ftruncate(descriptor_.fd(), static_cast<off_t>(size_bytes)) != 0) {
      return PosixStatus(path_, "cannot truncate", errno);
    }
    size_bytes_ = size_bytes;
    return Status::Ok();
  }

  uint64_t size_bytes() const override { return size_bytes_; }

 private:
  const std::string path_;
  const Descriptor descriptor_;
  uint64_t size_bytes_;
};

class PosixFileLock : public FileLock {
 public:
  explicit PosixFileLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  const Descriptor descriptor_;  // closing it releases the lock
};

std::string ReadPid(int fd) {
  char text[32];
  const ssize_t size = ::pread(fd, text, sizeof text, 0);
  std::string pid(text, size > 0 ? static_cast<size_t>(size) : 0);
  while (!pid.empty() && (pid.back() == '\n' || pid.back() == '\0')) pid.pop_back();
  return pid.empty() ? "unknown" : pid;
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

class PosixFileSystem : public FileSystem {
 public:
  Result<std::unique_ptr<AppendFile>> CreateFile(const std::string& path) override {
    return OpenForAppend(path, O_WRONLY | O_APPEND | O_CREAT | O_TRUNC);
  }

  Result<std::unique_ptr<AppendFile>> OpenFile(const std::string& path) override {
    return OpenForAppend(path, O_WRONLY | O_APPEND);
  }

  Result<std::string> Read(const std::string& path, uint64_t offset, uint64_t size) override {
    const Descriptor file = OpenRetrying(path, O_RDONLY);
    if (!file.ok()) return PosixStatus(path, "cannot open", errno);
    struct stat facts {};
    if (::fstat(file.fd(), &facts) != 0) return PosixStatus(path, "cannot stat", errno);
    const auto end = static_cast<uint64_t>(facts.st_size);
    std::string bytes(offset < end ? std::min(size, end - offset) : 0, '\0');
    size_t filled = 0;
    while (filled < bytes.size()) {
      const ssize_t got = ::pread(file.fd(), bytes.data() + filled, bytes.size() - filled,
                                  static_cast<off_t>(offset + filled));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return PosixStatus(path, "cannot read", errno);
      if (got == 0) break;  // cut short by somebody else
      filled += static_cast<size_t>(got);
    }
    bytes.resize(filled);
    return bytes;
  }

  Result<uint64_t> FileSize(const std::string& path) override {
    struct stat facts {};
    if (::stat(path.c_str(), &facts) != 0) return PosixStatus(path, "cannot stat", errno);
    return static_cast<uint64_t>(facts.st_size);
  }

  bool Exists(const std::string& path) override { return ::access(path.c_str(), F_OK) == 0; }

  Result<std::vector<std::string>> List(const std::string& directory) override {
    DIR* handle = ::opendir(directory.c_str());
    if (handle == nullptr) return PosixStatus(directory, "cannot list", errno);
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(handle)) {
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    const int error = errno;
    ::closedir(handle);
    if (error != 0) return PosixStatus(directory, "cannot list", error);
    std::sort(names.begin(), names.end());
    return names;
  }

  Status CreateDirectories(const std::string& directory) override {
    if (::mkdir(directory.c_str(), 0700) == 0) return SyncDirectory(ParentOf(directory));
    const int error = errno;
    if (error == EEXIST) {
      struct stat facts {};
      if (::stat(directory.c_str(), &facts) == 0 && S_ISDIR(facts.st_mode)) return Status::Ok();
      return PosixStatus(directory, "cannot create the directory", ENOTDIR);
    }
    const std::string parent = ParentOf(directory);
    if (error != ENOENT || parent == directory) {
      return PosixStatus(directory, "cannot create the directory", error);
    }
    LARDER_RETURN_IF_ERROR(CreateDirectories(parent));
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
      return PosixStatus(directory, "cannot create the directory", errno);
    }
    return SyncDirectory(parent);
  }

  Status Remove(const std::string& path) override {
    if (std::remove(path.c_str()) != 0) return PosixStatus(path, "cannot remove", errno);
    return Status::Ok();
  }

  Status Rename(const std::string& from, const std::string& to) override {
    if (std::rename(from.c_str(), to.c_str()) != 0)
      return PosixStatus(from, "cannot rename", errno);
    return Status::Ok();
  }

  Status SyncDirectory(const std::string& directory) override {
    const Descriptor handle = OpenRetrying(directory, O_RDONLY | O_DIRECTORY);
    if (!handle.ok()) return PosixStatus(directory, "cannot open", errno);
    if (::fsync(handle.fd()) != 0) return PosixStatus(directory, "cannot sync", errno);
    return Status::Ok();
  }

  Result<DiskSpace> Space(const std::string& directory) override {
    struct statvfs facts {};
    if (::statvfs(directory.c_str(), &facts) != 0) {
      return PosixStatus(directory, "cannot ask for free space", errno);
    }
    const uint64_t unit = facts.f_frsize;
    return DiskSpace{.total_bytes = unit * facts.f_blocks, .free_bytes = unit * facts.f_bavail};
  }

  Status Allocate(const std::string& path, uint64_t size_bytes) override {
    const Descriptor file = OpenRetrying(path, O_WRONLY | O_CREAT);
    if (!file.ok()) return PosixStatus(path, "cannot create", errno);
    if (size_bytes == 0) return Status::Ok();
    int error;  // returned, not left in errno
    do {
      error = ::posix_fallocate(file.fd(), 0, static_cast<off_t>(size_bytes));
    } while (error == EINTR);
    if (error == 0) return Status::Ok();
    ::unlink(path.c_str());  // a part of a reserve would only make a full disk fuller
    return PosixStatus(path, "cannot reserve space", error);
  }

  Result<std::unique_ptr<FileLock>> Lock(const std::string& path) override {
    Descriptor file = OpenRetrying(path, O_RDWR | O_CREAT);
    if (!file.ok()) return PosixStatus(path, "cannot open the lock file", errno);
    if (::flock(file.fd(), LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK) return PosixStatus(path, "cannot lock", errno);
      return Status::AlreadyExists(path + ": held by process " + ReadPid(file.fd()) +
                                   "; stop it or choose another data directory");
    }
    // The pid only serves the message above: on a full disk the lock holds without it.
    const std::string pid = std::to_string(::getpid()) + "\n";
    const bool named =
        ::ftruncate(file.fd(), 0) == 0 && ::pwrite(file.fd(), pid.data(), pid.size(), 0) > 0;
    static_cast<void>(named);
    return std::unique_ptr<FileLock>(std::make_unique<PosixFileLock>(std::move(file)));
  }

 private:
  static Result<std::unique_ptr<AppendFile>> OpenForAppend(const std::string& path, int flags) {
    Descriptor file = OpenRetrying(path, flags);
    if (!file.ok()) return PosixStatus(path, "cannot open", errno);
    struct stat facts {};
    if (::fstat(file.fd(), &facts) != 0) return PosixStatus(path, "cannot stat", errno);
    return std::unique_ptr<AppendFile>(std::make_unique<PosixAppendFile>(
        path, std::move(file), static_cast<uint64_t>(facts.st_size)));
  }
};

}  // namespace

FileSystem& FileSystem::Posix() {
  static PosixFileSystem file_system;
  return file_system;
}

}  // namespace larder
