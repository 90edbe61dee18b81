#include "storage/query/spans/known_spans.h"

#include <algorithm>
#include <memory>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "storage/model/traces_data_writer.h"
#include "storage/query/facts/span_content.h"
#include "storage/query/index/trace_locator.h"
#include "storage/segment/table/table_source.h"

namespace larder {
namespace {

// A span of the request.
struct Sent {
  TraceId trace_id;
  SpanId span_id;
  uint32_t row = 0;
  Hash128 content = {};  // once it is needed
  bool is_known = false;
};

bool InOrderOfIds(const Sent& a, const Sent& b) {
  return std::tie(a.trace_id, a.span_id, a.row) < std::tie(b.trace_id, b.span_id, b.row);
}

// The spans of one trace, by span id.
using Trace = std::pair<std::vector<Sent>::iterator, std::vector<Sent>::iterator>;
struct BySpanId {
  bool operator()(const Sent& sent, const SpanId& id) const { return sent.span_id < id; }
  bool operator()(const SpanId& id, const Sent& sent) const { return id < sent.span_id; }
};

class Contents : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t /*row*/, std::string_view resource, std::string_view scope,
             std::string_view span) override {
    hashes.push_back(SpanContentHash(resource, scope, span));
    return true;
  }
  std::vector<Hash128> hashes;
};

class Copier : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t /*row*/, std::string_view resource, std::string_view scope,
             std::string_view span) override {
    writer.Add(resource, scope, span);
    return true;
  }
  TracesDataWriter writer;
};

class KnownSpans {
 public:
  KnownSpans(const View& view, TenantId tenant, const SpanTable& table, const SpanSource& request,
             QueryContext* context)
      : view_(view), context_(context), request_(request), locator_(view, tenant, context) {
    sent_.reserve(request.row_count());
    for (uint32_t row = 0; row < request.row_count(); ++row) {
      sent_.push_back(
          {.trace_id = table.row(row).trace_id, .span_id = table.row(row).span_id, .row = row});
    }
    std::sort(sent_.begin(), sent_.end(), InOrderOfIds);
  }

  Status Find() {
    for (auto first = sent_.begin(); first != sent_.end();) {
      const auto end = std::find_if(first, sent_.end(),
                                    [&](const Sent& it) { return it.trace_id != first->trace_id; });
      LARDER_RETURN_IF_ERROR(FindIn({first, end}));
      first = end;
    }
    return Status::Ok();
  }

  // The rows of the request that are not known, in its order.
  std::vector<uint32_t> NewRows() const {
    std::vector<uint32_t> rows;
    for (const Sent& sent : sent_) {
      if (!sent.is_known) rows.push_back(sent.row);
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

 private:
  Status FindIn(const Trace& trace) {
    std::vector<TracePlace> places;
    LARDER_RETURN_IF_ERROR(locator_.Locate(trace.first->trace_id, &places));
    if (places.empty()) return Status::Ok();
    std::vector<uint32_t> rows;
    for (auto it = trace.first; it != trace.second; ++it) rows.push_back(it->row);
    Contents contents;
    LARDER_RETURN_IF_ERROR(request_.EncodeRows(rows, &contents));
    for (size_t i = 0; i < rows.size(); ++i)
      trace.first[static_cast<std::ptrdiff_t>(i)].content = contents.hashes[i];
    for (const TracePlace& place : places) {
      for (size_t first = 0; first < place.rows.size(); first += kBlockRows) {
        LARDER_RETURN_IF_ERROR(context_->Check());
        const size_t count = std::min<size_t>(kBlockRows, place.rows.size() - first);
        LARDER_RETURN_IF_ERROR(
            Compare(trace, view_.entries[place.entry], {&place.rows[first], count}));
      }
    }
    return Status::Ok();
  }

  // Looks at rows of the trace that are stored.
  Status Compare(const Trace& trace, const SourceEntry& entry, std::span<const uint32_t> stored) {
    std::vector<SpanFacts> facts;
    LARDER_ASSIGN_OR_RETURN(
        const bool has_facts,
        context_->Read(entry.name, entry.source->Facts({stored.begin(), stored.end()}, &facts)));
    if (!has_facts) return Status::Ok();
    std::vector<uint32_t> rows;
    for (const SpanFacts& fact : facts) {
      if (std::binary_search(trace.first, trace.second, fact.span_id, BySpanId())) {
        rows.push_back(fact.row);
      }
    }
    Contents contents;
    LARDER_RETURN_IF_ERROR(
        context_->Read(entry.name, entry.source->EncodeRows(rows, &contents)).status());
    // What was read before a page that cannot be is known all the same.
    std::sort(contents.hashes.begin(), contents.hashes.end());
    for (auto it = trace.first; it != trace.second; ++it) {
      it->is_known |=
          std::binary_search(contents.hashes.begin(), contents.hashes.end(), it->content);
    }
    return Status::Ok();
  }

  const View& view_;
  QueryContext* const context_;
  const SpanSource& request_;
  TraceLocator locator_;
  std::vector<Sent> sent_;
};

}  // namespace

Result<std::optional<NewSpans>> LeaveKnownOut(const View& view, TenantId tenant,
                                              std::string_view otlp, const AppendLimits& limits,
                                              QueryContext* context) {
  MemoryCharge memory(context);
  LARDER_RETURN_IF_ERROR(memory.Resize(otlp.size()));  // a table holds about as much
  auto table = std::make_shared<SpanTable>();
  LARDER_ASSIGN_OR_RETURN(AppendResult appended, table->Append(otlp, limits));
  table->Publish();
  const uint64_t table_bytes =
      table->memory_bytes() + uint64_t{table->published_rows()} * sizeof(Sent);
  LARDER_RETURN_IF_ERROR(memory.Resize(table_bytes));
  const auto request = MakeTableSource(table);
  KnownSpans known(view, tenant, *table, *request, context);
  LARDER_RETURN_IF_ERROR(known.Find());
  const std::vector<uint32_t> rows = known.NewRows();
  if (rows.size() == request->row_count()) return std::optional<NewSpans>();
  NewSpans fresh;
  fresh.known_spans = request->row_count() - static_cast<uint32_t>(rows.size());
  fresh.rejected_spans = appended.rejected_spans;
  fresh.first_rejection = std::move(appended.first_rejection);
  if (rows.empty()) return std::optional<NewSpans>(std::move(fresh));
  LARDER_RETURN_IF_ERROR(memory.Resize(table_bytes + otlp.size()));
  Copier copier;
  LARDER_RETURN_IF_ERROR(request->EncodeRows(rows, &copier));
  fresh.otlp = copier.writer.Finish();
  return std::optional<NewSpans>(std::move(fresh));
}

}  // namespace larder
