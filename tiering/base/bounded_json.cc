#include "tiering/base/bounded_json.h"

namespace larder {

nlohmann::json ParseBoundedJson(std::string_view text) {
  using Json = nlohmann::json;
  bool is_too_deep = false;
  const auto keeps = [&](int depth, Json::parse_event_t event, Json&) {
    const bool opens =
        event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    is_too_deep = is_too_deep || (opens && depth >= kJsonDepthMax);
    return !is_too_deep;
  };
  Json json = Json::parse(text, keeps, false);
  if (is_too_deep) return Json(Json::value_t::discarded);
  return json;
}

}  // namespace larder
