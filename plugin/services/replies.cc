#include "plugin/services/replies.h"

#include <set>
#include <string_view>
#include <utility>

#include <protozero/pbf_writer.hpp>

#include "plugin/services/requests.h"
#include "storage/base/check.h"
#include "storage/filter/vocabulary.h"

namespace larder {
namespace {

constexpr uint64_t kNanosPerSecond = 1'000'000'000;

void AddTime(protozero::pbf_writer& writer, uint32_t field, uint64_t ns) {
  protozero::pbf_writer time(writer, field);
  time.add_int64(1, static_cast<int64_t>(ns / kNanosPerSecond));
  time.add_int32(2, static_cast<int32_t>(ns % kNanosPerSecond));
}

void AddToken(protozero::pbf_writer& writer, uint32_t field, std::string_view token) {
  if (!token.empty()) writer.add_string(field, token.data(), token.size());
}

// The interface counts in int32; no trace in memory reaches its end.
int32_t Count(uint32_t count) { return static_cast<int32_t>(count); }

void AddSummary(protozero::pbf_writer& reply, const TraceSummary& summary) {
  protozero::pbf_writer writer(reply, 1);
  writer.add_bytes(1, summary.trace_id.view().data(), summary.trace_id.view().size());
  writer.add_string(2, summary.root_service);
  writer.add_string(3, summary.root_operation);
  writer.add_fixed64(4, summary.min_start_ns);
  writer.add_fixed64(5, summary.max_end_ns);
  writer.add_int32(6, Count(summary.span_count));
  writer.add_int32(7, Count(summary.error_span_count));
  writer.add_int32(8, Count(summary.orphan_span_count));
  for (const ServiceSummary& service : summary.services) {
    protozero::pbf_writer service_writer(writer, 9);
    service_writer.add_string(1, service.service);
    service_writer.add_int32(2, Count(service.span_count));
    service_writer.add_int32(3, Count(service.error_span_count));
  }
}

}  // namespace

std::string RejectionText(const WriteResult& result) {
  const std::string what = std::to_string(result.rejected_spans) + " spans were not stored";
  return result.first_rejection.empty() ? what
                                        : what + "; the first one: " + result.first_rejection;
}

std::string EncodeExportReply(const WriteResult& result) {
  std::string reply;
  if (result.rejected_spans == 0) return reply;
  protozero::pbf_writer writer(reply);
  protozero::pbf_writer partial_success(writer, 1);
  partial_success.add_int64(1, result.rejected_spans);
  partial_success.add_string(2, RejectionText(result));
  return reply;
}

std::string EncodeServices(const std::vector<std::string>& services) {
  std::string reply;
  protozero::pbf_writer writer(reply);
  for (const std::string& service : services) writer.add_string(1, service);
  return reply;
}

std::string EncodeOperations(const std::vector<Operation>& operations) {
  std::string reply;
  protozero::pbf_writer writer(reply);
  std::set<std::pair<std::string_view, std::string_view>> written;
  for (const Operation& operation : operations) {
    const std::string_view word = OperationKindWord(operation.kind);
    if (!written.emplace(operation.name, word).second) continue;
    protozero::pbf_writer entry(writer, 1);
    entry.add_string(1, operation.name);
    entry.add_string(2, word.data(), word.size());
  }
  return reply;
}

std::string EncodeTraceIds(const std::vector<FoundTrace>& traces,
                           std::string_view next_page_token) {
  std::string reply;
  protozero::pbf_writer writer(reply);
  for (const FoundTrace& trace : traces) {
    protozero::pbf_writer entry(writer, 1);
    entry.add_bytes(1, trace.trace_id.view().data(), trace.trace_id.view().size());
    AddTime(entry, 2, trace.min_start_ns);
    AddTime(entry, 3, trace.max_end_ns);
  }
  AddToken(writer, 2, next_page_token);
  return reply;
}

std::string EncodeSpansReply(std::string_view traces_data, std::string_view next_page_token) {
  std::string reply;
  protozero::pbf_writer writer(reply);
  if (!traces_data.empty()) writer.add_message(1, traces_data.data(), traces_data.size());
  AddToken(writer, 3, next_page_token);
  return reply;
}

std::string EncodeDependencies(const std::vector<Dependency>& dependencies) {
  std::string reply;
  protozero::pbf_writer writer(reply);
  for (const Dependency& dependency : dependencies) {
    protozero::pbf_writer entry(writer, 1);
    entry.add_string(1, dependency.parent);
    entry.add_string(2, dependency.child);
    entry.add_uint64(3, dependency.call_count);
  }
  return reply;
}

std::string EncodeCapabilities() {
  std::string reply;
  protozero::pbf_writer writer(reply);
  protozero::pbf_writer search(writer, 1);
  search.add_bool(1, true);  // without_service_name
  search.add_bool(2, true);  // same_span_conjunction: a row is a span
  protozero::pbf_writer filter(search, 3);
  for (const std::string_view level : LevelWords()) {
    filter.add_string(1, level.data(), level.size());
  }
  for (const std::string_view op : OperatorWords()) {
    filter.add_string(2, op.data(), op.size());
  }
  filter.commit();
  search.add_bool(4, true);  // paginated
  search.add_bool(5, true);  // span_search
  search.add_bool(6, true);  // span_sorting
  return reply;
}

std::string EncodeSummaries(const std::vector<TraceSummary>& summaries, size_t size_bytes_max,
                            std::string_view next_page_token, size_t* next) {
  LARDER_CHECK(*next < summaries.size());
  std::string reply;
  protozero::pbf_writer writer(reply);
  do {
    AddSummary(writer, summaries[(*next)++]);
  } while (*next < summaries.size() && reply.size() < size_bytes_max);
  if (*next == summaries.size()) AddToken(writer, 2, next_page_token);
  return reply;
}

}  // namespace larder
