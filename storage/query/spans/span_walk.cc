#include "storage/query/spans/span_walk.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace larder {
namespace {

// The range of keys that the ids named in the filter leave.
SpanKeyRange NamedRange(const FilterNode& filter) {
  SpanKeyRange range;
  if (const auto ids = NamedTraces(filter); ids && !ids->empty()) {
    range.min.trace_id = *ids->begin();
    range.max.trace_id = *ids->rbegin();
  }
  if (const auto ids = NamedSpans(filter); ids && !ids->empty()) {
    range.min.span_id = *ids->begin();
    range.max.span_id = *ids->rbegin();
  }
  return range;
}

// Copies the field that leads an order.
void CopyField(SpanSortField field, const SpanKey& from, SpanKey* to) {
  switch (field) {
    case SpanSortField::kStartTime:
      to->start_ns = from.start_ns;
      break;
    case SpanSortField::kDuration:
      to->duration_ns = from.duration_ns;
      break;
    case SpanSortField::kTraceId:
      to->trace_id = from.trace_id;
      break;
    case SpanSortField::kSpanId:
      to->span_id = from.span_id;
      break;
  }
}

// Starts from which an order led by them goes on behind `after`.
TimeRange RangeAfter(TimeRange range, const SpanOrder& order,
                     const std::optional<SpanPosition>& after) {
  if (!after || order.lead().field != SpanSortField::kStartTime) return range;
  if (order.lead().descending) {
    range.max_ns = std::min(range.max_ns, after->key.start_ns);
  } else {
    range.min_ns = std::max(range.min_ns, after->key.start_ns);
  }
  return range;
}

}  // namespace

SpanWalk::SpanWalk(const View& view, const SpanQuery& query, size_t count, QueryContext* context)
    : view_(view),
      query_(query),
      context_(context),
      order_(query.order),
      named_range_(NamedRange(query.filter)),
      start_(RangeAfter(query.start, order_, query.after)),
      memory_(context),
      top_(view, order_, query.after, count, context) {}

SpanWalk::~SpanWalk() = default;

// With equal ranks, block after block: neighbours share pages.
bool SpanWalk::LaterSource(const Source& a, const Source& b) {
  return std::tie(a.rank, a.entry) > std::tie(b.rank, b.entry);
}
bool SpanWalk::LaterBlock(const Block& a, const Block& b) {
  return std::tie(a.rank, a.block) > std::tie(b.rank, b.block);
}

Result<std::vector<FoundSpan>> SpanWalk::Run() {
  LARDER_RETURN_IF_ERROR(Begin());
  while (!IsOver()) LARDER_RETURN_IF_ERROR(Advance());
  return top_.Take();
}

Status SpanWalk::Begin() {
  LARDER_ASSIGN_OR_RETURN(named_, NamedPlaces::Find(view_, query_.tenant, query_.filter, context_));
  for (uint32_t i = 0; i < view_.entries.size(); ++i) {
    const SourceEntry& entry = view_.entries[i];
    if (entry.tenant != query_.tenant || !named_.has_entry(i)) continue;
    // A source that cannot be read has no rows: it is opened, and named as a gap.
    const TimeRange range = entry.source->start_range();
    if (range.max_ns < start_.min_ns || range.min_ns > start_.max_ns) continue;
    SpanKeyRange keys;
    keys.min.start_ns = std::max(range.min_ns, start_.min_ns);
    keys.max.start_ns = std::min(range.max_ns, start_.max_ns);
    const SpanKey& first = order_.lead().descending ? keys.max : keys.min;
    Source& source = sources_.emplace_back();
    source.rank = order_.Rank(first);
    source.entry = i;
  }
  std::make_heap(sources_.begin(), sources_.end(), LaterSource);
  return Status::Ok();
}

bool SpanWalk::IsOver() const {
  if (sources_.empty()) return true;
  return top_.limit() != nullptr && sources_.front().rank > order_.Rank(*top_.limit());
}

