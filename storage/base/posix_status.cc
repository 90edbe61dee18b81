#include "storage/base/posix_status.h"

#include <cerrno>
#include <string>
#include <system_error>

namespace larder {
namespace {

std::string_view CureOf(int error) {
  switch (error) {
    case ENOSPC:
      return "; free space on this file system or lower the disk cap";
    case EDQUOT:
      return "; raise the disk quota of this user or lower the disk cap";
    case EROFS:
      return "; mount the file system for writing or choose another directory";
    case EACCES:
    case EPERM:
      return "; give this user the right to it or choose another directory";
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files (ulimit -n)";
    default:
      return "";
  }
}

StatusCode CodeOf(int error) {
  if (error == ENOSPC || error == EDQUOT) return StatusCode::kResourceExhausted;
  if (error == ENOENT) return StatusCode::kNotFound;
  return StatusCode::kUnavailable;
}

}  // namespace

Status PosixStatus(std::string_view path, std::string_view action, int error) {
  std::string message(path);
  message.append(": ").append(action).append(": ");
  message.append(std::generic_category().message(error)).append(CureOf(error));
  return {CodeOf(error), std::move(message)};
}

}  // namespace larder
