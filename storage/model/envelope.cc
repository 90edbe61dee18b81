#include "storage/model/envelope.h"

#include "storage/model/otlp_fields.h"
#include "storage/model/wire.h"

namespace larder {
namespace {

// The fields of a group beside its owner and children.
bool ReadOuterField(wire::Reader* reader, std::string_view* schema_url,
                    std::string* outer_unknown) {
  if (reader->tag_and_type() == otlp::group::kSchemaUrl) {
    *schema_url = reader->View();
    return true;
  }
  if (reader->IsMistyped(otlp::group::kLast)) return false;
  *outer_unknown += reader->SkipField();
  return true;
}

bool ReadResourceMessage(std::string_view message, ResourceFields* resource) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case otlp::resource::kAttributes:
        resource->key_values.push_back(reader.View());
        break;
      case otlp::resource::kDroppedAttributes:
        resource->dropped_attributes = reader.get_uint32();
        break;
      default:
        if (reader.IsMistyped(otlp::resource::kLast)) return false;
        resource->unknown += reader.SkipField();
    }
  }
  return true;
}

bool ReadScopeMessage(std::string_view message, ScopeFields* scope) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    switch (reader.tag_and_type()) {
      case otlp::scope::kName:
        scope->name = reader.View();
        break;
      case otlp::scope::kVersion:
        scope->version = reader.View();
        break;
      case otlp::scope::kAttributes:
        scope->key_values.push_back(reader.View());
        break;
      case otlp::scope::kDroppedAttributes:
        scope->dropped_attributes = reader.get_uint32();
        break;
      default:
        if (reader.IsMistyped(otlp::scope::kLast)) return false;
        scope->unknown += reader.SkipField();
    }
  }
  return true;
}

}  // namespace

bool ChildReader::Next(std::string_view* child) {
  while (reader_.NextField()) {
    if (reader_.tag_and_type() == tag_) {
      *child = reader_.View();
      return true;
    }
    if (reader_.tag() == tag_ >> 3) {
      is_mistyped_ = true;
      return false;
    }
    reader_.skip();
  }
  return false;
}

std::string_view ReadEnvelope(std::string_view message, std::string* scratch) {
  std::string_view envelope;
  wire::Reader reader(message);
  while (reader.NextField()) {
    if (reader.tag_and_type() == otlp::group::kChildren) {
      reader.skip();
      continue;
    }
    const std::string_view field = reader.SkipField();
    if (envelope.empty()) {
      envelope = field;
    } else if (envelope.data() + envelope.size() == field.data()) {
      envelope = {envelope.data(), envelope.size() + field.size()};
    } else {
      if (envelope.data() != scratch->data()) scratch->assign(envelope);
      scratch->append(field);
      envelope = *scratch;
    }
  }
  return envelope;
}

uint64_t CountAttributes(std::string_view envelope, uint32_t tag) {
  uint64_t count = 0;
  wire::Reader reader(envelope);
  while (reader.NextField(otlp::group::kOwner)) {
    wire::Reader owner(reader.View());
    while (owner.NextField(tag)) {
      owner.skip();
      ++count;
    }
  }
  return count;
}

bool ReadResource(std::string_view envelope, ResourceFields* resource) {
  wire::Reader reader(envelope);
  while (reader.NextField()) {
    if (reader.tag_and_type() == otlp::group::kOwner) {
      if (!ReadResourceMessage(reader.View(), resource)) return false;
    } else if (!ReadOuterField(&reader, &resource->schema_url, &resource->outer_unknown)) {
      return false;
    }
  }
  return true;
}

bool ReadScope(std::string_view envelope, ScopeFields* scope) {
  wire::Reader reader(envelope);
  while (reader.NextField()) {
    if (reader.tag_and_type() == otlp::group::kOwner) {
      if (!ReadScopeMessage(reader.View(), scope)) return false;
    } else if (!ReadOuterField(&reader, &scope->schema_url, &scope->outer_unknown)) {
      return false;
    }
  }
  return true;
}

void WriteResource(const ResourceFields& resource, std::string* envelope) {
  std::string message;
  for (const std::string_view key_value : resource.key_values) {
    wire::AppendBytes(otlp::resource::kAttributes, key_value, &message);
  }
  wire::AppendVarintIfAny(otlp::resource::kDroppedAttributes, resource.dropped_attributes,
                          &message);
  message += resource.unknown;
  wire::AppendBytesIfAny(otlp::group::kOwner, message, envelope);
  wire::AppendBytesIfAny(otlp::group::kSchemaUrl, resource.schema_url, envelope);
  *envelope += resource.outer_unknown;
}

void WriteScope(const ScopeFields& scope, std::string* envelope) {
  std::string message;
  wire::AppendBytesIfAny(otlp::scope::kName, scope.name, &message);
  wire::AppendBytesIfAny(otlp::scope::kVersion, scope.version, &message);
  for (const std::string_view key_value : scope.key_values) {
    wire::AppendBytes(otlp::scope::kAttributes, key_value, &message);
  }
  wire::AppendVarintIfAny(otlp::scope::kDroppedAttributes, scope.dropped_attributes, &message);
  message += scope.unknown;
  wire::AppendBytesIfAny(otlp::group::kOwner, message, envelope);
  wire::AppendBytesIfAny(otlp::group::kSchemaUrl, scope.schema_url, envelope);
  *envelope += scope.outer_unknown;
}

}  // namespace larder
