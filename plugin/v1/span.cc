#include "plugin/v1/span.h"

#include <cstring>

#include "plugin/v1/model_fields.h"
#include "plugin/wire/wire_time.h"
#include "storage/model/wire.h"

namespace larder::v1 {
namespace {

constexpr uint64_t kNanosPerSecond = 1'000'000'000;

// Modulo 2^64, as Go's UnixNano is.
uint64_t ToNanos(const SecondsAndNanos& value) {
  return static_cast<uint64_t>(value.seconds) * kNanosPerSecond +
         static_cast<uint64_t>(int64_t{value.nanos});
}

uint64_t ReadTimeNs(std::string_view message) {
  const SecondsAndNanos value = ReadSecondsAndNanos(message);
  return value.seconds == kYearOneSeconds ? 0 : ToNanos(value);
}

Tag ReadTag(std::string_view message) {
  Tag tag;
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case key_value::kKey:
        tag.key = reader.View();
        break;
      case key_value::kType:
        tag.type = static_cast<TagType>(reader.get_enum());
        break;
      case key_value::kString:
        tag.text = reader.View();
        break;
      case key_value::kBool:
        tag.boolean = reader.get_uint64() != 0;
        break;
      case key_value::kInt64:
        tag.integer = reader.get_int64();
        break;
      case key_value::kFloat64:
        tag.real = reader.get_double();
        break;
      case key_value::kBinary:
        tag.binary = reader.View();
        break;
      default:
        reader.skip();
    }
  }
  return tag;
}

void ReadProcess(std::string_view message, Process* process) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case process::kServiceName:
        process->service_name = reader.View();
        break;
      case process::kTags:
        process->tags.push_back(ReadTag(reader.View()));
        break;
      default:
        reader.skip();
    }
  }
}

Log ReadLog(std::string_view message) {
  Log log;
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case log::kTime:
        log.time_ns = ReadTimeNs(reader.View());
        break;
      case log::kFields:
        log.fields.push_back(ReadTag(reader.View()));
        break;
      default:
        reader.skip();
    }
  }
  return log;
}

Result<SpanId> ReadSpanId(std::string_view bytes) {
  if (bytes.size() != 8) {
    return Status::InvalidArgument("a span id has " + std::to_string(bytes.size()) +
                                   " bytes, not 8");
  }
  return SpanId::From(bytes);
}

Result<Reference> ReadReference(std::string_view message) {
  Reference reference;
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case reference::kTraceId: {
        LARDER_ASSIGN_OR_RETURN(reference.trace_id, ReadTraceId(reader.View()));
        break;
      }
      case reference::kSpanId: {
        LARDER_ASSIGN_OR_RETURN(reference.span_id, ReadSpanId(reader.View()));
        break;
      }
      case reference::kType:
        reference.type = static_cast<uint32_t>(reader.get_enum());
        break;
      default:
        reader.skip();
    }
  }
  return reference;
}

// Gathers a span field by field.
class SpanReader {
 public:
  Status Read(std::string_view message);
  Span Finish();

 private:
  Status ReadIdentity(wire::Reader* reader);
  void ReadRare(wire::Reader* reader);

  Span span_;
  std::string_view flags_field_;
};

Status SpanReader::Read(std::string_view message) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case span::kTraceId:
      case span::kSpanId:
      case span::kReferences:
        LARDER_RETURN_IF_ERROR(ReadIdentity(&reader));
        break;
      case span::kOperationName:
        span_.operation_name = reader.View();
        break;
      case span::kStartTime:
        span_.start_ns = ReadTimeNs(reader.View());
        break;
      case span::kDuration:
        span_.duration_ns = ToNanos(ReadSecondsAndNanos(reader.View()));
        break;
      case span::kTags:
        span_.tags.push_back(ReadTag(reader.View()));
        break;
      case span::kLogs:
        span_.logs.push_back(ReadLog(reader.View()));
        break;
      case span::kProcess:
        ReadProcess(reader.View(), &span_.process);
        break;
      default:
        ReadRare(&reader);
    }
  }
  return Status::Ok();
}

Status SpanReader::ReadIdentity(wire::Reader* reader) {
  switch (reader->tag_and_type()) {
    case span::kTraceId: {
      LARDER_ASSIGN_OR_RETURN(span_.trace_id, ReadTraceId(reader->View()));
      return Status::Ok();
    }
    case span::kSpanId: {
      LARDER_ASSIGN_OR_RETURN(span_.span_id, ReadSpanId(reader->View()));
      return Status::Ok();
    }
    default: {
      LARDER_ASSIGN_OR_RETURN(const Reference reference, ReadReference(reader->View()));
      span_.references.push_back(reference);
      return Status::Ok();
    }
  }
}

void SpanReader::ReadRare(wire::Reader* reader) {
  switch (reader->tag_and_type()) {
    case span::kFlags:
      span_.flags = reader->get_uint32();
      flags_field_ = reader->ReadField();
      break;
    case span::kWarnings:
      span_.warnings.push_back(reader->View());
      break;
    case span::kProcessId:
      span_.rest += reader->SkipField();
      break;
    default:
      // A known field in an unexpected layout is no field that anybody can read back.
      if (reader->IsMistyped(span::kLast)) {
        reader->skip();
      } else {
        span_.rest += reader->SkipField();
      }
  }
}

Span SpanReader::Finish() {
  if ((span_.flags & ~span::kSampled) != 0) span_.rest += flags_field_;
  return std::move(span_);
}

}  // namespace

Result<TraceId> ReadTraceId(std::string_view bytes) {
  TraceId id;
  if (bytes.size() != 16 && bytes.size() != 8) {
    return Status::InvalidArgument("a trace id has " + std::to_string(bytes.size()) +
                                   " bytes, not 16 or 8");
  }
  std::memcpy(id.bytes.data() + id.bytes.size() - bytes.size(), bytes.data(), bytes.size());
  return id;
}

Result<Span> ReadSpan(std::string_view message) {
  try {
    SpanReader reader;
    LARDER_RETURN_IF_ERROR(reader.Read(message));
    return reader.Finish();
  } catch (const protozero::exception& broken) {
    return Status::InvalidArgument("the span is not a valid protobuf message (" +
                                   std::string(broken.what()) + ")");
  }
}

}  // namespace larder::v1
