#include "storage/query/spans/span_cursor.h"

#include <optional>
#include <utility>
#include <vector>

#include "storage/query/spans/span_page.h"
#include "storage/query/spans/span_walk.h"

namespace larder {
namespace {

class Cursor : public SpanCursor {
 public:
  Cursor(std::shared_ptr<const View> view, SpanQuery query, const QueryBounds& bounds,
         const QueryLimits& limits)
      : view_(std::move(view)), query_(std::move(query)), context_(bounds, limits) {}

  Result<SpanChunk> Next() override {
    const QueryContext::Work work(&context_);
    if (ended_) return End();
    Result<SpanChunk> chunk = Read();
    if (!chunk.ok()) chunk = CutShort(chunk.status());
    if (chunk.ok() && !chunk->end) {
      any_chunk_ = true;
      return chunk;
    }
    ended_ = context_.Finish(chunk.status(), any_chunk_);
    // Found, but nothing of it readable: "not found" would be a lie.
    if (ended_->ok() && any_found_ && !any_chunk_) ended_ = context_.first_failure();
    return End();
  }

  const std::vector<Gap>& gaps() const override { return context_.gaps(); }

 private:
  Result<SpanChunk> End() const {
    if (!ended_->ok()) return *ended_;
    SpanChunk end;
    end.end = true;
    return end;
  }

  // A page whose budget is spent ends with what was written; the next one goes on from there.
  Result<SpanChunk> CutShort(const Status& status) {
    if (!page_ || !page_->position()) return status;
    LARDER_RETURN_IF_ERROR(context_.Finish(status, true));
    SpanChunk chunk;
    chunk.traces_data = page_->TakeWritten();
    chunk.next = page_->position();
    is_over_ = true;
    return chunk;
  }

  Status Open() {
    // One span more than the page has: whether there is a next page.
    SpanWalk walk(*view_, query_, size_t{query_.page_size} + 1, &context_);
    LARDER_ASSIGN_OR_RETURN(std::vector<FoundSpan> found, walk.Run());
    any_found_ = !found.empty();
    has_more_ = found.size() > query_.page_size;
    if (has_more_) found.pop_back();
    page_.emplace(*view_, std::move(found), &context_);
    return Status::Ok();
  }

  Result<SpanChunk> Read() {
    SpanChunk chunk;
    if (!page_) LARDER_RETURN_IF_ERROR(Open());
    if (is_over_) {
      chunk.end = true;
      return chunk;
    }
    LARDER_ASSIGN_OR_RETURN(chunk.traces_data, page_->NextChunk(&is_over_));
    if (is_over_ && has_more_) chunk.next = page_->position();
    chunk.end = chunk.traces_data.empty() && !chunk.next;
    return chunk;
  }

  // Members in this order: what is below borrows from what is above.
  const std::shared_ptr<const View> view_;
  const SpanQuery query_;
  QueryContext context_;
  std::optional<SpanPage> page_;  // once it was found
  bool any_found_ = false;
  bool has_more_ = false;
  bool is_over_ = false;
  bool any_chunk_ = false;
  std::optional<Status> ended_;
};

}  // namespace

std::unique_ptr<SpanCursor> NewFindSpansCursor(std::shared_ptr<const View> view, SpanQuery query,
                                               const QueryBounds& bounds,
                                               const QueryLimits& limits) {
  return std::make_unique<Cursor>(std::move(view), std::move(query), bounds, limits);
}

}  // namespace larder
