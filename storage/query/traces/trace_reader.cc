#include "storage/query/traces/trace_reader.h"

#include <algorithm>
#include <utility>

#include "storage/query/traces/trace_warning.h"

namespace larder {

class TraceReader::Visitor : public SpanSource::RowVisitor {
 public:
  explicit Visitor(TraceReader* reader) : reader_(reader) {}
  bool Visit(uint32_t /*row*/, std::string_view resource_envelope, std::string_view scope_envelope,
             std::string_view span) override {
    ++visited_;
    return reader_->Take(resource_envelope, scope_envelope, span);
  }
  size_t visited() const { return visited_; }

 private:
  TraceReader* const reader_;
  size_t visited_ = 0;
};

TraceReader::TraceReader(const View& view, TenantId tenant, QueryContext* context)
    : view_(view), context_(context), locator_(view, tenant, context), memory_(context) {}

Status TraceReader::Open(const TraceId& trace_id) {
  place_ = 0;
  next_row_ = 0;
  held_ = {};
  seen_.Clear();
  failed_reads_before_ = context_->failed_reads();
  LARDER_RETURN_IF_ERROR(locator_.Locate(trace_id, &places_));
  size_t rows = 0;
  for (const TracePlace& place : places_) rows += place.rows.size();
  may_repeat_ = rows > 1;
  rows_bytes_ = rows * sizeof(uint32_t);
  return memory_.Resize(rows_bytes_);
}

Result<std::string> TraceReader::NextChunk() {
  while (place_ < places_.size() && !chunk_full()) {
    if (next_row_ == places_[place_].rows.size()) {
      ++place_;
      next_row_ = 0;
      continue;
    }
    LARDER_RETURN_IF_ERROR(context_->Check());
    LARDER_RETURN_IF_ERROR(ReadBatch());
    LARDER_RETURN_IF_ERROR(memory_.Resize(rows_bytes_ + seen_.memory_bytes()));
  }
  if (!chunk_full() && held_.is_set) {
    if (context_->failed_reads() != failed_reads_before_) WarnHeld();
    WriteHeld();
  }
  return TakeChunk();
}

Status TraceReader::ReadBatch() {
  const TracePlace& place = places_[place_];
  const SourceEntry& entry = view_.entries[place.entry];
  const size_t count = std::min<size_t>(kBlockRows, place.rows.size() - next_row_);
  const auto first = place.rows.begin() + static_cast<std::ptrdiff_t>(next_row_);
  const std::vector<uint32_t> rows(first, first + static_cast<std::ptrdiff_t>(count));
  Visitor visitor(this);
  LARDER_ASSIGN_OR_RETURN(const bool read,
                          context_->Read(entry.name, entry.source->EncodeRows(rows, &visitor)));
  // The rows of the batch that a broken page spoils are lost; those of the next one may lie on
  // another page.
  next_row_ += read ? std::max<size_t>(visitor.visited(), 1) : count;
  return Status::Ok();
}

bool TraceReader::Take(std::string_view resource, std::string_view scope, std::string_view span) {
  if (may_repeat_ && !seen_.Insert(SpanContentHash(resource, scope, span))) return true;
  if (held_.is_set) WriteHeld();
  held_.is_set = true;
  held_.resource.assign(resource);
  held_.scope.assign(scope);
  held_.span.assign(span);
  return !chunk_full();
}

void TraceReader::WriteHeld() {
  if (!writer_.empty() && writer_.size_bytes() + held_.size_bytes() > kChunkBytesMax) {
    chunk_ = writer_.Finish();
  }
  writer_.Add(held_.resource, held_.scope, held_.span);
  held_.is_set = false;
}

void TraceReader::WarnHeld() {
  const Gap& gap = context_->latest_gap();
  held_.span = WithWarning(
      held_.span, "a part of this trace could not be read: " + gap.place + ": " + gap.reason);
}

std::string TraceReader::TakeChunk() {
  if (!chunk_.empty()) return std::exchange(chunk_, std::string());
  return writer_.empty() ? std::string() : writer_.Finish();
}

}  // namespace larder
