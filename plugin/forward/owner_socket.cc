#include "plugin/forward/owner_socket.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace larder {
namespace {

constexpr size_t kPathBytesMax = sizeof(sockaddr_un::sun_path) - 1;
constexpr size_t kNameBytesMax = 32;  // of "/OWNER.sock." and what makes a name its own

// Two processes may have the same number when each lives in a container of its own.
std::string OwnSuffix() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return std::to_string(getpid()) + "-" +
         std::to_string(static_cast<uint64_t>(now) % 1'000'000'000);
}

Status Fault(const std::string& what, int error) {
  return Status::Unavailable(what + ": " + std::generic_category().message(error));
}

}  // namespace

Result<std::unique_ptr<OwnerSocket>> OwnerSocket::At(const std::string& data_dir) {
  if (data_dir.size() + kNameBytesMax <= kPathBytesMax) {
    return std::unique_ptr<OwnerSocket>(new OwnerSocket(data_dir, -1));
  }
  const int directory = open(data_dir.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return Fault("cannot open " + data_dir, errno);
  std::string base = "/proc/self/fd/" + std::to_string(directory);
  std::unique_ptr<OwnerSocket> socket(new OwnerSocket(std::move(base), directory));
  if (access(socket->base_.c_str(), F_OK) == 0) return socket;
  return Status::Unavailable(data_dir +
                             " is too long for a socket in it, and there is no /proc to " +
                             "shorten it: choose a data directory of at most " +
                             std::to_string(kPathBytesMax - kNameBytesMax) + " bytes");
}

OwnerSocket::~OwnerSocket() {
  if (directory_ >= 0) close(directory_);
}

std::string OwnerSocket::NewListenAddress() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(base_, error)) {
    const std::string name = entry.path().filename();
    if (name.starts_with(std::string(kName) + ".")) unlink((base_ + "/" + name).c_str());
  }
  listen_path_ = base_ + "/" + kName + "." + OwnSuffix();
  return UnixAddress(listen_path_);
}

Status OwnerSocket::Publish() {
  const std::string path = base_ + "/" + kName;
  if (chmod(listen_path_.c_str(), S_IRUSR | S_IWUSR) != 0) {
    return Fault("cannot restrict " + listen_path_, errno);
  }
  if (rename(listen_path_.c_str(), path.c_str()) != 0) return Fault("cannot make " + path, errno);
  return Status::Ok();
}

void OwnerSocket::Withdraw() { unlink((base_ + "/" + kName).c_str()); }

}  // namespace larder
