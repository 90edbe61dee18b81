#include "plugin/paging/page_token.h"

#include <array>
#include <bit>
#include <optional>

#include "storage/base/coding.h"
#include "storage/base/hash.h"

namespace larder {
namespace {

// Part of the format, all of them.
constexpr char kVersion = 1;
constexpr char kTracesKind = 1;
constexpr char kSpansKind = 2;
constexpr size_t kHeadBytes = 1 + 1 + 8;  // version, kind, fingerprint
constexpr size_t kChecksumBytes = 4;
constexpr size_t kTokenBytesMax = 256;  // as text; far above the longest one

// RFC 4648 section 5, without padding.
constexpr std::string_view kDigits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string ToText(std::string_view bytes) {
  std::string text;
  uint32_t bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<uint8_t>(byte);
    for (count += 8; count >= 6; count -= 6) text += kDigits[bits >> (count - 6) & 63];
  }
  if (count > 0) text += kDigits[bits << (6 - count) & 63];
  return text;
}

// Nothing when the text is not what ToText makes of any bytes.
std::optional<std::string> FromText(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>(bits >> count & 0xFF);
  }
  if (ToText(bytes) != text) return std::nullopt;
  return bytes;
}

std::string Seal(char kind, uint64_t fingerprint, std::string_view position) {
  std::string token = {kVersion, kind};
  PutFixed64(&token, fingerprint);
  token += position;
  PutFixed32(&token, Checksum32(token));
  return ToText(token);
}

Status Refused(std::string_view why) {
  return Status::InvalidArgument("page_token: " + std::string(why));
}

// The position of a token.
Result<std::string> Unseal(std::string_view text, char kind, uint64_t fingerprint) {
  constexpr std::string_view kDamaged = "is damaged; send it exactly as it was given";
  if (text.size() > kTokenBytesMax) return Refused(kDamaged);
  const std::optional<std::string> token = FromText(text);
  if (!token || token->empty()) return Refused(kDamaged);
  if (token->front() != kVersion) {
    return Refused("is of a version that this server does not know, or damaged; begin anew");
  }
  if (token->size() < kHeadBytes + kChecksumBytes) return Refused(kDamaged);
  const size_t end = token->size() - kChecksumBytes;
  if (Checksum32({token->data(), end}) != LoadFixed32(token->data() + end)) {
    return Refused(kDamaged);
  }
  if ((*token)[1] != kind || LoadFixed64(token->data() + 2) != fingerprint) {
    return Refused(
        "belongs to another query; between pages nothing but the token may change, the page size "
        "neither");
  }
  return token->substr(kHeadBytes, end - kHeadBytes);
}

template <typename Id>
bool GetId(ByteReader* reader, Id* id) {
  std::string_view bytes;
  if (!reader->GetBytes(id->bytes.size(), &bytes)) return false;
  *id = Id::From(bytes);
  return true;
}

}  // namespace

QueryFingerprint::QueryFingerprint(TenantId tenant) { PutFixed32(&bytes_, tenant); }

void QueryFingerprint::Add(std::string_view field) { bytes_ += field; }

void QueryFingerprint::Add(const SpanOrder& order) {
  for (const SpanSort& term : order.terms()) {
    bytes_ += static_cast<char>(static_cast<int>(term.field) * 2 + (term.descending ? 1 : 0));
  }
}

void QueryFingerprint::AddPageSize(uint32_t size) { PutFixed32(&bytes_, size); }

uint64_t QueryFingerprint::value() const { return Hash64(bytes_); }

std::string EncodePageToken(const TracePosition& position, uint64_t fingerprint) {
  std::string bytes;
  PutFixed64(&bytes, position.latest_match_ns);
  bytes += position.trace_id.view();
  return Seal(kTracesKind, fingerprint, bytes);
}

std::string EncodePageToken(const SpanPosition& position, uint64_t fingerprint) {
  std::string bytes;
  PutFixed64(&bytes, position.key.start_ns);
  PutFixed64(&bytes, std::bit_cast<uint64_t>(position.key.duration_ns));
  bytes += position.key.trace_id.view();
  bytes += position.key.span_id.view();
  PutFixed64(&bytes, position.content.low);
  PutFixed64(&bytes, position.content.high);
  return Seal(kSpansKind, fingerprint, bytes);
}

Result<TracePosition> DecodeTraceToken(std::string_view token, uint64_t fingerprint) {
  LARDER_ASSIGN_OR_RETURN(const std::string bytes, Unseal(token, kTracesKind, fingerprint));
  ByteReader reader(bytes);
  TracePosition position;
  if (!reader.GetFixed64(&position.latest_match_ns) || !GetId(&reader, &position.trace_id) ||
      !reader.empty()) {
    return Refused("has another length than its version");
  }
  return position;
}

Result<SpanPosition> DecodeSpanToken(std::string_view token, uint64_t fingerprint) {
  LARDER_ASSIGN_OR_RETURN(const std::string bytes, Unseal(token, kSpansKind, fingerprint));
  ByteReader reader(bytes);
  SpanPosition position;
  uint64_t duration = 0;
  if (!reader.GetFixed64(&position.key.start_ns) || !reader.GetFixed64(&duration) ||
      !GetId(&reader, &position.key.trace_id) || !GetId(&reader, &position.key.span_id) ||
      !reader.GetFixed64(&position.content.low) || !reader.GetFixed64(&position.content.high) ||
      !reader.empty()) {
    return Refused("has another length than its version");
  }
  position.key.duration_ns = std::bit_cast<int64_t>(duration);
  return position;
}

Result<SpanPosition> DecodeSpanToken(std::string_view token, uint64_t fingerprint, uint64_t whole) {
  Result<SpanPosition> position = DecodeSpanToken(token, whole);
  return position.ok() ? position : DecodeSpanToken(token, fingerprint);
}

}  // namespace larder
