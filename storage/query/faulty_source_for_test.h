// A SpanSource that fails where a test says, over one that works.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "storage/segment/source/span_source.h"

namespace larder {

// What it may fail at. Set before the source is asked.
struct SourceFaults {
  bool find_trace = false;
  bool facts = false;
  bool search = false;
  bool match = false;
  bool operations = false;
  std::set<uint32_t> encode_rows = {};  // EncodeRows fails when it comes to one of these
};

class FaultySource : public SpanSource {
 public:
  FaultySource(std::shared_ptr<const SpanSource> inner, SourceFaults faults)
      : inner_(std::move(inner)), faults_(std::move(faults)) {}

  uint32_t row_count() const override { return inner_->row_count(); }
  TimeRange start_range() const override { return inner_->start_range(); }
  uint64_t latest_end_ns() const override { return inner_->latest_end_ns(); }
  Status FindTrace(const TraceId& trace_id, std::vector<uint32_t>* rows) const override {
    if (faults_.find_trace) return Broken("trace-index/0/0");
    return inner_->FindTrace(trace_id, rows);
  }
  Status Facts(const std::vector<uint32_t>& rows, std::vector<SpanFacts>* facts) const override {
    if (faults_.facts) return Broken("fixed/1/0");
    return inner_->Facts(rows, facts);
  }
  Status EncodeRows(const std::vector<uint32_t>& rows, RowVisitor* visitor) const override {
    for (const uint32_t row : rows) {
      if (faults_.encode_rows.contains(row)) return Broken("attributes/2/0");
      StopSeen seen(visitor);
      LARDER_RETURN_IF_ERROR(inner_->EncodeRows({row}, &seen));
      if (seen.stopped()) break;
    }
    return Status::Ok();
  }
  Result<std::unique_ptr<BlockSearch>> Search(const FilterNode& filter, TimeRange start,
                                              SearchBudget* budget) const override {
    if (faults_.search) return Broken("index/0/0");
    auto search = inner_->Search(filter, start, budget);
    if (!search.ok() || !faults_.match) return search;
    return std::unique_ptr<BlockSearch>(new BrokenMatch(std::move(search).value()));
  }
  Status TraceIds(uint32_t first_row, uint32_t count, std::vector<TraceId>* ids) const override {
    return inner_->TraceIds(first_row, count, ids);
  }
  Status Operations(std::vector<ServiceOperation>* operations) const override {
    if (faults_.operations) return Broken("templates/0/0");
    return inner_->Operations(operations);
  }

 private:
  static Status Broken(const std::string& page) {
    return Status::DataLoss("page " + page + ": bad checksum");
  }

  class StopSeen : public RowVisitor {
   public:
    explicit StopSeen(RowVisitor* to) : to_(to) {}
    bool Visit(uint32_t row, std::string_view resource, std::string_view scope,
               std::string_view span) override {
      stopped_ = !to_->Visit(row, resource, scope, span);
      return !stopped_;
    }
    bool stopped() const { return stopped_; }

   private:
    RowVisitor* const to_;
    bool stopped_ = false;
  };

  class BrokenMatch : public BlockSearch {
   public:
    explicit BrokenMatch(std::unique_ptr<BlockSearch> inner) : inner_(std::move(inner)) {}
    const std::vector<uint32_t>& candidate_blocks() const override {
      return inner_->candidate_blocks();
    }
    uint64_t latest_start_ns(uint32_t block) const override {
      return inner_->latest_start_ns(block);
    }
    Status Match(uint32_t /*block*/, std::vector<SpanMatch>* /*matches*/) override {
      return Broken("fixed/1/0");
    }
    SpanKeyRange KeyBounds(uint32_t block, SpanSortField lead) override {
      return inner_->KeyBounds(block, lead);
    }
    std::unique_ptr<KeyCursor> OpenCursor(const SpanSort& /*lead*/, uint64_t /*from*/) override {
      return nullptr;
    }
    Status MatchKeys(uint32_t /*block*/, const SpanKeyRange& /*range*/,
                     std::vector<SpanKeyMatch>* /*matches*/) override {
      return Broken("fixed/1/0");
    }

   private:
    const std::unique_ptr<BlockSearch> inner_;
  };

  const std::shared_ptr<const SpanSource> inner_;
  const SourceFaults faults_;
};

}  // namespace larder
