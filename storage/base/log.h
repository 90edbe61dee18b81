// Structured log lines through one process-wide sink: a level, a message, and fields.
//
//   Log(LogLevel::kWarning, "journal record set aside", {{"file", path}, {"offset", offset}});
//
// Default: text on stderr from level info on. The library's user may install a sink of his own.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

namespace larder {

enum class LogLevel : uint8_t { kDebug, kInfo, kWarning, kError };
enum class LogFormat : uint8_t { kText, kJson, kHclog };

// One field. Numbers are kept as their text.
struct LogField {
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, const std::string& v) : key(k), value(v) {}
  template <typename T>
  requires std::is_arithmetic_v<T> LogField(std::string_view k, T v)
      : key(k), value(std::to_string(v)) {}

  std::string_view key;
  std::string value;
};

using LogSink =
    std::function<void(LogLevel, std::string_view message, std::initializer_list<LogField>)>;

// Thread-safe, all three.
void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});
// Lines below `level` are dropped; written to stderr in `format`.
void SetLogToStderr(LogLevel level, LogFormat format);
// Replaces the sink; it is called from any thread, one call at a time.
void SetLogSink(LogSink sink);

}  // namespace larder
