#include "tiering/directory/directory_tier.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "storage/model/table/span_table.h"
#include "storage/model/traces_data_writer.h"
#include "storage/segment/table/table_source.h"
#include "tiering/directory/pack_file.h"

namespace larder {
namespace {

constexpr std::string_view kMarkName = "LARDER-TIER";
constexpr std::string_view kMarkText =
    "The cold tier of larder. PACKS.md of its source says how.\n";
constexpr std::string_view kMarkIdWord = "\nid ";
constexpr size_t kMarkIdChars = 16;
constexpr uint64_t kMarkBytesMax = 4096;
constexpr std::string_view kSuffix = ".pack";

// "0000000000000017-00004096.pack"
std::string PackFileName(const PackId& pack) {
  char name[64];
  std::snprintf(name, sizeof name, "%016" PRIu64 "-%08" PRIu32, pack.segment, pack.first_row);
  return name + std::string(kSuffix);
}

bool ParsePackFileName(const std::string& name, PackId* pack) {
  return name.ends_with(kSuffix) &&
         std::sscanf(name.c_str(), "%" SCNu64 "-%" SCNu32, &pack->segment, &pack->first_row) == 2 &&
         PackFileName(*pack) == name;
}

// Differs from every other tier's.
std::string NewMark() {
  std::random_device random;
  char id[24];
  std::snprintf(id, sizeof id, "%08x%08x", random(), random());
  return std::string(kMarkText) + "id " + id + "\n";
}

// Empty: an older program made the mark.
std::string IdOfMark(std::string_view mark) {
  const size_t word = mark.find(kMarkIdWord);
  if (word == std::string_view::npos) return {};
  return std::string(mark.substr(word + kMarkIdWord.size(), kMarkIdChars));
}

// Spans of a table as one message.
class Collector : public SpanSource::RowVisitor {
 public:
  bool Visit(uint32_t, std::string_view resource, std::string_view scope,
             std::string_view span) override {
    writer_.Add(resource, scope, span);
    return true;
  }
  std::string Finish() { return writer_.Finish(); }

 private:
  TracesDataWriter writer_;
};

struct PackPlace {
  std::string path;
  PackId id;
  PackHeader header;
  uint64_t rest_offset = 0;
};

class DirectoryTier : public ColdTier {
 public:
  explicit DirectoryTier(const DirectoryTierOptions& options)
      : options_(options), files_(options.file_system) {}

  Status CheckPath() const {
    if (options_.path.starts_with('/')) return Status::Ok();
    return Status::InvalidArgument("the tier's directory must be an absolute path, not '" +
                                   options_.path + "'");
  }

  Status Create() {
    LARDER_RETURN_IF_ERROR(CheckPath());
    LARDER_RETURN_IF_ERROR(files_->CreateDirectories(options_.path));
    if (CheckThere().ok()) return Status::Ok();
    LARDER_ASSIGN_OR_RETURN(const auto names, files_->List(options_.path));
    if (!names.empty() && names != std::vector<std::string>{"lost+found"}) {
      return Status::FailedPrecondition(options_.path +
                                        " holds other things; name an empty directory");
    }
    return WriteWhole(options_.path, std::string(kMarkName), NewMark());
  }

  Status CheckThere() const {
    if (files_->Exists(MarkPath())) return Status::Ok();
    return Status::Unavailable(
        options_.path + " has no " + std::string(kMarkName) +
        ": is its disk mounted? (larder tier check --create makes a new tier)");
  }

  std::string name() const override { return "directory " + options_.path; }

  Result<std::string> identity() const override {
    LARDER_RETURN_IF_ERROR(CheckThere());
    const auto mark = files_->Read(MarkPath(), 0, kMarkBytesMax);
    if (!mark.ok()) return Status::Unavailable(mark.status().ToString());
    const std::string id = IdOfMark(*mark);
    return id.empty() ? name() : "directory with the id " + id;
  }

