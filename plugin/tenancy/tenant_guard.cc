#include "plugin/tenancy/tenant_guard.h"

#include <algorithm>
#include <utility>

namespace larder {
namespace {

TenancyOptions WithLowerHeader(TenancyOptions options) {
  for (char& c : options.header) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return options;
}

// gRPC takes other bytes as a server, but aborts a client that sends them.
bool MaySend(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

}  // namespace

TenantGuard::TenantGuard(const CallGuard* guard, const StoreGate* gate, TenancyOptions options,
                         bool is_archive)
    : guard_(guard),
      gate_(gate),
      options_(WithLowerHeader(std::move(options))),
      is_archive_(is_archive) {}

Result<Caller> TenantGuard::Admit(const CallMetadata& metadata, Access access) const {
  LARDER_ASSIGN_OR_RETURN(Caller caller, guard_->Admit(metadata));
  if (access == Access::kNone) return caller;
  LARDER_ASSIGN_OR_RETURN(const bool is_archive, IsArchive(metadata));
  if (options_.enabled) {
    LARDER_ASSIGN_OR_RETURN(const std::string_view name, NameOf(metadata));
    LARDER_ASSIGN_OR_RETURN(Store* const store, gate_->Get());
    if (access == Access::kWrite) {
      LARDER_ASSIGN_OR_RETURN(caller.tenant, store->OpenTenant(name));
    } else {
      caller.tenant = store->FindTenant(name);
    }
  }
  if (is_archive) caller.tenant = ArchiveOf(caller.tenant);
  return caller;
}

Result<Headers> TenantGuard::Identify(const CallMetadata& metadata) const {
  LARDER_RETURN_IF_ERROR(guard_->Admit(metadata).status());
  Headers headers;
  for (const std::string_view name : metadata.Values(options_.header)) {
    if (!MaySend(name)) {
      return Status::InvalidArgument("the header " + options_.header +
                                     " takes printable ASCII alone where another process owns the "
                                     "data directory");
    }
    headers.emplace_back(options_.header, name);
  }
  LARDER_ASSIGN_OR_RETURN(const bool is_archive, IsArchive(metadata));
  if (is_archive) headers.emplace_back(kDataSetHeader, "archive");
  return headers;
}

Result<std::string_view> TenantGuard::NameOf(const CallMetadata& metadata) const {
  const std::vector<std::string_view> values = metadata.Values(options_.header);
  if (values.size() > 1) return Status::PermissionDenied("extra tenant header");
  const std::string_view name = values.empty() ? std::string_view(options_.fallback) : values[0];
  if (name.empty()) return Status::Unauthenticated("missing tenant header");
  const auto& allowed = options_.allowed;
  if (!allowed.empty() && std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
    return Status::PermissionDenied("unknown tenant");
  }
  return name;
}

Result<bool> TenantGuard::IsArchive(const CallMetadata& metadata) const {
  if (is_archive_) return true;
  const std::vector<std::string_view> values = metadata.Values(kDataSetHeader);
  if (values.empty()) return false;
  if (values.size() == 1 && values[0] == "archive") return true;
  if (values.size() == 1 && values[0] == "main") return false;
  return Status::InvalidArgument("the header larder-data-set is main or archive, once");
}

}  // namespace larder
