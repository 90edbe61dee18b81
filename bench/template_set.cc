#include "bench/template_set.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <unordered_map>
#include <utility>

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

namespace larder::bench {
namespace {

constexpr std::string_view kRequestIdKey = "guid:x-request-id";
constexpr size_t kRequestIdBytes = 36;

std::string_view View(protozero::data_view data) { return {data.data(), data.size()}; }

// Copies every field of `message` but those with tag `left_out`.
std::string Without(std::string_view message, uint32_t left_out) {
  std::string kept;
  protozero::pbf_reader reader(message.data(), message.size());
  const char* field_start = message.data();
  while (reader.next()) {
    const uint32_t tag = reader.tag();
    reader.skip();
    const char* const field_end = reader.data().data();
    if (tag != left_out) kept.append(field_start, field_end);
    field_start = field_end;
  }
  return kept;
}

// The string value of attribute `key` of a message whose attributes have tag `attributes_tag`.
std::string_view StringAttribute(std::string_view message, uint32_t attributes_tag,
                                 std::string_view key) {
  protozero::pbf_reader reader(message.data(), message.size());
  while (reader.next(attributes_tag)) {
    protozero::pbf_reader pair = reader.get_message();
    std::string_view name;
    std::string_view text;
    while (pair.next()) {
      if (pair.tag() == 1) {
        name = View(pair.get_view());
      } else if (pair.tag() == 2) {
        protozero::pbf_reader value = pair.get_message();
        while (value.next(1)) text = View(value.get_view());
      } else {
        pair.skip();
      }
    }
    if (name == key) return text;
  }
  return {};
}

std::string ServiceOf(std::string_view resource_spans) {
  protozero::pbf_reader reader(resource_spans.data(), resource_spans.size());
  while (reader.next(1)) {
    return std::string(StringAttribute(View(reader.get_view()), 1, "service.name"));
  }
  return {};
}

// Numbers distinct strings from 0 on.
class Numbers {
 public:
  uint32_t Of(std::string_view text) {
    return numbers_.try_emplace(std::string(text), static_cast<uint32_t>(numbers_.size()))
        .first->second;
  }
  size_t size() const { return numbers_.size(); }

 private:
  std::unordered_map<std::string, uint32_t> numbers_;
};

struct TraceInProgress {
  std::vector<SpanTemplate> spans;
  std::vector<uint64_t> starts_ns;
  Numbers span_ids;
  Numbers request_ids;
};

class Builder {
 public:
  Status AddRequest(std::string_view request) {
    protozero::pbf_reader reader(request.data(), request.size());
    while (reader.next(1)) AddResourceSpans(View(reader.get_view()));
    return Status::Ok();
  }

  Result<TemplateSet> Finish() {
    for (auto& [id, trace] : traces_) {
      const uint64_t first = *std::min_element(trace.starts_ns.begin(), trace.starts_ns.end());
      set_.traces.push_back({.first_span = static_cast<uint32_t>(set_.spans.size()),
                             .span_count = static_cast<uint32_t>(trace.spans.size())});
      for (size_t i = 0; i < trace.spans.size(); ++i) {
        trace.spans[i].start_in_trace_ns = trace.starts_ns[i] - first;
        set_.spans.push_back(std::move(trace.spans[i]));
      }
    }
    if (set_.spans.empty()) return Status::InvalidArgument("no spans to replay");
    return std::move(set_);
  }

 private:
  void AddResourceSpans(std::string_view resource_spans) {
    const uint32_t resource = Number(Without(resource_spans, 2), &resources_, &set_.resources);
    if (resource == set_.services.size()) set_.services.push_back(ServiceOf(resource_spans));
    protozero::pbf_reader reader(resource_spans.data(), resource_spans.size());
    while (reader.next(2)) {
      const std::string_view scope_spans = View(reader.get_view());
      const uint32_t scope = Number(Without(scope_spans, 2), &scopes_, &set_.scopes);
      protozero::pbf_reader spans(scope_spans.data(), scope_spans.size());
      while (spans.next(2)) AddSpan(View(spans.get_view()), resource, scope);
    }
  }

  static uint32_t Number(const std::string& bytes, Numbers* numbers,
                         std::vector<std::string>* list) {
    const uint32_t number = numbers->Of(bytes);
    if (number == list->size()) list->push_back(bytes);
    return number;
  }

