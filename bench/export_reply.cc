#include "bench/export_reply.h"

#include <protozero/pbf_reader.hpp>

namespace larder::bench {

uint32_t RejectedSpans(std::string_view reply) {
  uint32_t rejected = 0;
  protozero::pbf_reader response(reply.data(), reply.size());
  while (response.next(1)) {  // partial_success
    protozero::pbf_reader partial = response.get_message();
    while (partial.next()) {
      if (partial.tag() == 1) {
        rejected = static_cast<uint32_t>(partial.get_int64());
      } else {
        partial.skip();
      }
    }
  }
  return rejected;
}

}  // namespace larder::bench
