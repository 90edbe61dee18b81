// The file of a unix socket: a name that is free, and its end with the process.
#pragma once

#include <memory>
#include <string>

#include "storage/base/status.h"

namespace larder {

class SocketFile {
 public:
  // A name in `directory` that nobody can have or foresee: processes of several containers may
  // share the directory and have equal numbers, and other users may write there. The server that
  // listens makes the file. Removes what processes that are gone have left there. kUnavailable: the
  // directory cannot be written, or the name would be too long for a socket.
  static Result<std::unique_ptr<SocketFile>> Reserve(const std::string& directory);
  // Removes the file.
  ~SocketFile();
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;

  // Lets the members of a group (its name or number) connect; "" leaves it to the owner alone.
  // REQUIRES: the file is there. kInvalidArgument: no such group; kUnavailable: not ours to give.
  Status GiveToGroup(const std::string& group) const;

  const std::string& path() const { return path_; }

 private:
  explicit SocketFile(std::string path) : path_(std::move(path)) {}

  const std::string path_;
};

}  // namespace larder