  void AddSpan(std::string_view span, uint32_t resource, uint32_t scope) {
    SpanTemplate made;
    made.bytes = span;
    made.resource = resource;
    made.scope = scope;
    std::string_view trace_id;
    std::string_view span_id;
    std::string_view parent_id;
    uint64_t start_ns = 0;
    uint64_t end_ns = 0;
    std::vector<std::pair<uint32_t, std::string_view>> request_ids;
    const auto offset_of = [&](const char* at) { return static_cast<uint32_t>(at - span.data()); };

    protozero::pbf_reader reader(span.data(), span.size());
    while (reader.next()) {
      switch (reader.tag()) {
        case 1:
          trace_id = View(reader.get_view());
          made.trace_id_offset = offset_of(trace_id.data());
          break;
        case 2:
          span_id = View(reader.get_view());
          made.span_id_offset = offset_of(span_id.data());
          break;
        case 4:
          parent_id = View(reader.get_view());
          if (!parent_id.empty()) made.parent_offset = offset_of(parent_id.data());
          break;
        case 7:
          start_ns = reader.get_fixed64();
          made.start_offset = offset_of(reader.data().data()) - 8;
          break;
        case 8:
          end_ns = reader.get_fixed64();
          made.end_offset = offset_of(reader.data().data()) - 8;
          break;
        case 9: {
          const std::string_view pair = View(reader.get_view());
          const std::string_view value = RequestIdOf(pair);
          if (!value.empty()) request_ids.emplace_back(offset_of(value.data()), value);
          break;
        }
        case 11: {
          protozero::pbf_reader event = reader.get_message();
          while (event.next()) {
            const bool is_time = event.tag() == 1;
            event.skip();
            if (is_time) made.event_time_offsets.push_back(offset_of(event.data().data()) - 8);
          }
          break;
        }
        default:
          reader.skip();
      }
    }
    if (trace_id.size() != 16 || span_id.size() != 8) return;
    if (made.start_offset == 0 || made.end_offset == 0) return;
    made.duration_ns = static_cast<int64_t>(end_ns - start_ns);
    TraceInProgress& trace = traces_[std::string(trace_id)];
    made.number = trace.span_ids.Of(span_id);
    if (made.parent_offset != 0) made.parent_number = trace.span_ids.Of(parent_id);
    for (const auto& [offset, value] : request_ids) {
      made.request_ids.push_back({.offset = offset, .number = trace.request_ids.Of(value)});
    }
    trace.starts_ns.push_back(start_ns);
    trace.spans.push_back(std::move(made));
  }

  // The value of a KeyValue that is a request id, else empty.
  static std::string_view RequestIdOf(std::string_view pair) {
    std::string_view key;
    std::string_view text;
    protozero::pbf_reader reader(pair.data(), pair.size());
    while (reader.next()) {
      if (reader.tag() == 1) {
        key = View(reader.get_view());
      } else if (reader.tag() == 2) {
        protozero::pbf_reader value = reader.get_message();
        while (value.next(1)) text = View(value.get_view());
      } else {
        reader.skip();
      }
    }
    return key == kRequestIdKey && text.size() == kRequestIdBytes ? text : std::string_view();
  }

  TemplateSet set_;
  Numbers resources_;
  Numbers scopes_;
  std::map<std::string, TraceInProgress> traces_;  // ordered, so that every run numbers them alike
};

}  // namespace

Result<TemplateSet> TakeApart(const std::vector<std::string>& requests) {
  Builder builder;
  for (const std::string& request : requests) {
    LARDER_RETURN_IF_ERROR(builder.AddRequest(request));
  }
  return builder.Finish();
}

Result<TemplateSet> LoadTemplates(std::string_view profile, uint64_t seed) {
  const char* const capture = std::getenv("LARDER_CAPTURE");
  if (profile == "capture" && capture == nullptr) {
    return Status::InvalidArgument("profile capture: set LARDER_CAPTURE to the recorded file");
  }
  if (profile == "capture" || (profile.empty() && capture != nullptr)) {
    LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> requests, ReadCapture(capture));
    return TakeApart(requests);
  }
  LARDER_ASSIGN_OR_RETURN(const std::vector<std::string> requests,
                          MakeRequests(profile.empty() ? "otel-demo" : profile, seed));
  return TakeApart(requests);
}

}  // namespace larder::bench
