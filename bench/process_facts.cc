#include "bench/process_facts.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

namespace larder::bench {
namespace {

double ClockUs(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The number after `label` in a file of "label value" lines.
uint64_t Labelled(const std::string& text, const std::string& label) {
  const size_t at = text.find(label);
  return at == std::string::npos
             ? 0
             : std::stoull("0" + text.substr(text.find_first_of("0123456789", at + label.size())));
}

// utime and stime, the 14th and 15th field; the 2nd may hold spaces inside its brackets.
double CpuUsOf(const std::string& stat) {
  const size_t bracket = stat.rfind(')');
  if (bracket == std::string::npos) return 0;
  std::istringstream fields(stat.substr(bracket + 1));
  std::string skipped;
  for (int field = 3; field < 14; ++field) fields >> skipped;
  uint64_t user = 0;
  uint64_t system = 0;
  fields >> user >> system;
  return static_cast<double>(user + system) * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

}  // namespace

ProcessFacts FactsOf(int pid) {
  const std::string base = "/proc/" + (pid == 0 ? std::string("self") : std::to_string(pid));
  ProcessFacts facts;
  facts.cpu_us = pid == 0 ? ClockUs(CLOCK_PROCESS_CPUTIME_ID) : CpuUsOf(ReadAll(base + "/stat"));
  facts.written_bytes = Labelled(ReadAll(base + "/io"), "\nwrite_bytes:");
  facts.peak_rss_bytes = Labelled(ReadAll(base + "/status"), "VmHWM:") * 1024;
  return facts;
}

double ThreadCpuUs() { return ClockUs(CLOCK_THREAD_CPUTIME_ID); }
double NowUs() { return ClockUs(CLOCK_MONOTONIC); }

uint64_t DirectoryBytes(const std::string& path) {
  uint64_t bytes = 0;
  std::error_code error;
  for (auto at = std::filesystem::recursive_directory_iterator(path, error);
       !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
    struct stat facts {};
    if (::stat(at->path().c_str(), &facts) == 0 && S_ISREG(facts.st_mode)) {
      bytes += static_cast<uint64_t>(facts.st_blocks) * 512;
    }
  }
  return bytes;
}

}  // namespace larder::bench
