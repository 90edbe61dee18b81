// Replays hostile bytes as a journal: no crash, no record that its frame does not hold.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "storage/base/check.h"
#include "storage/base/hash.h"
#include "storage/journal/journal.h"
#include "storage/journal/journal_format.h"
#include "tests/support/memory_fs.h"

namespace {

constexpr uint64_t kGeneration = 42;

// Good headers around the input, so that the fuzzer need not find checksums: the first byte says
// how much of it is taken as the payload of a frame.
std::string Journal(std::string_view input) {
  std::string bytes = larder::EncodeJournalHeader(kGeneration);
  const size_t payload_bytes = std::min<size_t>(static_cast<uint8_t>(input[0]), input.size() - 1);
  const std::string_view payload = input.substr(1, payload_bytes);
  const larder::FrameHeader header = {.payload_bytes = static_cast<uint32_t>(payload.size()),
                                      .generation = kGeneration,
                                      .sequence = 0,
                                      .raw_bytes = 64,
                                      .record_count = 1,
                                      .payload_checksum = larder::Checksum32(payload)};
  bytes.resize(bytes.size() + larder::kFrameHeaderBytes);
  larder::EncodeFrameHeader(header, bytes.data() + larder::kJournalHeaderBytes);
  bytes.append(payload);
  return bytes.append(input.substr(1 + payload_bytes));
}

void Replay(std::string bytes) {
  const std::string path = "/data/" + larder::JournalFileName(kGeneration);
  const uint64_t file_bytes = bytes.size();
  larder::MemoryFs files;
  files.SetContent(path, std::move(bytes));
  const auto replay = larder::ReplayJournal(&files, path, [](const larder::JournalRecord& record) {
    LARDER_CHECK(record.request.size() <= larder::kFrameRawBytesMax);
    return larder::Status::Ok();
  });
  if (!replay.ok()) return;
  for (const larder::JournalDamage& damage : replay->damages) {
    LARDER_CHECK(damage.offset + damage.size_bytes <= file_bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  Replay(std::string(input));
  if (size > 0) Replay(Journal(input));
  return 0;
}
