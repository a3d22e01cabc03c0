"""Misbehaviour on request: broken answers, limits, dropped connections.

A fault is a JSON object {"match", "kind", "times", "after", ...}: `match` is
the name of a request class (counters.CLASSES) or a regular expression over
"METHOD /path?query"; `after` (or `skip`) requests pass first; then `times`
requests get the fault, -1 meaning all.  Kinds and their settings:

  status           status, body (text or JSON), headers
  secondary_limit  status (403), retry_after (seconds, none by default)
  primary_limit    status (403), reset_in_s (60)
  truncate         bytes (half of the body): then the connection ends
  drop             the connection ends without an answer
  drop_after       bytes of the answer, head included, then the end
  garbage_json     body (text), status (200)
  wrong_type       an array becomes an object, an object an array
  huge             bytes (200 MB), chunked (false)
  slow             delay_s before the answer, bytes_per_s while sending
  redirect         location, status (302), keep_path (false)
  stale            answer without the Link header: a listing cut short
  gateway          status (502), an HTML body as of a proxy, points (0) charged all the
                   same, delay_s (0) before it: a query that ran out of time
  partial          GraphQL: fields (response names) or every (n: each n-th of the
                   repository's) become null with an error of type and message; at_once
                   (false): GitHub's answer to a query too dear, without data below
  graphql_limited  GraphQL: RATE_LIMITED in a 200, reset_in_s (60)

secondary_limit with status 200 answers GraphQL with an error in the body.  A fault
with more_nodes or more_aliases wants only queries that ask for more than so many
(graph/cost.py counts them).

How limits look is described in
https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

import json
import re
import socket
import struct
import time

from .answers import Answer
from .counters import CLASSES
from .graph.endpoint import RATE_LIMITED
from .limits import SECONDARY_LIMIT, exceeded, secondary
from .records import encode

HUGE_BYTES = 200 * 1000 * 1000
_CHUNK = b'"' + b"x" * 65_532 + b'",'


class FaultError(ValueError):
    """A fault that cannot be set up; the text says why."""


class Fault:
    def __init__(self, settings):
        self.settings = settings
        self.kind = settings.get("kind")
        if self.kind not in KINDS:
            raise FaultError(f"unknown kind {self.kind!r}; known: {', '.join(sorted(KINDS))}")
        self.match = settings.get("match", "")
        self._more_nodes = int(settings.get("more_nodes", -1))
        self._more_aliases = int(settings.get("more_aliases", -1))
        self.left = int(settings.get("times", 1))
        self.to_pass = int(settings.get("after", settings.get("skip", 0)))
        self.fired = 0
        try:
            self._pattern = None if self.match in CLASSES else re.compile(self.match)
        except re.error as error:
            raise FaultError(f"match is no regular expression: {error}") from None

    def wants(self, request):
        """True when this request gets the fault; counts it."""
        if self.left == 0 or not self._matches(request):
            return False
        if self.to_pass > 0:
            self.to_pass -= 1
            return False
        if self.left > 0:
            self.left -= 1
        self.fired += 1
        return True

    def _matches(self, request):
        graph = request.graph
        if max(self._more_nodes, self._more_aliases) >= 0 and (
                graph is None or graph.nodes <= self._more_nodes
                or graph.aliases <= self._more_aliases):
            return False
        if self._pattern is None:
            return request.kind == self.match
        return self._pattern.search(f"{request.method} {request.target}") is not None

    def apply(self, request, answer_normally, clock):
        """The answer of a request that got this fault."""
        return KINDS[self.kind](self.settings, request, answer_normally, clock)

    def report(self):
        return {"match": self.match, "kind": self.kind, "left": self.left,
                "after": self.to_pass, "fired": self.fired}


class FaultList:
    def __init__(self):
        self._faults = []

    def add(self, settings):
        self._faults.append(Fault(settings))

    def clear(self):
        self._faults.clear()

    def take(self, request):
        """The first fault that wants this request, or None."""
        return next((fault for fault in self._faults if fault.wants(request)), None)

    def report(self):
        return [fault.report() for fault in self._faults]


# Faults that change the answer

def _status(settings, request, answer_normally, clock):
    status = int(settings.get("status", 500))
    body = settings.get("body", {"message": "Server Error"})
    raw = body.encode() if isinstance(body, str) else encode(body)
    return Answer(status, raw, dict(settings.get("headers", {})))


def _secondary_limit(settings, request, answer_normally, clock):
    headers = {}
    if settings.get("retry_after") is not None:
        headers["Retry-After"] = str(settings["retry_after"])
    status = int(settings.get("status", 403))
    if status == 200:
        return Answer(200, encode({"data": None, "errors": [{"message": SECONDARY_LIMIT}]}), headers)
    return secondary(status, headers).answer()


def _primary_limit(settings, request, answer_normally, clock):
    reset = int(clock.now()) + int(settings.get("reset_in_s", 60))
    headers = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0",
               "X-RateLimit-Used": "5000", "X-RateLimit-Reset": str(reset)}
    return exceeded(int(settings.get("status", 403)), headers).answer()


def _garbage_json(settings, request, answer_normally, clock):
    body = settings.get("body", '[{"id": 1, "number": 2, "titl')
    return Answer(int(settings.get("status", 200)), body.encode())


def _wrong_type(settings, request, answer_normally, clock):
    answer = answer_normally()
    is_array = answer.body.lstrip().startswith(b"[")
    return Answer(answer.status, b"{}" if is_array else b"[]", answer.headers)


def _redirect(settings, request, answer_normally, clock):
    location = settings.get("location", "http://127.0.0.1:1/")
    if settings.get("keep_path"):
        location = location.rstrip("/") + request.target
    status = int(settings.get("status", 302))
    return Answer(status, encode({"message": "Redirected", "url": location}),
                  {"Location": location})


def _stale(settings, request, answer_normally, clock):
    answer = answer_normally()
    answer.headers.pop("Link", None)
    return answer


# Faults of GraphQL

_GATEWAY_PAGE = ("<html>\n<head><title>{0} {1}</title></head>\n<body>\n"
                 "<center><h1>{0} {1}</h1></center>\n</body>\n</html>\n")


def _gateway(settings, request, answer_normally, clock):
    answer = Answer(int(settings.get("status", 502)), headers={"Content-Type": "text/html"})
    answer.body = _GATEWAY_PAGE.format(answer.status, answer.reason).encode()
    answer.points = int(settings.get("points", 0))
    if not settings.get("delay_s"):
        return answer
    return _delivered(answer, _delivery_after(settings))


def _partial(settings, request, answer_normally, clock):
    answer = answer_normally()
    body = json.loads(answer.body)
    error = {"type": settings.get("type", "RESOURCE_LIMITS_EXCEEDED"), "locations": [],
             "message": settings.get("message", "Resource limits for this query exceeded.")}
    errors = body.setdefault("errors", [])
    if settings.get("at_once"):
        errors.append(error)
        body["data"] = None
    for field, value in (body.get("data") or {}).items():
        for index, name in enumerate(list(value) if isinstance(value, dict) else ()):
            every = int(settings.get("every", 0))
            if name in settings.get("fields", ()) or (every and index % every == every - 1):
                value[name] = None
                errors.append({**error, "path": [field, name]})
    answer.body = encode(body)
    return answer


def _graphql_limited(settings, request, answer_normally, clock):
    reset = int(clock.now()) + int(settings.get("reset_in_s", 60))
    headers = {"X-RateLimit-Limit": "5000", "X-RateLimit-Remaining": "0",
               "X-RateLimit-Used": "5000", "X-RateLimit-Reset": str(reset)}
    return Answer(200, encode({"errors": [RATE_LIMITED]}), headers)


# Faults that change how the answer is delivered.  A delivery is a function of
# (socket, head bytes, body bytes); it returns False when the connection ends.

def _drop(settings, request, answer_normally, clock):
    def deliver(sock, head, body):
        _abort(sock)
        return False
    return _delivered(Answer(0), deliver)


def _truncate(settings, request, answer_normally, clock):
    def deliver(sock, head, body):
        kept = int(settings.get("bytes", len(body) // 2))
        sock.sendall(head + body[:min(kept, max(0, len(body) - 1))])
        return False
    return _delivered(answer_normally(), deliver)


def _drop_after(settings, request, answer_normally, clock):
    def deliver(sock, head, body):
        sock.sendall((head + body)[:int(settings.get("bytes", 0))])
        return False
    return _delivered(answer_normally(), deliver)


def _slow(settings, request, answer_normally, clock):
    return _delivered(answer_normally(), _delivery_after(settings))


def _delivery_after(settings):
    """A delivery that begins after delay_s and goes on at bytes_per_s."""
    def deliver(sock, head, body):
        time.sleep(float(settings.get("delay_s", 0)))
        rate = int(settings.get("bytes_per_s", 0))
        if rate <= 0:
            sock.sendall(head + body)
            return True
        return _trickle(sock, head + body, rate)
    return deliver


def _huge(settings, request, answer_normally, clock):
    size = int(settings.get("bytes", HUGE_BYTES))
    chunked = bool(settings.get("chunked", False))

    def deliver(sock, head, body):
        return _stream_chunks(sock, head, size) if chunked else _stream(sock, head, size)
    answer = Answer(200)
    answer.headers.update({"Transfer-Encoding": "chunked"} if chunked
                          else {"Content-Length": str(size)})
    return _delivered(answer, deliver)


def _delivered(answer, deliver):
    answer.delivery = deliver
    return answer


def _abort(sock):
    """End a connection with a reset instead of a clean close."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _trickle(sock, data, rate):
    step = max(1, rate // 10)
    for start in range(0, len(data), step):
        sock.sendall(data[start:start + step])
        time.sleep(step / rate)
    return True


def _json_pieces(size):
    """A valid JSON array of strings, exactly `size` bytes (at least 5), in pieces."""
    yield b"["
    left = size - 4
    while left > len(_CHUNK):
        yield _CHUNK
        left -= len(_CHUNK)
    yield b'"' + b"x" * max(0, left) + b'"'
    yield b"]"


def _stream(sock, head, size):
    sock.sendall(head)
    for piece in _json_pieces(size):
        sock.sendall(piece)
    return True


def _stream_chunks(sock, head, size):
    sock.sendall(head)
    for piece in _json_pieces(size):
        sock.sendall(b"%x\r\n" % len(piece) + piece + b"\r\n")
    sock.sendall(b"0\r\n\r\n")
    return True


KINDS = {
    "status": _status, "secondary_limit": _secondary_limit, "primary_limit": _primary_limit,
    "truncate": _truncate, "drop": _drop, "drop_after": _drop_after,
    "garbage_json": _garbage_json, "wrong_type": _wrong_type, "huge": _huge, "slow": _slow,
    "redirect": _redirect, "stale": _stale, "gateway": _gateway, "partial": _partial,
    "graphql_limited": _graphql_limited,
}
