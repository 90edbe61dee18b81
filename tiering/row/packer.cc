#include "tiering/row/packer.h"

#include <algorithm>

namespace larder {
namespace {

constexpr uint64_t kTailBytesMax = 1024;  // topic, source and tags
constexpr const char* kPackTag = "__pack_id__";

}  // namespace

void Packer::Add(const SlsSpanRow& row) {
  AddLog(row.log, true);
  for (const SlsLog& part : row.continuations) AddLog(part, false);
}

void Packer::AddLog(const SlsLog& log, bool is_span) {
  std::string bytes;
  AppendLog(log, &bytes);
  if (open_.logs == kGroupLogsMax ||
      (open_.logs > 0 && open_.bytes.size() + bytes.size() + kTailBytesMax > kGroupBytesMax)) {
    Close();
  }
  open_.bytes += bytes;
  ++open_.logs;
  open_.spans += is_span ? 1 : 0;
  open_.time_min_s = std::min(open_.time_min_s, log.time_s);
  open_.time_max_s = std::max(open_.time_max_s, log.time_s);
}

void Packer::Close() {
  SlsLogGroup tail{.topic = options_.topic, .source = options_.source, .tags = options_.tags};
  tail.tags.emplace_back(
      kPackTag, options_.pack_name + "-" + std::to_string(options_.first_group + groups_.size()));
  AppendGroupTail(tail, &open_.bytes);
  groups_.push_back(std::move(open_));
  open_ = {};
}

std::vector<PackedGroup> Packer::Finish() {
  if (open_.logs > 0) Close();
  return std::exchange(groups_, {});
}

}  // namespace larder
