#include "plugin/v1/span_status.h"

#include <charconv>
#include <optional>
#include <string>

#include "plugin/v1/model_fields.h"

namespace larder::v1 {
namespace {

constexpr int32_t kOk = 1;
constexpr int32_t kError = 2;
constexpr int32_t kServer = 2;  // OTLP kinds
constexpr int32_t kClient = 3;

bool EqualsIgnoringCase(std::string_view text, std::string_view upper) {
  if (text.size() != upper.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c) != upper[i]) return false;
  }
  return true;
}

// The code that the words OK and ERROR stand for; 0 for all else.
int32_t CodeOf(const Tag& tag) {
  if (tag.type != TagType::kString) return 0;
  if (EqualsIgnoringCase(tag.text, kStatusOk)) return kOk;
  return EqualsIgnoringCase(tag.text, kStatusError) ? kError : 0;
}

std::optional<int64_t> HttpCode(const Tag& tag) {
  if (tag.type == TagType::kInt64) return tag.integer;
  if (tag.type != TagType::kString) return std::nullopt;
  std::string_view digits = tag.text;
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  int64_t code = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, code);
  if (error != std::errc() || stopped != end) return std::nullopt;
  return code;
}

// Whether an HTTP status says that a span of that kind failed. 399 does, as in Jaeger's translator.
bool IsHttpError(int64_t code, int32_t kind) {
  if (code >= 400 && code < 500 && kind == kServer) return false;
  if (code >= 400 && code < 500 && kind == kClient) return true;
  return code < 100 || code >= 399;
}

std::string_view HttpMessage(std::vector<Tag>* tags) {
  const Tag* message = FindTag(kHttpStatusMessageKey, tags);
  return message != nullptr && message->type == TagType::kString ? message->text
                                                                 : std::string_view();
}

SpanStatus TakeError(Tag* error, std::vector<Tag>* tags) {
  error->is_taken = true;
  Tag* code = FindTag(kStatusCodeKey, tags);
  if (code != nullptr && CodeOf(*code) != 0) code->is_taken = true;
  std::string_view message = TakeText(kStatusDescriptionKey, tags);
  if (message.empty()) message = HttpMessage(tags);
  return {kError, message};
}

}  // namespace

Tag* FindTag(std::string_view key, std::vector<Tag>* tags) {
  for (Tag& tag : *tags) {
    if (tag.key == key && !tag.is_taken) return &tag;
  }
  return nullptr;
}

std::string_view TakeText(std::string_view key, std::vector<Tag>* tags) {
  Tag* tag = FindTag(key, tags);
  if (tag == nullptr || tag->type != TagType::kString || tag->text.empty()) return {};
  tag->is_taken = true;
  return tag->text;
}

SpanStatus TakeStatus(int32_t kind, std::vector<Tag>* tags) {
  Tag* error = FindTag(kErrorKey, tags);
  if (error != nullptr && error->type == TagType::kBool && error->boolean) {
    return TakeError(error, tags);
  }
  if (Tag* code = FindTag(kStatusCodeKey, tags); code != nullptr) {
    const int32_t number = CodeOf(*code);
    if (number == 0) return {};
    code->is_taken = true;
    return {number, TakeText(kStatusDescriptionKey, tags)};
  }
  if (const Tag* http = FindTag(kHttpStatusCodeKey, tags); http != nullptr) {
    const std::optional<int64_t> code = HttpCode(*http);
    if (code && IsHttpError(*code, kind)) return {kError, HttpMessage(tags)};
  }
  return {};
}

}  // namespace larder::v1