  Result<PackReceipt> Upload(const ColdScope& scope, const Pack& pack,
                             const QueryLimits& /*limits*/) override {
    LARDER_RETURN_IF_ERROR(CheckThere());
    LARDER_ASSIGN_OR_RETURN(const std::string bytes, EncodePack(pack));
    const std::string directory = DirectoryOf(scope);
    LARDER_RETURN_IF_ERROR(files_->CreateDirectories(directory));
    LARDER_RETURN_IF_ERROR(WriteWhole(directory, PackFileName(pack.id), bytes));
    PackReceipt receipt;
    for (const PackedSpan& span : pack.spans) {
      const uint64_t start_s = span.start_ns / 1'000'000'000;
      receipt.filed.Add({start_s, start_s});
    }
    receipt.parts = {static_cast<uint32_t>(pack.spans.size())};
    receipt.bytes_sent = bytes.size();
    return receipt;
  }

  Result<bool> Verify(const ColdScope& scope, const PackId& pack, const PackReceipt& receipt,
                      const QueryLimits& limits) override {
    LARDER_RETURN_IF_ERROR(Check(limits));
    const std::string path = DirectoryOf(scope) + "/" + PackFileName(pack);
    if (!files_->Exists(path)) return false;
    LARDER_ASSIGN_OR_RETURN(const PackPlace place, ReadHeader(path, pack));
    LARDER_ASSIGN_OR_RETURN(const auto table, ReadSpans(place));
    uint64_t expected = 0;
    for (const uint32_t rows : receipt.parts) expected += rows;
    return table->published_rows() == expected && place.header.rows == expected;
  }

  Status ReadTraces(const ColdScope& scope, const std::vector<ColdTrace>& traces,
                    const QueryLimits& limits, ColdRows* rows) override {
    LARDER_RETURN_IF_ERROR(CheckThere());
    std::set<uint64_t> segments;
    for (const ColdTrace& trace : traces) {
      segments.insert(trace.segments.begin(), trace.segments.end());
    }
    LARDER_ASSIGN_OR_RETURN(const auto names, List(scope));
    for (const std::string& name : names) {
      PackId id;
      if (!ParsePackFileName(name, &id) || !segments.contains(id.segment)) continue;
      if (!scope.Has(id.segment)) continue;
      LARDER_RETURN_IF_ERROR(Check(limits));
      LARDER_ASSIGN_OR_RETURN(const PackPlace place,
                              ReadHeader(DirectoryOf(scope) + "/" + name, id));
      LARDER_RETURN_IF_ERROR(ReadTracesOf(place, traces, rows));
    }
    return Status::Ok();
  }

  Result<uint64_t> Search(const ColdScope& scope, const ColdSearch& search,
                          const QueryLimits& limits, ColdRows* rows) override {
    LARDER_RETURN_IF_ERROR(CheckThere());
    LARDER_ASSIGN_OR_RETURN(const std::vector<PackPlace> places,
                            PlacesIn(scope, search.start, limits));
    uint64_t found = 0;
    for (const PackPlace& place : places) {
      // Everything that starts after this pack's last span was in one of those before.
      if (found >= search.rows_wanted) {
        if (place.header.start.max_ns < search.start.max_ns) return place.header.start.max_ns + 1;
      }
      LARDER_RETURN_IF_ERROR(Check(limits));
      LARDER_ASSIGN_OR_RETURN(const uint64_t of_pack, SearchPack(place, search, rows));
      found += of_pack;
    }
    return search.start.min_ns;
  }

  Result<std::optional<uint64_t>> CountSpans(const ColdScope& scope, TimeRange start,
                                             const QueryLimits& limits) override {
    LARDER_RETURN_IF_ERROR(CheckThere());
    LARDER_ASSIGN_OR_RETURN(const std::vector<PackPlace> places, PlacesIn(scope, start, limits));
    uint64_t count = 0;
    for (const PackPlace& place : places) {
      const TimeRange& of_pack = place.header.start;
      if (start.min_ns <= of_pack.min_ns && of_pack.max_ns <= start.max_ns) {
        count += place.header.rows;
        continue;
      }
      LARDER_RETURN_IF_ERROR(Check(limits));
      LARDER_ASSIGN_OR_RETURN(const auto table, ReadSpans(place));
      for (uint32_t row = 0; row < table->published_rows(); ++row) {
        if (start.contains(table->row(row).start_ns)) ++count;
      }
    }
    return std::optional<uint64_t>(count);
  }

