#include "tests/support/hex_examples.h"

#include <fstream>
#include <sstream>

namespace larder {

std::vector<std::string> HexExamples(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == "```hex";
      if (inside) blocks.emplace_back();
      continue;
    }
    if (!inside) continue;
    std::istringstream words(line.substr(0, line.find('|')));
    for (std::string word; words >> word;) {
      if (word.size() > 2) continue;
      blocks.back().push_back(static_cast<char>(std::stoi(word, nullptr, 16)));
    }
  }
  return blocks;
}

}  // namespace larder
