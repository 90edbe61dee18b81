#include "plugin/requests.h"

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include "plugin/filter/filter_wire.h"
#include "plugin/wire_time.h"
#include "storage/model/value.h"

namespace larder {
namespace {

using protozero::pbf_wire_type;

std::string_view View(protozero::data_view view) { return {view.data(), view.size()}; }

// A field and how it is laid out, in one number to switch over: a known field in an unexpected
// layout is skipped like an unknown one.
constexpr uint32_t Tag(uint32_t field, pbf_wire_type type) {
  return protozero::tag_and_type(field, type);
}
constexpr uint32_t Bytes(uint32_t field) { return Tag(field, pbf_wire_type::length_delimited); }
constexpr uint32_t Varint(uint32_t field) { return Tag(field, pbf_wire_type::varint); }

// Protozero throws on broken bytes; nothing above this function sees it.
template <typename Parse>
auto Guarded(Parse parse) -> decltype(parse()) {
  try {
    return parse();
  } catch (const protozero::exception& broken) {
    return Status::InvalidArgument("the request is not a valid protobuf message (" +
                                   std::string(broken.what()) + ")");
  }
}

// A string, which is all that Jaeger's UI sends, is text to be matched at any stored type; a typed
// constant keeps its type. What has no type among constants is compared by its text.
Constant ConstantOf(const AttributeView& attribute) {
  Constant constant;
  switch (attribute.type) {
    case ValueType::kString:
      constant.type = Constant::Type::kLegacyText;
      constant.text = attribute.payload;
      break;
    case ValueType::kBool:
      constant.type = Constant::Type::kBool;
      constant.number = attribute.payload[0] != 0 ? 1 : 0;
      break;
    case ValueType::kInt:
      constant.type = Constant::Type::kInt;
      std::memcpy(&constant.number, attribute.payload.data(), sizeof constant.number);
      break;
    case ValueType::kDouble:
      constant.type = Constant::Type::kDouble;
      std::memcpy(&constant.real, attribute.payload.data(), sizeof constant.real);
      break;
    default:
      constant.type = Constant::Type::kCanonicalText;
      constant.text = ValueText(attribute.type, attribute.payload);
  }
  return constant;
}

Result<std::pair<std::string, Constant>> ReadAttribute(std::string_view key_value) {
  std::array<char, 8> scratch{};
  LARDER_ASSIGN_OR_RETURN(const AttributeView attribute, DecodeKeyValue(key_value, scratch.data()));
  return std::make_pair(std::string(attribute.key), ConstantOf(attribute));
}

// A KeyValue without a value asks for nothing, as in Jaeger's server.
bool HasValue(std::string_view key_value) {
  protozero::pbf_reader reader(key_value.data(), key_value.size());
  return reader.next(2, pbf_wire_type::length_delimited);
}

Status NotServed(std::string_view field) {
  return Status::InvalidArgument(std::string(field) +
                                 " is not served by this version, as GetCapabilities says");
}

// Occurrences of a message that should come once are one after another what protobuf merges.
Status AppendFilter(std::string_view call, std::optional<std::string>* filter) {
  if (!filter->has_value()) filter->emplace();
  if ((*filter)->size() + call.size() > kFilterBytesMax) {
    return Status::InvalidArgument("filter: more than " + std::to_string(kFilterBytesMax) +
                                   " bytes");
  }
  **filter += call;
  return Status::Ok();
}

// Gathers TraceQueryParameters field by field.
class SearchReader {
 public:
  // REQUIRES: the reader stands on a field. May throw protozero::exception.
  Status Field(protozero::pbf_reader& reader);
  Result<TraceQuery> Finish(uint32_t depth_max);

 private:
  Status Attribute(std::string_view key_value);
  Result<FilterNode> Filter() const;

