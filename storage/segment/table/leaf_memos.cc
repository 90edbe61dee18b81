#include "storage/segment/table/leaf_memos.h"

namespace larder {

Status LeafMemos::FillPairs(uint32_t pair_count, std::vector<PairId>* of_key, PairAnswers* pairs) {
  if (HasRoomFor(pair_count)) return FillWhole(pair_count, LeafAnswer::kAbsent, &pairs->whole_);
  LARDER_RETURN_IF_ERROR(memory_.Add(of_key->size() * (sizeof(PairId) + sizeof(LeafAnswer))));
  std::sort(of_key->begin(), of_key->end());
  pairs->of_key_.assign(of_key->begin(), of_key->end());
  pairs->answers_.assign(of_key->size(), LeafAnswer::kAbsent);
  return Status::Ok();
}

Status LeafMemos::FillAbsent(uint32_t count, std::vector<LeafAnswer>* answers) {
  LARDER_RETURN_IF_ERROR(memory_.Add(count));
  answers->assign(count, LeafAnswer::kAbsent);
  return Status::Ok();
}

Status LeafMemos::FillUnknown(uint32_t string_count, std::vector<LeafAnswer>* strings) {
  if (!HasRoomFor(string_count)) return Status::Ok();
  return FillWhole(string_count, LeafAnswer::kUnknown, strings);
}

Status LeafMemos::FillWhole(uint32_t count, LeafAnswer answer, std::vector<LeafAnswer>* answers) {
  LARDER_RETURN_IF_ERROR(memory_.Add(count));
  whole_bytes_ += count;
  answers->assign(count, answer);
  return Status::Ok();
}

}  // namespace larder
