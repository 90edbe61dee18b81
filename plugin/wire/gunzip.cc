#include "plugin/wire/gunzip.h"

#include <algorithm>
#include <climits>

#include <zlib.h>

namespace larder {
namespace {

constexpr int kGzipOnly = 16 + MAX_WBITS;
constexpr uint64_t kFirstBytes = 16 << 10;

// zlib's state, released at the end of a scope.
class Inflater {
 public:
  Inflater() : ok_(inflateInit2(&stream_, kGzipOnly) == Z_OK) {}
  ~Inflater() {
    if (ok_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  bool ok() const { return ok_; }
  z_stream& stream() { return stream_; }

 private:
  z_stream stream_{};
  const bool ok_;
};

}  // namespace

bool IsGzip(std::string_view message) { return message.starts_with("\x1f\x8b"); }

Result<std::string> Gunzip(std::string_view packed, uint64_t size_bytes_max) {
  Inflater inflater;
  if (!inflater.ok()) return Status::ResourceExhausted("no memory to unpack gzip");
  if (packed.size() > UINT_MAX) return Status::InvalidArgument("the packed request is too large");
  z_stream& stream = inflater.stream();
  // zlib does not write to its input; its interface is older than const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string unpacked;
  uint64_t filled = 0;
  for (;;) {
    // One byte above the bound tells a message that fits from one that does not.
    const uint64_t wanted = std::max(kFirstBytes, std::max<uint64_t>(packed.size(), filled) * 2);
    unpacked.resize(std::min(wanted, size_bytes_max + 1));
    stream.next_out = reinterpret_cast<Bytef*>(unpacked.data() + filled);
    stream.avail_out = static_cast<uInt>(std::min<uint64_t>(unpacked.size() - filled, UINT_MAX));
    const int outcome = inflate(&stream, Z_NO_FLUSH);
    filled = static_cast<uint64_t>(reinterpret_cast<char*>(stream.next_out) - unpacked.data());
    if (filled > size_bytes_max) {
      return Status(StatusCode::kOutOfRange, "the request unpacks to more than " +
                                                 std::to_string(size_bytes_max) +
                                                 " bytes (request.size-max)");
    }
    if (outcome == Z_STREAM_END) break;
    if (outcome != Z_OK || (stream.avail_in == 0 && stream.avail_out != 0)) {
      return Status::InvalidArgument("the request is not valid gzip");
    }
  }
  if (stream.avail_in != 0) return Status::InvalidArgument("the request goes on behind its gzip");
  unpacked.resize(filled);
  return unpacked;
}

}  // namespace larder
