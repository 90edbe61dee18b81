// One log line as text: what the stderr sink writes.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "storage/base/log.h"

namespace larder {

// Without the line end. `unix_ns` is the wall clock.
//   kText  2026-11-22T13:05:01.250Z warning journal record set aside file="a b" offset=42
//   kJson  {"time":"...","level":"warning","message":"...","file":"a b","offset":"42"}
//   kHclog {"@level":"warn","@message":"...","@timestamp":"2026-11-22T13:05:01.250000Z","file":"a
//   b"}
// kHclog is what hosts of HashiCorp's go-plugin read from their plugins (go-hclog's JSON); no field
// there has a key that begins with @. All stay one line whatever the values hold; JSON is valid
// UTF-8 whatever they hold (bytes of an invalid value become the code points of the same numbers).
std::string FormatLogLine(LogFormat format, uint64_t unix_ns, LogLevel level,
                          std::string_view message, std::initializer_list<LogField> fields);

}  // namespace larder
