#include "tests/differential/layout.h"

#include <algorithm>
#include <utility>

#include <gtest/gtest.h>

#include "storage/segment/table/table_source.h"
#include "tests/support/map_page_store.h"
#include "tests/support/stored_segment.h"

namespace larder {
namespace {

std::shared_ptr<SpanTable> MakeTable(const std::vector<Span>& spans) {
  auto table = std::make_shared<SpanTable>();
  const auto appended = table->Append(EncodeSpans(spans), AppendLimits());
  EXPECT_TRUE(appended.ok()) << appended.status().ToString();
  table->Publish();
  return table;
}

}  // namespace

void Layout::Append(const std::vector<Span>& request) {
  std::vector<Part*> heads;
  for (Part& part : parts_) {
    if (part.head != nullptr) heads.push_back(&part);
  }
  if (heads.empty() || (heads.size() < kHeadsMax && random_->OneIn(5))) {
    parts_.emplace_back();
    parts_.back().head = std::make_shared<SpanTable>();
    parts_.back().entry.id = next_id_++;
    parts_.back().entry.partition = partition_;
    heads = {&parts_.back()};
  }
  Part& part = *heads[random_->Below(heads.size())];
  const auto appended = part.head->Append(EncodeSpans(request), AppendLimits());
  ASSERT_TRUE(appended.ok()) << appended.status().ToString();
  ASSERT_EQ(appended->rejected_spans, 0u) << appended->first_rejection;
  part.head->Publish();
  part.spans.insert(part.spans.end(), request.begin(), request.end());
}

std::string Layout::Step() {
  size_t first = 0;
  size_t count = 0;
  switch (random_->Below(14)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
      for (size_t i = 0; i < parts_.size(); ++i) {
        if (parts_[i].head == nullptr) continue;
        Seal(i);
        return "seal part " + std::to_string(i);
      }
      return "nothing to seal";
    case 5:
    case 6:
    case 7:
      PickRun(&first, &count);
      if (count == 0) return "nothing to index";
      Index(first, count);
      return "index parts " + std::to_string(first) + " and " + std::to_string(count - 1) + " on";
    case 8:
    case 9:
      PickRun(&first, &count);
      if (count < 2) return "nothing to merge";
      Merge(first, count);
      return "merge parts " + std::to_string(first) + " and " + std::to_string(count - 1) + " on";
    case 10:
      Close();
      return "close";
    case 11:
      if (parts_.size() < 8) return "nothing to drop";
      DropPartition();
      return "drop the oldest partition";
    case 12:
      if (parts_.size() < 8 || !random_->OneIn(3)) return "nothing to drop";
      first = random_->Below(parts_.size());
      DropPart(first);
      return "drop part " + std::to_string(first);
    default:
      ++partition_;
      return "begin a partition";
  }
}

void Layout::Close() {
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].head != nullptr) Seal(i);
  }
  indexes_.clear();
  for (size_t first = 0; first < parts_.size();) {
    size_t last = first;
    while (last < parts_.size() && parts_[last].entry.partition == parts_[first].entry.partition) {
      ++last;
    }
    Index(first, last - first);
    first = last;
  }
}

std::shared_ptr<const View> Layout::MakeView() const {
  auto view = std::make_shared<View>();
  for (const Part& part : parts_) {
    if (part.head == nullptr) view->entries.push_back(part.entry);
  }
  for (const Part& part : parts_) {
    if (part.head == nullptr) continue;
    SourceEntry entry = part.entry;
    entry.source = MakeTableSource(part.head);
    entry.name = "head " + std::to_string(entry.id);
    view->entries.push_back(entry);
  }
  view->indexes = indexes_;
  return view;
}

ReferenceStore Layout::MakeReference() const {
  ReferenceStore reference;
  for (const Part& part : parts_) reference.Add(part.spans);
  return reference;
}

void Layout::Seal(size_t part) {
  parts_[part].entry = WriteEntry(*parts_[part].head, parts_[part].entry.partition, {});
  parts_[part].head = nullptr;
}

void Layout::Index(size_t first, size_t count) {
  std::vector<SourceEntry> segments;
  for (size_t i = first; i < first + count; ++i) segments.push_back(parts_[i].entry);
  MapPageStore pages;
  const auto written = WritePartitionIndex(segments, {.index_id = next_id_++}, &pages);
  ASSERT_TRUE(written.ok()) << written.status().ToString();
  auto index = PartitionIndex::Open(pages.Source(), &cache_);
  ASSERT_TRUE(index.ok()) << index.status().ToString();
  indexes_.push_back(std::move(index).value());
}

void Layout::Merge(size_t first, size_t count) {
  Part merged;
  std::vector<uint64_t> replaced;
  for (size_t i = first; i < first + count; ++i) {
    replaced.push_back(parts_[i].entry.id);
    merged.spans.insert(merged.spans.end(), parts_[i].spans.begin(), parts_[i].spans.end());
  }
  merged.entry = WriteEntry(*MakeTable(merged.spans), parts_[first].entry.partition, replaced);
  const auto begin = parts_.begin() + static_cast<std::ptrdiff_t>(first);
  parts_.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
  parts_.insert(parts_.begin() + static_cast<std::ptrdiff_t>(first), std::move(merged));
}

void Layout::DropPartition() {
  const uint64_t oldest = parts_.front().entry.partition;
  while (!parts_.empty() && parts_.front().entry.partition == oldest) DropPart(0);
}

void Layout::DropPart(size_t part) {
  ForgetIndexesOf(parts_[part]);
  parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(part));
}

SourceEntry Layout::WriteEntry(const SpanTable& table, uint64_t partition,
                               const std::vector<uint64_t>& replaces) {
  SourceEntry entry;
  entry.id = next_id_++;
  entry.partition = partition;
  entry.name = "segment " + std::to_string(entry.id);
  entry.segment = StoreSegment(table, {.segment_id = entry.id, .replaces = replaces}, &cache_,
                               {.drop_duplicates = !replaces.empty()});
  entry.source = entry.segment;
  return entry;
}

void Layout::ForgetIndexesOf(const Part& part) {
  std::erase_if(indexes_, [&](const auto& index) {
    const std::vector<uint64_t>& ids = index->info().segment_ids;
    return std::find(ids.begin(), ids.end(), part.entry.id) != ids.end();
  });
}

bool Layout::IsCovered(const Part& part) const {
  return std::any_of(indexes_.begin(), indexes_.end(), [&](const auto& index) {
    const std::vector<uint64_t>& ids = index->info().segment_ids;
    return std::find(ids.begin(), ids.end(), part.entry.id) != ids.end();
  });
}

void Layout::PickRun(size_t* first, size_t* count) {
  *count = 0;
  if (parts_.empty()) return;
  *first = random_->Below(parts_.size());
  const uint64_t wanted = random_->Between(1, 4);
  for (size_t i = *first; i < parts_.size() && *count < wanted; ++i) {
    if (parts_[i].head != nullptr || IsCovered(parts_[i])) break;
    if (parts_[i].entry.partition != parts_[*first].entry.partition) break;
    ++*count;
  }
}

}  // namespace larder
