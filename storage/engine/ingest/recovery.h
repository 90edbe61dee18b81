// What a start does with the journals it finds.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "storage/base/file_system.h"
#include "storage/base/status.h"
#include "storage/engine/catalog/data_directory.h"
#include "storage/engine/shelf/generation.h"
#include "storage/engine/shelf/shelf.h"

namespace larder {

// Borrowed; all must outlive the call.
struct RecoveryParts {
  FileSystem* file_system = nullptr;
  DataDirectory* directory = nullptr;
  Catalog* catalog = nullptr;
  Shelf* shelf = nullptr;
  Tenants* tenants = nullptr;
  ViewKeeper* views = nullptr;
  StoreCounters* counters = nullptr;
  AppendLimits append_limits;
  bool read_only = false;
  // Every request that was replayed.
  std::function<void(const JournalRecord&, const AppendResult&)> replayed;
  // Takes over a generation whose heads queries can see.
  std::function<void(std::shared_ptr<Generation>)> recovered;
};

// Journals whose generation a segment names are removed; the others are replayed, oldest first.
// Damage is logged, counted and left out. kFailedPrecondition: a newer program wrote a journal.
Status RecoverJournals(const RecoveryParts& parts);

}  // namespace larder
