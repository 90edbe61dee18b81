// The bytes of a journal, as JOURNAL.md specifies them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "storage/base/status.h"
#include "storage/journal/journal.h"

namespace larder {

inline constexpr std::string_view kJournalMagic = "LARDERJL";
inline constexpr uint32_t kJournalVersion = 1;
inline constexpr size_t kJournalHeaderBytes = 32;

inline constexpr std::string_view kFrameMagic = "LJF1";
inline constexpr size_t kFrameHeaderBytes = 40;
// A reader takes no frame above this, so that no file makes it ask for more memory.
inline constexpr uint32_t kFrameRawBytesMax = 128u << 20;
// The writer ends a frame here, unless one record alone is larger.
inline constexpr uint32_t kFrameRawBytesAim = 8u << 20;

struct FrameHeader {
  uint32_t payload_bytes = 0;
  uint64_t generation = 0;
  uint64_t sequence = 0;
  uint32_t raw_bytes = 0;
  uint32_t record_count = 0;
  uint32_t payload_checksum = 0;

  uint64_t frame_bytes() const { return kFrameHeaderBytes + payload_bytes; }
};

std::string EncodeJournalHeader(uint64_t generation);
// kDataLoss: not a header. kFailedPrecondition: a newer version. REQUIRES: kJournalHeaderBytes
// bytes.
Status ParseJournalHeader(std::string_view bytes, uint64_t* generation);

// Writes kFrameHeaderBytes bytes at `to`.
void EncodeFrameHeader(const FrameHeader& header, char* to);
// False unless magic, checksum and limits hold. REQUIRES: kFrameHeaderBytes bytes.
bool ParseFrameHeader(std::string_view bytes, FrameHeader* header);

// Bytes of one record inside a frame, before compression, or somewhat more: at most 64 more than
// its request.
uint64_t RecordBytes(const JournalRecord& record);
// What stands before the request in a record; the request's bytes follow.
void PutRecordHead(const JournalRecord& record, std::string* raw);
// Takes one record off the front of a frame's raw bytes; its request is a view into them.
bool TakeRecord(std::string_view* raw, JournalRecord* record);

}  // namespace larder
