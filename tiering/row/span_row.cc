#include "tiering/row/span_row.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "storage/base/hash.h"
#include "storage/model/envelope.h"
#include "storage/model/traces_data_writer.h"
#include "storage/model/value.h"
#include "tiering/base/digest.h"
#include "tiering/row/row_text.h"

namespace larder {
namespace {

using Json = nlohmann::json;

constexpr uint64_t kNanosOfSecond = 1'000'000'000;
constexpr uint64_t kNanosOfMicro = 1'000;
constexpr size_t kResourcesMax = 1024;  // kept by a writer
constexpr uint32_t kItemsMax = UINT32_MAX;
// With these a row without its payload stays below 900 KB.
constexpr size_t kTextBytesMax = 16 << 10;
constexpr size_t kMapBytesMax = 200 << 10;
constexpr size_t kListBytesMax = 150 << 10;
constexpr size_t kPartBytes = 800 << 10;

constexpr std::array<const char*, 6> kKinds = {"",       "internal", "server",
                                               "client", "producer", "consumer"};
constexpr std::array<const char*, 3> kStatuses = {"UNSET", "OK", "ERROR"};

template <size_t kCount>
std::string Word(const std::array<const char*, kCount>& words, int32_t number) {
  const auto index = static_cast<size_t>(number);
  return number >= 0 && index < kCount ? words[index] : words[0];
}

// Keys and texts of values, the last of equal keys; then `has_twice`, since a search by value takes
// the first.
std::map<std::string, std::string> Texts(const std::vector<std::string_view>& key_values,
                                         ListRange range, bool* has_twice) {
  std::map<std::string, std::string> texts;
  char scratch[8];
  for (uint32_t i = range.first; i < range.first + range.count; ++i) {
    const auto attribute = InterpretKeyValue(key_values[i], scratch);
    if (!attribute.ok()) continue;
    const auto [at, is_new] = texts.insert_or_assign(
        ValidUtf8(attribute->key), ValidUtf8(ValueText(attribute->type, attribute->payload)));
    *has_twice |= !is_new;
  }
  return texts;
}

// Leaves out the largest values until the rest fits.
std::string DumpMap(std::map<std::string, std::string> texts, bool* is_truncated) {
  const auto size = [](const auto& entry) { return entry.first.size() + entry.second.size() + 6; };
  size_t total = 0;
  for (const auto& entry : texts) total += size(entry);
  while (total > kMapBytesMax) {
    const auto largest =
        std::max_element(texts.begin(), texts.end(),
                         [&](const auto& a, const auto& b) { return size(a) < size(b); });
    total -= size(*largest);
    texts.erase(largest);
    *is_truncated = true;
  }
  return DumpJson(texts);
}

// Leaves out what comes last.
std::string DumpList(const std::vector<Json>& items, bool* is_truncated) {
  std::string out = "[";
  for (const Json& item : items) {
    const std::string text = DumpJson(item);
    if (out.size() + text.size() > kListBytesMax) {
      *is_truncated = true;
      break;
    }
    out += (out.size() > 1 ? "," : "") + text;
  }
  return out + "]";
}

// Attributes are JSON within JSON, of which SLS makes other words: such a row `is_wide`.
std::string DumpLinks(const SpanFields& span, SlsTraceIds spelling, bool* is_truncated,
                      bool* is_wide) {
  std::vector<Json> links;
  const auto add = [&](std::string_view trace_id, std::string_view span_id, const char* type) {
    const std::string trace = TraceIdText(trace_id, spelling);
    const std::string id = HexLower(span_id);
    links.push_back({{"TraceID", trace},
                     {"traceID", trace},
                     {"SpanID", id},
                     {"SpanId", id},
                     {"spanID", id},
                     {"RefType", type}});
  };
  if (!span.parent_span_id.empty()) add(span.trace_id, span.parent_span_id, "CHILD_OF");
  for (const LinkFields& link : span.links) {
    add(link.trace_id, link.span_id, "FOLLOWS_FROM");
    if (!link.trace_state.empty()) links.back()["TraceState"] = link.trace_state;
    if (link.attributes.count > 0) {
      // A string: aliyun-log-jaeger drops a span whose links have anything else.
      links.back()["Attributes"] = DumpJson(Texts(span.key_values, link.attributes, is_wide));
      *is_wide = true;
    }
  }
  return DumpList(links, is_truncated);
}

std::string DumpEvents(const SpanFields& span, bool* is_truncated, bool* has_twice) {
  std::vector<Json> events;
  for (const EventFields& event : span.events) {
    auto texts = Texts(span.key_values, event.attributes, has_twice);
    texts["event"] = ValidUtf8(event.name);
    events.push_back({{"attribute", texts}, {"name", texts["event"]}, {"time", event.time_ns}});
  }
  return DumpList(events, is_truncated);
}

// What aliyun-log-jaeger shows only as tags.
void AddTags(const SpanFields& span, const ScopeFields& scope,
             std::map<std::string, std::string>* texts) {
  const auto add = [&](const char* key, std::string_view value) {
    if (!value.empty()) texts->try_emplace(key, ValidUtf8(value));
  };
  add("span.kind", Word(kKinds, span.kind));
  if (span.status_code != 0) add("otel.status_code", Word(kStatuses, span.status_code));
  if (span.status_code == 2) add("error", "true");
  add("otel.status_description", span.status_message);
  add("otel.scope.name", scope.name);
  add("otel.scope.version", scope.version);
  add("w3c.tracestate", span.trace_state);
}

uint64_t LogBytes(const SlsLog& log) {
  uint64_t bytes = 16;
  for (const auto& [key, value] : log.contents) bytes += key.size() + value.size() + 12;
  return bytes;
}

}  // namespace

std::string TraceIdText(std::string_view trace_id, SlsTraceIds spelling) {
  const bool is_short =
      spelling == SlsTraceIds::kShort && trace_id.size() == 16 &&
      std::all_of(trace_id.begin(), trace_id.begin() + 8, [](char c) { return c == 0; });
  return HexLower(is_short ? trace_id.substr(8) : trace_id);
}

// Collects the columns of one row.
struct SpanRowWriter::Columns {
  SlsLog* log;
  bool is_truncated = false;
  bool is_wide = false;

