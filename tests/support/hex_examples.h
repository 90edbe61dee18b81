// The examples on the page of a format, so that a test can hold the page against the code.
#pragma once

#include <string>
#include <vector>

namespace larder {

// The bytes of every ```hex block of a file. Its lines are "hex hex ... | comment"; a word that is
// longer than a byte is an offset, and passed over.
std::vector<std::string> HexExamples(const std::string& path);

}  // namespace larder
