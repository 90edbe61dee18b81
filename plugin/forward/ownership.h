// The data directory as this process's own: its lock is held, and other processes on it are served.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "plugin/forward/owner_socket.h"
#include "storage/base/file_system.h"
#include "storage/base/status.h"

namespace larder {

// Not thread-safe. Give it up after the server was drained and the store is closed.
class Ownership {
 public:
  using Listen = std::function<Status(const std::string& address)>;

  // Creates the directory when it is missing. kAlreadyExists: another process owns it, which the
  // message names; kFailedPrecondition: a newer program wrote it. A directory that cannot be
  // written is nobody's: then there is no lock, and Store::Open says what is possible.
  static Result<std::unique_ptr<Ownership>> Take(const std::string& data_dir);
  // Others find nobody any more; then the directory is free.
  ~Ownership();
  Ownership(const Ownership&) = delete;
  Ownership& operator=(const Ownership&) = delete;

  // Lets other processes forward to this one: `listen` begins to serve them on the address it is
  // given, and need not have a store yet. Where no socket can be, that is logged, and others wait
  // for the directory as they would without one.
  void Serve(const Listen& listen);
  // To be given to Store::Open; may be null.
  const std::shared_ptr<FileLock>& lock() const { return lock_; }

 private:
  explicit Ownership(std::shared_ptr<FileLock> lock) : lock_(std::move(lock)) {}
  Status TryServe(const Listen& listen);

  std::string data_dir_;
  std::shared_ptr<FileLock> lock_;
  std::unique_ptr<OwnerSocket> socket_;  // null: not served
};

}  // namespace larder
