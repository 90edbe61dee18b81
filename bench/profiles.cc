#include <algorithm>
#include <cmath>

#include <protozero/pbf_writer.hpp>

#include "bench/template_set.h"
#include "tests/support/seed.h"

namespace larder::bench {
namespace {

// What a profile is like. Sources of the figures: the recorded OpenTelemetry demo, Grafana's
// published block statistics, Alibaba's cluster-trace-microservices.
struct Profile {
  std::string_view name;
  uint32_t traces = 0;  // distinct ones
  double spans_median = 0;
  double spans_sigma = 0;  // lognormal
  uint32_t spans_max = 0;
  uint32_t services = 0;
  uint32_t operations_per_service = 0;
  double service_skew = 0;  // exponent of a Zipf law
  std::vector<uint32_t> attribute_counts;
  uint32_t keys = 0;
  double request_id_share = 0;
  double cache_call_share = 0;  // leaves that call a cache
  double error_share = 0;
};

const std::vector<Profile>& Profiles() {
  static const std::vector<Profile> profiles = {
      {.name = "otel-demo",
       .traces = 1000,
       .spans_median = 4,
       .spans_sigma = 0.87,
       .spans_max = 60,
       .services = 17,
       .operations_per_service = 6,
       .service_skew = 1.4,
       .attribute_counts = {3, 6, 8, 8, 15, 16},
       .keys = 140,
       .request_id_share = 0.2,
       .error_share = 0.01},
      {.name = "grafana",
       .traces = 200,
       .spans_median = 25,
       .spans_sigma = 1.4,
       .spans_max = 3000,
       .services = 200,
       .operations_per_service = 10,
       .service_skew = 1.0,
       .attribute_counts = {8, 12, 12, 16},
       .keys = 300,
       .request_id_share = 0.1,
       .error_share = 0.01},
      {.name = "alibaba",
       .traces = 4000,
       .spans_median = 2,
       .spans_sigma = 1.1,
       .spans_max = 1000,
       .services = 2000,
       .operations_per_service = 10,
       .service_skew = 0.8,
       .attribute_counts = {6, 8, 10},
       .keys = 120,
       .cache_call_share = 0.35,
       .error_share = 0.01},
  };
  return profiles;
}

constexpr uint64_t kStartNs = 1'750'000'000'000'000'000;

class Maker {
 public:
  Maker(const Profile& profile, uint64_t seed) : profile_(profile), random_(seed) {
    double sum = 0;
    for (uint32_t i = 0; i < profile.services; ++i) {
      sum += std::pow(i + 1, -profile.service_skew);
      service_weights_.push_back(sum);
    }
  }

  // One trace as a request with a ResourceSpans message per span: TakeApart regroups anyway.
  std::string MakeTrace() {
    std::string request;
    trace_id_ = RandomBytes(16);
    const double size = profile_.spans_median * std::exp(profile_.spans_sigma * Normal());
    const auto count = std::clamp(static_cast<uint32_t>(std::lround(size)), 1u, profile_.spans_max);
    made_.clear();
    for (uint32_t i = 0; i < count; ++i) AppendSpan(i, &request);
    return request;
  }

 private:
  struct Made {
    std::string span_id;
    uint32_t service = 0;
    uint64_t start_ns = 0;
    uint64_t duration_ns = 0;
  };

  double Unit() { return static_cast<double>(random_.Next() >> 11) * 0x1p-53; }
  double Normal() {
    return std::sqrt(-2 * std::log(1 - Unit())) * std::cos(2 * 3.14159265358979 * Unit());
  }
  std::string RandomBytes(size_t size) {
    std::string bytes;
    while (bytes.size() < size) bytes.push_back(static_cast<char>(random_.Between(1, 255)));
    return bytes;
  }
  uint32_t PickService() {
    const double at = Unit() * service_weights_.back();
    const auto found = std::lower_bound(service_weights_.begin(), service_weights_.end(), at);
    return static_cast<uint32_t>(found - service_weights_.begin());
  }

