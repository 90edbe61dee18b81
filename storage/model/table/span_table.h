// SpanTable: spans in memory, in columns, append-only. It is the head of a generation, and what a
// segment is written from.
//
// Filled by walking OTLP wire bytes with protozero; no message object is built. What recurs is kept
// once: a KeyValue is interned by its wire bytes and a row holds its number (PairId), so attribute
// order, types and duplicates survive for free, and a hit is neither parsed nor copied. Resources
// and scopes are interned as "envelopes": a ResourceSpans without its scope_spans, a ScopeSpans
// without its spans, unknown fields and all, in a canonical form: equal ones have equal bytes.
//
// Threads: one writer (Append, Publish, Rollback); any number of readers, who may look at rows
// below published_rows() and at everything those rows refer to. Nothing that is published moves or
// changes. Views live as long as the table.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/status.h"
#include "storage/model/ids.h"
#include "storage/model/span_fields.h"
#include "storage/model/value.h"

namespace larder {

using PairId = uint32_t;      // one KeyValue; equal ones share a number, except under keys whose
                              // values are nearly always new: they are not looked for again
using StringId = uint32_t;    // one distinct byte string; 0 is the empty string
using ResourceId = uint32_t;  // one distinct resource envelope
using ScopeId = uint32_t;     // one distinct scope envelope

struct SpanRow {
  TraceId trace_id{};
  SpanId span_id{};
  SpanId parent_span_id{};  // zero: none
  uint64_t start_ns = 0;
  uint64_t end_ns = 0;
  ResourceId resource = 0;
  ScopeId scope = 0;
  StringId name = 0;
  StringId trace_state = 0;
  StringId status_message = 0;
  StringId rest = 0;  // encoded Span fields that have no column: dropped counts, unknown fields,
                      // appended as they are when the span is written out
  int32_t kind = 0;
  int32_t status_code = 0;
  uint32_t flags = 0;
  ListRange attributes{};  // of pairs
  ListRange events{};
  ListRange links{};
  uint32_t next_in_bucket = 0;  // trace lookup chain, row + 1; 0 ends it

  int64_t duration_ns() const { return static_cast<int64_t>(end_ns - start_ns); }
};

struct EventRow {
  uint64_t time_ns = 0;
  StringId name = 0;
  StringId rest = 0;  // dropped count, unknown fields
  ListRange attributes{};
};

struct LinkRow {
  TraceId trace_id{};
  SpanId span_id{};
  StringId trace_state = 0;
  StringId rest = 0;
  uint32_t flags = 0;
  ListRange attributes{};
};

struct PairView {
  AttributeView attribute;
  std::string_view key_value;  // the whole message
  uint32_t column = 0;         // number of the distinct (key, type); see SpanTable::column
};

// One distinct (attribute key, value type) of the table.
struct ColumnKey {
  std::string_view key;
  ValueType type = ValueType::kEmpty;
};

struct ResourceView {
  std::string_view envelope;  // ResourceSpans without scope_spans, canonical
  std::string_view service;   // string value of service.name; empty when there is none
  std::string_view schema_url;
  std::span<const AttributeView> attributes;
};

struct ScopeView {
  std::string_view envelope;  // ScopeSpans without spans, canonical
  std::string_view name;
  std::string_view version;
  std::string_view schema_url;
  std::span<const AttributeView> attributes;
};

struct AppendLimits {
  uint64_t attribute_value_bytes_max = 1 << 20;
  uint32_t nesting_max = 100;  // AnyValue inside AnyValue; at most kNestingMax
  // Of all spans of a request: an attribute counts 1, an event or link kNestedItemWeight. Memory
  // needs this bound, since two bytes on the wire can be an event.
  uint32_t request_items_max = 4 << 20;
  // What the table may grow by for one request: four times the request's size, more than honest
  // spans take, and this, or as much as it holds, since its arrays double. What comes behind is
  // rejected. Values that are there already cost nothing, so that a request may fit one table and
  // not another.
  uint64_t request_growth_bytes_max = 32 << 20;

  // For what was accepted before.
  static AppendLimits None() {
    return {.attribute_value_bytes_max = UINT64_MAX,
            .nesting_max = kNestingMax,
            .request_items_max = UINT32_MAX,
            .request_growth_bytes_max = UINT64_MAX};
  }
};

struct AppendResult {
  uint32_t accepted_spans = 0;
  uint32_t rejected_spans = 0;
  std::string first_rejection;  // why the first rejected span was rejected; empty when none was
};

class SpanTable {
 public:
  // Rows beyond this are refused; a head is sealed long before.
  static constexpr uint32_t kRowsMax = 1u << 21;

  SpanTable();
  ~SpanTable();
  SpanTable(const SpanTable&) = delete;
  SpanTable& operator=(const SpanTable&) = delete;

  // ---- writer ----

  // Appends the spans of one ExportTraceServiceRequest (or TracesData) message, unpublished.
  // Single bad spans are counted and left out: trace id not 16 bytes or all zero, span id not 8
  // bytes or all zero, parent id neither 0 nor 8 bytes, a link with ids of other lengths (an empty
  // one is zero), a key, value, number of items or growth above the limits. kInvalidArgument when
  // the message is not protobuf: then nothing of it is appended. kResourceExhausted when the table
  // is full (kRowsMax).
  Result<AppendResult> Append(std::string_view request, const AppendLimits& limits);
  // Makes every appended row visible to readers.
  void Publish();
  // Forgets every row appended since the last Publish (interned values stay).
  void Rollback();
  // What the table holds in memory, bytes.
  uint64_t memory_bytes() const;

  // ---- readers ----

  uint32_t published_rows() const;
  const SpanRow& row(uint32_t row) const;
  const EventRow& event(uint32_t event) const;
  const LinkRow& link(uint32_t link) const;
  // The pairs of a row's, event's or link's attribute list, in order. Contiguous.
  std::span<const PairId> pairs(ListRange range) const;

  PairView pair(PairId id) const;
  std::string_view string(StringId id) const;
  ResourceView resource(ResourceId id) const;
  ScopeView scope(ScopeId id) const;
  ColumnKey column(uint32_t column) const;
  // Counts that cover everything published rows refer to (they may already be a little ahead).
  uint32_t pair_count() const;
  uint32_t string_count() const;
  uint32_t resource_count() const;
  uint32_t scope_count() const;
  uint32_t column_count() const;

  // Appends to `rows` the published rows of a trace, ascending.
  void FindTrace(const TraceId& trace_id, std::vector<uint32_t>* rows) const;

  // Appends one Span message (without tag and length) to `out`.
  void EncodeSpan(uint32_t row, std::string* out) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace larder
