// The journal: one append-only file per generation, holding the accepted requests of that
// generation until its head is sealed. JOURNAL.md specifies the bytes.
//
// A commit group (the requests that were waiting together) is compressed as one zstd frame, written
// with one write and synced once. The frame is the unit of damage: a frame whose checksum or length
// is wrong is reported with file and offset and set aside, and replay goes on at the next frame
// that can be found; a torn tail is cut at the last whole frame.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/file_system.h"
#include "storage/base/status.h"
#include "storage/model/ids.h"

namespace larder {

struct JournalRecord {
  TenantId tenant = 0;
  uint64_t arrival_ns = 0;   // wall clock
  std::string_view request;  // ExportTraceServiceRequest, as received
};

inline constexpr uint64_t kJournalRequestBytesMax = (128ull << 20) - 64;

// Not thread-safe. One writer per file.
class JournalWriter {
 public:
  // Creates `directory`/`JournalFileName(generation)`, writes its header and syncs file and
  // directory. kAlreadyExists when there is such a file: a journal is never overwritten.
  // `file_system` must outlive the writer.
  static Result<std::unique_ptr<JournalWriter>> Create(FileSystem* file_system,
                                                       const std::string& directory,
                                                       uint64_t generation, bool sync);
  virtual ~JournalWriter() = default;

  // Writes one commit group and, when the writer syncs, makes it durable. After a failed write or
  // sync the group must not be acknowledged, the file is cut back where that is possible, and the
  // writer refuses every further group (kUnavailable): start a new generation. kInvalidArgument: a
  // request above kJournalRequestBytesMax; nothing was written and the writer goes on.
  virtual Status Commit(std::span<const JournalRecord> group) = 0;
  virtual uint64_t size_bytes() const = 0;
};

std::string JournalFileName(uint64_t generation);  // "0000000000000042.journal"
bool ParseJournalFileName(std::string_view name, uint64_t* generation);

struct JournalDamage {
  uint64_t offset = 0;
  uint64_t size_bytes = 0;  // set aside
  std::string reason;
};

struct JournalReplay {
  uint64_t generation = 0;
  uint64_t groups = 0;
  uint64_t records = 0;
  uint64_t torn_tail_bytes = 0;  // an unfinished last frame: not damage
  std::vector<JournalDamage> damages;
};

// Reads a journal from its start, a frame at a time, and hands each record of each whole frame to
// `record`, in order. Views are valid during the call. Stops with the Status of `record` when that
// fails. A damaged file header is one more damage, as long as the file's name says the generation;
// else it is kDataLoss and nothing was replayed. A file without a whole header never held a record:
// all of it is torn. Places that the disk cannot read are damages as well. kFailedPrecondition when
// a newer version wrote it.
Result<JournalReplay> ReplayJournal(FileSystem* file_system, const std::string& path,
                                    const std::function<Status(const JournalRecord&)>& record);

}  // namespace larder
