"""What may stand between the daemon and GitHub: TLS, and an HTTP proxy."""

import http.client
import os
import select
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

KEPT = ("content-length", "transfer-encoding", "connection", "keep-alive", "date", "server")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Ask the double the same, and answer what it answers, as from our own scheme."""
        relay = self.server.relay
        relay.targets.append(self.path)
        size = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.path)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection = http.client.HTTPConnection(*relay.behind, timeout=60)
        connection.request(self.command, target, self.rfile.read(size) or None,
                           dict(self.headers.items()))
        answer = connection.getresponse()
        body = answer.read()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in KEPT[:4]:
                if relay.scheme == "https":
                    value = value.replace("http://", "https://")
                self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        connection.close()

    do_POST = do_GET

    def do_CONNECT(self):
        """A tunnel, to one place whatever was asked for."""
        self.server.relay.targets.append(self.path)
        with socket.create_connection(self.server.relay.behind) as far:
            self.send_response_only(200)
            self.end_headers()
            ends = {self.connection: far, far: self.connection}
            while True:
                for end in select.select(list(ends), [], [])[0]:
                    data = end.recv(65536)
                    if not data:
                        self.close_connection = True
                        return
                    ends[end].sendall(data)

    def log_message(self, *_arguments):
        pass


class Relay:
    """A server on loopback before `behind`, another server's (host, port)."""

    def __init__(self, behind, certificate=None):
        self.behind = behind
        self.scheme = "http" if certificate is None else "https"
        self.targets = []  # what was asked for
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_arguments: None  # clients that go are no news
        self._server.relay = self
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self.url = f"{self.scheme}://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Authority:
    """A certificate authority of our own, made by openssl in a folder."""

    def __init__(self, folder, name):
        self._folder = os.path.join(folder, name)
        os.mkdir(self._folder)
        self.file = self._path("ca.pem")
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                      "-subj", f"/CN={name}", "-keyout", self._path("ca.key"),
                      "-out", self.file)

    def _path(self, name):
        return os.path.join(self._folder, name)

    def _openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)

    def certificate(self, *names):
        """(certificate, key) for names like "IP:127.0.0.1"."""
        stem = names[0].replace(":", "_")
        request, extensions = self._path(stem + ".csr"), self._path(stem + ".ext")
        certificate, key = self._path(stem + ".pem"), self._path(stem + ".key")
        with open(extensions, "w", encoding="ascii") as file:
            file.write(f"subjectAltName={','.join(names)}\n")
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=github",
                      "-keyout", key, "-out", request)
        self._openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey",
                      self._path("ca.key"), "-CAcreateserial", "-days", "2",
                      "-extfile", extensions, "-out", certificate)
        return certificate, key