  // Half of the calls stay inside their service.
  Made Place(uint32_t index) {
    Made span;
    span.span_id = RandomBytes(8);
    if (index == 0) {
      span.service = PickService();
      span.start_ns = kStartNs + random_.Below(1'000'000'000);
      span.duration_ns = static_cast<uint64_t>(2e6 * std::exp(1.8 * Normal()));
      return span;
    }
    parent_ = static_cast<uint32_t>(random_.Below(index));
    const Made& parent = made_[parent_];
    span.service = random_.OneIn(2) ? parent.service : PickService();
    const uint64_t wait_ns =
        static_cast<uint64_t>(Unit() * 0.5 * static_cast<double>(parent.duration_ns));
    span.start_ns = parent.start_ns + wait_ns;
    span.duration_ns = static_cast<uint64_t>(static_cast<double>(parent.duration_ns - wait_ns) *
                                             (0.1 + 0.8 * Unit()));
    return span;
  }

  void AppendSpan(uint32_t index, std::string* request) {
    const Made span = Place(index);
    const auto operation = static_cast<uint32_t>(
        Unit() * Unit() * static_cast<double>(profile_.operations_per_service));
    const bool is_cache_call = index > 0 && Unit() < profile_.cache_call_share;
    protozero::pbf_writer outer(*request);
    protozero::pbf_writer resource_spans(outer, 1);
    {
      protozero::pbf_writer resource(resource_spans, 1);
      const std::string name = "service-" + std::to_string(span.service);
      AddText(&resource, 1, "service.name", name);
      AddText(&resource, 1, "service.version", "1." + std::to_string(span.service % 7));
      AddText(&resource, 1, "telemetry.sdk.language", span.service % 2 == 0 ? "go" : "java");
    }
    protozero::pbf_writer scope_spans(resource_spans, 2);
    {
      protozero::pbf_writer scope(scope_spans, 1);
      scope.add_string(1, "instrumentation-" + std::to_string(span.service % 37));
    }
    protozero::pbf_writer message(scope_spans, 2);
    message.add_bytes(1, trace_id_);
    message.add_bytes(2, span.span_id);
    if (index > 0) message.add_bytes(4, made_[parent_].span_id);
    message.add_string(5, is_cache_call ? "GET" : "operation-" + std::to_string(operation));
    message.add_enum(6, is_cache_call || random_.OneIn(3) ? 3 : 2);
    message.add_fixed64(7, span.start_ns);
    message.add_fixed64(8, span.start_ns + span.duration_ns);
    AddAttributes(span.service * 31 + operation, &message);
    if (random_.OneIn(8)) AddEvent(span.start_ns + span.duration_ns / 2, &message);
    if (Unit() < profile_.error_share) {
      protozero::pbf_writer status(message, 15);
      status.add_enum(3, 2);
    }
    made_.push_back(span);
  }

  static void AddText(protozero::pbf_writer* to, uint32_t tag, std::string_view key,
                      std::string_view text) {
    protozero::pbf_writer pair(*to, tag);
    pair.add_string(1, key.data(), key.size());
    protozero::pbf_writer value(pair, 2);
    value.add_string(1, text.data(), text.size());
  }

  static void AddEvent(uint64_t time_ns, protozero::pbf_writer* span) {
    protozero::pbf_writer event(*span, 11);
    event.add_fixed64(1, time_ns);
    event.add_string(2, "message");
    AddText(&event, 3, "message.type", "SENT");
  }

  // An operation has its own keys, most values are few; one key in seven holds integers.
  void AddAttributes(uint32_t operation, protozero::pbf_writer* span) {
    const auto& counts = profile_.attribute_counts;
    const uint32_t count = counts[operation % counts.size()];
    for (uint32_t i = 0; i < count; ++i) {
      const uint32_t key = (operation * 7 + i * i) % profile_.keys;
      const std::string name = "attribute.key." + std::to_string(key);
      const uint64_t values = key % 10 == 0 ? 150 : 1 + key % 6;
      const auto value = static_cast<uint64_t>(Unit() * Unit() * static_cast<double>(values));
      if (key % 7 == 0) {
        protozero::pbf_writer pair(*span, 9);
        pair.add_string(1, name);
        protozero::pbf_writer number(pair, 2);
        number.add_int64(3, static_cast<int64_t>(value * 100));
      } else {
        AddText(span, 9, name, ValueText(key, value));
      }
    }
    if (Unit() < profile_.request_id_share) {
      AddText(span, 9, "guid:x-request-id", std::string(36, 'x'));
    }
  }

  static std::string ValueText(uint32_t key, uint64_t value) {
    std::string text = "value-" + std::to_string(value);
    if (key % 5 == 0) text += "/a/rather/long/path/of/some/resource/" + std::to_string(key);
    return text;
  }

  const Profile& profile_;
  Random random_;
  std::vector<double> service_weights_;  // cumulative
  std::string trace_id_;
  std::vector<Made> made_;  // spans of the trace so far
  uint32_t parent_ = 0;     // of the span being made, an index into made_
};

}  // namespace

Result<std::vector<std::string>> MakeRequests(std::string_view profile, uint64_t seed) {
  for (const Profile& known : Profiles()) {
    if (known.name != profile) continue;
    Maker maker(known, seed);
    std::vector<std::string> requests;
    for (uint32_t i = 0; i < known.traces; ++i) requests.push_back(maker.MakeTrace());
    return requests;
  }
  return Status::InvalidArgument(
      std::string(profile) + ": no such profile; there are capture, otel-demo, grafana, alibaba");
}

}  // namespace larder::bench
