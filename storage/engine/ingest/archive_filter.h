// Archiving a trace twice stores it once: what an archive holds need not come in again.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "storage/engine/store.h"

namespace larder {

// A request without the spans that were left out of it.
struct NewSpans {
  std::string otlp;  // empty: none is left
  uint32_t known_spans = 0;
};

// The spans of `otlp` that are equal in every field to one of that tenant are left out. Nothing
// when none is, or when the request or the store cannot be read: then it is to be stored as it is,
// and reads leave equal spans out.
std::optional<NewSpans> LeaveKnownOut(Store* store, TenantId tenant, std::string_view otlp);

}  // namespace larder
