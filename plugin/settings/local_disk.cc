#include "plugin/settings/local_disk.h"

#include <cerrno>
#include <cstdint>
#include <string_view>

#include <sys/vfs.h>

namespace larder {
namespace {

struct NetworkKind {
  uint32_t magic;  // statfs(2) f_type
  std::string_view name;
};

constexpr NetworkKind kNetworkKinds[] = {
    {0x6969, "NFS"},       {0x517B, "SMB"},        {0xFF534D42, "CIFS"}, {0xFE534D42, "SMB2"},
    {0x01021997, "9P"},    {0x5346414F, "AFS"},    {0x6B414653, "AFS"},  {0x00C36400, "Ceph"},
    {0x73757245, "Coda"},  {0x0BD00BD0, "Lustre"}, {0x47504653, "GPFS"}, {0x01161970, "GFS2"},
    {0x7461636F, "OCFS2"}, {0x19830326, "BeeGFS"}};

// The directory above, by name alone: "a/b" is in "a", "a" is in ".".
std::string Parent(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return "/";
  const size_t slash = path.find_last_of('/', end);
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace

Status CheckLocalDisk(const std::string& directory) {
  struct statfs info {};
  std::string path = directory;
  while (statfs(path.c_str(), &info) != 0) {
    // Anything but a directory that is still to be created is for the store to report.
    if (errno != ENOENT || path == "/" || path == ".") return Status::Ok();
    path = Parent(path);
  }
  for (const NetworkKind& kind : kNetworkKinds) {
    if (kind.magic == static_cast<uint32_t>(info.f_type)) {
      return Status::FailedPrecondition(
          "data directory " + directory + " lies on a network file system (" +
          std::string(kind.name) +
          "), where locks and syncs cannot be trusted; choose a directory on a local disk");
    }
  }
  return Status::Ok();
}

}  // namespace larder
