#include "tiering/row/row_test_support.h"

#include "storage/model/envelope.h"
#include "storage/model/otlp_fields.h"

namespace larder {

OwnedPieces PiecesOf(const Span& span) {
  const std::string message = EncodeSpans({span});
  OwnedPieces pieces;
  std::string scratch;
  std::string_view resource;
  std::string_view scope;
  std::string_view bytes;
  ChildReader resources(message, otlp::request::kResourceSpans);
  LARDER_CHECK(resources.Next(&resource));
  pieces.resource = ReadEnvelope(resource, &scratch);
  ChildReader scopes(resource, otlp::group::kChildren);
  LARDER_CHECK(scopes.Next(&scope));
  pieces.scope = ReadEnvelope(scope, &scratch);
  ChildReader spans(scope, otlp::group::kChildren);
  LARDER_CHECK(spans.Next(&bytes));
  pieces.span = bytes;
  return pieces;
}

SlsColumns ColumnsOf(const SlsLog& log) {
  SlsColumns columns;
  for (const auto& [key, value] : log.contents) columns[key] = value;
  columns["__time__"] = std::to_string(log.time_s);
  columns["__time_ns_part__"] = std::to_string(log.time_ns);
  return columns;
}

}  // namespace larder
