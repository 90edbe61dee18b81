#include "tiering/row/row_text.h"

#include <zstd.h>

#include "storage/base/check.h"
#include "tiering/base/digest.h"

namespace larder {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::string_view kZstdPrefix = "1:";
constexpr std::string_view kPlainPrefix = "0:";
constexpr int kZstdLevel = 3;
constexpr uint64_t kSpanBytesMax = 256ull << 20;

// Size of the well-formed character at the front (Unicode, table 3-7); 0 when there is none.
size_t CharacterSize(std::string_view text) {
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto continues = [&](size_t at, unsigned low = 0x80, unsigned high = 0xbf) {
    return at < text.size() && byte(at) >= low && byte(at) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return continues(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const unsigned low = first == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = first == 0xed ? 0x9f : 0xbf;
    return continues(1, low, high) && continues(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const unsigned low = first == 0xf0 ? 0x90 : 0x80;
    const unsigned high = first == 0xf4 ? 0x8f : 0xbf;
    return continues(1, low, high) && continues(2) && continues(3) ? 4 : 0;
  }
  return 0;
}

}  // namespace

std::string ValidUtf8(std::string_view bytes) {
  std::string text;
  text.reserve(bytes.size());
  while (!bytes.empty()) {
    const size_t size = CharacterSize(bytes);
    text += size == 0 ? kReplacement : bytes.substr(0, size);
    bytes.remove_prefix(size == 0 ? 1 : size);
  }
  return text;
}

std::string_view CutUtf8(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80) --bytes_max;
  return text.substr(0, bytes_max);
}

std::string DumpJson(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string EncodeRawPayload(std::string_view traces_data) {
  std::string packed(ZSTD_compressBound(traces_data.size()), '\0');
  const size_t size = ZSTD_compress(packed.data(), packed.size(), traces_data.data(),
                                    traces_data.size(), kZstdLevel);
  LARDER_CHECK(ZSTD_isError(size) == 0);
  packed.resize(size);
  return std::string(kZstdPrefix) + Base64(packed);
}

Result<std::string> DecodeRawPayload(std::string_view text, const HoldBytes& hold) {
  if (!text.starts_with(kZstdPrefix) && !text.starts_with(kPlainPrefix)) {
    return Status::DataLoss("otlp.raw has no version that is known here: '" +
                            std::string(text.substr(0, 2)) + "'");
  }
  auto bytes = FromBase64(text.substr(2));
  if (!bytes.ok()) return bytes.status().With("otlp.raw");
  if (text.starts_with(kPlainPrefix)) return bytes;
  const uint64_t size = ZSTD_getFrameContentSize(bytes->data(), bytes->size());
  if (size > kSpanBytesMax) return Status::DataLoss("otlp.raw: no zstd frame of a span");
  if (hold) LARDER_RETURN_IF_ERROR(hold(size));
  std::string span(size, '\0');
  if (ZSTD_decompress(span.data(), size, bytes->data(), bytes->size()) != size) {
    return Status::DataLoss("otlp.raw: broken zstd");
  }
  return span;
}

}  // namespace larder
