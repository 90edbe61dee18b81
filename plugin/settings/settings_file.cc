#include <string>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "plugin/settings/setting_value.h"
#include "plugin/settings/settings.h"

namespace larder {
namespace {

std::string Place(const std::string& file, const YAML::Node& node) {
  return file + " line " + std::to_string(node.Mark().line + 1);
}

Result<const Setting*> SettingOfKey(const std::string& key) {
  std::vector<std::string> names;
  for (const Setting& setting : SettingsTable()) {
    if (setting.name == key) return &setting;
    names.emplace_back(setting.name);
  }
  return Status::InvalidArgument("unknown key " + key + Suggestion(key, names));
}

// What the configuration of other sidecars for Jaeger v1 calls it.
std::string OwnName(const std::string& key) {
  return key == "enable_streaming_writer" ? "v1.streaming" : key;
}

// Maps nest: {memory: {limit: 1GiB}} and {memory.limit: 1GiB} are the same.
Status ApplyNode(const YAML::Node& node, const std::string& key, const std::string& file,
                 Settings* settings) {
  if (node.IsMap()) {
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) {
        return Status::InvalidArgument(Place(file, entry.first) + ": a key must be a plain word");
      }
      const std::string name = entry.first.Scalar();
      LARDER_RETURN_IF_ERROR(
          ApplyNode(entry.second, key.empty() ? name : key + "." + name, file, settings));
    }
    return Status::Ok();
  }
  auto setting = SettingOfKey(OwnName(key));
  if (!setting.ok()) return setting.status().With(Place(file, node));
  if (!node.IsScalar()) {
    return Status::InvalidArgument(Place(file, node) + ": " + key + " needs one plain value");
  }
  return ApplySetting(**setting, node.Scalar(), settings).With(Place(file, node) + ": " + key);
}

}  // namespace

Status ApplySettingsFile(std::string_view yaml, const std::string& name, Settings* settings) {
  try {
    const YAML::Node root = YAML::Load(std::string(yaml));
    if (root.IsNull()) return Status::Ok();
    if (!root.IsMap()) return Status::InvalidArgument(name + ": expected keys and values");
    return ApplyNode(root, "", name, settings);
  } catch (const YAML::Exception& broken) {
    return Status::InvalidArgument(name + ": " + broken.what());
  }
}

}  // namespace larder
