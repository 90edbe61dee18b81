// HTTP/2 frames as no library would send them, for tests: calls whose request never comes, and
// metadata that gRPC's own client refuses to send.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace larder {

// A connection to a gRPC server on loopback. Streams have odd numbers that rise.
class RawHttp2 {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;

  explicit RawHttp2(int port) : socket_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int at_once = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    Send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    SendFrame(kSettings, 0, 0, "");
  }
  ~RawHttp2() { close(socket_); }
  RawHttp2(const RawHttp2&) = delete;
  RawHttp2& operator=(const RawHttp2&) = delete;

  // Begins a call of "/package.Service/Method".
  void Call(uint32_t stream, const std::string& method, const Fields& metadata = {}) {
    std::string block;
    for (const auto& [name, value] : Fields{{":method", "POST"},
                                            {":scheme", "http"},
                                            {":path", method},
                                            {":authority", "localhost"},
                                            {"te", "trailers"},
                                            {"content-type", "application/grpc"}}) {
      AddField(name, value, &block);
    }
    for (const auto& [name, value] : metadata) AddField(name, value, &block);
    SendFrame(kHeaders, kEndHeaders, stream, block);
  }
  // Sends the first bytes of the request, which is to have `size_bytes`; all of it: ends the call.
  void Message(uint32_t stream, uint8_t size_bytes, std::string_view bytes) {
    const std::string prefix = {0, 0, 0, 0, static_cast<char>(size_bytes)};
    SendFrame(kData, bytes.size() == size_bytes ? kEndStream : 0, stream,
              prefix + std::string(bytes));
  }
  void Reset(uint32_t stream) { SendFrame(kRstStream, 0, stream, {0, 0, 0, kCancel}); }
  // Returns when the server has read everything so far. False: it has hung up.
  bool Ping() {
    SendFrame(kPing, 0, 0, std::string(8, 'p'));
    return Await([](const Frame& frame) { return frame.type == kPing && frame.flags == kAck; });
  }
  // Returns when the server has answered the call.
  bool AwaitEnd(uint32_t stream) {
    return Await([stream](const Frame& frame) {
      return frame.stream == stream &&
             (frame.type == kRstStream || (frame.flags & kEndStream) != 0);
    });
  }

 private:
  enum Type : uint8_t { kData = 0, kHeaders = 1, kRstStream = 3, kSettings = 4, kPing = 6 };
  static constexpr uint8_t kEndStream = 1;
  static constexpr uint8_t kAck = 1;
  static constexpr uint8_t kEndHeaders = 4;
  static constexpr char kCancel = 8;
  struct Frame {
    uint8_t type = 0;
    uint8_t flags = 0;
    uint32_t stream = 0;
  };

  // A literal that no table holds and that is not packed (RFC 7541, 6.2.2).
  static void AddField(const std::string& name, const std::string& value, std::string* block) {
    ASSERT_LT(name.size() | value.size(), 127U);
    *block += '\0';
    *block += static_cast<char>(name.size()) + name;
    *block += static_cast<char>(value.size()) + value;
  }
  static std::string BigEndian(uint32_t number, int width) {
    std::string bytes;
    for (int i = width - 1; i >= 0; --i) bytes += static_cast<char>(number >> (8 * i));
    return bytes;
  }
  void SendFrame(uint8_t type, uint8_t flags, uint32_t stream, const std::string& payload) {
    Send(BigEndian(static_cast<uint32_t>(payload.size()), 3) + static_cast<char>(type) +
         static_cast<char>(flags) + BigEndian(stream, 4) + payload);
  }
  void Send(std::string_view bytes) {
    EXPECT_EQ(send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(bytes.size()));
  }
  bool Read(size_t size, std::string* bytes) {
    bytes->resize(size);
    return size == 0 ||
           recv(socket_, bytes->data(), size, MSG_WAITALL) == static_cast<ssize_t>(size);
  }
  template <typename IsIt>
  bool Await(IsIt is_it) {
    std::string bytes;
    while (Read(9, &bytes)) {
      const auto at = [&](size_t i) -> uint32_t { return static_cast<uint8_t>(bytes[i]); };
      const uint32_t size = at(0) << 16 | at(1) << 8 | at(2);
      const Frame frame = {static_cast<uint8_t>(at(3)), static_cast<uint8_t>(at(4)),
                           at(7) << 8 | at(8)};
      if (!Read(size, &bytes)) return false;
      if (is_it(frame)) return true;
    }
    return false;
  }

  const int socket_;
};

}  // namespace larder