  void Add(const char* key, std::string value) {
    is_wide |= value.size() > kIndexedBytesMax;
    log->contents.emplace_back(key, std::move(value));
  }
  void AddText(const char* key, std::string_view bytes) {
    std::string text = ValidUtf8(bytes);
    if (text.size() > kTextBytesMax) {
      text = CutUtf8(text, kTextBytesMax);
      is_truncated = true;
    }
    Add(key, std::move(text));
  }
};

const SpanRowWriter::ResourceColumns& SpanRowWriter::ColumnsOf(std::string_view envelope) {
  if (resources_.size() > kResourcesMax) resources_.clear();
  const auto [found, is_new] = resources_.try_emplace(std::string(envelope));
  if (!is_new) return found->second;
  ResourceColumns& columns = found->second;
  ResourceFields fields;
  ReadResource(envelope, &fields);
  auto texts = Texts(fields.key_values,
                     {.first = 0, .count = static_cast<uint32_t>(fields.key_values.size())},
                     &columns.has_twice);
  if (const auto service = texts.find("service.name"); service != texts.end()) {
    columns.service = service->second;
    texts.erase(service);
  }
  if (const auto host = texts.find("host.name"); host != texts.end()) columns.host = host->second;
  columns.json = DumpMap(std::move(texts), &columns.is_truncated);
  return columns;
}

Result<SlsSpanRow> SpanRowWriter::Write(const SpanPieces& pieces, std::optional<uint32_t> filed_s) {
  try {
    fields_.Clear();
    uint32_t items = kItemsMax;
    if (ReadSpan(pieces.span, &items, &fields_) != SpanFault::kNone) {
      return Status::DataLoss("a span for the tier is no OTLP");
    }
    return WriteSpanFields(pieces, fields_, filed_s);
  } catch (const protozero::exception& broken) {
    return Status::DataLoss(std::string("a span for the tier: ") + broken.what());
  }
}

SlsSpanRow SpanRowWriter::WriteSpanFields(const SpanPieces& pieces, const SpanFields& span,
                                          std::optional<uint32_t> filed_s) {
  const ResourceColumns& resource = ColumnsOf(pieces.resource);
  ScopeFields scope;
  ReadScope(pieces.scope, &scope);
  SlsSpanRow row;
  const uint64_t start_s = span.start_ns / kNanosOfSecond;
  row.log.time_s = filed_s.value_or(static_cast<uint32_t>(start_s));
  row.log.time_ns = static_cast<uint32_t>(span.start_ns % kNanosOfSecond);
  Columns columns{
      .log = &row.log, .is_truncated = resource.is_truncated, .is_wide = resource.has_twice};
  const uint64_t start_us = span.start_ns / kNanosOfMicro;
  const uint64_t end_us = span.end_ns / kNanosOfMicro;
  columns.Add("traceID", TraceIdText(span.trace_id, options_.trace_ids));
  columns.Add("spanID", HexLower(span.span_id));
  columns.Add("parentSpanID", HexLower(span.parent_span_id));
  columns.AddText("name", span.name);
  columns.AddText("service", resource.service);
  columns.AddText("host", resource.host);
  columns.Add("kind", Word(kKinds, span.kind));
  columns.Add("start", std::to_string(start_us));
  columns.Add("end", std::to_string(end_us));
  columns.Add("duration", std::to_string(end_us > start_us ? end_us - start_us : 0));
  columns.Add("flags", std::to_string(span.flags));
  columns.Add("statusCode", Word(kStatuses, span.status_code));
  columns.AddText("statusMessage", span.status_message);
  columns.AddText("traceState", span.trace_state);
  columns.AddText("otlp.name", scope.name);
  columns.AddText("otlp.version", scope.version);
  columns.Add("resource", resource.json);
  auto texts = Texts(span.key_values, span.attributes, &columns.is_wide);
  AddTags(span, scope, &texts);
  columns.Add("attribute", DumpMap(std::move(texts), &columns.is_truncated));
  columns.Add("links",
              DumpLinks(span, options_.trace_ids, &columns.is_truncated, &columns.is_wide));
  columns.Add("logs", DumpEvents(span, &columns.is_truncated, &columns.is_wide));
  const bool has_hidden_level = !scope.key_values.empty();
  if (columns.is_wide || columns.is_truncated || has_hidden_level) {
    columns.Add(kWideKey.data(), "1");
  }
  if (columns.is_truncated) columns.Add(kTruncatedKey.data(), "1");
  if (filed_s) columns.Add(kRestampedKey.data(), "1");
  if (options_.writes_raw_payload) AddPayload(pieces, &row);
  return row;
}

void SpanRowWriter::AddPayload(const SpanPieces& pieces, SlsSpanRow* row) const {
  TracesDataWriter writer;
  writer.Add(pieces.resource, pieces.scope, pieces.span);
  std::string payload = EncodeRawPayload(writer.Finish());
  if (LogBytes(row->log) + payload.size() <= options_.log_bytes_max) {
    row->log.contents.emplace_back(kRawKey, std::move(payload));
    return;
  }
  const Hash128 hash = HashWide(payload);
  const std::string_view hash_bytes(reinterpret_cast<const char*>(&hash.low), sizeof hash.low);
  const std::string ref = std::string(row->log.value("traceID")) + "-" +
                          std::string(row->log.value("spanID")) + "-" + HexLower(hash_bytes);
  const std::string count = std::to_string((payload.size() + kPartBytes - 1) / kPartBytes);
  row->log.contents.emplace_back(kRefKey, ref);
  row->log.contents.emplace_back(kPartsKey, count);
  for (size_t at = 0; at < payload.size(); at += kPartBytes) {
    SlsLog part{.time_s = row->log.time_s, .time_ns = row->log.time_ns};
    part.contents = {{std::string(kRefKey), ref},
                     {std::string(kPartKey), std::to_string(at / kPartBytes + 1) + "/" + count},
                     {std::string(kRawKey), payload.substr(at, kPartBytes)}};
    row->continuations.push_back(std::move(part));
  }
}

}  // namespace larder
