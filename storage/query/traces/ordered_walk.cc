#include "storage/query/traces/ordered_walk.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace larder {

OrderedWalk::OrderedWalk(const View& view, TenantId tenant, const FilterNode& filter,
                         TimeRange start, QueryContext* context)
    : view_(view),
      tenant_(tenant),
      filter_(filter),
      start_(start),
      context_(context),
      memory_(context) {}

OrderedWalk::~OrderedWalk() = default;

bool OrderedWalk::AfterInOrder(const WalkMatch& a, const WalkMatch& b) {
  return std::tie(b.start_ns, a.trace_id, a.entry, a.row) >
         std::tie(a.start_ns, b.trace_id, b.entry, b.row);
}

Status OrderedWalk::Begin() {
  LARDER_ASSIGN_OR_RETURN(named_, NamedPlaces::Find(view_, tenant_, filter_, context_));
  for (uint32_t i = 0; i < view_.entries.size(); ++i) {
    const SourceEntry& entry = view_.entries[i];
    if (entry.tenant != tenant_ || !named_.has_entry(i)) continue;
    // A source that cannot be read claims every range: it is opened, and named as a gap.
    const TimeRange range = entry.source->start_range();
    if (range.max_ns < start_.min_ns || range.min_ns > start_.max_ns) continue;
    Source source;
    source.bound_ns = std::min(range.max_ns, start_.max_ns);
    source.entry = i;
    sources_.push_back(std::move(source));
  }
  std::make_heap(sources_.begin(), sources_.end(), EarlierSource);
  has_begun_ = true;
  return Status::Ok();
}

Result<std::optional<WalkMatch>> OrderedWalk::Next() {
  if (!has_begun_) LARDER_RETURN_IF_ERROR(Begin());
  // A block whose bound equals the match's start may hold the same start under a smaller trace id,
  // so the match waits until that block was visited too.
  while (!sources_.empty() &&
         (matches_.empty() || matches_.front().start_ns <= sources_.front().bound_ns)) {
    LARDER_RETURN_IF_ERROR(Advance());
  }
  if (matches_.empty()) return std::optional<WalkMatch>();
  std::pop_heap(matches_.begin(), matches_.end(), AfterInOrder);
  const WalkMatch match = matches_.back();
  matches_.pop_back();
  return std::optional<WalkMatch>(match);
}

Status OrderedWalk::Advance() {
  LARDER_RETURN_IF_ERROR(context_->Check());
  std::pop_heap(sources_.begin(), sources_.end(), EarlierSource);
  Source& source = sources_.back();
  LARDER_RETURN_IF_ERROR(source.search == nullptr ? Open(&source) : Visit(&source));
  if (source.blocks.empty()) {
    sources_.pop_back();
    return Status::Ok();
  }
  source.bound_ns = source.blocks.front().bound_ns;
  std::push_heap(sources_.begin(), sources_.end(), EarlierSource);
  return Status::Ok();
}

Status OrderedWalk::Open(Source* source) {
  const SourceEntry& entry = view_.entries[source->entry];
  auto search = entry.source->Search(filter_, start_, context_);
  LARDER_ASSIGN_OR_RETURN(const bool read, context_->Read(entry.name, search.status()));
  if (!read) return Status::Ok();
  source->search = std::move(search).value();
  for (const uint32_t block : source->search->candidate_blocks()) {
    if (!named_.has_block(source->entry, block)) continue;
    const uint64_t latest_ns = source->search->latest_start_ns(block);
    source->blocks.push_back({std::min(latest_ns, start_.max_ns), block});
  }
  std::make_heap(source->blocks.begin(), source->blocks.end(), EarlierBlock);
  block_bytes_ += source->blocks.capacity() * sizeof(Block);
  return memory_.Resize(block_bytes_ + matches_.capacity() * sizeof(WalkMatch));
}

Status OrderedWalk::Visit(Source* source) {
  std::pop_heap(source->blocks.begin(), source->blocks.end(), EarlierBlock);
  const uint32_t block = source->blocks.back().block;
  source->blocks.pop_back();

  const SourceEntry& entry = view_.entries[source->entry];
  visited_.clear();
  LARDER_ASSIGN_OR_RETURN(const bool read,
                          context_->Read(entry.name, source->search->Match(block, &visited_)));
  if (!read) return Status::Ok();
  for (const SpanMatch& match : visited_) {
    matches_.push_back({match.start_ns, match.trace_id, source->entry, match.row});
    std::push_heap(matches_.begin(), matches_.end(), AfterInOrder);
  }
  return memory_.Resize(block_bytes_ + matches_.capacity() * sizeof(WalkMatch));
}

}  // namespace larder
