#include "plugin/services/requests.h"

#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "plugin/filter/filter_wire.h"
#include "plugin/paging/page_token.h"
#include "plugin/paging/pagination.h"
#include "plugin/wire/request_wire.h"
#include "plugin/wire/wire_time.h"
#include "storage/model/value.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

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
  wire::Reader reader(key_value);
  return reader.NextField(BytesTag(2));
}

// Gathers TraceQueryParameters field by field.
class SearchReader {
 public:
  explicit SearchReader(TenantId tenant) : tenant_(tenant), fingerprint_(tenant) {}

  // REQUIRES: the reader stands on a field. May throw protozero::exception.
  Status Field(wire::Reader& reader);
  Result<TraceSearch> Finish(const SearchLimits& limits);

 private:
  Status Page(const SearchLimits& limits, TraceSearch* search);
  Status Attribute(std::string_view key_value);
  Result<FilterNode> Filter() const;

  const TenantId tenant_;
  QueryFingerprint fingerprint_;
  LegacySearch search_;
  std::optional<std::string> filter_;  // the message Call
  std::optional<PageRequest> page_;
  std::optional<WireTime> start_min_;
  std::optional<WireTime> start_max_;
};

Status SearchReader::Field(wire::Reader& reader) {
  switch (reader.tag_and_type()) {
    case BytesTag(1):
      search_.service = reader.get_string();
      break;
    case BytesTag(2):
      search_.operation = reader.get_string();
      break;
    case BytesTag(3):
      LARDER_RETURN_IF_ERROR(Attribute(reader.View()));
      break;
    case BytesTag(4): {
      LARDER_ASSIGN_OR_RETURN(start_min_, ReadTime(reader.View(), "start_time_min"));
      break;
    }
    case BytesTag(5): {
      LARDER_ASSIGN_OR_RETURN(start_max_, ReadTime(reader.View(), "start_time_max"));
      break;
    }
    case BytesTag(6):
      search_.duration_min_ns = ReadDuration(reader.View());
      break;
    case BytesTag(7):
      search_.duration_max_ns = ReadDuration(reader.View());
      break;
    case VarintTag(8):
      search_.depth = reader.get_int32();
      break;
    case BytesTag(9):
      LARDER_RETURN_IF_ERROR(AppendFilter(reader.View(), &filter_));
      break;
    case BytesTag(10):
      if (!page_) page_.emplace();
      page_->Read(reader.View());
      return Status::Ok();  // not part of the query
    default:
      reader.skip();
  }
  fingerprint_.Add(reader.ReadField());
  return Status::Ok();
}

Status SearchReader::Attribute(std::string_view key_value) {
  if (!HasValue(key_value)) return Status::Ok();
  auto attribute = ReadAttribute(key_value);
  if (!attribute.ok()) return attribute.status().With("attributes");
  if (search_.attributes.size() == kSearchAttributesMax) {
    return Status::InvalidArgument("attributes: more than " + std::to_string(kSearchAttributesMax) +
                                   "; one search may name as many");
  }
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

Result<TraceSearch> SearchReader::Finish(const SearchLimits& limits) {
  TraceSearch search;
  TraceQuery& query = search.query;
  query.tenant = tenant_;
  query.start = RangeOf(start_min_, start_max_);
  LARDER_ASSIGN_OR_RETURN(query.filter, Filter());
  query.depth = search_.depth <= 0 ? kSearchDepthDefault : static_cast<uint32_t>(search_.depth);
  if (query.depth > limits.depth_max) query.depth = limits.depth_max;
  if (page_) LARDER_RETURN_IF_ERROR(Page(limits, &search));
  return search;
}

Status SearchReader::Page(const SearchLimits& limits, TraceSearch* search) {
  if (search_.depth != 0) {
    return Status::InvalidArgument(
        "pagination: page_size takes the place of search_depth; set one "
        "of them");
  }
  LARDER_ASSIGN_OR_RETURN(search->query.depth, page_->SizeWithin(limits.page_size_max));
  search->query.says_next = true;
  fingerprint_.AddPageSize(page_->size);
  search->fingerprint = fingerprint_.value();
  if (page_->token.empty()) return Status::Ok();
  LARDER_ASSIGN_OR_RETURN(search->query.after, DecodeTraceToken(page_->token, search->fingerprint));
  return Status::Ok();
}

// GetTraceParams
Result<TraceId> ReadTraceId(std::string_view message) {
  TraceId id;
  wire::Reader reader(message);
  while (reader.NextField(BytesTag(1))) {
    const std::string_view bytes = reader.View();
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
Result<TraceSearch> ReadSearch(std::string_view message, TenantId tenant,
                               const SearchLimits& limits) {
  SearchReader search(tenant);
  bool has_query = false;
  wire::Reader reader(message);
  while (reader.NextField(BytesTag(1))) {
    has_query = true;
    wire::Reader query(reader.View());
    while (query.NextField()) LARDER_RETURN_IF_ERROR(search.Field(query));
  }
  if (!has_query) return Status::InvalidArgument("the request has no query");
  return search.Finish(limits);
}

constexpr std::array<std::string_view, 6> kKindWords = {"",       "internal", "server",
                                                        "client", "producer", "consumer"};

}  // namespace

Result<std::vector<TraceId>> ParseGetTraces(std::string_view message) {
  return GuardedParse([&]() -> Result<std::vector<TraceId>> {
    std::vector<TraceId> ids;
    wire::Reader reader(message);
    while (reader.NextField(BytesTag(1))) {
      if (ids.size() == kTraceIdsMax) {
        return Status::InvalidArgument("query: more than " + std::to_string(kTraceIdsMax) +
                                       " trace ids; ask for the others in further calls");
      }
      LARDER_ASSIGN_OR_RETURN(const TraceId id, ReadTraceId(reader.View()));
      ids.push_back(id);
    }
    return ids;
  });
}

Result<TraceSearch> ParseTraceSearch(std::string_view message, TenantId tenant,
                                     const SearchLimits& limits) {
  return GuardedParse([&] { return ReadSearch(message, tenant, limits); });
}

Result<TraceQuery> ParseFindTraces(std::string_view message, TenantId tenant,
                                   const SearchLimits& limits) {
  LARDER_ASSIGN_OR_RETURN(TraceSearch search, ParseTraceSearch(message, tenant, limits));
  if (search.query.says_next) {
    return Status::InvalidArgument(
        "pagination: the reply of FindTraces has no place for a page token; ask FindTraceIDs, "
        "FindTraceSummaries or FindSpans, or set search_depth");
  }
  return std::move(search.query);
}

Result<OperationsRequest> ParseGetOperations(std::string_view message) {
  return GuardedParse([&]() -> Result<OperationsRequest> {
    OperationsRequest request;
    wire::Reader reader(message);
    while (reader.NextField()) {
      switch (reader.tag_and_type()) {
        case BytesTag(1):
          request.service = reader.get_string();
          break;
        case BytesTag(2):
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
  return GuardedParse([&]() -> Result<TimeRange> {
    std::optional<WireTime> start;
    std::optional<WireTime> end;
    wire::Reader reader(message);
    while (reader.NextField()) {
      switch (reader.tag_and_type()) {
        case BytesTag(1): {
          LARDER_ASSIGN_OR_RETURN(start, ReadTime(reader.View(), "start_time"));
          break;
        }
        case BytesTag(2): {
          LARDER_ASSIGN_OR_RETURN(end, ReadTime(reader.View(), "end_time"));
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
