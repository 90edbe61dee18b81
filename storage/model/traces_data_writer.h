// Writes TracesData messages (OTLP) from envelopes and encoded spans, without building messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace larder {

// Spans are added one after the other; runs with equal resource and scope envelopes share a group.
// The bytes concatenate: two TracesData messages one after the other are one TracesData message.
// Not thread-safe.
class TracesDataWriter {
 public:
  // `resource_envelope` and `scope_envelope` as SpanTable has them, `span` a Span message. All are
  // copied before the call returns.
  void Add(std::string_view resource_envelope, std::string_view scope_envelope,
           std::string_view span);
  // What the message has by now, bytes; at most a few dozen bytes less than Finish returns.
  uint64_t size_bytes() const;
  bool empty() const;
  // The message; the writer is then empty again.
  std::string Finish();

 private:
  void CloseScope();
  void CloseResource();

  std::string out_;
  std::string resource_;      // envelope of the open resource, then its closed scopes
  std::string scope_;         // envelope of the open scope, then its spans
  std::string resource_key_;  // envelope that opened `resource_`
  std::string scope_key_;
  bool open_ = false;  // whether there is an open resource
  bool scope_open_ = false;
};

}  // namespace larder
