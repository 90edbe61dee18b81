// Searches by the tags of Jaeger v1, over spans that came as OTLP or were translated to it.
#pragma once

#include <string>

#include "storage/model/filter.h"

namespace larder::v1 {

// The filter of one tag: it lies on the span, its process or one of its logs, and its text is
// equal. As Jaeger's own v1 stores answer (its memory store is the model), over the tags that
// from_otlp.h shows: some of them are fields of OTLP, and then the field is asked too. Texts are
// those of jaeger's KeyValue.AsString: numbers in decimal, doubles with ten significant digits
// (%.10g), bytes in hex. Beyond that a double is also found by the digits that Jaeger's page shows
// of it.
FilterNode LowerTag(const std::string& key, const std::string& value);

}  // namespace larder::v1
