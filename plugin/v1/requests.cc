#include "plugin/v1/requests.h"

#include <map>
#include <optional>

#include "plugin/services/requests.h"
#include "plugin/v1/model_fields.h"
#include "plugin/v1/span.h"
#include "plugin/v1/tag_filter.h"
#include "plugin/wire/wire_time.h"
#include "storage/model/wire.h"

namespace larder::v1 {
namespace {

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

// Gathers TraceQueryParameters field by field.
class SearchReader {
 public:
  Status Read(std::string_view message);
  TraceQuery Finish(uint32_t depth_max);

 private:
  Status ReadTag(std::string_view entry);

  LegacySearch search_;
  std::optional<WireTime> start_min_;
  std::optional<WireTime> start_max_;
  std::map<std::string, std::string> tags_;
};

Status SearchReader::Read(std::string_view message) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case Bytes(1):
        search_.service = reader.get_string();
        break;
      case Bytes(2):
        search_.operation = reader.get_string();
        break;
      case Bytes(3):
        LARDER_RETURN_IF_ERROR(ReadTag(reader.View()));
        break;
      case Bytes(4): {
        LARDER_ASSIGN_OR_RETURN(start_min_, ReadTime(reader.View(), "start_time_min"));
        break;
      }
      case Bytes(5): {
        LARDER_ASSIGN_OR_RETURN(start_max_, ReadTime(reader.View(), "start_time_max"));
        break;
      }
      case Bytes(6):
        search_.duration_min_ns = ReadDuration(reader.View());
        break;
      case Bytes(7):
        search_.duration_max_ns = ReadDuration(reader.View());
        break;
      case Varint(8):
        search_.depth = reader.get_int32();
        break;
      default:
        reader.skip();
    }
  }
  return Status::Ok();
}

// An entry of a map; of a repeated key the last one counts.
Status SearchReader::ReadTag(std::string_view entry) {
  std::string key;
  std::string value;
  wire::Reader reader(entry);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case Bytes(1):
        key = reader.get_string();
        break;
      case Bytes(2):
        value = reader.get_string();
        break;
      default:
        reader.skip();
    }
  }
  tags_.insert_or_assign(std::move(key), std::move(value));
  if (tags_.size() <= kSearchAttributesMax) return Status::Ok();
  return Status::InvalidArgument("tags: more than " + std::to_string(kSearchAttributesMax) +
                                 "; one search may name as many");
}

TraceQuery SearchReader::Finish(uint32_t depth_max) {
  TraceQuery query;
  query.start = RangeOf(start_min_, start_max_);
  query.filter = LowerLegacySearch(search_);
  for (const auto& [key, value] : tags_) query.filter.children.push_back(LowerTag(key, value));
  query.depth = search_.depth <= 0 ? kSearchDepthDefault : static_cast<uint32_t>(search_.depth);
  if (query.depth > depth_max) query.depth = depth_max;
  return query;
}

}  // namespace

Result<std::string_view> ParseWriteSpan(std::string_view message) {
  return Guarded([&]() -> Result<std::string_view> {
    std::optional<std::string_view> span;
    wire::Reader reader(message);
    while (reader.NextField()) {
      if (reader.tag_and_type() == Bytes(1)) {
        span = reader.View();
      } else {
        reader.skip();
      }
    }
    if (!span) return Status::InvalidArgument("the request has no span");
    return *span;
  });
}

Result<TraceId> ParseGetTrace(std::string_view message) {
  return Guarded([&]() -> Result<TraceId> {
    TraceId id;
    wire::Reader reader(message);
    while (reader.NextField()) {
      if (reader.tag_and_type() == Bytes(1)) {
        LARDER_ASSIGN_OR_RETURN(id, ReadTraceId(reader.View()));
      } else {
        reader.skip();
      }
    }
    return id;
  });
}

Result<TraceQuery> ParseFindTraces(std::string_view message, uint32_t depth_max) {
  return Guarded([&]() -> Result<TraceQuery> {
    SearchReader search;
    bool has_query = false;
    wire::Reader reader(message);
    while (reader.NextField()) {
      if (reader.tag_and_type() == Bytes(1)) {
        has_query = true;
        LARDER_RETURN_IF_ERROR(search.Read(reader.View()));
      } else {
        reader.skip();
      }
    }
    if (!has_query) return Status::InvalidArgument("the request has no query");
    return search.Finish(depth_max);
  });
}

}  // namespace larder::v1
