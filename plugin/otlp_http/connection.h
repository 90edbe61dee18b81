// One connection of OTLP/HTTP: reads a request, answers it, reads the next.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include "plugin/otlp_http/connection_set.h"
#include "plugin/otlp_http/export_call.h"

namespace larder {

struct ConnectionParts {
  ExportParts exports;
  ConnectionSet* connections = nullptr;
  std::chrono::milliseconds idle_max{};
  std::chrono::milliseconds transfer_max{};
  boost::asio::ssl::context* tls = nullptr;  // null: plain text
};

// Takes the socket over and serves it until either side closes; lives as long as that. `parts`
// must outlive it, and all that it refers to.
void ServeConnection(boost::asio::ip::tcp::socket socket, const ConnectionParts& parts);

}  // namespace larder
