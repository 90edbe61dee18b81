#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

#include <zstd.h>

#include "storage/base/hash.h"
#include "storage/base/log.h"
#include "storage/journal/journal.h"
#include "storage/journal/journal_format.h"

namespace larder {
namespace {

constexpr int kZstdLevel = -1;  // measured: JOURNAL.md
constexpr std::string_view kSuffix = ".journal";
constexpr size_t kNumberDigits = 16;
// A buffer that one huge request has grown is given back after it.
constexpr size_t kKeptBufferBytes = kFrameRawBytesAim;

struct CompressionContextDeleter {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
};

class Writer : public JournalWriter {
 public:
  Writer(std::string path, std::unique_ptr<AppendFile> file, uint64_t generation, bool sync)
      : path_(std::move(path)),
        file_(std::move(file)),
        generation_(generation),
        sync_(sync),
        context_(ZSTD_createCCtx()) {
    LARDER_CHECK(context_ != nullptr);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kZstdLevel);
  }

  Status Commit(std::span<const JournalRecord> group) override {
    if (broken_) {
      return Status::Unavailable(path_ + ": refuses groups since a write or sync of it failed");
    }
    for (const JournalRecord& record : group) {
      if (record.request.size() > kJournalRequestBytesMax) {
        return Status::InvalidArgument("request of " + std::to_string(record.request.size()) +
                                       " bytes: the journal takes at most " +
                                       std::to_string(kJournalRequestBytesMax));
      }
    }
    if (group.empty()) return Status::Ok();
    EncodeGroup(group);
    const uint64_t size_before = file_->size_bytes();
    Status outcome = file_->Append(frames_);
    if (outcome.ok() && sync_) outcome = file_->Sync();
    if (!outcome.ok()) CutBack(size_before);
    ShrinkBuffers();
    return outcome;
  }

  uint64_t size_bytes() const override { return file_->size_bytes(); }

 private:
  // Fills frames_. One frame, unless the group is larger than a frame should be.
  void EncodeGroup(std::span<const JournalRecord> group) {
    frames_.clear();
    while (!group.empty()) {
      size_t count = 0;
      uint64_t raw_bytes = 0;
      do {
        raw_bytes += RecordBytes(group[count++]);
      } while (count < group.size() && raw_bytes + RecordBytes(group[count]) <= kFrameRawBytesAim);
      AppendFrame(group.first(count));
      group = group.subspan(count);
    }
  }

  // Requests go into the compressor from where they lie: a huge one is not copied whole.
  void AppendFrame(std::span<const JournalRecord> records) {
    heads_.clear();
    head_ends_.clear();
    uint64_t raw_bytes = 0;
    for (const JournalRecord& record : records) {
      PutRecordHead(record, &heads_);
      head_ends_.push_back(heads_.size());
      raw_bytes += record.request.size();
    }
    raw_bytes += heads_.size();
    LARDER_CHECK(raw_bytes <= kFrameRawBytesMax);
    const size_t at = frames_.size();
    frames_.resize(at + kFrameHeaderBytes);
    ZSTD_CCtx_setPledgedSrcSize(context_.get(), raw_bytes);
    size_t head = 0;
    for (size_t i = 0; i < records.size(); ++i) {
      Compress(std::string_view(heads_).substr(head, head_ends_[i] - head), ZSTD_e_continue);
      Compress(records[i].request, ZSTD_e_continue);
      head = head_ends_[i];
    }
    Compress({}, ZSTD_e_end);
    const std::string_view payload = std::string_view(frames_).substr(at + kFrameHeaderBytes);
    const FrameHeader header = {.payload_bytes = static_cast<uint32_t>(payload.size()),
                                .generation = generation_,
                                .sequence = sequence_++,
                                .raw_bytes = static_cast<uint32_t>(raw_bytes),
                                .record_count = static_cast<uint32_t>(records.size()),
                                .payload_checksum = Checksum32(payload)};
    EncodeFrameHeader(header, frames_.data() + at);
  }

  // Puts `raw` into the compressor, and what comes out at the end of frames_.
  void Compress(std::string_view raw, ZSTD_EndDirective directive) {
    ZSTD_inBuffer in = {raw.data(), raw.size(), 0};
    bool more = true;
    while (more) {
      ZSTD_outBuffer out = {packed_.data(), packed_.size(), 0};
      const size_t left = ZSTD_compressStream2(context_.get(), &out, &in, directive);
      LARDER_CHECK(ZSTD_isError(left) == 0);  // sizes are as pledged: only a bug of ours is left
      frames_.append(packed_, 0, out.pos);
      more = directive == ZSTD_e_end ? left > 0 : in.pos < in.size;
    }
  }

  // The group was refused: it should not come back at replay. If even this fails, it may; a client
  // that retries is recognised then.
  void CutBack(uint64_t size_bytes) {
    broken_ = true;
    const Status cut = file_->Truncate(size_bytes);
    if (cut.ok()) return;
    Log(LogLevel::kWarning, "a refused group may stay in the journal",
        {{"file", path_}, {"offset", size_bytes}, {"reason", cut.message()}});
  }

  void ShrinkBuffers() {
    if (frames_.capacity() > kKeptBufferBytes) std::string().swap(frames_);
  }

  const std::string path_;
  const std::unique_ptr<AppendFile> file_;
  const uint64_t generation_;
  const bool sync_;
  const std::unique_ptr<ZSTD_CCtx, CompressionContextDeleter> context_;
  uint64_t sequence_ = 0;
  bool broken_ = false;
  std::string packed_ = std::string(ZSTD_CStreamOutSize(), '\0');  // what came out last
  std::string heads_;                                              // of the records of a frame
  std::vector<size_t> head_ends_;
  std::string frames_;
};

}  // namespace

Result<std::unique_ptr<JournalWriter>> JournalWriter::Create(FileSystem* file_system,
                                                             const std::string& directory,
                                                             uint64_t generation, bool sync) {
  const std::string path = directory + "/" + JournalFileName(generation);
  if (file_system->Exists(path)) return Status(StatusCode::kAlreadyExists, path + ": exists");
  LARDER_ASSIGN_OR_RETURN(std::unique_ptr<AppendFile> file, file_system->CreateFile(path));
  Status outcome = file->Append(EncodeJournalHeader(generation));
  if (outcome.ok()) outcome = file->Sync();
  if (outcome.ok()) outcome = file_system->SyncDirectory(directory);
  if (!outcome.ok()) {
    file.reset();
    static_cast<void>(file_system->Remove(path));  // without a record it is harmless where it is
    return outcome;
  }
  return std::unique_ptr<JournalWriter>(
      std::make_unique<Writer>(path, std::move(file), generation, sync));
}

std::string JournalFileName(uint64_t generation) {
  std::string digits = std::to_string(generation);
  digits.insert(0, kNumberDigits - std::min(kNumberDigits, digits.size()), '0');
  return digits.append(kSuffix);
}

bool ParseJournalFileName(std::string_view name, uint64_t* generation) {
  if (!name.ends_with(kSuffix)) return false;
  const std::string_view digits = name.substr(0, name.size() - kSuffix.size());
  uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, value);
  if (error != std::errc() || stopped != end) return false;
  if (JournalFileName(value) != name) return false;  // "7.journal" is not ours
  *generation = value;
  return true;
}

}  // namespace larder
