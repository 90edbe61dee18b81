// The socket on which the owner of a data directory serves the other processes on that directory:
// DIR/OWNER.sock. OWNERSHIP.md says who listens and who dials.
#pragma once

#include <memory>
#include <string>

#include "plugin/wire/unix_address.h"
#include "storage/base/status.h"

namespace larder {

// Thread-safe.
class OwnerSocket {
 public:
  // Of a directory that exists. A path that is too long for a socket (107 bytes) is reached through
  // /proc/self/fd. kUnavailable: it is too long, and there is no /proc.
  static Result<std::unique_ptr<OwnerSocket>> At(const std::string& data_dir);
  ~OwnerSocket();
  OwnerSocket(const OwnerSocket&) = delete;
  OwnerSocket& operator=(const OwnerSocket&) = delete;

  // What gRPC dials. Names the file, not its maker: after a change of owner a new connection
  // reaches the new one. Valid in this process, as long as this.
  std::string address() const { return UnixAddress(base_ + "/" + kName); }

  // These three are for the owner, who holds the lock of the directory.
  //
  // What gRPC listens on: a name of its own, since gRPC removes the name it listened on when it
  // stops, which may be after the next owner has begun. Removes such names of owners that died.
  std::string NewListenAddress();
  // Puts the socket, on which a server listens by now, where others look for it, in one step.
  // Nobody but this user may connect.
  Status Publish();
  // Others find nothing any more.
  void Withdraw();

 private:
  OwnerSocket(std::string base, int directory) : base_(std::move(base)), directory_(directory) {}

  static constexpr const char* kName = "OWNER.sock";

  const std::string base_;   // a path of the directory that is short enough
  const int directory_;      // open, as long as base_ goes through it; -1: base_ is the plain path
  std::string listen_path_;  // set by NewListenAddress
};

}  // namespace larder
