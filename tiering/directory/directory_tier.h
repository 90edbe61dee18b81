// A directory as the cold tier: another disk, a mounted NAS, or a place for tests. PACKS.md
// specifies the files.
#pragma once

#include <memory>
#include <string>

#include "storage/base/clock.h"
#include "storage/base/file_system.h"
#include "storage/base/status.h"
#include "storage/query/cold/cold_tier.h"

namespace larder {

struct DirectoryTierOptions {
  std::string path;
  FileSystem* file_system = &FileSystem::Posix();  // these two must outlive the tier
  Clock* clock = &Clock::System();                 // the store's: deadlines are by it
};

// Creates the directory when it is not there, or empty, and leaves a mark in it. Without the mark
// (the disk is not mounted) every call is kUnavailable. kInvalidArgument: the path is not absolute;
// kFailedPrecondition: the directory holds other things and no mark.
Result<std::unique_ptr<ColdTier>> OpenDirectoryTier(const DirectoryTierOptions& options);

}  // namespace larder
