#include "plugin/sidecar/socket_file.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <random>
#include <string_view>

#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace larder {
namespace {

constexpr std::string_view kPrefix = "larder-plugin-";
constexpr size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;

// A socket that is bound and does not listen yet refuses connections too.
constexpr std::chrono::minutes kLeftOverAge(1);

// Whether nobody listens there. Process numbers would not tell: each container has its own.
bool IsRefused(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() > kPathBytesMax) return false;
  path.copy(static_cast<char*>(address.sun_path), kPathBytesMax);
  const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (client < 0) return false;
  const bool is_refused =
      connect(client, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
      errno == ECONNREFUSED;
  close(client);
  return is_refused;
}

// A file of ours whose process is gone: kill -9 leaves it.
bool IsLeftOver(const std::filesystem::directory_entry& entry) {
  if (!entry.path().filename().string().starts_with(kPrefix)) return false;
  std::error_code error;
  const auto age = std::filesystem::file_time_type::clock::now() - entry.last_write_time(error);
  return !error && age > kLeftOverAge && entry.is_socket(error) && IsRefused(entry.path());
}

// 16 digits.
std::string RandomName() {
  std::random_device random;
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%08x%08x", random(), random());
  return digits.data();
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
  std::string path = directory + "/" + std::string(kPrefix) + RandomName();
  if (path.size() > kPathBytesMax) return Status::Unavailable(path + " is too long for a socket");
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