Status SpanWalk::Advance() {
  LARDER_RETURN_IF_ERROR(context_->Check());
  std::pop_heap(sources_.begin(), sources_.end(), LaterSource);
  Source& source = sources_.back();
  LARDER_RETURN_IF_ERROR(source.search == nullptr   ? Open(&source)
                         : source.cursor != nullptr ? VisitCursor(&source)
                                                    : Visit(&source));
  if (!HasMore(source)) {
    sources_.pop_back();
    return Status::Ok();
  }
  source.rank = source.cursor != nullptr ? source.cursor->rank() : source.blocks.front().rank;
  std::push_heap(sources_.begin(), sources_.end(), LaterSource);
  return Status::Ok();
}

Status SpanWalk::Open(Source* source) {
  const SourceEntry& entry = view_.entries[source->entry];
  auto search = entry.source->Search(query_.filter, start_, context_);
  LARDER_ASSIGN_OR_RETURN(const bool read, context_->Read(entry.name, search.status()));
  if (!read) return Status::Ok();
  source->search = std::move(search).value();
  const uint64_t from = query_.after ? order_.Rank(query_.after->key) : 0;
  if (!named_.any_named()) source->cursor = source->search->OpenCursor(order_.lead(), from);
  if (source->cursor == nullptr) return AddBlocks(from, source);
  return Stepped(source);
}

Status SpanWalk::AddBlocks(uint64_t from, Source* source) {
  source->blocks_from = from;
  const SpanSort& lead = order_.lead();
  for (const uint32_t block : source->search->candidate_blocks()) {
    if (!named_.has_block(source->entry, block)) continue;
    const SpanKeyRange bounds = source->search->KeyBounds(block, lead.field);
    if (order_.Rank(lead.descending ? bounds.min : bounds.max) < from) continue;
    const uint64_t first = order_.Rank(lead.descending ? bounds.max : bounds.min);
    source->blocks.push_back({std::max(first, from), block});
  }
  std::make_heap(source->blocks.begin(), source->blocks.end(), LaterBlock);
  held_bytes_ += source->blocks.capacity() * sizeof(Block);
  return memory_.Resize(held_bytes_);
}

// A filter that few rows satisfy makes the steps longer, so that rows of a block are decided
// together.
Status SpanWalk::VisitCursor(Source* source) {
  constexpr size_t kRunsMax = 1024;
  const uint64_t last = sources_.size() > 1 ? sources_.front().rank : UINT64_MAX;
  visited_.clear();
  const Status read = source->cursor->Next(last, source->runs_min, &visited_);
  LARDER_RETURN_IF_ERROR(context_->Read(view_.entries[source->entry].name, read).status());
  source->runs_min = visited_.empty() ? std::min(source->runs_min * 2, kRunsMax) : 1;
  LARDER_RETURN_IF_ERROR(top_.Offer(source->entry, visited_));
  return Stepped(source);
}

Status SpanWalk::Stepped(Source* source) {
  held_bytes_ -= source->cursor_bytes;
  std::optional<uint64_t> rest;
  if (source->cursor->is_over()) {
    rest = source->cursor->rest();
    source->cursor = nullptr;
  }
  source->cursor_bytes = source->cursor == nullptr ? 0 : source->cursor->memory_bytes();
  held_bytes_ += source->cursor_bytes;
  if (rest) return AddBlocks(std::max(*rest, source->rank), source);
  return memory_.Resize(held_bytes_);
}

SpanKeyRange SpanWalk::OpenRange() const {
  SpanKeyRange range = named_range_;
  const SpanSort& lead = order_.lead();
  SpanKey* const first = lead.descending ? &range.max : &range.min;
  SpanKey* const last = lead.descending ? &range.min : &range.max;
  if (query_.after) CopyField(lead.field, query_.after->key, first);
  if (top_.limit() != nullptr) CopyField(lead.field, *top_.limit(), last);
  return range;
}

Status SpanWalk::Visit(Source* source) {
  std::pop_heap(source->blocks.begin(), source->blocks.end(), LaterBlock);
  const uint32_t block = source->blocks.back().block;
  source->blocks.pop_back();

  const SourceEntry& entry = view_.entries[source->entry];
  visited_.clear();
  LARDER_ASSIGN_OR_RETURN(
      const bool read,
      context_->Read(entry.name, source->search->MatchKeys(block, OpenRange(), &visited_)));
  if (!read) return Status::Ok();
  std::erase_if(visited_, [&](const SpanKeyMatch& match) {
    return order_.Rank(match.key) < source->blocks_from;
  });
  return top_.Offer(source->entry, visited_);
}

}  // namespace larder
