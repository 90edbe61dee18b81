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

bool SplitRequest(std::string_view message, std::vector<std::string_view>* resource_spans) {
  wire::Reader reader(message);
  while (reader.NextField()) {
    if (reader.tag_and_type() == otlp::request::kResourceSpans) {
      resource_spans->push_back(reader.View());
    } else if (reader.IsMistyped(otlp::request::kLast)) {
      return false;
    } else {
      reader.skip();
    }
  }
  return true;
}

bool SplitGroup(std::string_view message, std::string* scratch, std::string_view* envelope,
                std::vector<std::string_view>* children) {
  *envelope = {};
  wire::Reader reader(message);
  while (reader.NextField()) {
    if (reader.tag_and_type() == otlp::group::kChildren) {
      children->push_back(reader.View());
      continue;
    }
    if (reader.tag() == otlp::group::kChildren >> 3) return false;
    const std::string_view field = reader.SkipField();
    if (envelope->empty()) {
      *envelope = field;
    } else if (envelope->data() + envelope->size() == field.data()) {
      *envelope = {envelope->data(), envelope->size() + field.size()};
    } else {
      if (envelope->data() != scratch->data()) scratch->assign(*envelope);
      scratch->append(field);
      *envelope = *scratch;
    }
  }
  return true;
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

}  // namespace larder