  Status Remove(const ColdScope& scope, const QueryLimits& limits) override {
    LARDER_RETURN_IF_ERROR(CheckThere());
    const std::string directory = DirectoryOf(scope);
    if (!files_->Exists(directory)) return Status::Ok();
    LARDER_ASSIGN_OR_RETURN(const auto names, files_->List(directory));
    for (const std::string& name : names) {
      LARDER_RETURN_IF_ERROR(Check(limits));
      LARDER_RETURN_IF_ERROR(files_->Remove(directory + "/" + name));
    }
    LARDER_RETURN_IF_ERROR(files_->Remove(directory));
    // Gone when this was its last tenant.
    const std::string partition = directory.substr(0, directory.rfind('/'));
    const auto others = files_->List(partition);
    return others.ok() && others->empty() ? files_->Remove(partition) : Status::Ok();
  }

 private:
  Status Check(const QueryLimits& limits) const {
    if (limits.cancelled != nullptr && limits.cancelled->load(std::memory_order_relaxed)) {
      return Status::Cancelled("the caller cancelled");
    }
    if (options_.clock->MonotonicNanos() < limits.deadline_monotonic_ns) return Status::Ok();
    return Status::DeadlineExceeded("no time is left to read " + options_.path);
  }

  std::string MarkPath() const { return options_.path + "/" + std::string(kMarkName); }

  std::string DirectoryOf(const ColdScope& scope) const {
    char part[96];
    std::snprintf(part, sizeof part, "/%016" PRIx64 "/%016" PRIu64 "/%010" PRIu32, scope.store,
                  scope.partition, scope.tenant);
    return options_.path + part;
  }

  // Under its name the file is whole or not there.
  Status WriteWhole(const std::string& directory, const std::string& name,
                    std::string_view bytes) const {
    const std::string path = directory + "/" + name;
    {
      LARDER_ASSIGN_OR_RETURN(const auto file, files_->CreateFile(path + ".new"));
      LARDER_RETURN_IF_ERROR(file->Append(bytes));
      LARDER_RETURN_IF_ERROR(file->Sync());
    }
    LARDER_RETURN_IF_ERROR(files_->Rename(path + ".new", path));
    return files_->SyncDirectory(directory);
  }

  Result<std::vector<std::string>> List(const ColdScope& scope) const {
    auto names = files_->List(DirectoryOf(scope));
    if (!names.ok()) return names.status().With(DirectoryOf(scope));
    return names;
  }

  Result<PackPlace> ReadHeader(const std::string& path, const PackId& id) const {
    LARDER_ASSIGN_OR_RETURN(const std::string lead, files_->Read(path, 0, kPackLeadBytes));
    const auto bytes = DecodePackLead(lead);
    if (!bytes.ok()) return bytes.status().With(path);
    LARDER_ASSIGN_OR_RETURN(const std::string page, files_->Read(path, kPackLeadBytes, *bytes));
    auto header = DecodePackHeader(page);
    if (!header.ok()) return header.status().With(path);
    return PackPlace{path, id, std::move(header).value(), kPackLeadBytes + *bytes};
  }

  Result<std::shared_ptr<SpanTable>> ReadSpans(const PackPlace& place) const {
    LARDER_ASSIGN_OR_RETURN(const uint64_t size_bytes, files_->FileSize(place.path));
    LARDER_ASSIGN_OR_RETURN(const std::string rest,
                            files_->Read(place.path, place.rest_offset,
                                         size_bytes - std::min(size_bytes, place.rest_offset)));
    const auto spans = DecodePackSpans(rest);
    if (!spans.ok()) return spans.status().With(place.path);
    auto table = std::make_shared<SpanTable>();
    LARDER_ASSIGN_OR_RETURN(const AppendResult added, table->Append(*spans, AppendLimits::None()));
    if (added.accepted_spans != place.header.rows) {
      return Status::DataLoss(place.path + ": holds other spans than its header says");
    }
    table->Publish();
    return table;
  }

