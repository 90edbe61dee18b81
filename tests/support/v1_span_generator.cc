#include "tests/support/v1_span_generator.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include <google/protobuf/unknown_field_set.h>

namespace larder {
namespace {

namespace api = jaeger::api_v2;

std::string Bytes(Random* random, size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes.push_back(static_cast<char>(random->Next()));
  return bytes;
}

std::string Text(Random* random) {
  static constexpr std::array<const char*, 6> kTexts = {"", "a", "GET", "42", "\xc3\xa9", "true"};
  if (random->OneIn(3)) return "text " + std::to_string(random->Below(100));
  return kTexts[random->Below(kTexts.size())];
}

void FillValue(Random* random, api::KeyValue* tag) {
  switch (random->Below(6)) {
    case 0:
      tag->set_v_type(api::BOOL);
      tag->set_v_bool(random->OneIn(2));
      break;
    case 1:
      tag->set_v_type(api::INT64);
      tag->set_v_int64(static_cast<int64_t>(random->OneIn(3) ? random->Next() : random->Below(9)));
      break;
    case 2:
      tag->set_v_type(api::FLOAT64);
      tag->set_v_float64(static_cast<double>(random->Below(1000)) / 8);
      break;
    case 3:
      tag->set_v_type(api::BINARY);
      tag->set_v_binary(Bytes(random, random->Below(5)));
      break;
    default:
      tag->set_v_str(Text(random));
  }
}

void FillUsual(Random* random, api::KeyValue* tag) {
  tag->set_key(random->OneIn(20) ? "" : "key" + std::to_string(random->Below(6)));
  FillValue(random, tag);
}

void SetText(const std::string& key, const std::string& text, api::KeyValue* tag) {
  tag->set_key(key);
  tag->set_v_str(text);
}

// Keys that stand for fields of OTLP, with values that do and values that do not.
void FillSpecial(Random* random, api::KeyValue* tag) {
  static constexpr std::array<const char*, 7> kKinds = {"client",   "server",   "producer", "",
                                                        "consumer", "internal", "other"};
  static constexpr std::array<const char*, 9> kKeys = {
      "span.kind",      "otel.scope.name",         "otel.scope.version",
      "w3c.tracestate", "otel.status_description", "http.status_message",
      "hostname",       "http.status_code",        "otel.library.name"};
  switch (random->Below(4)) {
    case 0:
      return SetText("span.kind", kKinds[random->Below(kKinds.size())], tag);
    case 1:
      tag->set_key("http.status_code");
      tag->set_v_type(api::INT64);
      return tag->set_v_int64(static_cast<int64_t>(random->Below(700)));
    case 2:
      return SetText(kKeys[random->Below(kKeys.size())], Text(random), tag);
    default:
      tag->set_key(kKeys[random->Below(kKeys.size())]);
      FillValue(random, tag);
  }
}

void FillStatus(Random* random, api::Span* span) {
  static constexpr std::array<const char*, 4> kCodes = {"OK", "ERROR", "fine", ""};
  switch (random->Below(4)) {
    case 0: {
      api::KeyValue* error = span->add_tags();
      error->set_key("error");
      error->set_v_type(api::BOOL);
      error->set_v_bool(random->OneIn(2));
      break;
    }
    case 1:
      return SetText("otel.status_code", kCodes[random->Below(kCodes.size())], span->add_tags());
    case 2:
      return SetText("error", Text(random), span->add_tags());
    default:
      break;
  }
}

void FillTime(Random* random, google::protobuf::Timestamp* time) {
  time->set_seconds(1'760'000'000 + static_cast<int64_t>(random->Below(1000)));
  time->set_nanos(static_cast<int32_t>(random->Below(1'000'000'000)));
  if (random->OneIn(50)) time->set_seconds(-static_cast<int64_t>(random->Below(1000)));
}

void FillReferences(Random* random, api::Span* span) {
  for (uint64_t i = random->Below(4); i > 0; --i) {
    api::SpanRef* reference = span->add_references();
    reference->set_trace_id(random->OneIn(3) ? Bytes(random, 16) : span->trace_id());
    reference->set_span_id(std::string(7, 'p') + static_cast<char>('0' + random->Below(3)));
    if (random->OneIn(3)) reference->set_ref_type(api::FOLLOWS_FROM);
  }
  // Two references to one span that differ in their type become one when that span is the parent.
  for (int i = 0; i < span->references_size(); ++i) {
    for (int k = 0; k < i; ++k) {
      if (span->references(i).span_id() == span->references(k).span_id()) {
        span->mutable_references(i)->set_ref_type(span->references(k).ref_type());
      }
    }
  }
}

void FillLogs(Random* random, api::Span* span) {
  for (uint64_t i = random->Below(3); i > 0; --i) {
    api::Log* log = span->add_logs();
    FillTime(random, log->mutable_timestamp());
    for (uint64_t k = random->Below(4); k > 0; --k) FillUsual(random, log->add_fields());
    if (random->OneIn(2)) SetText("event", Text(random), log->add_fields());
    if (random->OneIn(8)) {
      log->add_fields()->set_key("event");
      FillValue(random, log->mutable_fields(log->fields_size() - 1));
    }
  }
}

void FillProcess(Random* random, api::Process* process) {
  process->set_service_name("service " + std::to_string(random->Below(4)));
  for (uint64_t i = random->Below(4); i > 0; --i) FillUsual(random, process->add_tags());
  if (random->OneIn(3)) SetText("hostname", "h1", process->add_tags());
  if (random->OneIn(3)) SetText("jaeger.version", "Go-2.30.0", process->add_tags());
}

// Of equal keys the first stays.
template <typename Tags>
void DropRepeatedKeys(Tags* tags) {
  std::set<std::string> seen;
  for (int i = 0; i < tags->size();) {
    if (seen.insert(tags->Get(i).key()).second) {
      ++i;
    } else {
      tags->DeleteSubrange(i, 1);
    }
  }
}

bool IsRenamed(const api::KeyValue& tag) {
  return tag.key() == "hostname" || tag.key() == "jaeger.version";
}

// A tag that stands for a field of OTLP whatever its value is, and loses what the field cannot
// hold.
bool IsLossy(const api::KeyValue& tag) {
  static const std::set<std::string> kTexts = {"otel.scope.name", "otel.scope.version",
                                               "w3c.tracestate", "otel.status_description",
                                               "event"};
  static const std::set<std::string> kKinds = {"client", "server", "producer", "consumer",
                                               "internal"};
  const bool is_text = tag.v_type() == api::STRING && !tag.v_str().empty();
  if (tag.key() == "span.kind") return !is_text || !kKinds.contains(tag.v_str());
  if (tag.key() == "otel.status_code") return tag.v_str() != "OK" && tag.v_str() != "ERROR";
  if (tag.key() == "http.status_message") return tag.v_type() != api::STRING;
  return kTexts.contains(tag.key()) && !is_text;
}

template <typename Tags, typename Predicate>
void DropTags(Tags* tags, Predicate is_dropped) {
  tags->erase(std::remove_if(tags->begin(), tags->end(), is_dropped), tags->end());
}

void MakeTranslatable(api::Span* span) {
  DropTags(span->mutable_process()->mutable_tags(), IsRenamed);
  DropRepeatedKeys(span->mutable_process()->mutable_tags());
  DropTags(span->mutable_tags(), IsLossy);
  DropRepeatedKeys(span->mutable_tags());
  for (api::Log& log : *span->mutable_logs()) {
    DropTags(log.mutable_fields(), IsLossy);
    DropRepeatedKeys(log.mutable_fields());
  }
  // A reference into another trace to a span id that the parent has too.
  auto* references = span->mutable_references();
  references->erase(std::remove_if(references->begin(), references->end(),
                                   [&](const api::SpanRef& reference) {
                                     return reference.trace_id() != span->trace_id();
                                   }),
                    references->end());
  span->clear_flags();
  span->clear_warnings();  // translated elsewhere in Jaeger
  span->clear_process_id();
  span->DiscardUnknownFields();
}

}  // namespace

api::Span RandomV1Span(Random* random, V1SpanKind kind) {
  api::Span span;
  span.set_trace_id("t" + Bytes(random, 15));
  span.set_span_id("s" + Bytes(random, 7));
  span.set_operation_name(Text(random));
  FillReferences(random, &span);
  if (random->OneIn(2)) span.set_flags(static_cast<uint32_t>(random->Below(16)));
  FillTime(random, span.mutable_start_time());
  span.mutable_duration()->set_seconds(static_cast<int64_t>(random->Below(3)));
  span.mutable_duration()->set_nanos(static_cast<int32_t>(random->Below(1'000'000'000)));
  for (uint64_t i = random->Below(6); i > 0; --i) FillUsual(random, span.add_tags());
  for (uint64_t i = random->Below(4); i > 0; --i) FillSpecial(random, span.add_tags());
  FillStatus(random, &span);
  FillLogs(random, &span);
  FillProcess(random, span.mutable_process());
  if (random->OneIn(8)) span.set_process_id("p1");
  for (uint64_t i = random->OneIn(5) ? random->Below(3) : 0; i > 0; --i) {
    span.add_warnings(Text(random));
  }
  if (random->OneIn(8)) {
    span.GetReflection()->MutableUnknownFields(&span)->AddVarint(77, random->Next());
  }
  if (kind == V1SpanKind::kTranslatable) MakeTranslatable(&span);
  return span;
}

}  // namespace larder
