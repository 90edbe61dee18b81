// The program `larder` of a bundle: starts the real one with the loader and the libraries that lie
// beside it, so that a system without any of them will do (Alpine, an empty image). Linked
// statically. tools/bundle.sh puts a bundle together:
//
//   larder              this program
//   lib/larder          the real one
//   lib/larder-loader   the dynamic loader that its libraries came with
//   lib/*.so.*          every library that it needs
#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include <sys/auxv.h>
#include <unistd.h>

namespace {

// Where this program lies. Without /proc, as it was named when it was started, which serves unless
// that is a link.
std::string OwnPath() {
  char path[PATH_MAX];
  const ssize_t size = readlink("/proc/self/exe", path, sizeof path);
  if (size > 0) return {path, static_cast<size_t>(size)};
  const auto* name = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  return name == nullptr ? "" : name;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string own = OwnPath();
  const size_t slash = own.rfind('/');
  const std::string lib = (slash == std::string::npos ? "." : own.substr(0, slash)) + "/lib";
  std::vector<std::string> words = {
      lib + "/larder-loader", "--inhibit-cache", "--library-path", lib, "--argv0", argv[0],
      lib + "/larder"};
  words.insert(words.end(), argv + 1, argv + argc);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  // Those of the system belong to another C library.
  unsetenv("LD_LIBRARY_PATH");
  unsetenv("LD_PRELOAD");
  execv(words[0].c_str(), pointers.data());
  std::fprintf(stderr, "larder: cannot start %s: %s (a bundle is copied with all that is in it)\n",
               words[0].c_str(), std::strerror(errno));
  return 127;
}
