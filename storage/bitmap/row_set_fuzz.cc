// Any bytes: refused, or a set of rows of the segment that is written and read back as itself.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/base/check.h"
#include "storage/bitmap/row_set.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint32_t kRows = 200'000;
  larder::RowSet set;
  if (!larder::GetRowSet({reinterpret_cast<const char*>(data), size}, kRows, &set)) return 0;
  LARDER_CHECK(!set.NextFrom(kRows).has_value());
  larder::RowSet rest = set;
  rest.Complement(kRows);
  LARDER_CHECK(rest.count() + set.count() == kRows);
  std::string bytes;
  larder::PutRowSet(&bytes, set, kRows);
  larder::RowSet again;
  LARDER_CHECK(larder::GetRowSet(bytes, kRows, &again));
  LARDER_CHECK(again == set);
  return 0;
}
