#include "bench/query_facts.h"

#include <algorithm>
#include <array>
#include <map>

namespace larder::bench {
namespace {

constexpr uint64_t kLookSpans = 20'000;
constexpr double kFrequentShareMax = 0.95;

template <typename K>
K MostFrequent(const std::map<K, uint64_t>& counts, uint64_t below = UINT64_MAX) {
  K best{};
  uint64_t best_count = 0;
  for (const auto& [key, count] : counts) {
    if (count > best_count && count < below) {
      best = key;
      best_count = count;
    }
  }
  return best;
}

bool HasText(const std::vector<Attribute>& attributes, const std::string& key,
             const std::string& text) {
  return std::any_of(attributes.begin(), attributes.end(), [&](const Attribute& attribute) {
    return attribute.key == key && attribute.type == ValueType::kString &&
           attribute.payload == text;
  });
}

bool SpanMatches(const Span& span, const LegacySearch& search) {
  if (!search.service.empty() && span.resource->service() != search.service) return false;
  if (!search.operation.empty() && span.name != search.operation) return false;
  if (!search.start.contains(span.start_ns)) return false;
  if (span.duration_ns() < search.duration_min_ns) return false;
  return std::all_of(search.attributes.begin(), search.attributes.end(), [&](const auto& wanted) {
    return HasText(span.attributes, wanted.first, wanted.second.text) ||
           HasText(span.resource->attributes, wanted.first, wanted.second.text);
  });
}

// The pair of attributes for QueryFacts::never_meet: that with the most spans of the rarer one.
class NeverMeeting {
 public:
  explicit NeverMeeting(const std::vector<Span>& spans) {
    PickFrequent(spans);
    std::map<std::string, uint64_t> of_template;
    for (const Span& span : spans) {
      const uint64_t mask = MaskOf(span);
      of_template[TemplateOf(span)] |= mask;
      Pair(mask, &together_);
    }
    for (const auto& [name, mask] : of_template) Pair(mask, &in_one_template_);
  }

  // Frequent ones come first, so the first pair is the best.
  std::vector<QueryFacts::TextAttribute> Pick() const {
    for (size_t b = 0; b < frequent_.size(); ++b) {
      for (size_t a = 0; a < b; ++a) {
        const bool apart = (in_one_template_[a] & ~together_[a]) >> b & 1;
        if (apart && frequent_[a].first != frequent_[b].first) return {frequent_[a], frequent_[b]};
      }
    }
    return {};
  }

 private:
  static constexpr size_t kAttributesMax = 64;
  using Masks = std::array<uint64_t, kAttributesMax>;

  void PickFrequent(const std::vector<Span>& spans) {
    std::map<QueryFacts::TextAttribute, uint64_t> counts;
    for (const Span& span : spans) {
      for (const Attribute& attribute : span.attributes) {
        if (attribute.type == ValueType::kString) ++counts[{attribute.key, attribute.payload}];
      }
    }
    while (frequent_.size() < kAttributesMax && !counts.empty()) {
      frequent_.push_back(MostFrequent(counts));
      counts.erase(frequent_.back());
    }
  }

  uint64_t MaskOf(const Span& span) const {
    uint64_t mask = 0;
    for (size_t i = 0; i < frequent_.size(); ++i) {
      const bool has =
          std::any_of(span.attributes.begin(), span.attributes.end(), [&](const Attribute& have) {
            return have.type == ValueType::kString && have.key == frequent_[i].first &&
                   have.payload == frequent_[i].second;
          });
      mask |= uint64_t{has} << i;
    }
    return mask;
  }

  static std::string TemplateOf(const Span& span) {
    std::string name = std::string(span.resource->service()) + '\0' + span.name;
    for (const Attribute& attribute : span.attributes) name += '\0' + attribute.key;
    return name;
  }

  // Notes that the attributes of a mask lie together.
  static void Pair(uint64_t mask, Masks* masks) {
    for (size_t i = 0; i < kAttributesMax; ++i) {
      if ((mask >> i & 1) != 0) (*masks)[i] |= mask;
    }
  }

