#include "storage/query/spans/span_top.h"

#include <algorithm>
#include <utility>

#include "storage/query/facts/span_content.h"

namespace larder {

SpanTop::SpanTop(const View& view, const SpanOrder& order, const std::optional<SpanPosition>& after,
                 size_t count, QueryContext* context)
    : view_(view),
      order_(order),
      after_(after),
      count_(count),
      context_(context),
      memory_(context),
      prune_at_(count) {}

Status SpanTop::Offer(uint32_t entry, const std::vector<SpanKeyMatch>& matches) {
  for (const SpanKeyMatch& match : matches) {
    if (after_ && order_.Compare(match.key, after_->key) < 0) continue;
    if (limit_ && order_.Compare(match.key, *limit_) > 0) continue;
    spans_.push_back({match.key, {entry, match.row}, std::nullopt});
  }
  LARDER_RETURN_IF_ERROR(memory_.Resize(spans_.capacity() * sizeof(FoundSpan)));
  return spans_.size() < prune_at_ ? Status::Ok() : Prune();
}

Result<std::vector<FoundSpan>> SpanTop::Take() {
  LARDER_RETURN_IF_ERROR(Prune());
  return std::move(spans_);
}

bool SpanTop::InOrder(const FoundSpan& a, const FoundSpan& b) const {
  const std::strong_ordering order = order_.Compare(a.key, b.key);
  return order != std::strong_ordering::equal ? order < 0 : a.content < b.content;
}

bool SpanTop::NeedsContent(size_t i) const {
  const SpanKey& key = spans_[i].key;
  return (i > 0 && spans_[i - 1].key == key) ||
         (i + 1 < spans_.size() && spans_[i + 1].key == key) || (after_ && after_->key == key);
}

Status SpanTop::ReadContents() {
  std::vector<SpanPlace> places;
  std::vector<size_t> unread;
  for (size_t i = 0; i < spans_.size(); ++i) {
    if (spans_[i].content || !NeedsContent(i)) continue;
    places.push_back(spans_[i].place);
    unread.push_back(i);
  }
  if (unread.empty()) return Status::Ok();
  LARDER_RETURN_IF_ERROR(VisitPlaces(
      view_, places, context_,
      [&](size_t place, std::string_view resource, std::string_view scope, std::string_view span) {
        spans_[unread[place]].content = SpanContentHash(resource, scope, span);
        return true;
      }));
  // It keeps its place: were it dropped, what limit() has cut off already would be missing.
  for (const size_t i : unread) {
    if (!spans_[i].content) spans_[i].content = kUnreadContent;
  }
  return Status::Ok();
}

Status SpanTop::Prune() {
  const auto in_order = [this](const FoundSpan& a, const FoundSpan& b) { return InOrder(a, b); };
  std::sort(spans_.begin(), spans_.end(), in_order);
  LARDER_RETURN_IF_ERROR(ReadContents());
  std::sort(spans_.begin(), spans_.end(), in_order);
  // A content that was not read differs: its key is no other's.
  const auto repeats = [](const FoundSpan& a, const FoundSpan& b) {
    return a.content && a.content == b.content && a.key == b.key;
  };
  spans_.erase(std::unique(spans_.begin(), spans_.end(), repeats), spans_.end());
  if (after_) {
    std::erase_if(spans_, [this](const FoundSpan& span) {
      return span.key == after_->key && *span.content <= after_->content;
    });
  }
  if (spans_.size() >= count_) {
    spans_.resize(count_);
    limit_ = spans_.back().key;
  }
  prune_at_ = std::max(count_, spans_.size() + count_ / 2 + 64);
  return Status::Ok();
}

}  // namespace larder
