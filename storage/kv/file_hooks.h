// The seam under RocksDB: tests count its file calls, fail them, and cut the power between them.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/status.h"

namespace larder {

enum class KvFileCall : uint8_t {
  kCreate,
  kAppend,
  kSync,
  kTruncate,
  kRename,
  kLink,
  kRemove,
  kSyncDirectory,
};

struct KvFileEvent {
  KvFileCall call = KvFileCall::kCreate;
  std::string path;
  std::string target;        // of kRename and kLink
  uint64_t size_bytes = 0;   // of the file before the call
  uint64_t grown_bytes = 0;  // kAppend: what is about to be added
};

// Called from any thread.
class KvFileHooks {
 public:
  virtual ~KvFileHooks() = default;
  // Before a call is made. A failed Status is what RocksDB sees instead of the call: kUnavailable
  // reads as an I/O error, kResourceExhausted as a full disk.
  virtual Status Before(const KvFileEvent& event) = 0;
  // After a call that succeeded.
  virtual void After(const KvFileEvent& event) = 0;
};

}  // namespace larder
