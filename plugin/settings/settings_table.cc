#include <array>

#include "plugin/settings/settings.h"

namespace larder {
namespace {

using Unit = NumberField::Unit;

constexpr uint64_t kSecondMs = 1000;
constexpr uint64_t kHourMs = 3600 * kSecondMs;
constexpr uint64_t kYearMs = 366ull * 24 * kHourMs;
constexpr uint64_t kMiB = 1 << 20;

constexpr std::array<std::string_view, 2> kDurabilityWords = {"sync", "async"};
constexpr std::array<std::string_view, 4> kLogLevelWords = {"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 2> kNoKindWords = {"empty", "unspecified"};
constexpr std::array<std::string_view, 3> kTierKindWords = {"off", "directory", "sls"};
constexpr std::array<std::string_view, 2> kTierOldRowsWords = {"restamp", "keep"};
constexpr std::array<std::string_view, 2> kSignatureWords = {"v1", "v4"};
constexpr std::array<std::string_view, 3> kCompressionWords = {"none", "lz4", "zstd"};
constexpr std::array<std::string_view, 2> kTraceIdsWords = {"short", "w3c"};
constexpr std::array<std::string_view, 2> kLogFormatWords = {"text", "json"};

constexpr std::string_view kAddress = "ADDRESS";
constexpr std::string_view kFile = "FILE";

constexpr std::string_view kWhere = "Where data lies and who is listened to";
constexpr std::string_view kKept = "What is kept";
constexpr std::string_view kTenants = "Tenants and the archive";
constexpr std::string_view kLimits = "Limits of what comes in, and memory";
constexpr std::string_view kQueries = "Queries";
constexpr std::string_view kV1 = "Jaeger v1";
constexpr std::string_view kTier = "The cold tier";
constexpr std::string_view kSls = "The cold tier in Alibaba Cloud SLS (tier.kind sls)";
constexpr std::string_view kRunning = "Running";

// A number among the settings, whatever its integer type.
template <auto kMember, auto kPart = nullptr>
struct Number {
  static uint64_t Get(const Settings& settings) {
    if constexpr (std::is_same_v<decltype(kPart), std::nullptr_t>) {
      return settings.*kMember;
    } else {
      return (settings.*kMember).*kPart;
    }
  }
  static void Set(Settings& settings, uint64_t value) {
    if constexpr (std::is_same_v<decltype(kPart), std::nullptr_t>) {
      settings.*kMember = value;
    } else {
      using Type = std::remove_reference_t<decltype((settings.*kMember).*kPart)>;
      (settings.*kMember).*kPart = static_cast<Type>(value);
    }
  }
};

template <auto kPart>
constexpr NumberField OfStore(Unit unit, uint64_t min, uint64_t max, bool zero_is_auto = false) {
  using At = Number<&Settings::store, kPart>;
  return {&At::Get, &At::Set, unit, min, max, zero_is_auto};
}

template <auto kPart>
constexpr NumberField OfServer(Unit unit, uint64_t min, uint64_t max) {
  using At = Number<&Settings::server, kPart>;
  return {&At::Get, &At::Set, unit, min, max};
}

template <auto kPart>
constexpr NumberField OfTier(Unit unit, uint64_t min, uint64_t max, bool zero_is_auto = false) {
  using At = Number<&Settings::tier, kPart>;
  return {&At::Get, &At::Set, unit, min, max, zero_is_auto};
}

// A text of SlsOptions, and a word of it.
template <auto kPart>
constexpr TextField OfSls(std::string_view hint, bool is_secret = false) {
  return {[](Settings& s) -> std::string& { return s.tier.sls.*kPart; }, hint, is_secret};
}
template <auto kPart>
constexpr ChoiceField SlsChoice(std::span<const std::string_view> words) {
  using Type = std::remove_reference_t<decltype(std::declval<SlsOptions&>().*kPart)>;
  return {words, [](const Settings& s) { return static_cast<size_t>(s.tier.sls.*kPart); },
          [](Settings& s, size_t index) { s.tier.sls.*kPart = static_cast<Type>(index); }};
}
template <auto kPart>
constexpr NumberField SlsNumber(Unit unit, uint64_t min, uint64_t max) {
  using Type = std::remove_reference_t<decltype(std::declval<SlsOptions&>().*kPart)>;
  return {[](const Settings& s) { return uint64_t{s.tier.sls.*kPart}; },
          [](Settings& s, uint64_t value) { s.tier.sls.*kPart = static_cast<Type>(value); }, unit,
          min, max};
}

const Setting kTable[] = {
    {"data-dir", kWhere,
     "The directory of the store, on a local disk; created with mode 0700 when it is not there. "
     "Required.",
     TextField{[](Settings& s) -> std::string& { return s.store.data_dir; }}},
    {"grpc-listen", kWhere,
     "Address of the gRPC port: OTLP in, Jaeger's storage API, health, reflection.",
     TextField{[](Settings& s) -> std::string& { return s.server.listen; }, kAddress}},
    {"admin-listen", kWhere, "Address of the admin port: /healthz /readyz /metrics /status.",
     TextField{[](Settings& s) -> std::string& { return s.admin_listen; }, kAddress}},
    {"otlp.grpc-listen", kWhere,
     "A second address of the gRPC port, for SDKs that send to the standard one: 127.0.0.1:4317.",
     TextField{[](Settings& s) -> std::string& { return s.server.otlp_listen; }, kAddress}},
    {"otlp.http-listen", kWhere,
     "Address of OTLP/HTTP, POST /v1/traces; the standard one is 127.0.0.1:4318.",
     TextField{[](Settings& s) -> std::string& { return s.otlp_http_listen; }, kAddress}},
    {"tls.cert-file", kWhere,
     "Certificate in PEM, with those between it and the root. All ports then speak TLS. Read again "
     "when it changes, as the three below.",
     TextField{[](Settings& s) -> std::string& { return s.security.tls.cert_file; }, kFile}},
    {"tls.key-file", kWhere, "The certificate's private key in PEM, without a password.",
     TextField{[](Settings& s) -> std::string& { return s.security.tls.key_file; }, kFile}},
    {"tls.client-ca-file", kWhere,
     "Clients must show a certificate signed by one of these authorities (mutual TLS); on the "
     "admin port /healthz and /readyz need none.",
     TextField{[](Settings& s) -> std::string& { return s.security.tls.client_ca_file; }, kFile}},
    {"auth.token-file", kWhere,
     "Calls must send authorization: Bearer TOKEN with a token of this file, one a line. Health "
     "needs none; reflection is off.",
     TextField{[](Settings& s) -> std::string& { return s.security.token_file; }, kFile}},
    {"insecure-listen", kWhere,
     "Allow listeners beyond loopback without a certificate or a token, where anybody who reaches "
     "the port can read and write.",
     SwitchField{[](Settings& s) -> bool& { return s.insecure_listen; }}},
    {"enable-purge", kWhere,
     "Serve POST /purge on the admin port, which deletes everything, or with ?tenant=NAME "
     "everything of one tenant. For tests.",
     SwitchField{[](Settings& s) -> bool& { return s.enable_purge; }}},

    {"retention", kKept,
     "How long spans are kept, from their arrival. Whole partitions go, the oldest first.",
     OfStore<&StoreOptions::retention_ms>(Unit::kDuration, 10ull * 60 * kSecondMs, 100 * kYearMs)},
    {"disk.cap", kKept,
     "Most bytes on disk; above it the oldest partition goes. auto leaves 10% of the disk free.",
     OfStore<&StoreOptions::disk_bytes_max>(Unit::kSize, 64 * kMiB, UINT64_MAX, true)},
    {"durability", kKept,
     "What an acknowledged span survives: sync, a power cut and kill -9; async, kill -9 alone.",
     ChoiceField{
         kDurabilityWords,
         [](const Settings& s) { return static_cast<size_t>(s.store.durability); },
         [](Settings& s, size_t index) { s.store.durability = static_cast<Durability>(index); }}},
    {"partition.time", kKept,
     "A partition closes at this age. auto is retention/48, from 10 minutes to 24 hours.",
     OfStore<&StoreOptions::partition_ms>(Unit::kDuration, kSecondMs, 366ull * 24 * kHourMs, true)},
    {"partition.size-max", kKept, "... or at this size. auto is disk.cap/48.",
     OfStore<&StoreOptions::partition_bytes_max>(Unit::kSize, kMiB, UINT64_MAX, true)},
    {"partition.rows-max", kKept, "... or at this many spans.",
     OfStore<&StoreOptions::partition_rows_max>(Unit::kCount, 1024, 1ull << 32)},

    {"tenancy.enabled", kTenants,
     "Calls say by a header whose spans they bring or ask for; tenants see nothing of each other.",
     SwitchField{[](Settings& s) -> bool& { return s.server.tenancy.enabled; }}},
    {"tenancy.header", kTenants, "The header, of gRPC and of HTTP.",
     TextField{[](Settings& s) -> std::string& { return s.server.tenancy.header; }, "NAME"}},
    {"tenancy.tenants", kTenants,
     "The tenants that are let in, separated by commas. Without it any name is.",
     TextField{[](Settings& s) -> std::string& { return s.tenants; }, "NAMES"}},
    {"tenancy.default", kTenants,
     "The tenant of calls without the header. Without it they are refused.",
     TextField{[](Settings& s) -> std::string& { return s.server.tenancy.fallback; }, "NAME"}},
    {"tenancy.tenants-max", kTenants, "Most tenants that this store ever takes.",
     NumberField{[](const Settings& s) { return uint64_t{s.store.tenants.tenants_max}; },
                 [](Settings& s, uint64_t count) {
                   s.store.tenants.tenants_max = static_cast<uint32_t>(count);
                 },
                 Unit::kCount, 1, 10'000}},
    {"tenancy.retention", kTenants, "How long a tenant's spans are kept. auto is retention.",
     NumberField{[](const Settings& s) { return s.store.tenants.each.retention_ms; },
                 [](Settings& s, uint64_t ms) { s.store.tenants.each.retention_ms = ms; },
                 Unit::kDuration, 10ull * 60 * kSecondMs, 100 * kYearMs, true}},
    {"tenancy.quota", kTenants,
     "Most bytes on disk of a tenant, its archive left out; above it its oldest segments go, but "
     "never the newest. auto is no quota.",
     NumberField{[](const Settings& s) { return s.store.tenants.each.disk_bytes_max; },
                 [](Settings& s, uint64_t bytes) { s.store.tenants.each.disk_bytes_max = bytes; },
                 Unit::kSize, kMiB, UINT64_MAX, true}},
    {"tenancy.limits", kTenants,
     "Retention and quota of tenants by name, where they differ: acme=3d/10GiB, beta=12h, "
     "gamma=/1GiB.",
     TextField{[](Settings& s) -> std::string& { return s.tenant_limits; }, "LIMITS"}},
    {"archive.listen", kTenants,
     "Address of a second gRPC port, for Jaeger's archive storage. On the first port calls with "
     "the header larder-data-set: archive reach it too. A plugin that Jaeger starts does not open "
     "it.",
     TextField{[](Settings& s) -> std::string& { return s.server.archive_listen; }, kAddress}},
    {"archive.cap", kTenants,
     "Most bytes of the archive, which are part of disk.cap. Nothing in it expires or goes for "
     "space: above the cap it takes no more. auto is half of disk.cap.",
     OfStore<&StoreOptions::archive_bytes_max>(Unit::kSize, kMiB, UINT64_MAX, true)},

    {"memory.limit", kLimits, "Memory of heads, caches and queries together.",
     NumberField{[](const Settings& s) { return s.store.memory_bytes_max; },
                 [](Settings& s, uint64_t bytes) {
                   s.store.memory_bytes_max = bytes;
                   s.server.memory_bytes_max = bytes;
                 },
                 Unit::kSize, 32 * kMiB, UINT64_MAX}},
    {"request.size-max", kLimits, "The largest request, after decompression.",
     NumberField{[](const Settings& s) { return s.store.request_bytes_max; },
                 [](Settings& s, uint64_t bytes) {
                   s.store.request_bytes_max = bytes;
                   s.server.request_bytes_max = bytes;
                 },
                 Unit::kSize, 64 << 10, 1 << 30}},
    {"attribute.size-max", kLimits,
     "The largest attribute value; a span with a larger one is rejected, the rest of its request "
     "is kept.",
     OfStore<&StoreOptions::attribute_value_bytes_max>(Unit::kSize, 1 << 10, 1 << 30)},
    {"head.size-max", kLimits, "Spans in memory are sealed into a segment at this size.",
     OfStore<&StoreOptions::head_bytes_max>(Unit::kSize, kMiB, 4096 * kMiB)},
    {"head.idle", kLimits, "... or when none came for this long.",
     OfStore<&StoreOptions::head_idle_ms>(Unit::kDuration, 100, 24 * kHourMs)},

    {"query.memory-max", kQueries, "Memory of one query.",
     OfStore<&StoreOptions::query_memory_bytes_max>(Unit::kSize, kMiB, UINT64_MAX)},
    {"query.time-max", kQueries, "Time of one query.",
     OfStore<&StoreOptions::query_time_ms_max>(Unit::kDuration, 100, 24 * kHourMs)},
    {"query.depth-max", kQueries, "Most traces that one search may ask for.",
     NumberField{[](const Settings& s) { return uint64_t{s.store.search_depth_max}; },
                 [](Settings& s, uint64_t depth) {
                   s.store.search_depth_max = static_cast<uint32_t>(depth);
                   s.server.search_depth_max = static_cast<uint32_t>(depth);
                 },
                 Unit::kCount, 1, 1'000'000}},
    {"query.page-max", kQueries,
     "Most traces or spans of one page; a larger page_size is this much.",
     NumberField{[](const Settings& s) { return uint64_t{s.store.page_size_max}; },
                 [](Settings& s, uint64_t size) {
                   s.store.page_size_max = static_cast<uint32_t>(size);
                   s.server.page_size_max = static_cast<uint32_t>(size);
                 },
                 Unit::kCount, 1, 1'000'000}},
    {"query.concurrency-max", kQueries,
     "Most queries at once; streams that wait for their reader count.",
     OfServer<&ServerOptions::active_queries_max>(Unit::kCount, 1, 1'000'000)},
    {"query.pending-max", kQueries,
     "Bytes made for readers that have not taken them yet; above it streams wait.",
     OfServer<&ServerOptions::pending_reply_bytes_max>(Unit::kSize, kMiB, UINT64_MAX)},
    {"query.stall-max", kQueries, "A stream whose reader takes nothing for this long is ended.",
     OfServer<&ServerOptions::stall_ms_max>(Unit::kDuration, kSecondMs, 24 * kHourMs)},
    {"query.threads", kQueries, "Threads that run queries.",
     OfServer<&ServerOptions::query_threads>(Unit::kCount, 1, 1024)},

    {"v1.streaming", kV1,
     "Tell Jaeger v1 to write by streams: faster, but it never learns of a span that was not "
     "stored. Not for v1.65 and later with spans that come by OTLP: it cancels a stream after the "
     "batch that opened it, and what is still on its way is lost. Never with tenancy.enabled: "
     "Jaeger shares its streams between tenants.",
     SwitchField{[](Settings& s) -> bool& { return s.server.v1.has_streaming; }}},
    {"v1.no-kind", kV1,
     "The word for the kind of an operation that has none: empty, or unspecified for Jaeger v1.48 "
     "to v1.64.",
     ChoiceField{kNoKindWords,
                 [](const Settings& s) { return size_t{s.server.v1.no_kind.empty() ? 0U : 1U}; },
                 [](Settings& s, size_t index) {
                   s.server.v1.no_kind = index == 0 ? "" : kNoKindWords[index];
                 }}},

    {"tier.kind", kTier,
     "Where aged partitions go: nowhere, to a directory (another disk, a share), or to Alibaba "
     "Cloud SLS. What is there stays searchable. larder tier check tries the configuration.",
     ChoiceField{kTierKindWords, [](const Settings& s) { return static_cast<size_t>(s.tier.kind); },
                 [](Settings& s, size_t index) { s.tier.kind = static_cast<TierKind>(index); }}},
    {"tier.after", kTier, "A closed partition is uploaded at this age.",
     OfTier<&TierOptions::after_ms>(Unit::kDuration, 0, 100 * kYearMs)},
    {"tier.evict-after", kTier,
     "The local copy of an uploaded partition goes at this age. auto keeps it until retention or "
     "disk.cap takes it.",
     OfTier<&TierOptions::evict_after_ms>(Unit::kDuration, 0, 100 * kYearMs, true)},
    {"tier.retention", kTier,
     "How long spans are kept in the tier, from their arrival; also the time to live of a Logstore "
     "that Larder creates.",
     OfTier<&TierOptions::retention_ms>(Unit::kDuration, 10ull * 60 * kSecondMs, 100 * kYearMs)},
    {"tier.outage-max", kTier,
     "How long the tier may be away without a row becoming too old for it: tier.after, the time of "
     "a partition and this together must stay below the 6.5 days that SLS takes.",
     OfTier<&TierOptions::outage_ms_max>(Unit::kDuration, 0, 6 * 24 * kHourMs)},
    {"tier.rate-max", kTier, "Most bytes uploaded in a second, before compression.",
     OfTier<&TierOptions::rate_bytes_max>(Unit::kSize, 64 << 10, UINT64_MAX)},
    {"tier.old-rows", kTier,
     "What becomes of rows whose time the tier does not take: restamp writes them with the time of "
     "the upload, their true one inside; keep leaves them on the local disk.",
     ChoiceField{
         kTierOldRowsWords, [](const Settings& s) { return static_cast<size_t>(s.tier.old_rows); },
         [](Settings& s, size_t index) { s.tier.old_rows = static_cast<TierOldRows>(index); }}},
    {"tier.read-time-max", kTier, "How long one query may wait for the tier.",
     OfTier<&TierOptions::read_ms_max>(Unit::kDuration, 100, kHourMs)},
    {"tier.directory", kTier,
     "The directory of tier.kind directory; larder tier check --create makes it one.",
     TextField{[](Settings& s) -> std::string& { return s.tier.directory; }}},
    {"tier.sls.endpoint", kSls,
     "cn-hangzhou.log.aliyuncs.com or another of SLS; https unless http:// stands before it.",
     OfSls<&SlsOptions::endpoint>("HOST")},
    {"tier.sls.project", kSls, "The project.", OfSls<&SlsOptions::project>("NAME")},
    {"tier.sls.instance", kSls,
     "The instance of the Trace app, whose Logstore INSTANCE-traces takes the spans.",
     OfSls<&SlsOptions::instance>("NAME")},
    {"tier.sls.logstore", kSls, "The Logstore, in place of an instance.",
     OfSls<&SlsOptions::logstore>("NAME")},
    {"tier.sls.access-key-id", kSls, "The id of the access key.",
     OfSls<&SlsOptions::access_key_id>("ID")},
    {"tier.sls.access-key-secret", kSls,
     "The secret of the access key. Other users of the machine can read flags: use the environment "
     "or the file below.",
     OfSls<&SlsOptions::access_key_secret>("SECRET", true)},
    {"tier.sls.access-key-secret-file", kSls, "A file with the secret alone.",
     OfSls<&SlsOptions::access_key_secret_file>(kFile)},
    {"tier.sls.security-token", kSls, "The token of temporary credentials (STS).",
     OfSls<&SlsOptions::security_token>("TOKEN", true)},
    {"tier.sls.security-token-file", kSls, "A file with the token alone.",
     OfSls<&SlsOptions::security_token_file>(kFile)},
    {"tier.sls.signature", kSls, "How calls are signed; v4 needs tier.sls.region.",
     SlsChoice<&SlsOptions::signature>(kSignatureWords)},
    {"tier.sls.region", kSls, "The region, for signature v4: cn-hangzhou.",
     OfSls<&SlsOptions::region>("NAME")},
    {"tier.sls.connect-to", kSls,
     "Connect to this address, whatever the endpoint's name says: a proxy, a tunnel, a test "
     "double.",
     OfSls<&SlsOptions::connect_to>(kAddress)},
    {"tier.sls.ca-file", kSls, "Authorities to trust, in PEM, in place of the system's.",
     OfSls<&SlsOptions::ca_file>(kFile)},
    {"tier.sls.compression", kSls, "How rows are compressed on their way.",
     SlsChoice<&SlsOptions::compression>(kCompressionWords)},
    {"tier.sls.trace-ids", kSls,
     "How a trace id of 64 bits is spelled: short, 16 digits, which aliyun-log-jaeger looks for; "
     "w3c, always 32.",
     SlsChoice<&SlsOptions::trace_ids>(kTraceIdsWords)},
    {"tier.sls.raw-payload", kSls,
     "Write each span whole beside its columns. Without it types, nanoseconds and other fine print "
     "are lost.",
     SwitchField{[](Settings& s) -> bool& { return s.tier.sls.writes_raw_payload; }}},
    {"tier.sls.create", kSls,
     "Make the Logstore and its index when they are not there. An index that is there is never "
     "changed.",
     SwitchField{[](Settings& s) -> bool& { return s.tier.sls.create; }}},
    {"tier.sls.shards", kSls, "Shards of a Logstore that Larder makes.",
     SlsNumber<&SlsOptions::shards>(Unit::kCount, 1, 100)},
    {"tier.sls.request-time-max", kSls, "Time of one request.",
     SlsNumber<&SlsOptions::request_ms_max>(Unit::kDuration, 100, kHourMs)},
    {"tier.sls.connections", kSls, "Most requests at once.",
     SlsNumber<&SlsOptions::connections>(Unit::kCount, 1, 64)},

    {"shutdown.grace", kRunning, "How long running calls may take to end after SIGTERM.",
     NumberField{[](const Settings& s) { return s.shutdown_grace_ms; },
                 [](Settings& s, uint64_t ms) { s.shutdown_grace_ms = ms; }, Unit::kDuration, 0,
                 kHourMs}},
    {"log.level", kRunning, "The least important lines to log.",
     ChoiceField{kLogLevelWords, [](const Settings& s) { return static_cast<size_t>(s.log_level); },
                 [](Settings& s, size_t index) { s.log_level = static_cast<LogLevel>(index); }}},
    {"log.format", kRunning, "Lines for people or for machines, on standard error.",
     ChoiceField{kLogFormatWords,
                 [](const Settings& s) { return static_cast<size_t>(s.log_format); },
                 [](Settings& s, size_t index) { s.log_format = static_cast<LogFormat>(index); }}},
};

}  // namespace

std::span<const Setting> SettingsTable() { return kTable; }

}  // namespace larder
