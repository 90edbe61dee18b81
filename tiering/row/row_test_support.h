// For tests of rows: spans in pieces, and rows as SLS answers them.
#pragma once

#include <string>

#include "storage/model/span.h"
#include "tiering/row/row_reader.h"
#include "tiering/row/span_row.h"
#include "tiering/sls/log_group.h"

namespace larder {

// A span in canonical pieces; owns them.
struct OwnedPieces {
  std::string resource;
  std::string scope;
  std::string span;
  SpanPieces view() const { return {resource, scope, span}; }
};
OwnedPieces PiecesOf(const Span& span);

// What a search answers for a log.
SlsColumns ColumnsOf(const SlsLog& log);

}  // namespace larder
