#include "plugin/otlp_http/otlp_json.h"

#include <cstdint>
#include <vector>

#include <nlohmann/json.hpp>

#include "plugin/otlp_http/json_scalar.h"
#include "plugin/otlp_http/otlp_json_schema.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

using otlp_json::Field;
using otlp_json::Kind;
using otlp_json::Message;

// Above what the store takes, which rejects a span for it and not a request.
constexpr size_t kDepthMax = 256;

// Takes the events of nlohmann's parser, which keeps no tree and does not recurse, and writes each
// message behind its last field. The names of the methods are the parser's.
class WireWriter {
 public:
  bool null() {
    if (Skips()) return true;
    return (!stack_.empty() && !stack_.back().in_array) || Fail("null");
  }
  bool boolean(bool value) {
    return Scalar("a boolean", [&](const Field& field, bool keep, std::string* out) {
      return AppendBool(field, value, keep, out);
    });
  }
  bool number_integer(int64_t value) {
    return Scalar("a negative number", [&](const Field& field, bool keep, std::string* out) {
      return AppendInteger(field, static_cast<uint64_t>(value), value < 0, keep, out);
    });
  }
  bool number_unsigned(uint64_t value) {
    return Scalar("a number", [&](const Field& field, bool keep, std::string* out) {
      return AppendInteger(field, value, false, keep, out);
    });
  }
  bool number_float(double value, const std::string& /*text*/) {
    return Scalar("a fraction", [&](const Field& field, bool keep, std::string* out) {
      return AppendFloat(field, value, keep, out);
    });
  }
  bool string(const std::string& value) {
    return Scalar("this text", [&](const Field& field, bool keep, std::string* out) {
      return AppendText(field, value, keep, out);
    });
  }
  // JSON has none; it is for the parser's binary formats.
  bool binary(const std::vector<uint8_t>& /*value*/) { return false; }

  bool start_object(size_t /*size*/) {
    if (Skips()) return Skip();
    if (stack_.empty()) return Push(&otlp_json::kRequest);
    const Frame& top = stack_.back();
    const Kind wanted = top.in_array ? Kind::kMessages : Kind::kMessage;
    if (top.field->kind != wanted) return Fail("an object");
    return Push(top.field->message);
  }
  bool key(const std::string& name) {
    if (skipped_depth_ > 0) return true;
    Frame& top = stack_.back();
    top.field = nullptr;
    for (const Field& field : top.message->fields) {
      if (field.name == name) top.field = &field;
    }
    return true;
  }
  bool end_object() {
    if (skipped_depth_ > 0) return Unskip();
    const std::string bytes = std::move(stack_.back().bytes);
    stack_.pop_back();
    if (stack_.empty()) {
      wire_ = bytes;
    } else {
      wire::AppendBytes(stack_.back().field->tag, bytes, &stack_.back().bytes);
    }
    return true;
  }
  bool start_array(size_t /*size*/) {
    if (Skips()) return Skip();
    if (stack_.empty()) return Fail("an array");
    Frame& top = stack_.back();
    const bool is_list = top.field->kind == Kind::kMessages || top.field->kind == Kind::kStrings;
    if (top.in_array || !is_list) return Fail("an array");
    top.in_array = true;
    return true;
  }
  bool end_array() {
    if (skipped_depth_ > 0) return Unskip();
    stack_.back().in_array = false;
    return true;
  }
  bool parse_error(size_t position, const std::string& /*last_token*/,
                   const nlohmann::detail::exception& /*error*/) {
    error_ = "the request is not JSON in UTF-8: see byte " + std::to_string(position);
    return false;
  }

  const std::string& error() const { return error_; }
  std::string TakeWire() { return std::move(wire_); }

 private:
  struct Frame {
    const Message* message;
    const Field* field = nullptr;  // of the value that comes next; null: unknown
    bool in_array = false;
    std::string bytes = {};
  };

  // Whether what begins lies in a field that OTLP does not name.
  bool Skips() const {
    return skipped_depth_ > 0 || (!stack_.empty() && stack_.back().field == nullptr);
  }
  bool Skip() {
    ++skipped_depth_;
    return true;
  }
  bool Unskip() {
    --skipped_depth_;
    return true;
  }

  bool Push(const Message* message) {
    if (stack_.size() == kDepthMax) {
      error_ = "values nest deeper than " + std::to_string(kDepthMax) + " messages";
      return false;
    }
    stack_.push_back({.message = message});
    return true;
  }

  template <typename Append>
  bool Scalar(const char* what, Append append) {
    if (Skips()) return true;
    if (stack_.empty()) return Fail(what);
    Frame& top = stack_.back();
    const bool is_text_of_list = top.field->kind == Kind::kStrings;
    const bool keeps_default = top.message->is_oneof || is_text_of_list;
    const bool fits =
        top.in_array == is_text_of_list && append(*top.field, keeps_default, &top.bytes);
    return fits || Fail(what);
  }

  bool Fail(const std::string& what) {
    std::string place;
    for (const Frame& frame : stack_) place += "." + std::string(frame.field->name);
    error_ = (place.empty() ? "the request" : place.substr(1)) + " cannot be " + what;
    return false;
  }

  std::vector<Frame> stack_;
  size_t skipped_depth_ = 0;
  std::string wire_;
  std::string error_;
};

}  // namespace

Result<std::string> OtlpJsonToWire(std::string_view json) {
  WireWriter writer;
  if (!nlohmann::json::sax_parse(json.begin(), json.end(), &writer)) {
    return Status::InvalidArgument(writer.error());
  }
  return writer.TakeWire();
}

}  // namespace larder
