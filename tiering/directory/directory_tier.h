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

// The tier in a directory that CreateDirectoryTier has marked once. While the mark is not there
// (the disk is not mounted) every call is kUnavailable. kInvalidArgument: the path is not absolute.
Result<std::unique_ptr<ColdTier>> OpenDirectoryTier(const DirectoryTierOptions& options);

// Whether the directory is a tier: kUnavailable when it has no mark.
Status CheckDirectoryTier(const DirectoryTierOptions& options);

// Makes it one, for a person who says so, and never by itself: where a disk is to be mounted, the
// empty directory below it must not become the tier. Creates the directory when it is not there,
// and leaves a mark in it; OK when it has one. kFailedPrecondition: it holds other things.
Status CreateDirectoryTier(const DirectoryTierOptions& options);

}  // namespace larder
