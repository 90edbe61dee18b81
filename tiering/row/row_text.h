// Text and JSON as rows carry them: always UTF-8, since SLS refuses a group for one byte that is
// not.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "storage/base/status.h"

namespace larder {

// Each byte that belongs to no well-formed character becomes U+FFFD.
std::string ValidUtf8(std::string_view bytes);
// At most `bytes_max` bytes of valid UTF-8, cut between characters.
std::string_view CutUtf8(std::string_view text, size_t bytes_max);
// Compact JSON; bytes that are not UTF-8 become U+FFFD. Keys are sorted.
std::string DumpJson(const nlohmann::json& json);

// The payload of otlp.raw: a TracesData message of one span as "1:" and base64 of zstd; "0:" (read
// only) has no zstd.
std::string EncodeRawPayload(std::string_view traces_data);
// kDataLoss for anything else. `hold`, unless it is empty, is asked before the message takes so
// many bytes; what it refuses is the answer.
using HoldBytes = std::function<Status(uint64_t bytes)>;
Result<std::string> DecodeRawPayload(std::string_view text, const HoldBytes& hold = {});

}  // namespace larder
