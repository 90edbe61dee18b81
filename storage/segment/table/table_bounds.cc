#include "storage/segment/table/table_bounds.h"

#include <algorithm>
#include <string>

#include "storage/base/hash.h"

namespace larder {
namespace {

BlockBounds BoundsOf(const SpanTable& table, uint32_t first, uint32_t last) {
  BlockBounds bounds;
  for (uint32_t row = first; row < last; ++row) bounds.Add(table.row(row));
  return bounds;
}

}  // namespace

void BlockBounds::Add(const SpanRow& row) {
  start.min_ns = std::min(start.min_ns, row.start_ns);
  start.max_ns = std::max(start.max_ns, row.start_ns);
  latest_end_ns = std::max(latest_end_ns, row.end_ns);
  longest_ns = std::max(longest_ns, row.duration_ns());
}

void BlockBounds::Add(const BlockBounds& other) {
  start.min_ns = std::min(start.min_ns, other.start.min_ns);
  start.max_ns = std::max(start.max_ns, other.start.max_ns);
  latest_end_ns = std::max(latest_end_ns, other.latest_end_ns);
  longest_ns = std::max(longest_ns, other.longest_ns);
}

size_t TableBounds::KeyHash::operator()(const OperationKey& key) const {
  uint64_t hash = (uint64_t{key.resource} << 32 | key.name) * 0x9E3779B97F4A7C15u;
  hash = (hash ^ (hash >> 29) ^ static_cast<uint32_t>(key.kind)) * 0xBF58476D1CE4E5B9u;
  return static_cast<size_t>(hash ^ (hash >> 32));
}

size_t TableBounds::NameHash::operator()(const ServiceOperation& operation) const {
  return static_cast<size_t>(Hash64(operation.service) * 31 + Hash64(operation.name) +
                             static_cast<uint32_t>(operation.kind));
}

std::shared_ptr<const std::vector<BlockBounds>> TableBounds::Blocks(uint32_t row_count) {
  const uint32_t full_blocks = row_count / kBlockRows;
  std::shared_ptr<const std::vector<BlockBounds>> full;
  {
    MutexLock lock(mu_);
    if (full_ == nullptr || full_->size() < full_blocks) {
      auto grown = full_ != nullptr ? std::make_shared<std::vector<BlockBounds>>(*full_)
                                    : std::make_shared<std::vector<BlockBounds>>();
      for (auto block = static_cast<uint32_t>(grown->size()); block < full_blocks; ++block) {
        grown->push_back(BoundsOf(table_, block * kBlockRows, (block + 1) * kBlockRows));
      }
      full_ = std::move(grown);
    }
    full = full_;
  }
  if (full->size() == full_blocks && row_count % kBlockRows == 0) return full;
  auto blocks =
      std::make_shared<std::vector<BlockBounds>>(full->begin(), full->begin() + full_blocks);
  if (row_count % kBlockRows != 0) {
    blocks->push_back(BoundsOf(table_, full_blocks * kBlockRows, row_count));
  }
  return blocks;
}

void TableBounds::Operations(uint32_t row_count, std::vector<ServiceOperation>* operations) {
  MutexLock lock(mu_);
  for (; operation_rows_ < row_count; ++operation_rows_) AddOperation(operation_rows_);
  for (const FirstRow& first : operations_) {
    if (first.row >= row_count) break;
    operations->push_back(first.operation);
  }
}

// Ids are asked first, since they are nearly always known; several resources may share a service.
void TableBounds::AddOperation(uint32_t row) {
  const SpanRow& span = table_.row(row);
  if (!keys_.insert({span.resource, span.name, span.kind}).second) return;
  const ServiceOperation operation{table_.resource(span.resource).service, table_.string(span.name),
                                   span.kind};
  if (names_.insert(operation).second) operations_.push_back({operation, row});
}

}  // namespace larder
