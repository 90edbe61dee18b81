#include <nlohmann/json.hpp>

#include "plugin/admin/admin_server.h"
#include "plugin/version.h"

namespace larder {

std::string StatusJson(const StoreStats* stats, const std::string& why_not_ready,
                       const Settings& settings) {
  nlohmann::ordered_json status;
  status["version"] = kVersion;
  status["ready"] = why_not_ready.empty();
  if (!why_not_ready.empty()) status["why_not_ready"] = why_not_ready;
  if (stats != nullptr) {
    status["store"] = {
        {"spans_stored", stats->stored_rows},
        {"spans_in_memory", stats->head_rows},
        {"bytes_stored", stats->stored_bytes},
        {"bytes_of_journals", stats->journal_bytes},
        {"partitions", stats->partitions},
        {"segments", stats->segments},
        {"oldest_arrival_unix_ns", stats->oldest_arrival_ns},
        {"writable", stats->writable},
        {"journal_records_set_aside", stats->records_set_aside},
        {"read_gaps", stats->read_gaps},
    };
  }
  if (stats != nullptr && !stats->tier.name.empty()) {
    const TierStats& tier = stats->tier;
    status["tier"] = {
        {"name", tier.name},
        {"partitions_waiting", tier.waiting_partitions},
        {"spans_waiting", tier.waiting_rows},
        {"spans_uploaded", tier.spans_uploaded},
        {"partitions_cold", tier.cold_partitions},
        {"spans_cold", tier.cold_rows},
        {"partitions_elsewhere", tier.elsewhere_partitions},
        {"partitions_fetched", tier.fetched_partitions},
        {"spans_fetched", tier.fetched_rows},
        {"bytes_fetched", tier.fetched_bytes},
        {"partitions_lost", tier.partitions_lost},
        {"failures", tier.failures},
        {"last_error", tier.last_error},
    };
  }
  auto& in_force = status["settings"];
  for (const Setting& setting : SettingsTable()) {
    in_force[std::string(setting.name)] = SettingText(setting, settings);
  }
  // A path need not be UTF-8.
  return status.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace larder
