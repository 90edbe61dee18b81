#include "plugin/sidecar/socket_file.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <filesystem>
#include <optional>
#include <string_view>

#include <grp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace larder {
namespace {

constexpr std::string_view kPrefix = "larder-plugin-";
constexpr size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

// A file of ours whose process is gone: kill -9 leaves it.
bool IsLeftOver(const std::filesystem::directory_entry& entry) {
  const std::string name = entry.path().filename().string();
  if (!name.starts_with(kPrefix)) return false;
  pid_t pid = 0;
  const char* const end = name.data() + name.size();
  const auto [stopped, error] = std::from_chars(name.data() + kPrefix.size(), end, pid);
  std::error_code ignored;
  return error == std::errc() && stopped == end && pid > 0 && entry.is_socket(ignored) &&
         kill(pid, 0) != 0 && errno == ESRCH;
}

// The number of a group; nothing when there is none of that name.
std::optional<gid_t> GroupNumber(const std::string& group) {
  gid_t number = 0;
  const char* const end = group.data() + group.size();
  const auto [stopped, error] = std::from_chars(group.data(), end, number);
  if (error == std::errc() && stopped == end) return number;
  std::array<char, 16 << 10> buffer;
  struct group entry {};
  struct group* found = nullptr;
  getgrnam_r(group.c_str(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::nullopt : std::optional(found->gr_gid);
}

}  // namespace

Result<std::unique_ptr<SocketFile>> SocketFile::Reserve(const std::string& directory) {
  if (access(directory.c_str(), W_OK | X_OK) != 0) {
    return Status::Unavailable(directory + " cannot be written");
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (IsLeftOver(entry)) unlink(entry.path().c_str());
  }
  std::string path = directory + "/" + std::string(kPrefix) + std::to_string(getpid());
  if (path.size() > kPathBytesMax) return Status::Unavailable(path + " is too long for a socket");
  unlink(path.c_str());  // of a process that had the same number
  return std::unique_ptr<SocketFile>(new SocketFile(std::move(path)));
}

Status SocketFile::GiveToGroup(const std::string& group) const {
  if (group.empty()) return Status::Ok();
  const std::optional<gid_t> number = GroupNumber(group);
  if (!number) {
    return Status::InvalidArgument("PLUGIN_UNIX_SOCKET_GROUP: there is no group " + group);
  }
  if (chown(path_.c_str(), static_cast<uid_t>(-1), *number) != 0 ||
      chmod(path_.c_str(), S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) != 0) {
    return Status::Unavailable(path_ + " cannot be given to the group " + group);
  }
  return Status::Ok();
}

SocketFile::~SocketFile() { unlink(path_.c_str()); }

}  // namespace larder
