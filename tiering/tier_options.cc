#include "tiering/tier_options.h"

#include <utility>

namespace larder {
namespace {

Status Need(const std::string& value, const char* setting) {
  if (!value.empty()) return Status::Ok();
  return Status::InvalidArgument(std::string("the tier needs ") + setting +
                                 ", which is not set; larder help serve explains it");
}

Status CheckSls(const SlsOptions& sls) {
  LARDER_RETURN_IF_ERROR(Need(sls.endpoint, "tier.sls.endpoint"));
  LARDER_RETURN_IF_ERROR(Need(sls.project, "tier.sls.project"));
  LARDER_RETURN_IF_ERROR(Need(sls.LogstoreName(), "tier.sls.instance or tier.sls.logstore"));
  LARDER_RETURN_IF_ERROR(Need(sls.access_key_id, "tier.sls.access-key-id"));
  if (sls.access_key_secret_file.empty()) {
    LARDER_RETURN_IF_ERROR(Need(sls.access_key_secret,
                                "tier.sls.access-key-secret-file or LARDER_TIER_SLS_ACCESS_KEY_"
                                "SECRET"));
  }
  if (sls.signature == SlsSignature::kV4) {
    LARDER_RETURN_IF_ERROR(Need(sls.region, "tier.sls.region (for tier.sls.signature v4)"));
  }
  return Status::Ok();
}

}  // namespace

std::string SlsOptions::LogstoreName() const {
  if (!logstore.empty()) return logstore;
  return instance.empty() ? std::string() : instance + "-traces";
}

Status CheckTierOptions(const TierOptions& options) {
  if (options.kind == TierKind::kOff) return Status::Ok();
  if (options.kind == TierKind::kDirectory) return Need(options.directory, "tier.directory");
  return CheckSls(options.sls);
}

}  // namespace larder
