// What a process has used, from /proc.
#pragma once

#include <cstdint>
#include <string>

namespace larder::bench {

struct ProcessFacts {
  double cpu_us = 0;           // user and system, all threads
  uint64_t written_bytes = 0;  // to block devices
  uint64_t peak_rss_bytes = 0;
};

// Zeros when there is no such process. `pid` 0: this one.
ProcessFacts FactsOf(int pid);
// CPU time of the calling thread.
double ThreadCpuUs();
// Wall time, monotonic.
double NowUs();
// Bytes of disk under a directory (blocks, not lengths), 0 when it cannot be read.
uint64_t DirectoryBytes(const std::string& path);

}  // namespace larder::bench
