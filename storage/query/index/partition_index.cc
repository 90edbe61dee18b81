#include "storage/query/index/partition_index.h"

#include <string>
#include <utility>

#include "storage/query/index/partition_index_format.h"
#include "storage/query/shards/named_pages.h"
#include "storage/segment/encoding/numbered_calls.h"
#include "storage/segment/page/page.h"

namespace larder {
namespace {

class Reader : public PartitionIndex {
 public:
  Reader(std::unique_ptr<PageSource> pages, PageCache* cache, PartitionIndexHeader header)
      : header_(std::move(header)),
        info_{.index_id = header_.index_id,
              .tenant = header_.tenant,
              .segment_ids = header_.segment_ids},
        pages_(std::move(pages), "partition index " + std::to_string(header_.index_id)),
        traces_(&pages_, cache, header_.shards, header_.segment_ids.size()) {}

  const PartitionIndexInfo& info() const override { return info_; }

  Status FindTrace(const TraceId& trace_id, std::vector<uint32_t>* segments) const override {
    return traces_.Find(trace_id, segments);
  }

  Status FindTraces(std::span<const uint64_t> hashes,
                    std::vector<TraceMatch>* matches) const override {
    return traces_.FindAll(hashes, matches);
  }

  Status Edges(std::vector<EdgeCount>* edges) const override {
    std::vector<NumberedCall> calls;
    for (uint32_t page = 0; page < header_.edge_pages; ++page) {
      const PageKey key = IndexEdgesKey(page);
      std::string body;
      LARDER_RETURN_IF_ERROR(pages_.Read(key, &body));
      ByteReader in(body);
      if (!DecodeNumberedCalls(&in, header_.services.size(), &calls)) {
        return pages_.Fault(key, "edges");
      }
    }
    for (const NumberedCall& call : calls) {
      edges->push_back(
          {header_.services[call.parent], header_.services[call.child], call.minute, call.count});
    }
    return Status::Ok();
  }

  Status Verify(std::vector<std::string>* faults) const override {
    traces_.Verify(faults);
    std::vector<EdgeCount> edges;
    const Status status = Edges(&edges);
    if (!status.ok()) faults->push_back(status.ToString());
    return Status::Ok();
  }

 private:
  const PartitionIndexHeader header_;
  const PartitionIndexInfo info_;
  const NamedPages pages_;
  const ShardedTraceIndex traces_;
};

}  // namespace

Result<std::shared_ptr<const PartitionIndex>> PartitionIndex::Open(
    std::unique_ptr<PageSource> pages, PageCache* cache) {
  std::string body;
  LARDER_RETURN_IF_ERROR(ReadPage(*pages, kIndexHeaderKey, &body));
  uint32_t version = 0;
  PartitionIndexHeader header;
  if (!DecodeIndexHeader(body, &version, &header)) return PageFault(kIndexHeaderKey, "header");
  if (version > kPartitionIndexVersion) {
    return Status::FailedPrecondition("partition index of version " + std::to_string(version) +
                                      ", written by a newer larder; this one reads " +
                                      std::to_string(kPartitionIndexVersion));
  }
  return std::shared_ptr<const PartitionIndex>(
      std::make_shared<Reader>(std::move(pages), cache, std::move(header)));
}

}  // namespace larder
