// Values of one field as JSON spells them, appended to a message in protobuf's wire format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "plugin/otlp_http/otlp_json_schema.h"

namespace larder::otlp_json {

// Each appends the field, tag included, and returns false when the value is not one of the field's
// kind. A default value is left out unless `keep_default`.
bool AppendBool(const Field& field, bool value, bool keep_default, std::string* out);
// `value` when not negative, else -`value` in two's complement.
bool AppendInteger(const Field& field, uint64_t value, bool is_negative, bool keep_default,
                   std::string* out);
bool AppendFloat(const Field& field, double value, bool keep_default, std::string* out);
bool AppendText(const Field& field, std::string_view text, bool keep_default, std::string* out);

}  // namespace larder::otlp_json
