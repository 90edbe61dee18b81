#include "plugin/otlp_http/connection.h"

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>

namespace larder {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;

constexpr uint32_t kHeaderBytesMax = 16 << 10;
constexpr size_t kReadBytes = 32 << 10;  // of a connection that has sent a request
constexpr size_t kReadBytesMax = 64 << 10;
// How long a client that was refused in the middle of its body may go on sending it: closing at
// once would take the answer away from it.
constexpr std::chrono::seconds kLinger(5);

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

class HttpMetadata final : public CallMetadata {
 public:
  explicit HttpMetadata(const http::fields& fields) : fields_(fields) {}

  std::vector<std::string_view> Values(std::string_view name) const override {
    std::vector<std::string_view> values;
    const auto [begin, end] = fields_.equal_range(beast::string_view(name.data(), name.size()));
    for (auto it = begin; it != end; ++it) values.push_back(View(it->value()));
    return values;
  }

 private:
  const http::fields& fields_;
};

// All handlers run on the strand of the stream, one at a time; each holds the connection, which so
// lives as long as something is under way.
template <typename Stream>
class Connection final : public HeldConnection,
                         public std::enable_shared_from_this<Connection<Stream>> {
 public:
  template <typename... Args>
  explicit Connection(const ConnectionParts& parts, Args&&... args)
      : parts_(parts), stream_(std::forward<Args>(args)...), buffer_(kReadBytesMax) {}
  ~Connection() override { parts_.connections->Remove(this); }

  void Run() {
    asio::dispatch(stream_.get_executor(), [self = Self()] { self->Handshake(); });
  }
  void CloseWhenIdle() override {
    asio::post(stream_.get_executor(), [self = Self()] {
      self->closing_ = true;
      if (self->call_ == nullptr) self->Close();
    });
  }
  void Abort() override {
    asio::post(stream_.get_executor(), [self = Self()] {
      self->closing_ = true;
      self->Close();
    });
  }

 private:
  using Parser = http::request_parser<http::string_body>;

  std::shared_ptr<Connection> Self() { return this->shared_from_this(); }
  beast::tcp_stream& Lowest() { return beast::get_lowest_layer(stream_); }
  void Close() { Lowest().close(); }

  void Handshake() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      Lowest().expires_after(parts_.transfer_max);
      stream_.async_handshake(asio::ssl::stream_base::server,
                              [self = Self()](beast::error_code error) {
                                if (!error) self->ReadHeader();
                              });
    } else {
      ReadHeader();
    }
  }

  void ReadHeader() {
    if (closing_) return EndTls();
    parser_.emplace();
    parser_->header_limit(kHeaderBytesMax);
    parser_->body_limit(parts_.exports.request_bytes_max);
    Lowest().expires_after(parts_.idle_max);
    parts_.connections->SetIdle(this, true);
    http::async_read_header(
        stream_, buffer_, *parser_,
        [self = Self()](beast::error_code error, size_t) { self->OnHeader(error); });
  }

  void OnHeader(beast::error_code error) {
    parts_.connections->SetIdle(this, false);
    if (error == http::error::end_of_stream) return EndTls();
    const bool is_http_error =
        error && error.category() == http::make_error_code(http::error::bad_method).category();
    if (error && !is_http_error) return Close();
    call_ = std::make_unique<ExportCall>(parts_.exports);
    if (error) return RefuseBroken(error);
    // A read takes as much as the buffer has room for, which at first is very little.
    buffer_.reserve(kReadBytes);
    const auto& header = parser_->get();
    const HttpMetadata metadata(header);
    const auto outcome =
        call_->Begin({.method = View(header.method_string()),
                      .target = View(header.target()),
                      .content_type = View(header[http::field::content_type]),
                      .content_encoding = View(header[http::field::content_encoding]),
                      .metadata = &metadata});
    Lowest().expires_after(parts_.transfer_max);
    if (outcome) return Answer(*outcome);
    if (beast::iequals(header[http::field::expect], "100-continue")) return Invite();
    ReadBody();
  }

  // The client waits for leave to send the body.
  void Invite() {
    response_ = {};
    response_.result(http::status::continue_);
    http::async_write(stream_, response_, [self = Self()](beast::error_code error, size_t) {
      if (!error) self->ReadBody();
    });
  }

  void ReadBody() {
    if (parser_->is_done()) return Write();
    if (const auto outcome = call_->Hold(parser_->get().body().size())) return Answer(*outcome);
    http::async_read_some(stream_, buffer_, *parser_,
                          [self = Self()](beast::error_code error, size_t) {
                            if (error) return self->RefuseBroken(error);
                            self->ReadBody();
                          });
  }

  void RefuseBroken(beast::error_code error) {
    if (error == http::error::body_limit) {
      return Answer(
          call_->Refuse(Status::ResourceExhausted("the request is larger than " +
                                                  std::to_string(parts_.exports.request_bytes_max) +
                                                  " bytes (request.size-max)"),
                        413));
    }
    if (error == http::error::header_limit || error == http::error::buffer_overflow) {
      return Answer(call_->Refuse(Status::InvalidArgument("the header is too large"), 431));
    }
    if (error == http::error::partial_message || error == beast::error::timeout) return Close();
    Answer(call_->Refuse(Status::InvalidArgument("not HTTP/1.1: " + error.message()), 400));
  }

  void Write() {
    call_->Write(std::move(parser_->get().body()), [self = Self()](HttpOutcome outcome) {
      asio::post(self->stream_.get_executor(), [self, outcome = std::move(outcome)] {
        self->Lowest().expires_after(self->parts_.transfer_max);
        self->Answer(outcome);
      });
    });
  }

  void Answer(const HttpOutcome& outcome) {
    // Behind a request whose body did not come whole nothing can be read.
    const bool in_step = parser_->is_done();
    response_ = {};
    response_.version(11);
    response_.result(outcome.code);
    const std::string_view type = ContentType(outcome.encoding);
    response_.set(http::field::content_type, beast::string_view(type.data(), type.size()));
    if (outcome.retry_after_seconds > 0) {
      response_.set(http::field::retry_after, std::to_string(outcome.retry_after_seconds));
    }
    if (outcome.code == 401) response_.set(http::field::www_authenticate, "Bearer");
    if (outcome.code == 405) response_.set(http::field::allow, "POST");
    response_.body() = outcome.body;
    response_.keep_alive(in_step && !closing_ && parser_->get().keep_alive());
    response_.prepare_payload();
    call_->Settle();
    http::async_write(stream_, response_,
                      [self = Self(), in_step](beast::error_code error, size_t) {
                        self->OnAnswered(error, in_step);
                      });
  }

  void OnAnswered(beast::error_code error, bool in_step) {
    call_.reset();
    if (error) return Close();
    if (response_.keep_alive()) return ReadHeader();
    if (in_step) return EndTls();
    Lowest().expires_after(kLinger);
    Lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
    Discard();
  }

  void Discard() {
    Lowest().async_read_some(asio::buffer(discarded_),
                             [self = Self()](beast::error_code error, size_t) {
                               if (!error) self->Discard();
                             });
  }

  void EndTls() {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      Lowest().expires_after(kLinger);
      stream_.async_shutdown([self = Self()](beast::error_code) { self->Close(); });
    } else {
      beast::error_code ignored;
      Lowest().socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
      Close();
    }
  }

  const ConnectionParts& parts_;
  Stream stream_;
  beast::flat_buffer buffer_;
  std::optional<Parser> parser_;
  std::unique_ptr<ExportCall> call_;  // while a request is under way
  http::response<http::string_body> response_;
  std::array<char, 4096> discarded_{};
  bool closing_ = false;
};

template <typename Stream, typename... Args>
void Serve(const ConnectionParts& parts, Args&&... args) {
  const auto connection = std::make_shared<Connection<Stream>>(parts, std::forward<Args>(args)...);
  if (parts.connections->Add(connection)) connection->Run();
}

}  // namespace

void ServeConnection(asio::ip::tcp::socket socket, const ConnectionParts& parts) {
  if (parts.tls != nullptr) return Serve<TlsStream>(parts, std::move(socket), *parts.tls);
  Serve<PlainStream>(parts, std::move(socket));
}

}  // namespace larder