  std::vector<QueryFacts::TextAttribute> frequent_;
  Masks together_{};
  Masks in_one_template_{};
};

}  // namespace

Result<std::vector<Span>> LookAt(const TemplateSet& templates, WorkloadOptions load) {
  load.spans = std::min(load.spans, kLookSpans);
  Workload workload(&templates, load);
  std::vector<Span> all;
  Request request;
  while (workload.Next(&request)) {
    LARDER_ASSIGN_OR_RETURN(std::vector<Span> spans, DecodeSpans(request.otlp));
    std::move(spans.begin(), spans.end(), std::back_inserter(all));
  }
  return all;
}

QueryFacts PickFacts(const std::vector<Span>& spans) {
  std::map<std::string, uint64_t> services;
  for (const Span& span : spans) ++services[std::string(span.resource->service())];
  QueryFacts facts;
  facts.service = MostFrequent(services);
  facts.rare_service =
      std::min_element(services.begin(), services.end(), [](const auto& a, const auto& b) {
        return a.second < b.second;
      })->first;

  std::map<std::string, uint64_t> operations;
  std::map<QueryFacts::TextAttribute, uint64_t> attributes;
  for (const Span& span : spans) {
    if (span.resource->service() != facts.service) continue;
    ++operations[span.name];
    for (const Attribute& attribute : span.attributes) {
      if (attribute.type == ValueType::kString) ++attributes[{attribute.key, attribute.payload}];
    }
  }
  facts.operation = MostFrequent(operations);
  const auto service_spans = static_cast<double>(services[facts.service]);
  facts.frequent =
      MostFrequent(attributes, static_cast<uint64_t>(kFrequentShareMax * service_spans) + 1);
  for (const Span& span : spans) {
    if (span.resource->service() != facts.service || span.name != facts.operation) continue;
    for (const Attribute& attribute : span.attributes) {
      if (attribute.type != ValueType::kString || facts.three.size() == 3) continue;
      facts.three.emplace_back(attribute.key, attribute.payload);
    }
    break;
  }
  facts.never_meet = NeverMeeting(spans).Pick();
  return facts;
}

bool TraceMatches(const std::vector<Span>& trace, const LegacySearch& search) {
  return std::any_of(trace.begin(), trace.end(),
                     [&](const Span& span) { return SpanMatches(span, search); });
}

std::vector<Dependency> ExpectedDependencies(const TemplateSet& templates, const Workload& load) {
  std::map<uint32_t, uint64_t> replays;  // by the template's first span
  for (uint64_t trace = 0; trace < load.trace_count(); ++trace) {
    ++replays[load.trace_template(trace).first_span];
  }
  std::map<std::pair<std::string, std::string>, uint64_t> calls;
  for (const TraceTemplate& shape : templates.traces) {
    const auto at = replays.find(shape.first_span);
    if (at == replays.end()) continue;
    std::map<uint32_t, const SpanTemplate*> by_number;
    for (uint32_t i = 0; i < shape.span_count; ++i) {
      const SpanTemplate& span = templates.spans[shape.first_span + i];
      by_number.try_emplace(span.number, &span);
    }
    for (uint32_t i = 0; i < shape.span_count; ++i) {
      const SpanTemplate& child = templates.spans[shape.first_span + i];
      const auto parent = by_number.find(child.parent_number);
      if (child.parent_offset == 0 || parent == by_number.end()) continue;
      const std::string& from = templates.services[parent->second->resource];
      const std::string& to = templates.services[child.resource];
      if (from != to) calls[{from, to}] += at->second;
    }
  }
  std::vector<Dependency> dependencies;
  for (const auto& [pair, count] : calls) {
    dependencies.push_back({.parent = pair.first, .child = pair.second, .call_count = count});
  }
  return dependencies;
}

}  // namespace larder::bench
