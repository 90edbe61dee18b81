// How a store is opened.
#include <algorithm>
#include <utility>

#include "storage/base/crash_point.h"
#include "storage/base/log.h"
#include "storage/engine/ingest/recovery.h"
#include "storage/engine/store_impl.h"

namespace larder {
namespace {

constexpr uint64_t kNanosPerMs = 1'000'000;
constexpr uint64_t kMinute = 60ull * 1000;
constexpr uint64_t kPartitionsWanted = 48;
constexpr uint64_t kPartitionBytesMin = 4ull << 20;

uint64_t PartitionNanos(const StoreOptions& options) {
  if (options.partition_ms != 0) return options.partition_ms * kNanosPerMs;
  const uint64_t retention_ms = Tenants::LongestRetentionMs(options.tenants, options.retention_ms);
  const uint64_t share_ms = retention_ms / kPartitionsWanted;
  return std::clamp(share_ms, 10 * kMinute, 24 * 60 * kMinute) * kNanosPerMs;
}

// The shares of the memory limit: half for two heads, the rest for what reads and waits.
struct MemoryShares {
  explicit MemoryShares(const StoreOptions& options)
      : head_bytes(std::min(options.head_bytes_max, options.memory_bytes_max / 4)),
        archive_head_bytes(std::min(options.head_bytes_max, options.memory_bytes_max / 32)),
        queries_bytes(options.memory_bytes_max / 4),
        page_cache_bytes(options.memory_bytes_max / 8),
        block_cache_bytes(options.memory_bytes_max / 32),
        held_bytes(options.memory_bytes_max / 16) {}

