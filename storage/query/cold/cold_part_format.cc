#include "storage/query/cold/cold_part_format.h"

#include <map>

#include "storage/base/coding.h"
#include "storage/segment/encoding/numbered_calls.h"

namespace larder {
namespace {

// Of things that take a byte each at least.
bool GetCount(ByteReader* in, uint32_t* count) {
  return in->GetVarint32(count) && *count <= in->remaining_bytes();
}

void PutHours(const std::vector<ColdHour>& hours, std::string* body) {
  PutVarint(body, hours.size());
  uint64_t before = 0;
  for (const ColdHour& hour : hours) {
    PutVarint(body, hour.hour - before);
    PutVarint(body, hour.rows);
    before = hour.hour;
  }
}

bool GetHours(ByteReader* in, std::vector<ColdHour>* hours) {
  uint32_t count = 0;
  if (!GetCount(in, &count)) return false;
  hours->resize(count);
  uint64_t before = 0;
  for (ColdHour& hour : *hours) {
    if (!in->GetVarint(&hour.hour) || !in->GetVarint(&hour.rows)) return false;
    hour.hour += before;
    before = hour.hour;
  }
  return true;
}

void PutOperations(const std::vector<ColdOperation>& operations, std::string* body) {
  PutVarint(body, operations.size());
  for (const ColdOperation& it : operations) {
    PutLengthPrefixed(body, it.service);
    PutLengthPrefixed(body, it.operation.name);
    PutVarint(body, ZigZag(it.operation.kind));
  }
}

bool GetOperations(ByteReader* in, std::vector<ColdOperation>* operations) {
  uint32_t count = 0;
  if (!GetCount(in, &count)) return false;
  operations->resize(count);
  for (ColdOperation& it : *operations) {
    std::string_view service;
    std::string_view name;
    uint64_t kind = 0;
    if (!in->GetLengthPrefixed(&service) || !in->GetLengthPrefixed(&name)) return false;
    if (!in->GetVarint(&kind)) return false;
    it.service = service;
    it.operation = {std::string(name), static_cast<int32_t>(UnZigZag(kind))};
  }
  return true;
}

bool GetShards(ByteReader* in, TraceShards* shards) {
  if (!in->GetVarint32(&shards->bits) || shards->bits > kColdShardBitsMax) return false;
  return GetChunkCounts(in, shards);
}

}  // namespace

std::string EncodeColdFacts(const ColdFacts& facts) {
  std::string body;
  PutVarint(&body, kColdPartVersion);
  for (const uint64_t number : {facts.part_id, facts.partition, uint64_t{facts.tenant}, facts.rows,
                                facts.start.min_ns, facts.start.max_ns, facts.arrival_min_ns,
                                facts.arrival_max_ns, facts.filed.min_s, facts.filed.max_s}) {
    PutVarint(&body, number);
  }
  PutVarint(&body, facts.segment_ids.size());
  for (const uint64_t id : facts.segment_ids) PutVarint(&body, id);
  PutHours(facts.hours, &body);
  PutOperations(facts.operations, &body);
  PutVarint(&body, facts.shards.bits);
  PutChunkCounts(&body, facts.shards);
  return body;
}

bool DecodeColdFacts(std::string_view body, uint32_t* version, ColdFacts* facts) {
  ByteReader in(body);
  if (!in.GetVarint32(version)) return false;
  if (*version == 0) return false;
  if (*version > kColdPartVersion) return true;
  if (!in.GetVarint(&facts->part_id) || !in.GetVarint(&facts->partition)) return false;
  if (!in.GetVarint32(&facts->tenant)) return false;
  for (uint64_t* const number :
       {&facts->rows, &facts->start.min_ns, &facts->start.max_ns, &facts->arrival_min_ns,
        &facts->arrival_max_ns, &facts->filed.min_s, &facts->filed.max_s}) {
    if (!in.GetVarint(number)) return false;
  }
  uint32_t count = 0;
  if (!GetCount(&in, &count)) return false;
  facts->segment_ids.resize(count);
  for (uint64_t& id : facts->segment_ids) {
    if (!in.GetVarint(&id)) return false;
  }
  return GetHours(&in, &facts->hours) && GetOperations(&in, &facts->operations) &&
         GetShards(&in, &facts->shards) && in.empty();
}

// count, service names | the calls, with zigzag counts
std::string EncodeColdCalls(const std::vector<ColdCall>& calls) {
  std::map<std::string_view, uint32_t> numbers;
  for (const ColdCall& call : calls) {
    numbers.try_emplace(call.parent, 0);
    numbers.try_emplace(call.child, 0);
  }
  std::string body;
  PutVarint(&body, numbers.size());
  uint32_t next = 0;
  for (auto& [name, number] : numbers) {
    PutLengthPrefixed(&body, name);
    number = next++;
  }
  std::vector<NumberedCall> numbered;
  for (const ColdCall& call : calls) {
    numbered.push_back(
        {call.minute, numbers[call.parent], numbers[call.child], ZigZag(call.count)});
  }
  EncodeNumberedCalls(numbered, &body);
  return body;
}

bool DecodeColdCalls(std::string_view body, std::vector<ColdCall>* calls) {
  ByteReader in(body);
  uint32_t count = 0;
  if (!GetCount(&in, &count)) return false;
  std::vector<std::string_view> names(count);
  for (std::string_view& name : names) {
    if (!in.GetLengthPrefixed(&name)) return false;
  }
  std::vector<NumberedCall> numbered;
  if (!DecodeNumberedCalls(&in, names.size(), &numbered)) return false;
  for (const NumberedCall& call : numbered) {
    calls->push_back({call.minute, std::string(names[call.parent]), std::string(names[call.child]),
                      UnZigZag(call.count)});
  }
  return true;
}

}  // namespace larder
