// What of jaeger.storage.v1 can be chosen.
#pragma once

#include <cstddef>
#include <string>

namespace larder::v1 {

struct ServiceOptions {
  // Whether the archive's services are served beside the others: not on the archive's own port.
  bool has_archive = true;
  // Tell clients to write by streams. Never with tenants: Jaeger shares its streams between them.
  bool has_streaming = false;
  // The word for a kind that a span does not have: Jaeger v1.48 to v1.64 expect "unspecified".
  std::string no_kind = {};
  // A larger span is cut, and says so: a client over TCP takes messages of at most 4 MiB, and
  // cannot change it.
  size_t span_bytes_max = 3 << 20;
};

}  // namespace larder::v1
