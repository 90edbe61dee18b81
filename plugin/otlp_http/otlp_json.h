// An OTLP request in JSON as the same request in protobuf's wire format.
#pragma once

#include <string>
#include <string_view>

#include "storage/base/status.h"

namespace larder {

// Fields that OTLP does not name are passed over, null is as if the field were not there, a
// repeated key of an object counts twice (the last one wins, arrays join), ids of any length pass
// (the store rejects their spans one by one). kInvalidArgument, naming the place, for what is not
// JSON in UTF-8, for a value of another type than its field's, and for more than 256 nested
// messages. The result is never larger than the text.
Result<std::string> OtlpJsonToWire(std::string_view json);

}  // namespace larder