  Status ReadTracesOf(const PackPlace& place, const std::vector<ColdTrace>& traces,
                      ColdRows* rows) const {
    std::vector<TraceId> wanted;
    for (const ColdTrace& trace : traces) {
      if (place.header.MayHave(TraceIdHash(trace.trace_id))) wanted.push_back(trace.trace_id);
    }
    if (wanted.empty()) return Status::Ok();
    LARDER_ASSIGN_OR_RETURN(const auto table, ReadSpans(place));
    LARDER_RETURN_IF_ERROR(rows->Hold(table->memory_bytes()));
    std::vector<uint32_t> found;
    for (const TraceId& id : wanted) table->FindTrace(id, &found);
    return Hand(place.id.segment, table, found, rows);
  }

  // The packs that overlap, the one with the latest start first.
  Result<std::vector<PackPlace>> PlacesIn(const ColdScope& scope, TimeRange range,
                                          const QueryLimits& limits) const {
    std::vector<PackPlace> places;
    LARDER_ASSIGN_OR_RETURN(const auto names, List(scope));
    for (const std::string& name : names) {
      PackId id;
      if (!ParsePackFileName(name, &id) || !scope.Has(id.segment)) continue;
      LARDER_RETURN_IF_ERROR(Check(limits));
      LARDER_ASSIGN_OR_RETURN(PackPlace place, ReadHeader(DirectoryOf(scope) + "/" + name, id));
      const TimeRange& start = place.header.start;
      if (start.max_ns < range.min_ns || start.min_ns > range.max_ns) continue;
      places.push_back(std::move(place));
    }
    std::stable_sort(places.begin(), places.end(), [](const PackPlace& a, const PackPlace& b) {
      return a.header.start.max_ns > b.header.start.max_ns;
    });
    return places;
  }

  Result<uint64_t> SearchPack(const PackPlace& place, const ColdSearch& search,
                              ColdRows* rows) const {
    LARDER_ASSIGN_OR_RETURN(const auto table, ReadSpans(place));
    LARDER_RETURN_IF_ERROR(rows->Hold(table->memory_bytes()));
    std::vector<SpanMatch> matches;
    LARDER_RETURN_IF_ERROR(
        FindMatches(*MakeTableSource(table), *search.filter, search.start, &matches));
    std::vector<uint32_t> found;
    for (const SpanMatch& match : matches) found.push_back(match.row);
    LARDER_RETURN_IF_ERROR(Hand(place.id.segment, table, found, rows));
    return found.size();
  }

  static Status Hand(uint64_t segment, const std::shared_ptr<SpanTable>& table,
                     const std::vector<uint32_t>& found, ColdRows* rows) {
    if (found.empty()) return Status::Ok();
    Collector collector;
    LARDER_RETURN_IF_ERROR(MakeTableSource(table)->EncodeRows(found, &collector));
    LARDER_RETURN_IF_ERROR(rows->Add(segment, collector.Finish()));
    return rows->Hold(0);
  }

  const DirectoryTierOptions options_;
  FileSystem* const files_;
};

}  // namespace

Result<std::unique_ptr<ColdTier>> OpenDirectoryTier(const DirectoryTierOptions& options) {
  auto tier = std::make_unique<DirectoryTier>(options);
  LARDER_RETURN_IF_ERROR(tier->CheckPath());
  return std::unique_ptr<ColdTier>(std::move(tier));
}

Status CheckDirectoryTier(const DirectoryTierOptions& options) {
  const DirectoryTier tier(options);
  LARDER_RETURN_IF_ERROR(tier.CheckPath());
  return tier.CheckThere();
}

Status CreateDirectoryTier(const DirectoryTierOptions& options) {
  return DirectoryTier(options).Create();
}

}  // namespace larder
