"""A small HTTP/1.1 server: kept connections, one thread for each.

It is its own instead of http.server because a first sync of a large
repository asks hundreds of requests a second, and because faults need the
socket.  Messages follow RFC 9112; request bodies need a Content-Length.
"""

import socket
import sys
import threading
import traceback
from urllib.parse import unquote, urlsplit

from .answers import Answer, ApiError

MAX_HEAD_BYTES = 64 * 1024
MAX_BODY_BYTES = 256 * 1024 * 1024
RECEIVE_BYTES = 64 * 1024
IDLE_TIMEOUT_S = 300


class Request:
    """One parsed request; kind and route are filled in by Api.classify()."""

    def __init__(self, method, target, version, headers):
        self.method = method
        self.target = target
        self.version = version
        self.headers = headers  # names in lower case
        self.body = b""
        parts = urlsplit(target)
        self.path = unquote(parts.path)
        if len(self.path) > 1:
            self.path = self.path.rstrip("/")
        self.query = parts.query
        self.base_url = ""
        self.kind = "other"
        self.route = None
        self.graph = None  # of a GraphQL query: graph.endpoint.Prepared

    @property
    def keeps_connection(self):
        wish = self.headers.get("connection", "").lower()
        if self.version == "HTTP/1.0":
            return wish == "keep-alive"
        return wish != "close"


class BadRequest(Exception):
    pass


class Connection:
    """Reads requests off one socket and writes their answers."""

    def __init__(self, sock, respond):
        self._sock = sock
        self._respond = respond
        self._buffer = b""

    def serve(self):
        while True:
            try:
                request = self._read_request()
            except BadRequest as error:
                self._send(None, ApiError(400, str(error)).answer())
                return
            if request is None:
                return
            answer = self._respond(request)
            if not self._send(request, answer):
                return

    def _read_request(self):
        head = self._read_head()
        if head is None:
            return None
        lines = head.decode("latin-1").split("\r\n")
        try:
            method, target, version = lines[0].split(" ")
        except ValueError:
            raise BadRequest("malformed request line") from None
        headers = {}
        for line in lines[1:]:
            name, colon, value = line.partition(":")
            if not colon:
                raise BadRequest("malformed header")
            headers[name.lower()] = value.strip()
        request = Request(method, target, version, headers)
        request.body = self._read_body(headers)
        return request

    def _read_head(self):
        while b"\r\n\r\n" not in self._buffer:
            if len(self._buffer) > MAX_HEAD_BYTES:
                raise BadRequest("request head too large")
            if not self._receive():
                return None
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head

    def _read_body(self, headers):
        if "transfer-encoding" in headers:
            raise BadRequest("Transfer-Encoding is not supported")
        text = headers.get("content-length", "0")
        if not text.isdigit() or int(text) > MAX_BODY_BYTES:
            raise BadRequest("bad Content-Length")
        size = int(text)
        if headers.get("expect", "").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        parts, have = [self._buffer], len(self._buffer)
        while have < size:
            data = self._sock.recv(RECEIVE_BYTES)
            if not data:
                raise BadRequest("body ends early")
            parts.append(data)
            have += len(data)
        whole = b"".join(parts)
        self._buffer = whole[size:]
        return whole[:size]

    def _receive(self):
        data = self._sock.recv(RECEIVE_BYTES)
        self._buffer += data
        return bool(data)

    def _send(self, request, answer):
        """True when the connection can go on."""
        keep = request is not None and request.keeps_connection
        head = _head_bytes(answer, keep)
        body = answer.body
        if answer.status == 304 or (request is not None and request.method == "HEAD"):
            body = b""
        if answer.delivery is not None:
            return answer.delivery(self._sock, head, body) and keep
        self._sock.sendall(head + body)
        return keep


def _head_bytes(answer, keep):
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
    headers = answer.headers
    if answer.status != 304 and "Transfer-Encoding" not in headers \
            and "Content-Length" not in headers:
        lines.append(f"Content-Length: {len(answer.body)}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if not keep:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class Server:
    """Listens on loopback; `respond` maps a Request to an Answer."""

    def __init__(self, port, respond):
        self._respond = respond
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        threading.Thread(target=self._accept_loop, daemon=True).start()

    def stop(self):
        self._listener.close()

    def _accept_loop(self):
        while True:
            try:
                sock, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with sock:
            try:
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.settimeout(IDLE_TIMEOUT_S)
                Connection(sock, self._safe_respond).serve()
            except OSError:
                pass  # the client went away, or a fault ended the connection

    def _safe_respond(self, request):
        request.base_url = f"http://{request.headers.get('host') or f'127.0.0.1:{self.port}'}"
        try:
            return self._respond(request)
        except Exception:  # a defect of the double: say so, loudly
            traceback.print_exc(file=sys.stderr)
            return Answer(500, b'{"message":"the double itself failed"}',
                          {"Content-Type": "application/json"})
