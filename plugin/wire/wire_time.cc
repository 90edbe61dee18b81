#include "plugin/wire/wire_time.h"

#include <string>

#include <protozero/types.hpp>

#include "storage/model/wire.h"

namespace larder {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr TimeRange kNever{.min_ns = 1, .max_ns = 0};

}  // namespace

SecondsAndNanos ReadSecondsAndNanos(std::string_view message) {
  SecondsAndNanos value;
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case protozero::tag_and_type(1, protozero::pbf_wire_type::varint):
        value.seconds = reader.get_int64();
        break;
      case protozero::tag_and_type(2, protozero::pbf_wire_type::varint):
        value.nanos = reader.get_int32();
        break;
      default:
        reader.skip();
    }
  }
  return value;
}

Result<std::optional<WireTime>> ReadTime(std::string_view message, std::string_view field) {
  const SecondsAndNanos value = ReadSecondsAndNanos(message);
  if (value.nanos < 0 || value.nanos >= kNanosPerSecond) {
    return Status::InvalidArgument(std::string(field) + ": nanos must lie in 0..999999999");
  }
  if (value.seconds <= kYearOneSeconds) return std::optional<WireTime>();
  WireTime time;
  if (value.seconds < 0) {
    time.before_1970 = true;
    return std::optional<WireTime>(time);
  }
  constexpr uint64_t kNanos = kNanosPerSecond;
  const uint64_t seconds = static_cast<uint64_t>(value.seconds);
  const uint64_t nanos = static_cast<uint64_t>(value.nanos);
  if (seconds > (UINT64_MAX - nanos) / kNanos) {
    time.after_last = true;
  } else {
    time.ns = seconds * kNanos + nanos;
  }
  return std::optional<WireTime>(time);
}

int64_t ReadDuration(std::string_view message) {
  const SecondsAndNanos value = ReadSecondsAndNanos(message);
  int64_t ns = 0;
  if (__builtin_mul_overflow(value.seconds, kNanosPerSecond, &ns) ||
      __builtin_add_overflow(ns, int64_t{value.nanos}, &ns)) {
    return value.seconds < 0 ? INT64_MIN : INT64_MAX;
  }
  return ns;
}

TimeRange RangeOf(const std::optional<WireTime>& min, const std::optional<WireTime>& max) {
  TimeRange range;
  if (min) {
    if (min->after_last) return kNever;
    range.min_ns = min->ns;
  }
  if (max) {
    if (max->before_1970) return kNever;
    if (!max->after_last) range.max_ns = max->ns;
  }
  return range;
}

}  // namespace larder
