#include "tiering/row/row_reader.h"

#include <charconv>
#include <optional>

#include "tiering/row/span_row.h"

namespace larder {
namespace {

constexpr size_t kPartsMax = 1024;

std::string_view Column(const SlsColumns& row, std::string_view key) {
  const auto found = row.find(key);
  return found == row.end() ? std::string_view() : std::string_view(found->second);
}

std::optional<size_t> Number(std::string_view text) {
  size_t number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number);
  if (end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

PayloadKind PayloadKindOf(const SlsColumns& row) {
  if (row.contains(kPartKey)) return PayloadKind::kPart;
  if (row.contains(kPartsKey)) return PayloadKind::kParts;
  return row.contains(kRawKey) ? PayloadKind::kWhole : PayloadKind::kNone;
}

Result<std::string> ReadSpanRow(const SlsColumns& row, const HoldBytes& hold) {
  if (PayloadKindOf(row) == PayloadKind::kWhole) {
    return DecodeRawPayload(Column(row, kRawKey), hold);
  }
  LARDER_ASSIGN_OR_RETURN(const Span span, SpanOfColumns(row));
  return EncodeSpans({span});
}

Result<std::string> JoinPayload(const SlsColumns& row, const std::vector<SlsColumns>& others,
                                const HoldBytes& hold) {
  const auto count = Number(Column(row, kPartsKey));
  if (!count || *count == 0 || *count > kPartsMax) {
    return Status::DataLoss("otlp.parts is no number of parts");
  }
  std::vector<std::string_view> parts(*count);
  for (const SlsColumns& other : others) {
    if (Column(other, kRefKey) != Column(row, kRefKey)) continue;
    const std::string_view part = Column(other, kPartKey);
    const auto number = Number(part.substr(0, part.find('/')));
    if (number && *number >= 1 && *number <= *count) parts[*number - 1] = Column(other, kRawKey);
  }
  std::string payload;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) {
      return Status::DataLoss("part " + std::to_string(i + 1) + " of " + std::to_string(*count) +
                              " of span " + std::string(Column(row, kRefKey)) + " is missing");
    }
    payload += parts[i];
  }
  return DecodeRawPayload(payload, hold);
}

}  // namespace larder
