#include "storage/base/log.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "storage/base/log_format.h"

namespace larder {
namespace {

constexpr uint64_t kTime = 1'700'000'000'250'000'000;

TEST(Log, Text) {
  EXPECT_EQ(FormatLogLine(LogFormat::kText, kTime, LogLevel::kWarning, "record set aside",
                          {{"file", "a b"}, {"offset", 42}, {"empty", ""}}),
            "2023-11-14T22:13:20.250Z warning record set aside file=\"a b\" offset=42 empty=\"\"");
}

TEST(Log, Json) {
  EXPECT_EQ(FormatLogLine(LogFormat::kJson, kTime, LogLevel::kError, "say \"no\"",
                          {{"path", "C:\\x"}, {"offset", 42}}),
            "{\"time\":\"2023-11-14T22:13:20.250Z\",\"level\":\"error\",\"message\":\"say "
            "\\\"no\\\"\",\"path\":\"C:\\\\x\",\"offset\":\"42\"}");
}

TEST(Log, Hclog) {
  EXPECT_EQ(FormatLogLine(LogFormat::kHclog, kTime, LogLevel::kWarning, "m", {{"offset", 42}}),
            "{\"@level\":\"warn\",\"@timestamp\":\"2023-11-14T22:13:20.250000Z\","
            "\"@message\":\"m\",\"offset\":\"42\"}");
}

TEST(Log, StaysOneLine) {
  for (const LogFormat format : {LogFormat::kText, LogFormat::kJson, LogFormat::kHclog}) {
    const std::string line =
        FormatLogLine(format, kTime, LogLevel::kInfo, "two\nlines", {{"value", "a\nb\x1b[0m"}});
    EXPECT_EQ(line.find('\n'), std::string::npos);
    EXPECT_EQ(line.find('\x1b'), std::string::npos);
  }
}

TEST(Log, InvalidUtf8BecomesEscapesAndValidStays) {
  const std::string line = FormatLogLine(LogFormat::kJson, kTime, LogLevel::kInfo, "m",
                                         {{"bad", "x\xff"}, {"good", "\xc3\xa4"}});
  EXPECT_NE(line.find("\"bad\":\"x\\u00ff\""), std::string::npos) << line;
  EXPECT_NE(line.find("\"good\":\"\xc3\xa4\""), std::string::npos) << line;
}

TEST(Log, SinkGetsEveryLine) {
  std::vector<std::string> seen;
  SetLogSink([&seen](LogLevel, std::string_view message, std::initializer_list<LogField> fields) {
    seen.push_back(std::string(message) + ":" + fields.begin()->value);
  });
  Log(LogLevel::kDebug, "hello", {{"n", 7}});
  SetLogToStderr(LogLevel::kError, LogFormat::kText);
  Log(LogLevel::kInfo, "dropped", {{"n", 8}});
  SetLogToStderr(LogLevel::kInfo, LogFormat::kText);
  EXPECT_EQ(seen, std::vector<std::string>{"hello:7"});
}

}  // namespace
}  // namespace larder
