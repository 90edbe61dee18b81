// What an OTLP server answers.
#pragma once

#include <cstdint>
#include <string_view>

namespace larder::bench {

// The spans that an ExportTraceServiceResponse says were rejected.
uint32_t RejectedSpans(std::string_view reply);

}  // namespace larder::bench
