#include "storage/base/log_format.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

namespace larder {
namespace {

std::string_view LevelName(LogLevel level) {
  static constexpr std::array<std::string_view, 4> kNames = {"debug", "info", "warning", "error"};
  return kNames[static_cast<size_t>(level)];
}

// `digits` of the fraction of a second are written: at most 9.
std::string Rfc3339(uint64_t unix_ns, size_t digits) {
  const auto seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
  const auto nanos = static_cast<unsigned>(unix_ns % 1'000'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char text[64];
  const size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + size, sizeof text - size, ".%09u", nanos);
  return std::string(text, size + 1 + digits) + "Z";
}

// Bytes in the sequence that starts at text[i]; 0 when it is not UTF-8. Overlong forms and
// surrogates are let through: they harm no reader of a log.
size_t Utf8SequenceBytes(std::string_view text, size_t i) {
  const auto lead = static_cast<uint8_t>(text[i]);
  const size_t size = lead < 0x80   ? 1
                      : lead < 0xc2 ? 0
                      : lead < 0xe0 ? 2
                      : lead < 0xf0 ? 3
                      : lead < 0xf5 ? 4
                                    : 0;
  if (i + size > text.size()) return 0;
  for (size_t k = 1; k < size; ++k) {
    if ((static_cast<uint8_t>(text[i + k]) & 0xc0) != 0x80) return 0;
  }
  return size;
}

bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const size_t size = Utf8SequenceBytes(text, i);
    if (size == 0) return false;
    i += size;
  }
  return true;
}

void AppendQuoted(std::string* line, std::string_view text) {
  const bool utf8 = IsUtf8(text);
  line->push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      line->push_back('\\');
      line->push_back(c);
    } else if (byte < 0x20 || byte == 0x7f || (byte >= 0x80 && !utf8)) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
      line->append(escaped);
    } else {
      line->push_back(c);
    }
  }
  line->push_back('"');
}

bool IsPlainWord(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
  });
}

void AppendValue(std::string* line, std::string_view text) {
  if (IsPlainWord(text)) {
    line->append(text);
  } else {
    AppendQuoted(line, text);
  }
}

// A message is prose: quoted only when it would break the line.
void AppendMessage(std::string* line, std::string_view text) {
  const bool breaks = std::any_of(
      text.begin(), text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x20 || c == 0x7f; });
  if (breaks) {
    AppendQuoted(line, text);
  } else {
    line->append(text);
  }
}

}  // namespace

std::string FormatLogLine(LogFormat format, uint64_t unix_ns, LogLevel level,
                          std::string_view message, std::initializer_list<LogField> fields) {
  std::string line;
  if (format == LogFormat::kText) {
    line.append(Rfc3339(unix_ns, 3)).append(" ").append(LevelName(level)).append(" ");
    AppendMessage(&line, message);
    for (const LogField& field : fields) {
      line.append(" ").append(field.key).append("=");
      AppendValue(&line, field.value);
    }
    return line;
  }
  if (format == LogFormat::kHclog) {
    const bool is_warning = level == LogLevel::kWarning;
    line.append("{\"@level\":\"").append(is_warning ? "warn" : LevelName(level));
    line.append("\",\"@timestamp\":\"").append(Rfc3339(unix_ns, 6)).append("\",\"@message\":");
  } else {
    line.append("{\"time\":\"").append(Rfc3339(unix_ns, 3)).append("\",\"level\":\"");
    line.append(LevelName(level)).append("\",\"message\":");
  }
  AppendQuoted(&line, message);
  for (const LogField& field : fields) {
    line.push_back(',');
    AppendQuoted(&line, field.key);
    line.push_back(':');
    AppendQuoted(&line, field.value);
  }
  line.push_back('}');
  return line;
}

}  // namespace larder
