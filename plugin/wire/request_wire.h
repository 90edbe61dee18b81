// What readers of requests share: fields as they lie on the wire.
#pragma once

#include <cstdint>
#include <string>

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include "storage/base/status.h"

namespace larder {

// A field and how it is laid out, in one number to switch over: a known field in an unexpected
// layout is skipped like an unknown one.
constexpr uint32_t BytesTag(uint32_t field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::length_delimited);
}
constexpr uint32_t VarintTag(uint32_t field) {
  return protozero::tag_and_type(field, protozero::pbf_wire_type::varint);
}

// Protozero throws on broken bytes; nothing above this function sees it.
template <typename Parse>
auto GuardedParse(Parse parse) -> decltype(parse()) {
  try {
    return parse();
  } catch (const protozero::exception& broken) {
    return Status::InvalidArgument("the request is not a valid protobuf message (" +
                                   std::string(broken.what()) + ")");
  }
}

}  // namespace larder
