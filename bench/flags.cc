#include "bench/flags.h"

#include <charconv>

namespace larder::bench {

Result<Flags> Flags::Parse(char** arguments) {
  Flags flags;
  for (; *arguments != nullptr; ++arguments) {
    const std::string_view argument = *arguments;
    if (!argument.starts_with("--")) {
      return Status::InvalidArgument(std::string(argument) + ": flags are --name=value");
    }
    const size_t equals = argument.find('=');
    const std::string name(argument.substr(2, equals - 2));
    flags.given_[name] = equals == std::string_view::npos ? "1" : argument.substr(equals + 1);
  }
  return flags;
}

std::string Flags::Text(const std::string& name, std::string_view fallback) {
  asked_.insert(name);
  const auto at = given_.find(name);
  return at == given_.end() ? std::string(fallback) : at->second;
}

uint64_t Flags::Number(const std::string& name, uint64_t fallback) {
  const std::string text = Text(name);
  if (text.empty()) return fallback;
  uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, value);
  const std::string_view unit(stopped, static_cast<size_t>(end - stopped));
  if (error != std::errc() || (!unit.empty() && unit != "k" && unit != "m")) bad_ = name;
  return value * (unit == "k" ? 1000 : unit == "m" ? 1'000'000 : 1);
}

bool Flags::Has(const std::string& name) {
  asked_.insert(name);
  return given_.contains(name);
}

Status Flags::CheckAllKnown() const {
  if (!bad_.empty()) return Status::InvalidArgument("--" + bad_ + ": a number, 10k or 10m");
  for (const auto& [name, value] : given_) {
    if (asked_.contains(name)) continue;
    std::string message = "--" + name + ": no such flag here; there are";
    for (const std::string& known : asked_) message += " --" + known;
    return Status::InvalidArgument(message);
  }
  return Status::Ok();
}

}  // namespace larder::bench
