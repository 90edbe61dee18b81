// Random spans that look like traffic: services with operations, traces scattered over calls,
// attributes of which some recur and some never do, and now and then whatever OTLP allows.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "storage/model/span.h"
#include "tests/support/seed.h"

namespace larder {

// Rates are "one in so many"; 0 is never.
struct SpanGeneratorOptions {
  uint32_t services = 5;
  uint32_t operations = 6;       // per service
  uint32_t open_traces = 8;      // traces that grow side by side
  uint32_t spans_per_trace = 6;  // on average
  uint32_t attributes_max = 8;
  uint64_t start_ns = 1'700'000'000'000'000'000;  // of the first trace
  uint64_t step_ns = 50'000'000;                  // between the starts of traces, on average
  // Invalid UTF-8, nested and odd values, unknown fields, extreme times, clashing ids.
  uint32_t hostile_one_in = 10;
  // A span that came before, again, equal in every field.
  uint32_t duplicate_one_in = 50;
};

// Not thread-safe. Equal seeds and options give equal spans.
class SpanGenerator {
 public:
  // `random` must outlive this.
  explicit SpanGenerator(Random* random, SpanGeneratorOptions options = {});

  // A valid span: no store may reject it under the default limits.
  Span Next();
  std::vector<Span> Batch(uint32_t count);

 private:
  struct Service {
    std::vector<std::shared_ptr<const Resource>> instances;
    std::vector<std::shared_ptr<const Scope>> scopes;
    std::vector<std::string> operations;
  };
  struct Trace {
    TraceId id;
    uint64_t start_ns = 0;
    std::vector<SpanId> spans;
  };

  bool Hostile() { return options_.hostile_one_in != 0 && random_->OneIn(options_.hostile_one_in); }
  Service MakeService(uint32_t number);
  Trace MakeTrace();
  SpanId MakeSpanId();
  SpanId PickParent(const Trace& trace);
  void FillTimes(const Trace& trace, Span* span);
  void FillAttributes(uint32_t operation, Span* span);
  void FillEvents(Span* span);
  void FillLinks(Span* span);
  void MakeHostile(Span* span);
  Attribute UsualAttribute(uint32_t key);
  Attribute HostileAttribute();
  std::string HostileText();

  Random* random_;
  SpanGeneratorOptions options_;
  uint64_t now_ns_;
  std::vector<Service> services_;
  std::vector<Trace> traces_;
  std::vector<Span> recent_;  // what a duplicate is taken from
};

// A field with a number that no OTLP message has given away: of any wire type, groups included.
std::string UnknownField(Random* random);

// The payload of an int or double attribute.
std::string IntPayload(int64_t value);
std::string DoublePayload(double value);

}  // namespace larder
