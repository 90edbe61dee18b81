// The conformance cases of filters and of the legacy search, as filter_cases.json has them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/filter/expression.h"
#include "storage/model/query.h"
#include "storage/model/span.h"

namespace larder {

struct FilterCase {
  std::string id;
  std::string corpus;
  CallExpression filter;
  std::optional<CallExpression> finalized;  // what jaeger-query makes of the filter
  TimeRange range;
  bool is_error = false;
  bool may_refuse = false;
  bool may_accept = false;
  std::set<std::string> spans;  // span ids in hex: those that match, or may when may_accept
};

struct LegacyCase {
  std::string id;
  std::string corpus;
  LegacySearch search;
  std::set<std::string> spans;
};

// All of the file. Ends the program when the file cannot be read: a test has no use for half of it.
class CasesFile {
 public:
  explicit CasesFile(const std::string& path);

  const std::vector<FilterCase>& filters() const { return filters_; }
  const std::vector<LegacyCase>& legacy() const { return legacy_; }
  const std::vector<std::string>& corpora() const { return corpora_; }
  // The spans of a corpus. REQUIRES: it is one of corpora().
  std::vector<Span> Corpus(const std::string& name) const;
  // The span id in hex that an alias ("s11") stands for. REQUIRES: there is one.
  const std::string& SpanId(const std::string& alias) const { return span_ids_.at(alias); }

 private:
  std::vector<FilterCase> filters_;
  std::vector<LegacyCase> legacy_;
  std::vector<std::string> corpora_;
  std::vector<std::string> corpus_bytes_;        // TracesData messages, beside corpora_
  std::map<std::string, std::string> span_ids_;  // by alias
};

}  // namespace larder
