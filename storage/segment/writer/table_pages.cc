// Sections kResources, kScopes, kStrings, kTemplates and kShapes: one page each, templates one page
// per item table. Section kOutliers.

#include <algorithm>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/base/coding.h"
#include "storage/segment/encoding/encoding.h"
#include "storage/segment/format/segment_format.h"
#include "storage/segment/writer/page_writers.h"

namespace larder {
namespace {

// The distinct names of templates, in the order they are met.
class Names {
 public:
  uint32_t NumberOf(std::string_view name) {
    const auto [entry, is_new] = numbers_.emplace(name, static_cast<uint32_t>(names_.size()));
    if (is_new) names_.push_back(name);
    return entry->second;
  }
  std::span<const std::string_view> names() const { return names_; }

 private:
  std::unordered_map<std::string_view, uint32_t> numbers_;
  std::vector<std::string_view> names_;
};

template <typename T>
void EncodeMember(const std::vector<ItemTemplate>& templates, T member, std::string* body) {
  std::vector<uint32_t> values;
  values.reserve(templates.size());
  for (const ItemTemplate& item : templates) values.push_back(static_cast<uint32_t>(item.*member));
  EncodeCodes(values, body);
}

void WriteTemplates(uint32_t table, const std::vector<ItemTemplate>& templates, Names* names,
                    PageWriter* pages) {
  std::string body;
  std::vector<uint32_t> name_numbers;
  for (const ItemTemplate& item : templates) name_numbers.push_back(names->NumberOf(item.name));
  EncodeCodes(name_numbers, &body);
  EncodeMember(templates, &ItemTemplate::kind, &body);
  EncodeMember(templates, &ItemTemplate::status_code, &body);
  EncodeMember(templates, &ItemTemplate::flags, &body);
  EncodeMember(templates, &ItemTemplate::resource, &body);
  EncodeMember(templates, &ItemTemplate::scope, &body);
  EncodeMember(templates, &ItemTemplate::shape, &body);
  pages->Add({Section::kTemplates, table, 0}, body);
}

void WriteShapes(const std::vector<std::vector<uint32_t>>& shapes, PageWriter* pages) {
  std::vector<uint64_t> lengths;
  std::vector<uint32_t> slots;
  for (const std::vector<uint32_t>& shape : shapes) {
    lengths.push_back(shape.size());
    slots.insert(slots.end(), shape.begin(), shape.end());
  }
  std::string body;
  EncodeNumbers(lengths, &body);
  EncodeCodes(slots, &body);
  pages->Add({Section::kShapes, 0, 0}, body);
}

void WriteStrings(Section section, uint32_t column, std::span<const std::string_view> strings,
                  PageWriter* pages) {
  std::string body;
  EncodeStrings(strings, &body);
  pages->Add({section, column, 0}, body);
}

}  // namespace

void WriteTablePages(const SegmentDraft& draft, PageWriter* pages) {
  Names names;
  for (uint32_t table = 0; table < draft.items.size(); ++table) {
    WriteTemplates(table, draft.items[table].templates, &names, pages);
  }
  WriteStrings(Section::kStrings, 0, names.names(), pages);
  WriteShapes(draft.shapes, pages);
  std::vector<std::string_view> envelopes;
  std::vector<std::string_view> services;
  for (const ResourceId id : draft.resources) {
    const ResourceView resource = draft.table->resource(id);
    envelopes.push_back(resource.envelope);
    services.push_back(resource.service);
  }
  WriteStrings(Section::kResources, kResourceEnvelopes, envelopes, pages);
  WriteStrings(Section::kResources, kResourceServices, services, pages);
  envelopes.clear();
  for (const ScopeId id : draft.scopes) envelopes.push_back(draft.table->scope(id).envelope);
  WriteStrings(Section::kScopes, 0, envelopes, pages);
}

void WriteBounds(const SegmentDraft& draft, PageWriter* pages) {
  const size_t blocks = draft.items[0].block_starts.size() - 1;
  std::vector<uint64_t> earliest(blocks, UINT64_MAX);
  std::vector<uint64_t> latest(blocks, 0);
  size_t next_outlier = 0;
  for (uint32_t row = 0; row < draft.row_count(); ++row) {
    if (next_outlier < draft.outliers.size() && draft.outliers[next_outlier].row == row) {
      ++next_outlier;
      continue;
    }
    const uint64_t start = draft.spans.starts_ns[row];
    earliest[row / kBlockRows] = std::min(earliest[row / kBlockRows], start);
    latest[row / kBlockRows] = std::max(latest[row / kBlockRows], start);
  }
  std::vector<uint64_t> outlier_rows;
  std::vector<uint64_t> outlier_starts;
  for (const OutlierRow& outlier : draft.outliers) {
    outlier_rows.push_back(outlier.row);
    outlier_starts.push_back(outlier.start_ns);
  }
  std::string body;
  EncodeWords(earliest, &body);
  EncodeWords(latest, &body);
  EncodeNumbers(outlier_rows, &body);
  EncodeWords(outlier_starts, &body);
  pages->Add(kBoundsKey, body);
}

}  // namespace larder
