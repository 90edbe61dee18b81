#include "plugin/v1/from_otlp.h"

#include <array>
#include <optional>

#include "plugin/v1/span_writer.h"
#include "storage/model/envelope.h"
#include "storage/model/otlp_fields.h"
#include "storage/model/span_fields.h"

namespace larder::v1 {
namespace {

// One after the other until a span fits. The last one fits always: at most 1,000 items of two texts
// of 256 bytes.
constexpr std::array<WriteLimits, 4> kLimits = {{{},
                                                 {.text_bytes_max = 16 << 10},
                                                 {.text_bytes_max = 256},
                                                 {.text_bytes_max = 256, .items_max = 1000}}};

Status Broken() { return Status::DataLoss("a stored span is not a valid protobuf message"); }

}  // namespace

struct SpansFromOtlp::Impl {
  explicit Impl(std::string_view traces_data)
      : resources(traces_data, otlp::request::kResourceSpans) {}

  Result<bool> Next();
  Status OpenResource(std::string_view message);
  Status OpenScope(std::string_view message);
  std::string Encode(const WriteLimits& limits);

  ChildReader resources;
  std::optional<ChildReader> scopes;
  std::optional<ChildReader> spans;
  std::string resource_scratch;
  std::string scope_scratch;
  ResourceFields resource;
  ScopeFields scope;
  SpanFields span;
  std::string process;  // of `resource`, whole
};

Status SpansFromOtlp::Impl::OpenResource(std::string_view message) {
  resource = {};
  if (!ReadResource(ReadEnvelope(message, &resource_scratch), &resource)) return Broken();
  process.clear();
  SpanWriter({}, &process).WriteProcess(resource);
  scopes.emplace(message, otlp::group::kChildren);
  return Status::Ok();
}

Status SpansFromOtlp::Impl::OpenScope(std::string_view message) {
  scope = {};
  if (!ReadScope(ReadEnvelope(message, &scope_scratch), &scope)) return Broken();
  spans.emplace(message, otlp::group::kChildren);
  return Status::Ok();
}

Result<bool> SpansFromOtlp::Impl::Next() {
  for (std::string_view message;;) {
    if (spans && spans->Next(&message)) {
      uint32_t items_left = UINT32_MAX;
      span.Clear();
      if (larder::ReadSpan(message, &items_left, &span) != SpanFault::kNone) return Broken();
      return true;
    }
    if (spans && spans->is_mistyped()) return Broken();
    if (scopes && scopes->Next(&message)) {
      LARDER_RETURN_IF_ERROR(OpenScope(message));
      continue;
    }
    if (scopes && scopes->is_mistyped()) return Broken();
    if (!resources.Next(&message)) {
      if (resources.is_mistyped()) return Broken();
      return false;
    }
    spans.reset();
    LARDER_RETURN_IF_ERROR(OpenResource(message));
  }
}

std::string SpansFromOtlp::Impl::Encode(const WriteLimits& limits) {
  std::string message;
  SpanWriter writer(limits, &message);
  if (limits.are_none()) {
    writer.Write(span, scope, process);
    return message;
  }
  std::string cut_process;
  SpanWriter(limits, &cut_process).WriteProcess(resource);
  writer.Write(span, scope, cut_process);
  return message;
}

SpansFromOtlp::SpansFromOtlp(std::string_view traces_data)
    : impl_(std::make_unique<Impl>(traces_data)) {}

SpansFromOtlp::~SpansFromOtlp() = default;

Result<bool> SpansFromOtlp::Next() {
  try {
    return impl_->Next();
  } catch (const protozero::exception&) {
    return Broken();
  }
}

Result<std::string> SpansFromOtlp::Encode(size_t size_bytes_max) {
  try {
    std::string message;
    for (const WriteLimits& limits : kLimits) {
      message = impl_->Encode(limits);
      if (message.size() <= size_bytes_max) break;
    }
    return message;
  } catch (const protozero::exception&) {
    return Broken();
  }
}

}  // namespace larder::v1
