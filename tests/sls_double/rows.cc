// Writes spans as the tier's mover packs them: TracesData (OTLP) on standard input, one LogGroup a
// line in hex on standard output. test_plugin_queries.py asks aliyun-log-jaeger's questions over
// them.
#include <cstdio>
#include <iostream>
#include <iterator>
#include <string>

#include "tiering/row/packer.h"
#include "tiering/row/row_test_support.h"
#include "tiering/row/span_row.h"

namespace larder {
namespace {

Status WriteRows(const std::string& traces_data) {
  LARDER_ASSIGN_OR_RETURN(const std::vector<Span> spans, DecodeSpans(traces_data));
  SpanRowWriter writer({});
  Packer packer({.pack_name = "part"});
  for (const Span& span : spans) {
    const OwnedPieces pieces = PiecesOf(span);
    LARDER_ASSIGN_OR_RETURN(const SlsSpanRow row, writer.Write(pieces.view()));
    packer.Add(row);
  }
  for (const PackedGroup& group : packer.Finish()) {
    for (const char byte : group.bytes) std::printf("%02x", static_cast<unsigned char>(byte));
    std::printf("\n");
  }
  return Status::Ok();
}

}  // namespace
}  // namespace larder

int main() {
  const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
  const larder::Status written = larder::WriteRows(input);
  if (!written.ok()) std::cerr << written.ToString() << '\n';
  return written.ok() ? 0 : 1;
}
