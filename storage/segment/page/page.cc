#include "storage/segment/page/page.h"

#include <array>
#include <memory>

#include <zstd.h>

#include "storage/base/coding.h"
#include "storage/base/hash.h"
#include "storage/segment/page/page_format.h"

namespace larder {
namespace {

constexpr std::array<std::string_view, 16> kSectionNames = {
    "header",      "resources",  "scopes",   "templates", "shapes",       "traces",
    "fixed",       "attributes", "events",   "links",     "dictionaries", "index",
    "trace_index", "edges",      "outliers", "strings"};

Status Decompress(PageKey key, std::string_view frame, uint64_t body_bytes, std::string* body) {
  // One context per thread: making one costs more than most pages.
  thread_local const std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                                ZSTD_freeDCtx);
  if (ZSTD_getFrameContentSize(frame.data(), frame.size()) != body_bytes) {
    return PageFault(key, "compressed size does not agree");
  }
  body->resize(body_bytes);
  const size_t got =
      ZSTD_decompressDCtx(context.get(), body->data(), body->size(), frame.data(), frame.size());
  if (ZSTD_isError(got) != 0 || got != body_bytes) return PageFault(key, "cannot be decompressed");
  return Status::Ok();
}

}  // namespace

std::string SectionName(Section section) {
  const auto number = static_cast<size_t>(section);
  return number < kSectionNames.size() ? std::string(kSectionNames[number])
                                       : "section" + std::to_string(number);
}

std::string PageKey::ToString() const {
  return SectionName(section) + "/" + std::to_string(column) + "/" + std::to_string(page);
}

Status PageFault(PageKey key, std::string_view what) {
  return Status::DataLoss("page " + key.ToString() + ": " + std::string(what));
}

uint32_t PageChecksum(PageKey key, std::string_view checked) {
  std::string place;
  place.push_back(static_cast<char>(key.section));
  PutFixed32(&place, key.column);
  PutFixed32(&place, key.page);
  return Checksum32(checked) ^ Checksum32(place);
}

Status DecodePage(PageKey key, std::string_view page, std::string* body) {
  ByteReader reader(page);
  uint32_t checksum = 0;
  if (!reader.GetFixed32(&checksum)) return PageFault(key, "is cut short");
  if (PageChecksum(key, reader.remaining()) != checksum)
    return PageFault(key, "checksum does not match");
  std::string_view form_byte;
  if (!reader.GetBytes(1, &form_byte)) return PageFault(key, "is cut short");
  const auto form = static_cast<uint8_t>(form_byte[0]);
  if (form == kPageStored) {
    body->assign(reader.remaining());
    return Status::Ok();
  }
  uint64_t body_bytes = 0;
  if (form != kPageZstd || !reader.GetVarint(&body_bytes) || body_bytes > kPageBodyBytesMax) {
    return PageFault(key, "form is unknown");
  }
  return Decompress(key, reader.remaining(), body_bytes, body);
}

}  // namespace larder
