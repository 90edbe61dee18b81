// KeyValue from the wire, judged: the one reader behind DecodeKeyValue and SpanTable.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/model/value.h"

namespace larder {

enum class ValueFault : uint8_t { kNone, kMalformed, kTooDeep };

// Fills `attribute` as InterpretKeyValue does. Values nested deeper than `nesting_max` (at most
// kNestingMax) are kTooDeep and not looked at further down. Throws protozero::exception on broken
// bytes.
ValueFault ReadKeyValue(std::string_view key_value, uint32_t nesting_max, char* scratch,
                        AttributeView* attribute);

// Turns `attribute`, as ReadKeyValue made it from `key_value`, into kRaw if it could not be encoded
// into the same bytes.
void MakeReproducible(std::string_view key_value, AttributeView* attribute);

}  // namespace larder
