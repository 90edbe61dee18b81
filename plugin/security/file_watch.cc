#include "plugin/security/file_watch.h"

#include <algorithm>
#include <ctime>
#include <utility>

#include <sys/stat.h>

#include "storage/base/file_system.h"
#include "storage/base/log.h"

namespace larder {
namespace {

constexpr uint64_t kFileBytesMax = 1 << 20;
constexpr int64_t kSecondNs = 1'000'000'000;
constexpr int64_t kUnsettledNs = 2 * kSecondNs;

int64_t Nanos(const timespec& time) { return time.tv_sec * kSecondNs + time.tv_nsec; }

// The clock that file times are taken from.
int64_t NowNs() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return Nanos(now);
}

}  // namespace

FileWatch::FileWatch(std::vector<std::string> paths)
    : paths_(std::move(paths)), stamps_(paths_.size()) {}

FileWatch::Stamp FileWatch::StampOf(const std::string& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return {};
  return {.exists = true,
          .device = found.st_dev,
          .inode = found.st_ino,
          .size_bytes = found.st_size,
          // Not the time of modification: that one can be set back, by a restored backup or by mv.
          .changed_ns = Nanos(found.st_ctim)};
}

bool FileWatch::Changed() {
  const int64_t now_ns = NowNs();
  bool changed = !settled_;
  bool settled = true;
  for (size_t i = 0; i < paths_.size(); ++i) {
    const Stamp stamp = StampOf(paths_[i]);
    changed = changed || stamp != stamps_[i];
    settled = settled && stamp.changed_ns + kUnsettledNs < now_ns;
    stamps_[i] = stamp;
  }
  settled_ = settled;
  return changed;
}

Result<std::string> ReadSecurityFile(const std::string& path, const std::string& what,
                                     bool is_secret) {
  auto text = FileSystem::Posix().Read(path, 0, kFileBytesMax + 1);
  if (!text.ok()) {
    return Status::InvalidArgument(what +
                                   " cannot be read: " + std::string(text.status().message()));
  }
  if (text->empty()) return Status::InvalidArgument(what + " is empty: " + path);
  if (text->size() > kFileBytesMax) {
    return Status::InvalidArgument(what + " is larger than a MiB: " + path);
  }
  struct stat found {};
  if (is_secret && stat(path.c_str(), &found) == 0 && (found.st_mode & S_IROTH) != 0) {
    Log(LogLevel::kWarning, what + " can be read by every user of this machine (chmod o-r)",
        {{"file", path}});
  }
  return text;
}

}  // namespace larder
