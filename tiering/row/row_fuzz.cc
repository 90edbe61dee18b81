// Any bytes as what SLS may answer: log groups from the wire, rows of others in JSON. They are
// refused, or spans that the store takes. And any spans as rows, of which they come back unchanged.
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "storage/base/check.h"
#include "storage/model/table/span_table.h"
#include "storage/model/traces_data_writer.h"
#include "tiering/base/bounded_json.h"
#include "tiering/row/packer.h"
#include "tiering/row/row_reader.h"
#include "tiering/row/row_test_support.h"
#include "tiering/row/span_row.h"
#include "tiering/sls/log_group.h"

namespace larder {
namespace {

constexpr uint64_t kHeldBytesMax = 16 << 20;

Status Hold(uint64_t bytes) {
  if (bytes <= kHeldBytesMax) return Status::Ok();
  return Status::ResourceExhausted("more than a fuzzer may have");
}

// A row as it is read back, with others among which its continuations may be.
void ReadRow(const SlsColumns& row, const std::vector<SlsColumns>& others) {
  const PayloadKind kind = PayloadKindOf(row);
  if (kind == PayloadKind::kPart) return;
  const auto message =
      kind == PayloadKind::kParts ? JoinPayload(row, others, Hold) : ReadSpanRow(row, Hold);
  if (!message.ok()) {
    LARDER_CHECK(!message.status().message().empty());
    return;
  }
  SpanTable table;
  const auto added = table.Append(*message, AppendLimits::None());
  if (kind != PayloadKind::kNone) return;  // a payload may be anything: the store looks at it
  LARDER_CHECK(added.ok());
  LARDER_CHECK(added->accepted_spans == 1);
}

void ReadGroup(const SlsLogGroup& group) {
  std::vector<SlsColumns> rows;
  for (const SlsLog& log : group.logs) rows.push_back(ColumnsOf(log));
  for (const SlsColumns& row : rows) ReadRow(row, rows);
  const auto again = DecodeLogGroup(EncodeLogGroup(group));
  LARDER_CHECK(again.ok());
  LARDER_CHECK(*again == group);
}

void ReadWire(std::string_view bytes) {
  if (const auto group = DecodeLogGroup(bytes); group.ok()) ReadGroup(*group);
  const auto list = DecodeLogGroupList(bytes);
  if (!list.ok()) return;
  for (const SlsLogGroup& group : *list) ReadGroup(group);
}

void ReadJson(std::string_view text) {
  const nlohmann::json json = ParseBoundedJson(text);
  if (!json.is_object()) return;
  SlsColumns row;
  for (const auto& [key, value] : json.items()) {
    row[key] = value.is_string() ? value.get<std::string>() : DumpJson(value);
  }
  ReadRow(row, {row});
}

// The logs of a row, as they come back from a group.
std::vector<SlsColumns> PackAndRead(const SlsSpanRow& row) {
  Packer packer({.pack_name = "larder-0-0-0-1-0"});
  packer.Add(row);
  std::vector<SlsColumns> rows;
  for (const PackedGroup& packed : packer.Finish()) {
    const auto group = DecodeLogGroup(packed.bytes);
    LARDER_CHECK(group.ok());
    for (const SlsLog& log : group->logs) rows.push_back(ColumnsOf(log));
  }
  return rows;
}

// Spans of a request as rows, packed, and read again.
void WriteSpans(std::string_view request) {
  SpanTable table;
  if (!table.Append(request, {}).ok()) return;
  table.Publish();
  SpanRowWriter writer({.log_bytes_max = 2048});  // so that some have continuations
  for (uint32_t i = 0; i < table.published_rows(); ++i) {
    const SpanRow& span = table.row(i);
    std::string bytes;
    table.EncodeSpan(i, &bytes);
    const SpanPieces pieces{table.resource(span.resource).envelope,
                            table.scope(span.scope).envelope, bytes};
    const auto row = writer.Write(pieces);
    LARDER_CHECK(row.ok());
    TracesDataWriter expected;
    expected.Add(pieces.resource, pieces.scope, pieces.span);
    const std::vector<SlsColumns> rows = PackAndRead(*row);
    LARDER_CHECK(!rows.empty());
    const auto read = PayloadKindOf(rows[0]) == PayloadKind::kParts ? JoinPayload(rows[0], rows)
                                                                    : ReadSpanRow(rows[0]);
    LARDER_CHECK(read.ok());
    LARDER_CHECK(*read == expected.Finish());
    const auto columns = SpanOfColumns(rows[0]);
    LARDER_CHECK(columns.ok());
    LARDER_CHECK(columns->trace_id == span.trace_id);
    LARDER_CHECK(columns->span_id == span.span_id);
  }
}

}  // namespace
}  // namespace larder

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      larder::ReadWire(input);
      break;
    case 1:
      larder::ReadJson(input);
      break;
    default:
      larder::WriteSpans(input);
  }
  return 0;
}
