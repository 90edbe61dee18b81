#include "tests/support/scratch_directory.h"

#include <cstdlib>
#include <filesystem>

#include <unistd.h>

#include "storage/base/check.h"

namespace larder {

ScratchDirectory::ScratchDirectory() {
  path_ = (std::filesystem::temp_directory_path() / "larder_test_XXXXXX").string();
  LARDER_CHECK(::mkdtemp(path_.data()) != nullptr);
}

ScratchDirectory::~ScratchDirectory() {
  std::error_code ignored;  // what is left behind is only litter
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace larder
