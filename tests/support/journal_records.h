// Records that own their bytes, for tests of the journal. Users link larder::journal themselves.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/journal/journal.h"
#include "tests/support/seed.h"

namespace larder {

// A record that owns its bytes.
struct OwnedRecord {
  TenantId tenant = 0;
  uint64_t arrival_ns = 0;
  std::string request;

  JournalRecord view() const {
    return {.tenant = tenant, .arrival_ns = arrival_ns, .request = request};
  }
  friend bool operator==(const OwnedRecord&, const OwnedRecord&) = default;
};

inline constexpr uint64_t kTestGeneration = 42;
inline const std::string kTestDirectory = "/data";
inline const std::string kTestPath = kTestDirectory + "/0000000000000042.journal";

inline Status CommitAll(JournalWriter* writer, const std::vector<OwnedRecord>& records) {
  std::vector<JournalRecord> group;
  for (const OwnedRecord& record : records) group.push_back(record.view());
  return writer->Commit(group);
}

struct Replayed {
  JournalReplay report;
  std::vector<OwnedRecord> records;
};

inline Result<Replayed> ReplayAll(FileSystem* file_system, const std::string& path = kTestPath) {
  Replayed replayed;
  const auto keep = [&](const JournalRecord& record) {
    replayed.records.push_back({record.tenant, record.arrival_ns, std::string(record.request)});
    return Status::Ok();
  };
  LARDER_ASSIGN_OR_RETURN(replayed.report, ReplayJournal(file_system, path, keep));
  return replayed;
}

// Half of it repeats, so that it compresses about as requests do; or none does.
inline std::string RandomRequest(Random* random, size_t size, bool repeats = true) {
  std::string bytes;
  while (bytes.size() < size) {
    if (repeats && random->OneIn(2)) {
      bytes += "service.name checkout http.method GET ";
    } else {
      bytes.push_back(static_cast<char>(random->Next()));
    }
  }
  bytes.resize(size);
  return bytes;
}

}  // namespace larder
