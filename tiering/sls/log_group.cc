#include "tiering/sls/log_group.h"

#include <protozero/pbf_reader.hpp>
#include <protozero/pbf_writer.hpp>

namespace larder {
namespace {

// Field numbers.
namespace group_field {
enum : uint32_t { kLog = 1, kTopic = 3, kSource = 4, kTag = 6 };
}
namespace log_field {
enum : uint32_t { kTime = 1, kContent = 2, kTimeNs = 4 };
}
namespace pair_field {
enum : uint32_t { kKey = 1, kValue = 2 };
}

// A field of another wire type than its own is passed over, as one that is not known.
constexpr uint32_t Bytes(uint32_t field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::length_delimited);
}
constexpr uint32_t Varint(uint32_t field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::varint);
}
constexpr uint32_t Fixed32(uint32_t field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::fixed32);
}

using Pair = std::pair<std::string, std::string>;

void AppendPair(uint32_t field, const Pair& pair, std::string* out) {
  protozero::pbf_writer around(*out);
  protozero::pbf_writer writer(around, field);
  writer.add_string(pair_field::kKey, pair.first);
  writer.add_string(pair_field::kValue, pair.second);
}

Pair ReadPair(protozero::pbf_reader reader) {
  Pair pair;
  while (reader.next()) {
    if (reader.tag_and_type() == Bytes(pair_field::kKey)) {
      pair.first = reader.get_string();
    } else if (reader.tag_and_type() == Bytes(pair_field::kValue)) {
      pair.second = reader.get_string();
    } else {
      reader.skip();
    }
  }
  return pair;
}

SlsLog ReadLog(protozero::pbf_reader reader) {
  SlsLog log;
  while (reader.next()) {
    if (reader.tag_and_type() == Varint(log_field::kTime)) {
      log.time_s = reader.get_uint32();
    } else if (reader.tag_and_type() == Bytes(log_field::kContent)) {
      log.contents.push_back(ReadPair(reader.get_message()));
    } else if (reader.tag_and_type() == Fixed32(log_field::kTimeNs)) {
      log.time_ns = reader.get_fixed32();
    } else {
      reader.skip();
    }
  }
  return log;
}

SlsLogGroup ReadGroup(protozero::pbf_reader reader) {
  SlsLogGroup group;
  while (reader.next()) {
    if (reader.tag_and_type() == Bytes(group_field::kLog)) {
      group.logs.push_back(ReadLog(reader.get_message()));
    } else if (reader.tag_and_type() == Bytes(group_field::kTopic)) {
      group.topic = reader.get_string();
    } else if (reader.tag_and_type() == Bytes(group_field::kSource)) {
      group.source = reader.get_string();
    } else if (reader.tag_and_type() == Bytes(group_field::kTag)) {
      group.tags.push_back(ReadPair(reader.get_message()));
    } else {
      reader.skip();
    }
  }
  return group;
}

}  // namespace

std::string_view SlsLog::value(std::string_view key) const {
  for (const auto& [name, value] : contents) {
    if (name == key) return value;
  }
  return {};
}

void AppendLog(const SlsLog& log, std::string* group) {
  std::string bytes;
  protozero::pbf_writer writer(bytes);
  writer.add_uint32(log_field::kTime, log.time_s);
  for (const Pair& content : log.contents) AppendPair(log_field::kContent, content, &bytes);
  writer.add_fixed32(log_field::kTimeNs, log.time_ns);
  protozero::pbf_writer(*group).add_message(group_field::kLog, bytes);
}

void AppendGroupTail(const SlsLogGroup& group, std::string* out) {
  protozero::pbf_writer writer(*out);
  writer.add_string(group_field::kTopic, group.topic);
  writer.add_string(group_field::kSource, group.source);
  for (const Pair& tag : group.tags) AppendPair(group_field::kTag, tag, out);
}

std::string EncodeLogGroup(const SlsLogGroup& group) {
  std::string out;
  for (const SlsLog& log : group.logs) AppendLog(log, &out);
  AppendGroupTail(group, &out);
  return out;
}

Result<SlsLogGroup> DecodeLogGroup(std::string_view bytes) {
  try {
    return ReadGroup(protozero::pbf_reader(bytes.data(), bytes.size()));
  } catch (const protozero::exception& broken) {
    return Status::DataLoss(std::string("log group: ") + broken.what());
  }
}

Result<std::vector<SlsLogGroup>> DecodeLogGroupList(std::string_view bytes) {
  try {
    std::vector<SlsLogGroup> groups;
    protozero::pbf_reader reader(bytes.data(), bytes.size());
    while (reader.next(1, protozero::pbf_wire_type::length_delimited)) {
      groups.push_back(ReadGroup(reader.get_message()));
    }
    return groups;
  } catch (const protozero::exception& broken) {
    return Status::DataLoss(std::string("list of log groups: ") + broken.what());
  }
}

}  // namespace larder
