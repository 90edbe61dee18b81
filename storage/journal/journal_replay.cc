#include <algorithm>
#include <utility>

#include <zstd.h>

#include "storage/base/hash.h"
#include "storage/journal/file_window.h"
#include "storage/journal/journal.h"
#include "storage/journal/journal_format.h"

namespace larder {
namespace {

using RecordVisitor = std::function<Status(const JournalRecord&)>;

// A write that power loss has cut short may leave its length with zeros at the end. So many of them
// do not end a whole frame.
constexpr uint64_t kTornZeroBytes = 16;
constexpr uint64_t kScanBytes = 256 << 10;

struct DecompressionContextDeleter {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

class Replayer {
 public:
  Replayer(FileSystem* file_system, const std::string& path, uint64_t file_bytes,
           const RecordVisitor& record)
      : path_(path),
        file_bytes_(file_bytes),
        window_(file_system, path, file_bytes),
        record_(record),
        context_(ZSTD_createDCtx()) {
    LARDER_CHECK(context_ != nullptr);
  }

  Result<JournalReplay> Run() {
    LARDER_RETURN_IF_ERROR(ReadFileHeader());
    while (offset_ < file_bytes_) LARDER_RETURN_IF_ERROR(Step());
    return std::move(replay_);
  }

 private:
  // Leaves offset_ at the first frame, or at the end when there cannot be one.
  Status ReadFileHeader() {
    LARDER_ASSIGN_OR_RETURN(const std::string_view bytes, window_.Peek(0, kJournalHeaderBytes));
    const std::string name = path_.substr(path_.find_last_of('/') + 1);
    const bool named = ParseJournalFileName(name, &replay_.generation);
    LARDER_ASSIGN_OR_RETURN(const bool zeros, IsZeroFrom(0));
    if (bytes.size() < kJournalHeaderBytes || zeros) {
      return TornFrom(0);  // the header is synced before the first record is taken
    }
    const Status status = ParseJournalHeader(bytes, &replay_.generation);
    if (!status.ok() && (status.code() != StatusCode::kDataLoss || !named)) {
      return status.With(path_);
    }
    if (!status.ok()) AddDamage(0, kJournalHeaderBytes, std::string(status.message()));
    offset_ = kJournalHeaderBytes;
    return Status::Ok();
  }

  // Takes or sets aside what lies at offset_, and moves on.
  Status Step() {
    FrameHeader header;
    LARDER_ASSIGN_OR_RETURN(const bool is_frame, ReadFrameHeader(offset_, &header));
    if (!is_frame) return SetAside("no valid frame header");
    const uint64_t end = offset_ + header.frame_bytes();
    if (end > file_bytes_) return SetAside("the frame reaches beyond the end of the file");
    if (header.sequence < next_sequence_) return SetAside("a frame out of sequence");
    std::string_view raw;
    LARDER_ASSIGN_OR_RETURN(const std::string fault, ReadFrame(header, &raw));
    if (!fault.empty()) return SetAsideFrame(header, fault);
    if (header.sequence > next_sequence_ && !gap_is_known_) {
      AddDamage(offset_, 0, std::to_string(header.sequence - next_sequence_) + " frames missing");
    }
    LARDER_RETURN_IF_ERROR(Deliver(raw));
    Advance(header);
    gap_is_known_ = false;
    return Status::Ok();
  }

  void Advance(const FrameHeader& header) {
    offset_ += header.frame_bytes();
    next_sequence_ = header.sequence + 1;
  }

  // Whether a frame header of this journal lies at `offset`.
  Result<bool> ReadFrameHeader(uint64_t offset, FrameHeader* header) {
    LARDER_ASSIGN_OR_RETURN(const std::string_view bytes, window_.Peek(offset, kFrameHeaderBytes));
    return bytes.size() == kFrameHeaderBytes && ParseFrameHeader(bytes, header) &&
           header->generation == replay_.generation;
  }

  // The raw bytes of the frame at offset_, which live until the next frame; or, as the result, what
  // is wrong with it. All records are looked at before the first is delivered.
  Result<std::string> ReadFrame(const FrameHeader& header, std::string_view* raw) {
    LARDER_ASSIGN_OR_RETURN(const std::string_view payload,
                            window_.Peek(offset_ + kFrameHeaderBytes, header.payload_bytes));
    if (payload.size() != header.payload_bytes) return std::string("the file became shorter");
    if (Checksum32(payload) != header.payload_checksum) return std::string("bad frame checksum");
    raw_.resize(header.raw_bytes);
    const size_t size = ZSTD_decompressDCtx(context_.get(), raw_.data(), raw_.size(),
                                            payload.data(), payload.size());
    if (ZSTD_isError(size) != 0 || size != raw_.size()) {
      return std::string("the frame does not decompress");
    }
    uint32_t count = 0;
    JournalRecord record;
    for (std::string_view left = raw_; !left.empty(); ++count) {
      if (!TakeRecord(&left, &record)) return std::string("a record does not parse");
    }
    if (count != header.record_count) return std::string("wrong number of records");
    *raw = raw_;
    return std::string();
  }

