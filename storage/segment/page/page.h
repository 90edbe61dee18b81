// The envelope around every page body: a checksum, and zstd where that is smaller.
#pragma once

#include <string>
#include <string_view>

#include "storage/base/status.h"
#include "storage/segment/page/page_store.h"

namespace larder {

// A body is never larger; a page that claims more is broken.
inline constexpr uint64_t kPageBodyBytesMax = 1ull << 30;

// The checksum covers the page's key too: a page in another's place is found out.
uint32_t PageChecksum(PageKey key, std::string_view checked);

// Replaces `body` by the body of a page as PageWriter made it. kDataLoss, naming `key`, when the
// checksum or anything else is wrong; nothing is parsed before the checksum agrees. Thread-safe.
Status DecodePage(PageKey key, std::string_view page, std::string* body);

// kDataLoss for a page whose bytes are as written but make no sense: "page fixed/3/17: `what`".
Status PageFault(PageKey key, std::string_view what);

}  // namespace larder
