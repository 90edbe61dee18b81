"""HTTP/1.1 around a Double: a thread a connection, kept alive."""

import http.server
import socket
import socketserver
import sys

from sls_double.double import Dropped
from sls_double.errors import SlsError
from sls_double.request import Request
from sls_double.response import json_response

_BODY_SIZE_MAX = 64 << 20


class HttpFront(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address, double):
        self.double = double
        super().__init__(address, _Handler)

    def handle_error(self, request, client_address):
        """A client that went away is no news; anything else is a bug, and shown."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def __getattr__(self, name):
        if name.startswith("do_"):
            return self._serve
        raise AttributeError(name)

    def _serve(self):
        try:
            request = Request(self.command, self.path, dict(self.headers.items()), self._read_body())
            response = self.server.double.answer(request)
        except SlsError as error:
            self.close_connection = True  # The body was not read.
            response = json_response(error.body(), error.status)
        except Dropped:
            self._drop()
            return
        self._write(response)

    def _read_body(self):
        if self.headers.get("Transfer-Encoding"):
            raise SlsError(411, "MissingContentLength", "header Content-Length is missing")
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit():
            raise SlsError(400, "InvalidContentLength", f"Content-Length '{length}' is not a number")
        if int(length) > _BODY_SIZE_MAX:
            raise SlsError(400, "PostBodyTooLarge", f"the body has {length} bytes, at most {_BODY_SIZE_MAX}")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionResetError("the client left inside a body")
        return body

    def _write(self, response):
        reason = self.responses.get(response.status, ("",))[0]
        headers = {"Server": "Tengine", **response.headers, "Content-Length": str(len(response.body))}
        if self.close_connection:
            headers["Connection"] = "close"
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        body = b"" if self.command == "HEAD" else response.body
        self.wfile.write(f"HTTP/1.1 {response.status} {reason}\r\n{head}\r\n".encode("latin-1") + body)

    def _drop(self):
        """Ends the connection without a byte, as a crash would."""
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *arguments):
        """Requests are kept for /_double/requests and not printed."""
