#include "storage/base/log.h"

#include <cstdio>
#include <memory>
#include <utility>

#include "storage/base/clock.h"
#include "storage/base/log_format.h"
#include "storage/base/mutex.h"

namespace larder {
namespace {

LogSink StderrSink(LogLevel lowest, LogFormat format) {
  return [lowest, format](LogLevel level, std::string_view message,
                          std::initializer_list<LogField> fields) {
    if (level < lowest) return;
    std::string line =
        FormatLogLine(format, Clock::System().NowUnixNanos(), level, message, fields);
    line.push_back('\n');
    std::fwrite(line.data(), 1, line.size(), stderr);  // one call: lines of processes do not mix
  };
}

struct Logger {
  Mutex mu;
  LogSink sink GUARDED_BY(mu) = StderrSink(LogLevel::kInfo, LogFormat::kText);
};

// Never destroyed: threads may log while the process ends.
Logger& TheLogger() {
  static auto* logger = new Logger;  // NOLINT(cppcoreguidelines-owning-memory)
  return *logger;
}

}  // namespace

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  Logger& logger = TheLogger();
  const MutexLock lock(logger.mu);
  if (logger.sink) logger.sink(level, message, fields);
}

void SetLogToStderr(LogLevel level, LogFormat format) { SetLogSink(StderrSink(level, format)); }

void SetLogSink(LogSink sink) {
  Logger& logger = TheLogger();
  const MutexLock lock(logger.mu);
  logger.sink = std::move(sink);
}

}  // namespace larder
