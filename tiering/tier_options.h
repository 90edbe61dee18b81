// Where aged partitions go, and how, as plain values: the settings tier.* of the server.
#pragma once

#include <cstdint>
#include <string>

#include "storage/base/status.h"

namespace larder {

// How calls to SLS are signed: V1 with HMAC-SHA1; V4 with HMAC-SHA256, which needs a region.
enum class SlsSignature : uint8_t { kV1, kV4 };
enum class SlsCompression : uint8_t { kNone, kLz4, kZstd };
// How a row spells a trace id whose upper half is zero: 16 hex digits, which aliyun-log-jaeger
// looks for, or always 32.
enum class SlsTraceIds : uint8_t { kShort, kW3c };

// One Logstore of Alibaba Cloud SLS. The secrets are in no message that is made from this.
struct SlsOptions {
  std::string
      endpoint{};  // "cn-hangzhou.log.aliyuncs.com"; https:// or http:// may stand before it
  std::string project{};
  std::string instance{};  // of the Trace app: its Logstore is INSTANCE-traces
  std::string logstore{};  // wins over `instance`
  std::string access_key_id{};
  std::string access_key_secret{};
  std::string access_key_secret_file{};  // read at start; wins over `access_key_secret`
  std::string security_token{};          // of temporary credentials (STS); empty: none
  std::string security_token_file{};     // wins over `security_token`
  SlsSignature signature = SlsSignature::kV1;
  std::string region{};      // for V4
  std::string connect_to{};  // "HOST:PORT": connect there, whatever the endpoint's name says
  std::string ca_file{};     // authorities in PEM; empty: the system's
  SlsCompression compression = SlsCompression::kLz4;
  SlsTraceIds trace_ids = SlsTraceIds::kShort;
  bool writes_raw_payload = true;  // off: what has no column of its own is lost
  bool create = false;             // make Logstore and index when they are not there
  uint32_t shards = 2;             // of a Logstore that we make
  uint64_t request_ms_max = 30'000;
  uint32_t connections = 4;

  // "" when neither logstore nor instance is named.
  std::string LogstoreName() const;
};

enum class TierKind : uint8_t { kOff, kDirectory, kSls };
// What becomes of rows whose time SLS does not take any more.
enum class TierOldRows : uint8_t { kRestamp, kKeep };

struct TierOptions {
  TierKind kind = TierKind::kOff;
  std::string directory;                    // of TierKind::kDirectory
  uint64_t after_ms = 24ull * 3600 * 1000;  // a closed partition is uploaded at this age
  uint64_t evict_after_ms = 0;              // ... its local copy goes at this one; 0: when the
                                            // retention or the cap of the disk takes it
  uint64_t retention_ms = 365ull * 24 * 3600 * 1000;  // ... and it is forgotten at this one
  uint64_t outage_ms_max = 3ull * 24 * 3600 * 1000;   // how long uploads may be held up
  uint64_t rate_bytes_max = 4 << 20;                  // uncompressed bytes uploaded a second
  TierOldRows old_rows = TierOldRows::kRestamp;
  uint64_t read_ms_max = 10'000;  // what one query may wait for the tier
  SlsOptions sls;
};

// What must hold before a tier is used: everything that its kind needs is given. kInvalidArgument
// names the setting that is missing. Off is always right.
Status CheckTierOptions(const TierOptions& options);

}  // namespace larder
