"""A FastCGI client for tests: one kept connection, one request at a time.

Record formats: FastCGI Specification 1.0, sections 3 and 5.  The answer's head
is that of a CGI program, RFC 3875 section 6.
"""

import socket
import struct
from urllib.parse import urlencode

BEGIN_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
RESPONDER, KEEP_CONNECTION = 1, 1
MAX_CONTENT = 65_528  # below 64 KiB and a multiple of 8


class FcgiError(RuntimeError):
    """The peer closed the connection or broke the protocol."""


class Answer:
    """Status, headers (names in lower case) and body of an answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        import json
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"


def _record(kind, content=b""):
    padding = -len(content) % 8
    head = struct.pack(">BBHHBx", 1, kind, 1, len(content), padding)
    return head + content + b"\0" * padding


def _stream(kind, data):
    parts = [_record(kind, data[i:i + MAX_CONTENT]) for i in range(0, len(data), MAX_CONTENT)]
    return b"".join(parts) + _record(kind)


def _length(n):
    return bytes([n]) if n < 128 else struct.pack(">I", n | 0x8000_0000)


def encode_params(pairs):
    out = []
    for name, value in pairs.items():
        name, value = name.encode(), value.encode("utf-8", "surrogateescape")
        out += [_length(len(name)), _length(len(value)), name, value]
    return b"".join(out)


def target_of(path, query):
    """A request target; `query` is a dictionary or a raw text."""
    text = query if isinstance(query, str) else urlencode(query, safe=",")
    return f"{path}?{text}" if text else path


def cgi_variables(method, target, headers=(), body=b""):
    """The variables that a web server would send."""
    path, _, query = target.partition("?")
    variables = {
        "GATEWAY_INTERFACE": "CGI/1.1", "SERVER_PROTOCOL": "HTTP/1.1", "SERVER_NAME": "test",
        "SERVER_PORT": "80", "REMOTE_ADDR": "127.0.0.1", "REQUEST_METHOD": method,
        "REQUEST_URI": target, "SCRIPT_NAME": path, "QUERY_STRING": query,
    }
    if body:
        variables["CONTENT_LENGTH"] = str(len(body))
    for name, value in dict(headers).items():
        variables["HTTP_" + name.upper().replace("-", "_")] = value
    return variables


def parse_head(raw):
    """Split a CGI answer into an Answer."""
    head, separator, body = raw.partition(b"\r\n\r\n")
    if not separator:
        raise FcgiError(f"no head in {raw[:200]!r}")
    headers = {}
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    status = int(headers.pop("status", "200").split()[0])
    return Answer(status, headers, body)


class FcgiClient:
    def __init__(self, address, timeout_s=60):
        """`address` as the programs take it: unix:/path or host:port."""
        self.address = address
        self._timeout = timeout_s
        self._sock = None

    def connect(self):
        if self.address.startswith("unix:"):
            self._sock = socket.socket(socket.AF_UNIX)
            self._sock.settimeout(self._timeout)
            self._sock.connect(self.address[len("unix:"):])
        else:
            host, _, port = self.address.rpartition(":")
            self._sock = socket.create_connection((host, int(port)), self._timeout)

    def close(self):
        if self._sock is not None:
            self._sock.close()
            self._sock = None

    def ask(self, path, query="", method="GET", headers=(), body=b""):
        """One request; the connection is kept for the next."""
        variables = cgi_variables(method, target_of(path, query), headers, body)
        if self._sock is None:
            self.connect()
        try:
            self._sock.sendall(
                _record(BEGIN_REQUEST, struct.pack(">HB5x", RESPONDER, KEEP_CONNECTION))
                + _stream(PARAMS, encode_params(variables)) + _stream(STDIN, body))
            return parse_head(self._read_answer())
        except Exception:
            self.close()
            raise

    def _read(self, size):
        parts = []
        while size > 0:
            data = self._sock.recv(size)
            if not data:
                raise FcgiError("the connection ended")
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    def _read_answer(self):
        out = []
        while True:
            version, kind, _, length, padding = struct.unpack(">BBHHBx", self._read(8))
            content = self._read(length + padding)[:length]
            if version != 1:
                raise FcgiError(f"version {version}")
            if kind == STDOUT:
                out.append(content)
            elif kind == END_REQUEST:
                return b"".join(out)
            elif kind != STDERR:
                raise FcgiError(f"record type {kind}")