  LegacySearch search_;
  std::optional<std::string> filter_;  // the message Call
  std::optional<WireTime> start_min_;
  std::optional<WireTime> start_max_;
};

Status SearchReader::Field(protozero::pbf_reader& reader) {
  switch (reader.tag_and_type()) {
    case Bytes(1):
      search_.service = reader.get_string();
      break;
    case Bytes(2):
      search_.operation = reader.get_string();
      break;
    case Bytes(3):
      return Attribute(View(reader.get_view()));
    case Bytes(4): {
      LARDER_ASSIGN_OR_RETURN(start_min_, ReadTime(View(reader.get_view()), "start_time_min"));
      break;
    }
    case Bytes(5): {
      LARDER_ASSIGN_OR_RETURN(start_max_, ReadTime(View(reader.get_view()), "start_time_max"));
      break;
    }
    case Bytes(6):
      search_.duration_min_ns = ReadDuration(View(reader.get_view()));
      break;
    case Bytes(7):
      search_.duration_max_ns = ReadDuration(View(reader.get_view()));
      break;
    case Varint(8):
      search_.depth = reader.get_int32();
      break;
    case Bytes(9):
      LARDER_RETURN_IF_ERROR(AppendFilter(View(reader.get_view()), &filter_));
      break;
    case Bytes(10):
      return NotServed("pagination");
    default:
      reader.skip();
  }
  return Status::Ok();
}

Status SearchReader::Attribute(std::string_view key_value) {
  if (!HasValue(key_value)) return Status::Ok();
  auto attribute = ReadAttribute(key_value);
  if (!attribute.ok()) return attribute.status().With("attributes");
  search_.attributes.push_back(std::move(attribute).value());
  return Status::Ok();
}

// The structured filter stands alone: what else would be asked for is part of it.
Result<FilterNode> SearchReader::Filter() const {
  if (!filter_) return LowerLegacySearch(search_);
  const bool has_legacy = !search_.service.empty() || !search_.operation.empty() ||
                          search_.duration_min_ns != 0 || search_.duration_max_ns != 0 ||
                          !search_.attributes.empty();
  if (has_legacy) {
    return Status::InvalidArgument(
        "filter: beside it only the time range, the depth and the page may be given, not "
        "service_name, operation_name, duration_min, duration_max or attributes");
  }
  return ParseFilter(*filter_);
}

Result<TraceQuery> SearchReader::Finish(uint32_t depth_max) {
  TraceQuery query;
  query.start = RangeOf(start_min_, start_max_);
  LARDER_ASSIGN_OR_RETURN(query.filter, Filter());
  query.depth = search_.depth <= 0 ? kSearchDepthDefault : static_cast<uint32_t>(search_.depth);
  if (query.depth > depth_max) query.depth = depth_max;
  return query;
}

// GetTraceParams
Result<TraceId> ReadTraceId(std::string_view message) {
  TraceId id;
  protozero::pbf_reader reader(message.data(), message.size());
  while (reader.next(1, pbf_wire_type::length_delimited)) {
    const std::string_view bytes = View(reader.get_view());
    if (bytes.size() > id.bytes.size()) {
      return Status::InvalidArgument("trace_id has " + std::to_string(bytes.size()) +
                                     " bytes; a trace id has 16");
    }
    id = TraceId{};
    std::memcpy(id.bytes.data(), bytes.data(), bytes.size());
  }
  return id;
}

// A repeated singular message is merged by protobuf: all its occurrences are read as one.
Result<TraceQuery> ReadSearch(std::string_view message, uint32_t depth_max) {
  SearchReader search;
  bool has_query = false;
  protozero::pbf_reader reader(message.data(), message.size());
  while (reader.next(1, pbf_wire_type::length_delimited)) {
    has_query = true;
    protozero::pbf_reader query = reader.get_message();
    while (query.next()) LARDER_RETURN_IF_ERROR(search.Field(query));
  }
  if (!has_query) return Status::InvalidArgument("the request has no query");
  return search.Finish(depth_max);
}

constexpr std::array<std::string_view, 6> kKindWords = {"",       "internal", "server",
                                                        "client", "producer", "consumer"};

}  // namespace

Result<std::vector<TraceId>> ParseGetTraces(std::string_view message) {
  return Guarded([&]() -> Result<std::vector<TraceId>> {
    std::vector<TraceId> ids;
    protozero::pbf_reader reader(message.data(), message.size());
    while (reader.next(1, pbf_wire_type::length_delimited)) {
      LARDER_ASSIGN_OR_RETURN(const TraceId id, ReadTraceId(View(reader.get_view())));
      ids.push_back(id);
    }
    return ids;
  });
}

Result<TraceQuery> ParseFindTraces(std::string_view message, uint32_t depth_max) {
  return Guarded([&] { return ReadSearch(message, depth_max); });
}

Result<OperationsRequest> ParseGetOperations(std::string_view message) {
  return Guarded([&]() -> Result<OperationsRequest> {
    OperationsRequest request;
    protozero::pbf_reader reader(message.data(), message.size());
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case Bytes(1):
          request.service = reader.get_string();
          break;
        case Bytes(2):
          request.kind_word = reader.get_string();
          break;
        default:
          reader.skip();
      }
    }
    return request;
  });
}

Result<TimeRange> ParseGetDependencies(std::string_view message) {
  return Guarded([&]() -> Result<TimeRange> {
    std::optional<WireTime> start;
    std::optional<WireTime> end;
    protozero::pbf_reader reader(message.data(), message.size());
    while (reader.next()) {
      switch (reader.tag_and_type()) {
        case Bytes(1): {
          LARDER_ASSIGN_OR_RETURN(start, ReadTime(View(reader.get_view()), "start_time"));
          break;
        }
        case Bytes(2): {
          LARDER_ASSIGN_OR_RETURN(end, ReadTime(View(reader.get_view()), "end_time"));
          break;
        }
        default:
          reader.skip();
      }
    }
    if (!start || !end) return Status::InvalidArgument("start_time and end_time are required");
    const TimeRange range = RangeOf(start, end);
    const bool both_early = start->before_1970 && end->before_1970;
    const bool both_late = start->after_last && end->after_last;
    if (range.min_ns > range.max_ns && !both_early && !both_late) {
      return Status::InvalidArgument("end_time lies before start_time");
    }
    return range;
  });
}

std::string_view OperationKindWord(int32_t kind) {
  if (kind < 0 || static_cast<size_t>(kind) >= kKindWords.size()) return "";
  return kKindWords[static_cast<size_t>(kind)];
}

int32_t KindNumber(std::string_view word) {
  for (size_t kind = 1; kind < kKindWords.size(); ++kind) {
    if (kKindWords[kind] == word) return static_cast<int32_t>(kind);
  }
  return -1;
}

}  // namespace larder
