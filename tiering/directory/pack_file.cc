#include "tiering/directory/pack_file.h"

#include <algorithm>

#include "storage/base/coding.h"
#include "storage/model/traces_data_writer.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/page/page.h"
#include "storage/segment/page/page_writer.h"

namespace larder {
namespace {

constexpr PageKey kHeaderKey{Section::kHeader, 0, 0};
constexpr PageKey kSpansKey{Section::kStrings, 0, 0};
constexpr int kZstdLevel = 3;

class FileSink : public PageSink {
 public:
  explicit FileSink(std::string* file) : file_(file) {}
  Status Put(PageKey /*key*/, std::string_view bytes) override {
    PutFixed32(file_, static_cast<uint32_t>(bytes.size()));
    file_->append(bytes);
    return Status::Ok();
  }

 private:
  std::string* const file_;
};

// rows | first start | last start | distances of the trace hashes (numbers)
std::string EncodeHeader(const Pack& pack) {
  TimeRange start{UINT64_MAX, 0};
  std::vector<uint64_t> hashes;
  for (const PackedSpan& span : pack.spans) {
    start.min_ns = std::min(start.min_ns, span.start_ns);
    start.max_ns = std::max(start.max_ns, span.start_ns);
    hashes.push_back(TraceIdHash(span.trace_id));
  }
  std::sort(hashes.begin(), hashes.end());
  hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
  for (size_t i = hashes.size(); i-- > 1;) hashes[i] -= hashes[i - 1];
  std::string body;
  PutVarint(&body, pack.spans.size());
  PutVarint(&body, start.min_ns);
  PutVarint(&body, start.max_ns);
  EncodeNumbers(hashes, &body);
  return body;
}

}  // namespace

bool PackHeader::MayHave(uint64_t hash) const {
  return std::binary_search(trace_hashes.begin(), trace_hashes.end(), hash);
}

Result<std::string> EncodePack(const Pack& pack) {
  TracesDataWriter spans;
  for (const PackedSpan& span : pack.spans) spans.Add(span.resource, span.scope, span.span);
  PageWriter pages(kZstdLevel);
  pages.Add(kHeaderKey, EncodeHeader(pack));
  pages.Add(kSpansKey, spans.Finish());
  std::string file(kPackMagic);
  FileSink sink(&file);
  LARDER_RETURN_IF_ERROR(pages.Flush(&sink));
  return file;
}

Result<uint32_t> DecodePackLead(std::string_view lead) {
  if (lead.size() < kPackLeadBytes || !lead.starts_with(kPackMagic)) {
    return Status::DataLoss("not a pack file of this version");
  }
  const uint32_t bytes = LoadFixed32(lead.data() + kPackMagic.size());
  if (bytes > kPackPageBytesMax) return Status::DataLoss("the length of the header is wrong");
  return bytes;
}

Result<PackHeader> DecodePackHeader(std::string_view page) {
  std::string body;
  LARDER_RETURN_IF_ERROR(DecodePage(kHeaderKey, page, &body));
  ByteReader in(body);
  PackHeader header;
  const bool whole = in.GetVarint32(&header.rows) && in.GetVarint(&header.start.min_ns) &&
                     in.GetVarint(&header.start.max_ns) &&
                     DecodeNumbers(&in, &header.trace_hashes) && in.empty();
  if (!whole) return PageFault(kHeaderKey, "header");
  for (size_t i = 1; i < header.trace_hashes.size(); ++i) {
    header.trace_hashes[i] += header.trace_hashes[i - 1];
  }
  return header;
}

Result<std::string> DecodePackSpans(std::string_view rest) {
  ByteReader in(rest);
  uint32_t bytes = 0;
  std::string_view page;
  if (!in.GetFixed32(&bytes) || !in.GetBytes(bytes, &page) || !in.empty()) {
    return Status::DataLoss("the file is cut short");
  }
  std::string body;
  LARDER_RETURN_IF_ERROR(DecodePage(kSpansKey, page, &body));
  return body;
}

}  // namespace larder
