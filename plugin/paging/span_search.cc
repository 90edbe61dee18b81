#include "plugin/paging/span_search.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "plugin/filter/filter_wire.h"
#include "plugin/paging/page_token.h"
#include "plugin/paging/pagination.h"
#include "plugin/wire/request_wire.h"
#include "plugin/wire/wire_time.h"
#include "storage/filter/vocabulary.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

Status Refused(size_t term, std::string_view why) {
  return Status::InvalidArgument("order_by[" + std::to_string(term) + "]: " + std::string(why));
}

std::optional<SpanSortField> SortFieldOf(const Expression& expression) {
  const auto* const field = std::get_if<FieldExpression>(&expression.term);
  if (field == nullptr) return std::nullopt;
  const std::optional<Field> known = FieldOfWords(field->level, field->name);
  if (known == Field::kStartTime) return SpanSortField::kStartTime;
  if (known == Field::kDuration) return SpanSortField::kDuration;
  if (known == Field::kTraceId) return SpanSortField::kTraceId;
  if (known == Field::kSpanId) return SpanSortField::kSpanId;
  return std::nullopt;
}

// Gathers SpanQueryParameters field by field. May throw protozero::exception.
class Reader {
 public:
  explicit Reader(TenantId tenant) : tenant_(tenant), fingerprint_(tenant) {}

  // One field of the message at hand.
  Status Read(wire::Reader* reader);
  Result<SpanSearch> Finish(uint32_t page_size_max);

 private:
  Status AddSort(std::string_view message);

  const TenantId tenant_;
  QueryFingerprint fingerprint_;
  std::optional<WireTime> start_min_;
  std::optional<WireTime> start_max_;
  std::optional<std::string> filter_;  // the message Call
  std::optional<PageRequest> page_;
  std::vector<SpanSort> order_;
};

Status Reader::Read(wire::Reader* reader) {
  switch (reader->tag_and_type()) {
    case BytesTag(1): {
      LARDER_ASSIGN_OR_RETURN(start_min_, ReadTime(reader->View(), "start_time_min"));
      break;
    }
    case BytesTag(2): {
      LARDER_ASSIGN_OR_RETURN(start_max_, ReadTime(reader->View(), "start_time_max"));
      break;
    }
    case BytesTag(3):
      LARDER_RETURN_IF_ERROR(AppendFilter(reader->View(), &filter_));
      break;
    case BytesTag(4):
      if (!page_) page_.emplace();
      page_->Read(reader->View());
      return Status::Ok();  // not part of the query
    case BytesTag(5):
      return AddSort(reader->View());  // the order in effect counts
    default:
      reader->skip();
  }
  fingerprint_.Add(reader->ReadField());
  return Status::Ok();
}

Status Reader::AddSort(std::string_view message) {
  const size_t term = order_.size();
  if (term == SpanOrder::kTermsMax) return Refused(term, "at most 4 terms are taken");
  std::string expression;
  std::string direction;
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case BytesTag(1):
        expression += reader.View();
        break;
      case BytesTag(2):
        direction = reader.get_string();
        break;
      default:
        reader.skip();
    }
  }
  const Result<Expression> decoded = DecodeExpression(expression);
  const auto field = decoded.ok() ? SortFieldOf(*decoded) : std::nullopt;
  if (!field) {
    return Refused(term,
                   "must name one of the fields startTime, duration, traceID, spanID of "
                   "level span");
  }
  const bool repeats = std::any_of(order_.begin(), order_.end(),
                                   [&](const SpanSort& before) { return before.field == *field; });
  if (repeats) return Refused(term, "names a field for the second time");
  if (direction != "" && direction != "asc" && direction != "desc") {
    return Refused(term, "the direction must be asc, desc or empty");
  }
  order_.push_back({*field, direction == "desc"});
  return Status::Ok();
}

Result<SpanSearch> Reader::Finish(uint32_t page_size_max) {
  if (!start_min_ || !start_max_) {
    return Status::InvalidArgument("start_time_min and start_time_max are required");
  }
  SpanSearch search;
  search.query.tenant = tenant_;
  search.query.start = RangeOf(start_min_, start_max_);
  if (filter_) {
    LARDER_ASSIGN_OR_RETURN(search.query.filter, ParseFilter(*filter_));
  }
  fingerprint_.Add(SpanOrder(order_));
  search.fingerprint = fingerprint_.value();
  search.query.order = std::move(order_);
  search.query.page_size = std::min(kPageSizeDefault, page_size_max);
  if (!page_) return search;
  LARDER_ASSIGN_OR_RETURN(search.query.page_size, page_->SizeWithin(page_size_max));
  const uint64_t whole = search.fingerprint;
  fingerprint_.AddPageSize(page_->size);
  search.fingerprint = fingerprint_.value();
  if (!page_->token.empty()) {
    LARDER_ASSIGN_OR_RETURN(search.query.after,
                            DecodeSpanToken(page_->token, search.fingerprint, whole));
  }
  return search;
}

// A singular message that comes twice is merged by protobuf: all its occurrences are read as one.
Result<SpanSearch> Parse(std::string_view message, TenantId tenant, uint32_t page_size_max) {
  Reader query(tenant);
  bool has_query = false;
  wire::Reader reader(message);
  while (reader.NextField()) {
    if (reader.tag_and_type() != BytesTag(1)) {
      reader.skip();
      continue;
    }
    has_query = true;
    wire::Reader fields(reader.View());
    while (fields.NextField()) LARDER_RETURN_IF_ERROR(query.Read(&fields));
  }
  if (!has_query) return Status::InvalidArgument("the request has no query");
  return query.Finish(page_size_max);
}

}  // namespace

Result<SpanSearch> ParseFindSpans(std::string_view message, TenantId tenant,
                                  uint32_t page_size_max) {
  return GuardedParse([&] { return Parse(message, tenant, page_size_max); });
}

}  // namespace larder
