// A span of jaeger.api_v2, taken apart into views of its message.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"

namespace larder::v1 {

// The numbers of the wire; others may come.
enum class TagType : uint32_t { kString = 0, kBool = 1, kInt64 = 2, kFloat64 = 3, kBinary = 4 };

// A KeyValue. The member that `type` names counts.
struct Tag {
  std::string_view key;
  TagType type = TagType::kString;
  std::string_view text;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string_view binary;
  bool is_taken = false;  // for the translator: stands for a field of OTLP
};

struct Reference {
  TraceId trace_id;
  SpanId span_id;
  uint32_t type = 0;  // reference::kChildOf ..
};

struct Log {
  uint64_t time_ns = 0;
  std::vector<Tag> fields;
};

struct Process {
  std::string_view service_name;
  std::vector<Tag> tags;
};

// Times are nanoseconds since 1970 as OTLP has them: before 1970 in two's complement, 0 when not
// set. A duration may be negative; it is added modulo 2^64.
struct Span {
  TraceId trace_id;
  SpanId span_id;
  std::string_view operation_name;
  std::vector<Reference> references;
  uint32_t flags = 0;
  uint64_t start_ns = 0;
  uint64_t duration_ns = 0;
  std::vector<Tag> tags;
  std::vector<Log> logs;
  Process process;
  std::vector<std::string_view> warnings;
  std::string rest;  // kRestInOtlp
};

// Reads a Span message. As protobuf does, repeated messages are merged and of a repeated scalar the
// last one counts. kInvalidArgument: broken protobuf, or an id of a wrong length.
Result<Span> ReadSpan(std::string_view message);

// Reads a trace id of 16 bytes, or of 8, which are its lower half.
Result<TraceId> ReadTraceId(std::string_view bytes);

}  // namespace larder::v1
