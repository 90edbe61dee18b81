// The variables of the process's environment.
#pragma once

#include <map>
#include <string>

namespace larder {

std::map<std::string, std::string> Environment();

}  // namespace larder