  Status Deliver(std::string_view raw) {
    JournalRecord record;
    while (TakeRecord(&raw, &record)) {
      LARDER_RETURN_IF_ERROR(record_(record));
      ++replay_.records;
    }
    ++replay_.groups;
    return Status::Ok();
  }

  // The frame at offset_ has a good header and a bad payload. Its length is believed when another
  // frame, or the end, follows it.
  Status SetAsideFrame(const FrameHeader& header, const std::string& reason) {
    const uint64_t end = offset_ + header.frame_bytes();
    if (end == file_bytes_) return EndOfFile(reason);
    FrameHeader next;
    LARDER_ASSIGN_OR_RETURN(const bool follows, ReadFrameHeader(end, &next));
    if (!follows || next.sequence <= header.sequence) return SetAside(reason);
    AddDamage(offset_, header.frame_bytes(), reason);
    Advance(header);
    return Status::Ok();
  }

  // Sets aside everything up to the next frame that can be found.
  Status SetAside(const std::string& reason) {
    LARDER_ASSIGN_OR_RETURN(const uint64_t next, FindFrame(offset_ + 1));
    if (next == file_bytes_) return EndOfFile(reason);
    AddDamage(offset_, next - offset_, reason);
    gap_is_known_ = true;
    offset_ = next;
    return Status::Ok();
  }

  // Nothing readable follows: an unfinished write, or a damaged last frame.
  Status EndOfFile(const std::string& reason) {
    FrameHeader header;
    LARDER_ASSIGN_OR_RETURN(const bool is_frame, ReadFrameHeader(offset_, &header));
    const uint64_t left = file_bytes_ - offset_;
    bool torn = left < kFrameHeaderBytes || (is_frame && header.frame_bytes() > left);
    if (!torn) {
      LARDER_ASSIGN_OR_RETURN(torn, IsZeroFrom(file_bytes_ - kTornZeroBytes));
    }
    if (torn) return TornFrom(offset_);
    AddDamage(offset_, left, reason);
    offset_ = file_bytes_;
    return Status::Ok();
  }

  Status TornFrom(uint64_t offset) {
    replay_.torn_tail_bytes = file_bytes_ - offset;
    offset_ = file_bytes_;
    return Status::Ok();
  }

  // Where the first frame at or after `offset` starts that continues the sequence and ends inside
  // the file; the file's end when there is none.
  Result<uint64_t> FindFrame(uint64_t offset) {
    while (offset + kFrameHeaderBytes <= file_bytes_) {
      LARDER_ASSIGN_OR_RETURN(const std::string_view bytes, window_.Peek(offset, kScanBytes));
      const size_t at = bytes.find(kFrameMagic);
      if (at == std::string_view::npos) {
        // The magic may start in the last bytes of this piece.
        offset += std::max<uint64_t>(bytes.size() - (kFrameMagic.size() - 1), 1);
        continue;
      }
      FrameHeader header;
      LARDER_ASSIGN_OR_RETURN(const bool is_frame, ReadFrameHeader(offset + at, &header));
      if (is_frame && header.sequence >= next_sequence_ &&
          offset + at + header.frame_bytes() <= file_bytes_) {
        return offset + at;
      }
      offset += at + 1;
    }
    return file_bytes_;
  }

  Result<bool> IsZeroFrom(uint64_t offset) {
    while (offset < file_bytes_) {
      LARDER_ASSIGN_OR_RETURN(const std::string_view bytes, window_.Peek(offset, kScanBytes));
      if (bytes.find_first_not_of('\0') != std::string_view::npos) return false;
      offset += bytes.size();
      if (bytes.empty()) break;
    }
    return true;
  }

  void AddDamage(uint64_t offset, uint64_t size_bytes, std::string reason) {
    const std::string_view error = window_.ReadError(offset, size_bytes);
    if (!error.empty()) reason = error;
    replay_.damages.push_back(
        {.offset = offset, .size_bytes = size_bytes, .reason = std::move(reason)});
  }

  const std::string& path_;
  const uint64_t file_bytes_;
  FileWindow window_;
  const RecordVisitor& record_;
  const std::unique_ptr<ZSTD_DCtx, DecompressionContextDeleter> context_;
  std::string raw_;
  uint64_t offset_ = 0;
  uint64_t next_sequence_ = 0;
  bool gap_is_known_ = false;  // damage that explains a jump in the sequence was just reported
  JournalReplay replay_;
};

}  // namespace

Result<JournalReplay> ReplayJournal(FileSystem* file_system, const std::string& path,
                                    const RecordVisitor& record) {
  LARDER_ASSIGN_OR_RETURN(const uint64_t file_bytes, file_system->FileSize(path));
  return Replayer(file_system, path, file_bytes, record).Run();
}

}  // namespace larder
