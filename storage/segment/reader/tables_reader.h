// Reads what recurs in a segment: templates, shapes, resources, scopes.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "storage/segment/reader/segment_columns.h"
#include "storage/segment/reader/segment_pages.h"

namespace larder {

// Immutable once loaded.
class LoadedTables : public SegmentTables {
 public:
  static Result<std::unique_ptr<const LoadedTables>> Load(const SegmentPages& pages);

  std::span<const ItemTemplate> templates(ItemTable table) const override {
    return templates_[static_cast<size_t>(table)];
  }
  std::span<const uint32_t> shape(uint32_t shape) const override {
    return std::span(slots_).subspan(shape_starts_[shape],
                                     shape_starts_[shape + 1] - shape_starts_[shape]);
  }
  uint32_t shape_count() const override { return static_cast<uint32_t>(shape_starts_.size() - 1); }
  std::span<const ResourceView> resources() const override { return resources_; }
  std::span<const ScopeView> scopes() const override { return scopes_; }

 private:
  // Byte strings of one page.
  struct Strings {
    std::vector<uint32_t> offsets;
    std::string arena;
    size_t size() const { return offsets.size() - 1; }
    std::string_view operator[](size_t i) const {
      return std::string_view(arena).substr(offsets[i], offsets[i + 1] - offsets[i]);
    }
  };

  Status LoadStrings(const SegmentPages& pages, PageKey key, Strings* strings);
  Status LoadShapes(const SegmentPages& pages);
  Status LoadTemplates(const SegmentPages& pages, ItemTable table);
  Status LoadResources(const SegmentPages& pages);
  Status LoadScopes(const SegmentPages& pages);
  bool DecodeAttributes(const std::vector<std::string_view>& key_values,
                        std::span<const AttributeView>* attributes);

  Strings names_;
  Strings resource_envelopes_;
  Strings services_;
  Strings scope_envelopes_;
  std::vector<uint32_t> slots_;
  std::vector<uint32_t> shape_starts_;
  std::array<std::vector<ItemTemplate>, 3> templates_;
  std::vector<ResourceView> resources_;
  std::vector<ScopeView> scopes_;
  std::deque<std::vector<AttributeView>> attribute_lists_;
  std::deque<std::array<char, 8>> scratch_;  // payloads of numbers
};

}  // namespace larder
