"""Certificates for tests, by the program openssl."""

import pathlib
import socket
import ssl
import subprocess
import tempfile
import threading

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1\n"
NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*arguments):
    subprocess.run(["openssl", *(str(each) for each in arguments)], check=True,
                   capture_output=True, timeout=60)


class Authority:
    """Signs certificates for this machine's loopback."""

    def __init__(self, folder, name):
        self.folder = pathlib.Path(folder)
        self.cert, self.key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        openssl("req", "-x509", *NEW_KEY, "-keyout", self.key, "-out", self.cert, "-days", 2,
                "-subj", f"/CN={name}")

    def sign(self, name, cert, key, names=NAMES):
        """Replaces `cert` and `key`, key first, each as a whole."""
        with tempfile.TemporaryDirectory(dir=self.folder) as work:
            work = pathlib.Path(work)
            (work / "names").write_text(names)
            openssl("req", *NEW_KEY, "-keyout", work / "key", "-out", work / "request",
                    "-subj", f"/CN={name}")
            openssl("x509", "-req", "-in", work / "request", "-CA", self.cert,
                    "-CAkey", self.key, "-CAcreateserial", "-days", 1, "-extfile", work / "names",
                    "-out", work / "cert")
            (work / "key").rename(key)
            (work / "cert").rename(cert)


class Secured:
    """What a Larder asks for, and what a client shows it: files in one folder."""

    def __init__(self, folder, token="a-token-for-tests"):
        self.folder = pathlib.Path(folder)
        self.token = token
        self.server_ca = Authority(self.folder, "ca")
        self.client_ca = Authority(self.folder, "clients-ca")
        self.cert, self.key = self.folder / "larder.pem", self.folder / "larder.key"
        self.client = (self.folder / "client.pem", self.folder / "client.key")
        self.tokens = self.folder / "tokens"
        self.tokens.write_text(token + "\n")
        self.server_ca.sign("larder", self.cert, self.key)
        self.client_ca.sign("jaeger", *self.client)

    @property
    def arguments(self):
        return ("--tls.cert-file", self.cert, "--tls.key-file", self.key,
                "--tls.client-ca-file", self.client_ca.cert, "--auth.token-file", self.tokens)

    @property
    def headers(self):
        return {"authorization": f"Bearer {self.token}"}


class TlsFront:
    """A port that speaks TLS and passes what comes to `address`, "HOST:PORT", in the clear."""

    def __init__(self, cert, key, address):
        self.target = address
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(cert, key)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        try:
            near = self.context.wrap_socket(plain, server_side=True)
        except OSError:  # a client that does not trust us
            plain.close()
            return
        host, port = self.target.split(":")
        far = socket.create_connection((host, int(port)))
        back = threading.Thread(target=self._pump, args=(far, near), daemon=True)
        back.start()
        self._pump(near, far)
        back.join()

    @staticmethod
    def _pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
