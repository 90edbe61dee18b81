// JSON values as values of attributes.
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "storage/model/span.h"

namespace larder {

// Strings, numbers (integers where they are written so), booleans, null as a value that is empty,
// arrays and objects as lists; what lies deeper than 64 levels as text.
Attribute AttributeOfJson(std::string key, const nlohmann::json& value);
// The members of an object, in the order of their keys. REQUIRES: an object.
std::vector<Attribute> AttributesOfJson(const nlohmann::json& object);

Attribute TextAttribute(std::string key, std::string text);

}  // namespace larder
