// Writes the replies of jaeger.storage.v2 and of OTLP as wire bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/engine/store.h"
#include "storage/model/query.h"

namespace larder {

// How many spans were rejected and why, for people. REQUIRES: some were.
std::string RejectionText(const WriteResult& result);

// ExportTraceServiceResponse: empty when every span was accepted, else a partial success.
std::string EncodeExportReply(const WriteResult& result);

std::string EncodeServices(const std::vector<std::string>& services);

// Kinds as words. Operations that differ only in a kind without a word are answered once.
// REQUIRES: sorted by name, then kind.
std::string EncodeOperations(const std::vector<Operation>& operations);

// Empty tokens are left out, here and below.
std::string EncodeTraceIds(const std::vector<FoundTrace>& traces, std::string_view next_page_token);

// FindSpansResponse around a TracesData message, which may be empty.
std::string EncodeSpansReply(std::string_view traces_data, std::string_view next_page_token);

std::string EncodeDependencies(const std::vector<Dependency>& dependencies);

// What this server can do; exactly what is true of this version.
std::string EncodeCapabilities();

// Encodes FindTraceSummariesResponse messages from `*next` on, moves `*next` behind what went in,
// and stops at about `size_bytes_max`. At least one summary goes in; the token goes in with the
// last one. REQUIRES: *next < size.
std::string EncodeSummaries(const std::vector<TraceSummary>& summaries, size_t size_bytes_max,
                            std::string_view next_page_token, size_t* next);

}  // namespace larder