  uint64_t head_bytes;
  uint64_t archive_head_bytes;
  uint64_t queries_bytes;
  uint64_t page_cache_bytes;
  uint64_t block_cache_bytes;
  uint64_t held_bytes;
};

// A tier that takes spans up to some age only must get them before.
Status CheckTier(const StoreOptions& options) {
  if (options.tier == nullptr || options.tier->span_age_ms_max() == UINT64_MAX) return Status::Ok();
  const uint64_t limit_ms = options.tier->span_age_ms_max();
  const uint64_t slice_ms = PartitionNanos(options) / kNanosPerMs;
  const uint64_t oldest_ms = options.cold.after_ms + slice_ms + options.cold.outage_ms_max;
  if (oldest_ms < limit_ms) return Status::Ok();
  const auto hours = [](uint64_t ms) { return std::to_string(ms / (60 * kMinute)) + " h"; };
  return Status::InvalidArgument("the cold tier takes spans of at most " + hours(limit_ms) +
                                 ", but tier.after (" + hours(options.cold.after_ms) +
                                 "), a partition's time (" + hours(slice_ms) +
                                 ") and tier.outage-max (" + hours(options.cold.outage_ms_max) +
                                 ") together come to more: lower one of them");
}

}  // namespace

Result<std::unique_ptr<Store>> Store::Open(const StoreOptions& options) {
  LARDER_RETURN_IF_ERROR(CheckTier(options));
  auto store = std::make_unique<StoreImpl>(options);
  if (options.read_only) {
    LARDER_RETURN_IF_ERROR(store->OpenForReading(Status::Unavailable("as it was asked to be")));
    return std::unique_ptr<Store>(std::move(store));
  }
  const Status opened = store->OpenForWriting();
  if (opened.ok()) return std::unique_ptr<Store>(std::move(store));
  const bool refused = opened.code() == StatusCode::kFailedPrecondition ||
                       opened.code() == StatusCode::kAlreadyExists;
  if (refused) return opened;
  store.reset();
  Log(LogLevel::kError, "the store cannot be opened for writing; trying to read only",
      {{"directory", options.data_dir}, {"reason", opened.ToString()}});
  auto reader = std::make_unique<StoreImpl>(options);
  const Status readable = reader->OpenForReading(opened);
  if (readable.ok()) return std::unique_ptr<Store>(std::move(reader));
  const bool also_refused = readable.code() == StatusCode::kFailedPrecondition ||
                            readable.code() == StatusCode::kAlreadyExists;
  if (also_refused) return readable;
  return Status::Unavailable(options.data_dir + " can be neither written (" +
                             std::string(opened.message()) + ") nor read (" +
                             std::string(readable.message()) + ")");
}

Result<std::unique_ptr<Store>> Store::OpenToWrite(const StoreOptions& options) {
  LARDER_RETURN_IF_ERROR(CheckTier(options));
  auto store = std::make_unique<StoreImpl>(options);
  LARDER_RETURN_IF_ERROR(store->OpenForWriting());
  return std::unique_ptr<Store>(std::move(store));
}

Status StoreImpl::OpenForWriting() {
  LARDER_ASSIGN_OR_RETURN(
      directory_, DataDirectory::Open(options_.file_system, options_.data_dir, options_.lock));
  LARDER_CRASH_POINT("start.locked");
  disk_ = std::make_unique<DiskGuard>(options_.file_system, options_.clock, directory_->path(),
                                      directory_->reserve_path());
  Status opened = OpenShelf(/*read_only=*/false);
  if (opened.code() == StatusCode::kResourceExhausted && disk_->ReleaseReserve()) {
    opened = OpenShelf(/*read_only=*/false);
  }
  LARDER_RETURN_IF_ERROR(opened);
  LARDER_CRASH_POINT("start.shelf");
  MakeWriters();
  LARDER_RETURN_IF_ERROR(Recover(/*read_only=*/false));
  LARDER_CRASH_POINT("start.recovered");
  LARDER_RETURN_IF_ERROR(MakeMover());
  sealer_->Start();
  maintenance_->Start();
  if (mover_ != nullptr) mover_->Start();
  archive_committer_->Start();
  StartArchiver();
  committer_->Start();
  return Status::Ok();
}

Status StoreImpl::OpenForReading(const Status& why) {
  not_writable_reason_ = std::string(why.message());
  LARDER_ASSIGN_OR_RETURN(directory_, DataDirectory::OpenReadOnly(
                                          options_.file_system, options_.data_dir, options_.lock));
  LARDER_RETURN_IF_ERROR(OpenShelf(/*read_only=*/true));
  return Recover(/*read_only=*/true);
}

Status StoreImpl::OpenShelf(bool read_only) {
  const MemoryShares shares(options_);
  shelf_.reset();
  views_ = std::make_unique<ViewKeeper>();
  catalog_.reset();
  kv_.reset();
  LARDER_ASSIGN_OR_RETURN(kv_, KvStore::Open({.path = directory_->db_path(),
                                              .block_cache_bytes = shares.block_cache_bytes,
                                              .read_only = read_only,
                                              .hooks = options_.kv_hooks}));
  counters_.records_set_aside.fetch_add(kv_->Faults().size());
  cache_ = std::make_unique<PageCache>(shares.page_cache_bytes);
  catalog_ = std::make_unique<Catalog>(kv_.get());
  LARDER_ASSIGN_OR_RETURN(const CatalogContents contents, catalog_->Load());
  tenants_ = std::make_unique<Tenants>(options_.tenants, catalog_.get());
  retention_clock_ = std::make_unique<RetentionClock>(options_.clock, contents.meta.age_ns,
                                                      contents.meta.age_unix_ns);
  ShelfOptions shelf_options;
  shelf_options.partition_ns = PartitionNanos(options_);
  shelf_options.partition_rows_max = options_.partition_rows_max;
  shelf_options.partition_bytes_max =
      options_.partition_bytes_max != 0
          ? options_.partition_bytes_max
          : std::max(kPartitionBytesMin, DiskCap() / kPartitionsWanted);
  shelf_options.read_only = read_only;
  shelf_ =
      std::make_unique<Shelf>(shelf_options, ShelfParts{.kv = kv_.get(),
                                                        .directory = directory_.get(),
                                                        .catalog = catalog_.get(),
                                                        .tenants = tenants_.get(),
                                                        .cache = cache_.get(),
                                                        .views = views_.get(),
                                                        .retention_clock = retention_clock_.get(),
                                                        .clock = options_.clock,
                                                        .counters = &counters_});
  LARDER_RETURN_IF_ERROR(shelf_->Load(contents));
  if (!read_only) {
    // One of the two may be damaged, or be older since a crash.
    LARDER_RETURN_IF_ERROR(
        RaiseFormat(directory_.get(), catalog_.get(),
                    std::max(directory_->format_version(), catalog_->format_version())));
  }
  queries_ = std::make_unique<QueryEngine>(QueryEngineOptions{
      .clock = options_.clock,
      .query_memory_bytes_max = options_.query_memory_bytes_max,
      .memory_bytes_max = shares.queries_bytes,
      .query_time_ms_max = options_.query_time_ms_max,
      .search_depth_max = options_.search_depth_max,
      .page_size_max = options_.page_size_max,
      .cold = {.tier = options_.tier, .time_ns_max = options_.cold.read_ms_max * kNanosPerMs}});
  return Status::Ok();
}

void StoreImpl::MakeWriters() {
  const MemoryShares shares(options_);
  const bool has_tier = options_.tier != nullptr;
  const uint64_t evict_after_ms =
      options_.cold.evict_after_ms != 0 ? options_.cold.evict_after_ms : options_.retention_ms;
  sealer_ = std::make_unique<Sealer>(SealerParts{.file_system = options_.file_system,
                                                 .directory = directory_.get(),
                                                 .disk = disk_.get(),
                                                 .shelf = shelf_.get(),
                                                 .views = views_.get(),
                                                 .counters = &counters_});
  maintenance_ = std::make_unique<Maintenance>(
      MaintenanceOptions{.retention_ns = has_tier ? options_.cold.retention_ms * kNanosPerMs
                                                  : options_.retention_ms * kNanosPerMs,
                         .has_tier = has_tier,
                         .evict_after_ns = evict_after_ms * kNanosPerMs,
                         .has_tenant_limits = options_.tenants.has_limits(),
                         .disk_bytes_max = DiskCap()},
      MaintenanceParts{.catalog = catalog_.get(),
                       .clock = options_.clock,
                       .retention_clock = retention_clock_.get(),
                       .file_system = options_.file_system,
                       .directory = directory_.get(),
                       .disk = disk_.get(),
                       .shelf = shelf_.get(),
                       .tenants = tenants_.get(),
                       .sealer = sealer_.get(),
                       .views = views_.get(),
                       .queries = queries_.get(),
                       .counters = &counters_});
  fetcher_ =
      std::make_unique<Fetcher>(FetcherOptions{.memory_bytes_max = options_.memory_bytes_max / 8,
                                               .disk_bytes_max = DiskCap()},
                                FetcherParts{.tier = options_.tier,
                                             .shelf = shelf_.get(),
                                             .maintenance = maintenance_.get(),
                                             .retention_clock = retention_clock_.get(),
                                             .clock = options_.clock,
                                             .disk = disk_.get(),
                                             .counters = &counters_});
  CommitterOptions committer_options;
  committer_options.sync = options_.durability == Durability::kSync;
  committer_options.head_bytes_max = shares.head_bytes;
  committer_options.head_idle_ns = options_.head_idle_ms * kNanosPerMs;
  committer_options.request_bytes_max = options_.request_bytes_max;
  committer_options.held_bytes_max = shares.held_bytes;
  committer_options.append_limits = append_limits_;
  CommitterParts parts{.file_system = options_.file_system,
                       .clock = options_.clock,
                       .directory = directory_.get(),
                       .disk = disk_.get(),
                       .catalog = catalog_.get(),
                       .shelf = shelf_.get(),
                       .sealer = sealer_.get(),
                       .views = views_.get(),
                       .counters = &counters_,
                       .head_bytes = &counters_.active_head_bytes};
  committer_ = std::make_unique<Committer>(committer_options, parts);
  committer_options.is_archive = true;
  committer_options.head_bytes_max = shares.archive_head_bytes;
  parts.head_bytes = &counters_.archive_head_bytes;
  archive_committer_ = std::make_unique<Committer>(committer_options, parts);
}

void StoreImpl::StartArchiver() {
  ArchiverOptions options;
  options.archive_bytes_max =
      options_.archive_bytes_max != 0 ? options_.archive_bytes_max : DiskCap() / 2;
  options.held_bytes_max = MemoryShares(options_).held_bytes;
  options.append_limits = append_limits_;
  archiver_ =
      std::make_unique<Archiver>(options, ArchiverParts{.queries = queries_.get(),
                                                        .views = views_.get(),
                                                        .shelf = shelf_.get(),
                                                        .committer = archive_committer_.get(),
                                                        .counters = &counters_});
}

Status StoreImpl::MakeMover() {
  if (options_.tier == nullptr) return Status::Ok();
  MoverOptions options;
  options.after_ns = options_.cold.after_ms * kNanosPerMs;
  options.bytes_per_second = options_.cold.bytes_per_second;
  options.confirm_ns_max = options_.cold.confirm_ms_max * kNanosPerMs;
  LARDER_ASSIGN_OR_RETURN(options.store_id, catalog_->EnsureStoreId());
  mover_ = std::make_unique<Mover>(options, MoverParts{.tier = options_.tier,
                                                       .shelf = shelf_.get(),
                                                       .maintenance = maintenance_.get(),
                                                       .tenants = tenants_.get(),
                                                       .retention_clock = retention_clock_.get(),
                                                       .clock = options_.clock,
                                                       .counters = &counters_});
  Status bound = mover_->Bind();
  if (bound.code() != StatusCode::kUnavailable) return bound;
  Log(LogLevel::kWarning, "the cold tier is away; partitions wait on the local disk",
      {{"tier", options_.tier->name()}, {"reason", bound.ToString()}});
  return Status::Ok();
}

Status StoreImpl::Recover(bool read_only) {
  RecoveryParts parts;
  parts.file_system = options_.file_system;
  parts.directory = directory_.get();
  parts.catalog = catalog_.get();
  parts.shelf = shelf_.get();
  parts.tenants = tenants_.get();
  parts.views = views_.get();
  parts.counters = &counters_;
  parts.append_limits = append_limits_;
  // A limit that was lowered since must not lose what was acknowledged.
  parts.append_limits.attribute_value_bytes_max =
      std::max(append_limits_.attribute_value_bytes_max, AppendLimits().attribute_value_bytes_max);
  // Other heads held other values when it was: a request may take more room in these, by what a
  // head can hold. What was refused for its growth must not fill the memory of a start.
  constexpr uint64_t kHeadBytesMin = 64 << 20;
  parts.append_limits.request_growth_bytes_max +=
      4 * std::max(MemoryShares(options_).head_bytes, kHeadBytesMin);
  parts.read_only = read_only;
  parts.replayed = [this](const JournalRecord& record, const AppendResult& result) {
    Committer* committer = IsArchive(record.tenant) ? archive_committer_.get() : committer_.get();
    if (committer != nullptr) committer->Remember(record.tenant, record.request, result);
  };
  parts.recovered = [this, read_only](std::shared_ptr<Generation> generation) {
    if (read_only) {
      replayed_.push_back(std::move(generation));
      return;
    }
    // Two heads at a time fit into memory. When it cannot be sealed it waits all the same.
    sealer_->Push(std::move(generation));
    if (!sealer_->WaitForRoom(2, std::chrono::milliseconds(0))) {
      const Status sealed = sealer_->SealWaiting();
      if (!sealed.ok()) Log(LogLevel::kError, "recovery", {{"reason", sealed.ToString()}});
    }
  };
  return RecoverJournals(parts);
}

// Fixed at open, so that others who fill the disk later do not make us throw our data away.
uint64_t StoreImpl::DiskCap() {
  if (options_.disk_bytes_max != 0) return options_.disk_bytes_max;
  if (disk_cap_ == 0) {
    uint64_t own_bytes = 0;
    for (const auto& family : kv_->families()) own_bytes += kv_->FamilyBytes(*family);
    const auto cap = DefaultDiskCap(options_.file_system, directory_->path(), own_bytes);
    disk_cap_ = cap.ok() ? *cap : UINT64_MAX;
  }
  return disk_cap_;
}

}  // namespace larder
