#include "storage/journal/journal_format.h"

#include <zstd.h>

#include "storage/base/coding.h"
#include "storage/base/hash.h"

namespace larder {
namespace {

constexpr size_t kChecksumBytes = 4;

bool LimitsHold(const FrameHeader& header) {
  return header.raw_bytes <= kFrameRawBytesMax && header.record_count <= header.raw_bytes &&
         header.payload_bytes <= ZSTD_compressBound(header.raw_bytes);
}

}  // namespace

std::string EncodeJournalHeader(uint64_t generation) {
  std::string bytes(kJournalMagic);
  PutFixed32(&bytes, kJournalVersion);
  PutFixed32(&bytes, 0);
  PutFixed64(&bytes, generation);
  PutFixed32(&bytes, 0);
  PutFixed32(&bytes, Checksum32(bytes));
  return bytes;
}

Status ParseJournalHeader(std::string_view bytes, uint64_t* generation) {
  if (!bytes.starts_with(kJournalMagic)) return Status::DataLoss("not a journal: bad magic");
  const size_t covered = kJournalHeaderBytes - kChecksumBytes;
  if (LoadFixed32(bytes.data() + covered) != Checksum32(bytes.substr(0, covered))) {
    return Status::DataLoss("bad checksum of the file header");
  }
  const uint32_t version = LoadFixed32(bytes.data() + 8);
  if (version != kJournalVersion) {
    return Status::FailedPrecondition("journal version " + std::to_string(version) +
                                      " is not known here; this program reads version " +
                                      std::to_string(kJournalVersion) + ": use a newer program");
  }
  *generation = LoadFixed64(bytes.data() + 16);
  return Status::Ok();
}

void EncodeFrameHeader(const FrameHeader& header, char* to) {
  kFrameMagic.copy(to, kFrameMagic.size());
  StoreFixed32(to + 4, header.payload_bytes);
  StoreFixed64(to + 8, header.generation);
  StoreFixed64(to + 16, header.sequence);
  StoreFixed32(to + 24, header.raw_bytes);
  StoreFixed32(to + 28, header.record_count);
  StoreFixed32(to + 32, header.payload_checksum);
  StoreFixed32(to + 36, Checksum32({to, kFrameHeaderBytes - kChecksumBytes}));
}

bool ParseFrameHeader(std::string_view bytes, FrameHeader* header) {
  if (!bytes.starts_with(kFrameMagic)) return false;
  const size_t covered = kFrameHeaderBytes - kChecksumBytes;
  if (LoadFixed32(bytes.data() + covered) != Checksum32(bytes.substr(0, covered))) return false;
  const FrameHeader found = {.payload_bytes = LoadFixed32(bytes.data() + 4),
                             .generation = LoadFixed64(bytes.data() + 8),
                             .sequence = LoadFixed64(bytes.data() + 16),
                             .raw_bytes = LoadFixed32(bytes.data() + 24),
                             .record_count = LoadFixed32(bytes.data() + 28),
                             .payload_checksum = LoadFixed32(bytes.data() + 32)};
  if (!LimitsHold(found)) return false;
  *header = found;
  return true;
}

uint64_t RecordBytes(const JournalRecord& record) {
  return 2 * kVarintBytesMax + sizeof record.arrival_ns + record.request.size();
}

void PutRecordHead(const JournalRecord& record, std::string* raw) {
  PutVarint(raw, record.tenant);
  PutFixed64(raw, record.arrival_ns);
  PutVarint(raw, record.request.size());
}

bool TakeRecord(std::string_view* raw, JournalRecord* record) {
  ByteReader reader(*raw);
  if (!reader.GetVarint32(&record->tenant) || !reader.GetFixed64(&record->arrival_ns) ||
      !reader.GetLengthPrefixed(&record->request)) {
    return false;
  }
  *raw = reader.remaining();
  return true;
}

}  // namespace larder
