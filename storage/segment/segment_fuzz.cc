// A segment whose pages hold anything, checksums right: whatever the bytes are, the reader answers
// or fails, within bounds. The first bytes of the input choose the page that the rest becomes.
#include <cstdint>
#include <map>

#include "storage/model/span.h"
#include "storage/segment/page/page.h"
#include "storage/segment/page/page_writer.h"
#include "storage/segment/segment.h"
#include "storage/segment/segment_writer.h"
#include "tests/support/map_page_store.h"
#include "tests/support/seed.h"
#include "tests/support/span_generator.h"

namespace larder {
namespace {

using Pages = std::map<PageKey, std::string>;

const Pages& WholeSegment() {
  static const Pages* const pages = [] {
    Random random(1);
    SpanTable table;
    const auto spans = SpanGenerator(&random, {.hostile_one_in = 3}).Batch(300);
    LARDER_CHECK(table.Append(EncodeSpans(spans), {}).ok());
    table.Publish();
    MapPageStore store;
    LARDER_CHECK(WriteSegment(table, {.segment_id = 1}, {}, &store).ok());
    return new Pages(store.pages());
  }();
  return *pages;
}

class Ignore : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t, std::string_view, std::string_view, std::string_view) override {
    return true;
  }
};

// The page `key` with another body.
std::string Repack(PageKey key, std::string_view body) {
  PageWriter writer(1);
  writer.Add(key, body);
  MapPageStore store;
  LARDER_CHECK(writer.Flush(&store).ok());
  return store.pages().at(key);
}

void Read(const Segment& segment) {
  std::vector<uint32_t> rows(std::min(segment.row_count(), 1000u));
  for (uint32_t row = 0; row < rows.size(); ++row) rows[row] = row;
  Ignore visitor;
  std::vector<SpanFacts> facts;
  std::vector<TraceId> ids;
  std::vector<ServiceOperation> operations;
  std::vector<EdgeCount> edges;
  std::vector<uint32_t> found;
  std::vector<std::string> faults;
  (void)segment.EncodeRows(rows, &visitor).ok();
  (void)segment.Facts(rows, &facts).ok();
  (void)segment.TraceIds(0, segment.row_count(), &ids).ok();
  if (!ids.empty()) (void)segment.FindTrace(ids[0], &found).ok();
  (void)segment.Operations(&operations).ok();
  (void)segment.Edges(&edges).ok();
  (void)segment.Verify(&faults).ok();
}

void FuzzOne(std::string_view input) {
  if (input.size() < 2) return;
  Pages pages = WholeSegment();
  const auto choice = static_cast<uint8_t>(input[0]);
  auto page = std::next(pages.begin(), choice % static_cast<ptrdiff_t>(pages.size()));
  std::string body;
  LARDER_CHECK(DecodePage(page->first, page->second, &body).ok());
  // Even: a body made of the input; odd: the true body with the input over a part of it.
  const std::string_view rest = input.substr(2);
  if (input[1] % 2 == 0) {
    body = rest;
  } else if (!body.empty()) {
    const size_t at = static_cast<uint8_t>(input[1]) * body.size() / 256;
    body.replace(at, std::min(rest.size(), body.size() - at), rest);
  }
  page->second = Repack(page->first, body);
  MapPageStore store;
  store.pages() = std::move(pages);
  PageCache cache(8 << 20);
  const auto segment = Segment::Open(store.Source(), &cache);
  if (segment.ok()) Read(**segment);
}

}  // namespace
}  // namespace larder

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  larder::FuzzOne({reinterpret_cast<const char*>(data), size});
  return 0;
}
