#include "storage/query/spans/span_page.h"

#include <algorithm>
#include <utility>

#include "storage/query/facts/span_content.h"
#include "storage/query/spans/span_rows.h"

namespace larder {

Result<std::string> SpanPage::NextChunk(bool* is_last) {
  for (;;) {
    LARDER_ASSIGN_OR_RETURN(const bool held, Hold());
    *is_last = !held;
    if (!held) return TakeWritten();
    Held& span = batch_[held_];
    const bool is_full = writer_.size_bytes() >= kChunkBytesTarget ||
                         writer_.size_bytes() + span.size_bytes() > kChunkBytesMax;
    if (!writer_.empty() && is_full) return writer_.Finish();
    writer_.Add(span.resource, span.scope, span.span);
    Pass(spans_[next_ - batch_.size() + held_], span);
    span = Held();
    ++held_;
  }
}

Result<bool> SpanPage::Hold() {
  for (;;) {
    while (held_ < batch_.size() && !batch_[held_].is_read) {
      Pass(spans_[next_ - batch_.size() + held_], batch_[held_]);
      ++held_;
    }
    if (held_ < batch_.size()) return true;
    if (next_ == spans_.size()) return false;
    LARDER_RETURN_IF_ERROR(ReadBatch());
  }
}

// With what stands for a span that could not be read the next page does not begin with the same
// trouble.
void SpanPage::Pass(const FoundSpan& span, const Held& held) {
  position_ = {span.key, span.content.value_or(held.is_read ? held.content : kUnreadContent)};
}

Status SpanPage::ReadBatch() {
  for (;;) {
    const size_t count = std::min(batch_count_, spans_.size() - next_);
    LARDER_ASSIGN_OR_RETURN(const bool fitted, TryReadBatch(count));
    batch_count_ =
        fitted ? std::min(batch_count_ * 2, kBatchSpansMax) : std::max<size_t>(count / 2, 1);
    if (fitted) return Status::Ok();
  }
}

Result<bool> SpanPage::TryReadBatch(size_t count) {
  std::vector<SpanPlace> places;
  for (size_t i = 0; i < count; ++i) places.push_back(spans_[next_ + i].place);
  batch_.assign(count, Held());
  held_ = 0;
  uint64_t size_bytes = 0;
  bool fits = true;
  LARDER_RETURN_IF_ERROR(VisitPlaces(
      view_, places, context_,
      [&](size_t place, std::string_view resource, std::string_view scope, std::string_view span) {
        size_bytes += resource.size() + scope.size() + span.size();
        fits = count == 1 || size_bytes <= kBatchBytesMax;
        if (!fits) return false;
        batch_[place] = {true, SpanContentHash(resource, scope, span), std::string(resource),
                         std::string(scope), std::string(span)};
        return true;
      }));
  if (fits) {
    next_ += count;
    LARDER_RETURN_IF_ERROR(memory_.Resize(size_bytes + spans_.capacity() * sizeof(FoundSpan)));
  } else {
    batch_.clear();
  }
  return fits;
}

}  // namespace larder
