#include "plugin/forward/ownership.h"

#include <algorithm>
#include <utility>

#include "storage/base/log.h"
#include "storage/engine/catalog/data_directory.h"

namespace larder {
namespace {

// Others hold their calls for 30 s; where no socket can be at all, each try is in vain.
constexpr uint64_t kServeAgainMs = 1'000;
constexpr uint64_t kServeAgainMsMax = 60'000;

}  // namespace

Result<std::unique_ptr<Ownership>> Ownership::Take(const std::string& data_dir) {
  auto lock = DataDirectory::Lock(&FileSystem::Posix(), data_dir);
  const bool is_refused = lock.status().code() == StatusCode::kAlreadyExists ||
                          lock.status().code() == StatusCode::kFailedPrecondition;
  if (is_refused) return lock.status();
  std::unique_ptr<Ownership> ownership(
      new Ownership(lock.ok() ? std::move(lock).value() : nullptr));
  ownership->data_dir_ = data_dir;
  return ownership;
}

Ownership::~Ownership() {
  if (socket_ != nullptr) socket_->Withdraw();
}

void Ownership::Serve(const Listen& listen) {
  if (lock_ == nullptr || is_served()) return;
  const Status served = TryServe(listen);
  if (served.ok() && has_failed_) {
    Log(LogLevel::kInfo, "other processes are served on this data directory now",
        {{"data_dir", data_dir_}});
  }
  if (served.ok() || has_failed_) return;
  has_failed_ = true;
  Log(LogLevel::kWarning, "other processes cannot be served on this data directory",
      {{"data_dir", data_dir_}, {"why", served.message()}});
}

void Ownership::KeepServing(const Listen& listen, const std::function<bool(uint64_t ms)>& wait) {
  for (uint64_t ms = kServeAgainMs; !wait(ms); ms = std::min(2 * ms, kServeAgainMsMax)) {
    Serve(listen);
  }
}

Status Ownership::TryServe(const Listen& listen) {
  LARDER_ASSIGN_OR_RETURN(auto socket, OwnerSocket::At(data_dir_));
  LARDER_RETURN_IF_ERROR(listen(socket->NewListenAddress()));
  LARDER_RETURN_IF_ERROR(socket->Publish());
  socket_ = std::move(socket);
  return Status::Ok();
}

}  // namespace larder
