#include "plugin/sidecar/handshake.h"

#include <charconv>

namespace larder {
namespace {

constexpr int kCoreProtocolVersion = 1;
constexpr uint32_t kPortMax = 65'535;

uint32_t PortOf(const std::string& text) {
  uint32_t port = 0;
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, port);
  return error == std::errc() && stopped == end && port <= kPortMax ? port : 0;
}

}  // namespace

bool IsStartedByJaeger(const GetVariable& get) { return get("STORAGE_PLUGIN") == "jaeger"; }

std::string HandshakeLine(const Handshake& handshake, const GetVariable& get) {
  std::string line =
      std::to_string(kCoreProtocolVersion) + "|" + std::to_string(kPluginProtocolVersion) + "|";
  line.append(handshake.network).append("|").append(handshake.address).append("|grpc|");
  line.append(handshake.certificate);
  if (!get("PLUGIN_MULTIPLEX_GRPC").empty()) line += "|false";
  return line;
}

std::string SocketDirectory(const GetVariable& get) {
  for (const char* name : {"PLUGIN_UNIX_SOCKET_DIR", "TMPDIR"}) {
    std::string directory = get(name);
    if (!directory.empty()) return directory;
  }
  return "/tmp";
}

PortRange PluginPorts(const GetVariable& get) {
  const PortRange range = {PortOf(get("PLUGIN_MIN_PORT")), PortOf(get("PLUGIN_MAX_PORT"))};
  return range.min <= range.max ? range : PortRange{};
}

}  // namespace larder
