// How a program started by HashiCorp's go-plugin tells its host where it listens.
// Source: https://github.com/hashicorp/go-plugin, docs/internals.md and server.go (v1.4 to v1.7).
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

// Our protocol version when the host speaks it. Otherwise the line says it all the same, and the
// host explains itself.
inline constexpr int kPluginProtocolVersion = 1;

// The line that the host waits for on standard output, without its end. `network` is "unix" or
// "tcp". A host that asks for its connections to be multiplexed is told that they are not.
std::string HandshakeLine(std::string_view network, std::string_view address,
                          const GetVariable& get);

// Where a socket may lie: the host's wish, TMPDIR, /tmp.
std::string SocketDirectory(const GetVariable& get);

// Ports for a host that cannot be reached by a socket; both 0: any.
struct PortRange {
  uint32_t min = 0;
  uint32_t max = 0;
};
PortRange PluginPorts(const GetVariable& get);

}  // namespace larder
