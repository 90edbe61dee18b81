// The data directory as this process's own: its lock is held, and other processes on it are served.
#pragma once

#include <cstdint>
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
  // given, and need not have a store yet. Where no socket can be, that is logged once, and others
  // wait for the directory as they would without one. Does nothing when they are served.
  void Serve(const Listen& listen);
  bool is_served() const { return socket_ != nullptr; }
  // Calls `wait` with how long it may wait until that says that the end has come, and tries Serve
  // in between where it has failed: what was in its way (no inode, no file to open) may be gone.
  void KeepServing(const Listen& listen, const std::function<bool(uint64_t ms)>& wait);
  // To be given to Store::Open; may be null.
  const std::shared_ptr<FileLock>& lock() const { return lock_; }

 private:
  explicit Ownership(std::shared_ptr<FileLock> lock) : lock_(std::move(lock)) {}
  Status TryServe(const Listen& listen);

  std::string data_dir_;
  std::shared_ptr<FileLock> lock_;
  std::unique_ptr<OwnerSocket> socket_;  // null: not served
  bool has_failed_ = false;              // to serve, and said so
};

}  // namespace larder
