// Whether a Logstore is fit to be a tier: tried step by step, so that each failure has its cure.
#pragma once

#include <string>
#include <vector>

#include "storage/base/status.h"
#include "tiering/sls/sls_client.h"
#include "tiering/tier_options.h"

namespace larder {

struct TierCheckStep {
  std::string what;  // "credentials"
  Status status;
  std::string note{};  // what was found, or a warning
};

// Asks for endpoint and project, credentials, Logstore, index and clock, until one fails: the last
// step is then the one that did. With options.sls.create a Logstore or an index that is not there
// is made; what is there is never changed.
std::vector<TierCheckStep> CheckSlsTier(const TierOptions& options, SlsClient* client);

}  // namespace larder
