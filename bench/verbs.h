// The verbs of larder-bench, one file each. Every one but `drop` prints its figures, checks what
// the store answers, and fails when an answer is wrong.
#pragma once

#include "bench/flags.h"
#include "storage/base/status.h"

namespace larder::bench {

Status RunIngest(Flags* flags);
Status RunQuery(Flags* flags);
Status RunPages(Flags* flags);
Status RunRestart(Flags* flags);
Status RunLoneClient(Flags* flags);
Status RunDrop(Flags* flags);  // serves until SIGTERM
Status RunTenants(Flags* flags);
Status RunWriters(Flags* flags);

}  // namespace larder::bench
