#include "plugin/v1/double_text.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>
#include <string>

#include "storage/model/filter_text.h"
#include "storage/model/value.h"

namespace larder::v1 {
namespace {

constexpr int kDigits = 10;

std::string TenDigits(double value) {
  std::array<char, 32> text;
  const int size = std::snprintf(text.data(), text.size(), "%.*g", kDigits, value);
  return {text.data(), static_cast<size_t>(size)};
}

// The double farthest from `inside` on the way to `outside` that has that text. Both have one sign,
// so that their bits are in order.
double FarthestWithText(double inside, double outside, std::string_view text) {
  auto in = std::bit_cast<uint64_t>(inside);
  auto out = std::bit_cast<uint64_t>(outside);
  while ((in > out ? in - out : out - in) > 1) {
    const uint64_t middle = in / 2 + out / 2 + (in & out & 1);
    (TenDigits(std::bit_cast<double>(middle)) == text ? in : out) = middle;
  }
  return std::bit_cast<double>(in);
}

}  // namespace

std::optional<DoubleRange> DoublesOfText(std::string_view text) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (text == "+Inf") return DoubleRange{kInfinity, kInfinity};
  if (text == "-Inf") return DoubleRange{-kInfinity, -kInfinity};
  const std::optional<double> value = ParseDoubleText(text);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  if (TenDigits(*value) != text) {
    const std::string payload(reinterpret_cast<const char*>(&*value), sizeof *value);
    if (ValueText(ValueType::kDouble, payload) != text) return std::nullopt;
    return DoubleRange{*value, *value};
  }
  if (*value == 0) return DoubleRange{0, 0};
  // The last of ten digits is worth less than this, and half of it is as far as rounding goes.
  const double step = std::abs(*value) * std::pow(10, 1 - kDigits);
  return DoubleRange{FarthestWithText(*value, *value - step, text),
                     FarthestWithText(*value, *value + step, text)};
}

}  // namespace larder::v1
