#include "storage/segment/index/index_reader.h"

#include <string>

#include "storage/base/coding.h"
#include "storage/segment/index/index_format.h"
#include "storage/segment/page/page.h"

namespace larder {
namespace {

Status Malformed(PageKey key) { return PageFault(key, "is no index page"); }

bool GetBounds(ByteReader* reader, std::vector<DurationBounds>* bounds) {
  for (DurationBounds& bound : *bounds) {
    uint64_t min = 0;
    uint64_t width = 0;
    if (!reader->GetVarint(&min) || !reader->GetVarint(&width)) return false;
    bound.min_ns = UnZigZag(min);
    bound.max_ns = static_cast<int64_t>(static_cast<uint64_t>(bound.min_ns) + width);
  }
  return true;
}

}  // namespace

Status IndexReader::AddTemplates(std::span<const uint32_t> templates, uint8_t longest_min,
                                 BlockSet* blocks) const {
  for (size_t i = 0; i < templates.size();) {
    const uint32_t page = templates[i] / kIndexTemplatesPerPage;
    const PageKey key = IndexKey(kIndexTemplates, page);
    LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BodyPage> body, columns_.Body(key));
    ByteReader reader(body->body);
    for (uint32_t next = page * kIndexTemplatesPerPage;
         i < templates.size() && templates[i] / kIndexTemplatesPerPage == page; ++next) {
      BlockSet set(blocks->block_count());
      std::string_view longest;
      if (!AddBlockSet(&reader, &set) || !reader.GetBytes(set.count(), &longest)) {
        return Malformed(key);
      }
      if (next != templates[i]) continue;
      ++i;
      if (longest_min == 0) {
        blocks->UnionWith(set);
        continue;
      }
      size_t place = 0;
      set.ForEach([&](uint32_t block) {
        if (static_cast<uint8_t>(longest[place++]) >= longest_min) blocks->Add(block);
      });
    }
  }
  return Status::Ok();
}

Status IndexReader::AddCodes(uint32_t column, std::span<const uint32_t> codes,
                             BlockSet* blocks) const {
  for (size_t i = 0; i < codes.size();) {
    const uint32_t page = codes[i] / kIndexSetsPerPage;
    const PageKey key = IndexKey(kIndexColumnBase + column, page);
    LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BodyPage> body, columns_.Body(key));
    ByteReader reader(body->body);
    uint32_t next = page * kIndexSetsPerPage;
    for (; i < codes.size() && codes[i] / kIndexSetsPerPage == page; ++i) {
      for (; next < codes[i]; ++next) {
        if (!SkipBlockSet(&reader, blocks->block_count())) return Malformed(key);
      }
      if (!AddBlockSet(&reader, blocks)) return Malformed(key);
      ++next;
    }
  }
  return Status::Ok();
}

Status IndexReader::AddHash(uint32_t column, uint64_t hash, BlockSet* blocks) const {
  const uint32_t pages = IndexHashPages(columns_.columns()[column].value_count);
  const PageKey key = IndexKey(kIndexColumnBase + column, IndexHashPage(hash, pages));
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BodyPage> body, columns_.Body(key));
  ByteReader reader(body->body);
  const uint32_t wanted = IndexFingerprint(hash);
  uint64_t count = 0;
  if (!reader.GetVarint(&count)) return Malformed(key);
  uint64_t first = 0;  // entries with the wanted fingerprint: [first, last)
  uint64_t last = 0;
  uint64_t fingerprint = 0;
  for (uint64_t i = 0; i < count; ++i) {
    uint64_t gap = 0;
    if (!reader.GetVarint(&gap)) return Malformed(key);
    fingerprint += gap;
    if (fingerprint < wanted) first = i + 1;
    if (fingerprint <= wanted) last = i + 1;
  }
  const size_t width = blocks->block_count() > 256 ? 2 : 1;
  const std::string_view places = reader.remaining();
  if (places.size() / width < count) return Malformed(key);
  for (uint64_t i = first; i < last; ++i) {
    uint32_t block = static_cast<uint8_t>(places[i * width]);
    if (width == 2) block |= uint32_t{static_cast<uint8_t>(places[i * width + 1])} << 8;
    if (block >= blocks->block_count()) return Malformed(key);
    blocks->Add(block);
  }
  return Status::Ok();
}

Status IndexReader::Durations(std::vector<DurationBounds>* blocks,
                              std::vector<DurationBounds>* templates) const {
  const PageKey key = IndexKey(kIndexDurations, 0);
  LARDER_ASSIGN_OR_RETURN(const std::shared_ptr<const BodyPage> body, columns_.Body(key));
  LARDER_ASSIGN_OR_RETURN(const SegmentTables* tables, columns_.Tables());
  blocks->resize(columns_.block_count());
  templates->resize(tables->templates(ItemTable::kSpans).size());
  ByteReader reader(body->body);
  if (!GetBounds(&reader, blocks) || !GetBounds(&reader, templates)) return Malformed(key);
  return Status::Ok();
}

}  // namespace larder
