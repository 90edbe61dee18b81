// Files that a running server reads again when they change: certificates, keys, tokens.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/status.h"

namespace larder {

// Notices changes by the files' size, time, inode and device, as a build tool does; links are
// followed, so that a directory swapped by a link (as Kubernetes mounts secrets) is noticed too.
// Not thread-safe.
class FileWatch {
 public:
  explicit FileWatch(std::vector<std::string> paths);

  // Whether a file differs from the look before; true the first time. A file changed within the
  // last seconds counts as changed at the next look too, since the file system's clock is coarse
  // and a second write may bear the same time. Take the look before reading the files.
  bool Changed();

 private:
  struct Stamp {
    bool exists = false;
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size_bytes = 0;
    int64_t changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  static Stamp StampOf(const std::string& path);

  const std::vector<std::string> paths_;
  std::vector<Stamp> stamps_;
  bool settled_ = false;
};

// A small file whole; `what` ("the certificate") names it in messages. kInvalidArgument when it
// cannot be read, is empty or is larger than a MiB. Logs a warning when `is_secret` and everybody
// may read it.
Result<std::string> ReadSecurityFile(const std::string& path, const std::string& what,
                                     bool is_secret);

}  // namespace larder
