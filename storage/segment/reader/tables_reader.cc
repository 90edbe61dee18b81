#include "storage/segment/reader/tables_reader.h"

#include <protozero/exception.hpp>

#include "storage/model/envelope.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/format/segment_format.h"

namespace larder {
namespace {

constexpr PageKey kNamesKey{Section::kStrings, 0, 0};
constexpr PageKey kShapesKey{Section::kShapes, 0, 0};
constexpr PageKey kResourcesKey{Section::kResources, kResourceEnvelopes, 0};
constexpr PageKey kServicesKey{Section::kResources, kResourceServices, 0};
constexpr PageKey kScopesKey{Section::kScopes, 0, 0};

// The seven members of templates, each its own stream.
struct TemplateStreams {
  std::array<std::vector<uint32_t>, 7> members;

  bool Decode(std::string_view body) {
    ByteReader in(body);
    for (std::vector<uint32_t>& member : members) {
      if (!DecodeCodes(&in, &member) || member.size() != members[0].size()) return false;
    }
    return in.empty();
  }
};

}  // namespace

Result<std::unique_ptr<const LoadedTables>> LoadedTables::Load(const SegmentPages& pages) {
  auto tables = std::make_unique<LoadedTables>();
  LARDER_RETURN_IF_ERROR(tables->LoadStrings(pages, kNamesKey, &tables->names_));
  LARDER_RETURN_IF_ERROR(tables->LoadShapes(pages));
  LARDER_RETURN_IF_ERROR(tables->LoadResources(pages));
  LARDER_RETURN_IF_ERROR(tables->LoadScopes(pages));
  for (const ItemTable table : {ItemTable::kSpans, ItemTable::kEvents, ItemTable::kLinks}) {
    LARDER_RETURN_IF_ERROR(tables->LoadTemplates(pages, table));
  }
  return std::unique_ptr<const LoadedTables>(std::move(tables));
}

Status LoadedTables::LoadStrings(const SegmentPages& pages, PageKey key, Strings* strings) {
  std::string body;
  LARDER_RETURN_IF_ERROR(pages.ReadBody(key, &body));
  ByteReader in(body);
  if (!DecodeStrings(&in, &strings->offsets, &strings->arena) || !in.empty()) {
    return pages.Fault(key, "is no list of strings");
  }
  return Status::Ok();
}

Status LoadedTables::LoadShapes(const SegmentPages& pages) {
  std::string body;
  LARDER_RETURN_IF_ERROR(pages.ReadBody(kShapesKey, &body));
  ByteReader in(body);
  std::vector<uint64_t> lengths;
  if (!DecodeNumbers(&in, &lengths) || !DecodeCodes(&in, &slots_) || !in.empty()) {
    return pages.Fault(kShapesKey, "is no list of shapes");
  }
  uint64_t start = 0;
  shape_starts_.push_back(0);
  for (const uint64_t length : lengths) {
    start += std::min<uint64_t>(length, kStreamValuesMax);
    shape_starts_.push_back(static_cast<uint32_t>(std::min<uint64_t>(start, UINT32_MAX)));
  }
  if (start != slots_.size()) return pages.Fault(kShapesKey, "has shapes without slots");
  const size_t columns = pages.header().columns.size();
  for (const uint32_t slot : slots_) {
    if (slot >= columns) return pages.Fault(kShapesKey, "names a column that is not there");
  }
  return Status::Ok();
}

Status LoadedTables::LoadTemplates(const SegmentPages& pages, ItemTable table) {
  const PageKey key{Section::kTemplates, static_cast<uint32_t>(table), 0};
  std::string body;
  LARDER_RETURN_IF_ERROR(pages.ReadBody(key, &body));
  TemplateStreams streams;
  if (!streams.Decode(body)) return pages.Fault(key, "is no list of templates");
  const auto& [name, kind, status, flags, resource, scope, shape] = streams.members;
  std::vector<ItemTemplate>& templates = templates_[static_cast<size_t>(table)];
  templates.reserve(name.size());
  for (size_t i = 0; i < name.size(); ++i) {
    const bool has_owner = table != ItemTable::kSpans ||
                           (resource[i] < resources_.size() && scope[i] < scopes_.size());
    if (name[i] >= names_.size() || shape[i] >= shape_count() || !has_owner) {
      return pages.Fault(key, "names something that is not there");
    }
    for (const uint32_t slot : this->shape(shape[i])) {
      if (pages.header().columns[slot].table != table) {
        return pages.Fault(key, "has a shape of another table");
      }
    }
    templates.push_back({.name = names_[name[i]],
                         .kind = static_cast<int32_t>(kind[i]),
                         .status_code = static_cast<int32_t>(status[i]),
                         .flags = flags[i],
                         .resource = resource[i],
                         .scope = scope[i],
                         .shape = shape[i]});
  }
  return Status::Ok();
}

bool LoadedTables::DecodeAttributes(const std::vector<std::string_view>& key_values,
                                    std::span<const AttributeView>* attributes) {
  std::vector<AttributeView>& list = attribute_lists_.emplace_back();
  for (const std::string_view key_value : key_values) {
    Result<AttributeView> attribute = DecodeKeyValue(key_value, scratch_.emplace_back().data());
    if (!attribute.ok()) return false;
    list.push_back(*attribute);
  }
  *attributes = list;
  return true;
}

Status LoadedTables::LoadResources(const SegmentPages& pages) {
  LARDER_RETURN_IF_ERROR(LoadStrings(pages, kResourcesKey, &resource_envelopes_));
  LARDER_RETURN_IF_ERROR(LoadStrings(pages, kServicesKey, &services_));
  if (services_.size() != resource_envelopes_.size()) {
    return pages.Fault(kServicesKey, "has another number of resources");
  }
  try {
    for (size_t i = 0; i < services_.size(); ++i) {
      ResourceView& view = resources_.emplace_back();
      view.envelope = resource_envelopes_[i];
      view.service = services_[i];
      ResourceFields fields;
      if (!ReadResource(view.envelope, &fields) ||
          !DecodeAttributes(fields.key_values, &view.attributes)) {
        return pages.Fault(kResourcesKey, "has a broken resource");
      }
      view.schema_url = fields.schema_url;
    }
  } catch (const protozero::exception&) {
    return pages.Fault(kResourcesKey, "has a broken resource");
  }
  return Status::Ok();
}

Status LoadedTables::LoadScopes(const SegmentPages& pages) {
  LARDER_RETURN_IF_ERROR(LoadStrings(pages, kScopesKey, &scope_envelopes_));
  try {
    for (size_t i = 0; i < scope_envelopes_.size(); ++i) {
      ScopeView& view = scopes_.emplace_back();
      view.envelope = scope_envelopes_[i];
      ScopeFields fields;
      if (!ReadScope(view.envelope, &fields) ||
          !DecodeAttributes(fields.key_values, &view.attributes)) {
        return pages.Fault(kScopesKey, "has a broken scope");
      }
      view.name = fields.name;
      view.version = fields.version;
      view.schema_url = fields.schema_url;
    }
  } catch (const protozero::exception&) {
    return pages.Fault(kScopesKey, "has a broken scope");
  }
  return Status::Ok();
}

}  // namespace larder
