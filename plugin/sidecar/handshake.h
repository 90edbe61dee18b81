// How a program started by HashiCorp's go-plugin tells its host where it listens.
// Source: https://github.com/hashicorp/go-plugin, docs/internals.md and server.go (v1.4 to v1.8).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace larder {

// A variable of the environment; empty when it is not set.
using GetVariable = std::function<std::string(const char* name)>;

// Whether Jaeger started this program as its storage plugin.
bool IsStartedByJaeger(const GetVariable& get);

// The one version of the plugin's services that there is, and so what comes of a negotiation: the
// host takes it when PLUGIN_PROTOCOL_VERSIONS lists it, and explains itself to its user when not.
inline constexpr int kPluginProtocolVersion = 1;

struct Handshake {
  std::string_view network = {};  // "unix" or "tcp"
  std::string_view address = {};
  std::string_view certificate = {};  // HostTls::certificate; empty without TLS
};
// The line that the host waits for on standard output, without its end. A host that asks for its
// connections to be multiplexed is told that they are not.
std::string HandshakeLine(const Handshake& handshake, const GetVariable& get);

// Where a socket may lie: the host's wish, TMPDIR, /tmp.
std::string SocketDirectory(const GetVariable& get);

// Ports for a host that cannot be reached by a socket; both 0: any.
struct PortRange {
  uint32_t min = 0;
  uint32_t max = 0;
};
PortRange PluginPorts(const GetVariable& get);

}  // namespace larder
