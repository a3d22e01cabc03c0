"""The HTTP side: routes, strictness, counts, faults."""

import json
import re
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, unquote, urlsplit

from .faults import Fault, Faults
from .model import Model, RESUMABLE_UNIT, Refused, Session
from .tokens import Tokens

# path pattern (still percent-encoded), method -> operation
ROUTES = [
    (re.compile(r"/storage/v1/b"), {"POST": "bucket_make"}),
    (re.compile(r"/storage/v1/b/([^/]+)"), {"GET": "bucket"}),
    (re.compile(r"/storage/v1/b/([^/]+)/o"), {"GET": "list"}),
    (re.compile(r"/storage/v1/b/([^/]+)/o/([^/]+)"), {"GET": "get_or_stat", "DELETE": "delete"}),
    (re.compile(r"/storage/v1/b/([^/]+)/o/([^/]+)/compose"), {"POST": "compose"}),
    (re.compile(r"/storage/v1/b/([^/]+)/o/([^/]+)/rewriteTo/b/([^/]+)/o/([^/]+)"), {"POST": "rewrite"}),
    (re.compile(r"/upload/storage/v1/b/([^/]+)/o"), {"POST": "insert", "PUT": "upload"}),
    (re.compile(r"/token"), {"POST": "token"}),
    (re.compile(r"/sts/v1/token"), {"POST": "token"}),
    (re.compile(r"/impersonate"), {"POST": "token"}),
    (re.compile(r"/subject"), {"GET": "subject"}),
    (re.compile(r"/computeMetadata/v1/instance/service-accounts/default/token"), {"GET": "token"}),
]
QUERY = {"bucket_make": {"project"}, "bucket": {"fields"}, "delete": {"ifGenerationMatch", "generation"},
         "list": {"prefix", "pageToken", "maxResults", "fields", "startOffset"},
         "get_or_stat": {"alt", "generation", "fields", "ifGenerationMatch"},
         "compose": {"ifGenerationMatch"}, "rewrite": {"ifGenerationMatch", "rewriteToken"},
         "insert": {"uploadType", "name", "ifGenerationMatch"},
         "upload": {"uploadType", "upload_id"}, "token": set(), "subject": set()}


class Double:
    """All state; handlers run under its lock."""

    def __init__(self, buckets=("bucket",), write_interval=1.0, page_size=1000, origin=""):
        self.model = Model(buckets, write_interval, page_size)
        self.tokens = Tokens()
        self.faults = Faults()
        self.origin = origin
        self.log = []          # {"op", "method", "target", "status", "condition", "bytes"}
        self.violations = []

    # operations: (match groups, query, headers, body) -> (status, headers, body)

    def op_bucket_make(self, _groups, query, _headers, body):
        name = json.loads(body).get("name")
        if not query.get("project"):
            raise Refused(400, "Required parameter: project", "required")
        if name in self.model.buckets:
            raise Refused(409, "Your previous request to create the named bucket succeeded and you "
                               "already own it.", "conflict")
        self.model.buckets[name] = {}
        return self._json({"kind": "storage#bucket", "name": name})

    def op_bucket(self, groups, _query, _headers, _body):
        self.model.bucket(groups[0])
        return self._json({"kind": "storage#bucket", "name": groups[0], "location": "EUROPE-WEST1",
                           "storageClass": "STANDARD", "timeCreated": "2026-01-02T03:04:05.678Z"})

    def op_list(self, groups, query, _headers, _body):
        items, token = self.model.page(groups[0], query.get("prefix", ""), query.get("pageToken"),
                                       int(query.get("maxResults", "0")))
        out = {"kind": "storage#objects"}
        if items:
            out["items"] = [o.describe(groups[0]) for o in items]
        if token:
            out["nextPageToken"] = token
        return self._json(out)

    def op_stat(self, groups, query, _headers, _body):
        found = self.model.object(groups[0], groups[1], _int(query.get("generation")))
        return self._json(found.describe(groups[0]))

    def op_get(self, groups, query, headers, _body):
        found = self.model.object(groups[0], groups[1], _int(query.get("generation")))
        out = {"Content-Type": found.content_type, "x-goog-generation": str(found.generation),
               "x-goog-stored-content-length": str(len(found.data)),
               "x-goog-hash": f"crc32c={found.crc}",
               "Last-Modified": time.strftime("%a, %d %b %Y %H:%M:%S GMT",
                                              found.created.timetuple())}
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("Range") or "")
        if asked is None:
            return 200, out, found.data
        first = int(asked.group(1))
        last = min(int(asked.group(2) or len(found.data)), len(found.data) - 1)
        if first >= len(found.data):
            raise Refused(416, "The requested range cannot be satisfied.", "requestedRangeNotSatisfiable")
        out["Content-Range"] = f"bytes {first}-{last}/{len(found.data)}"
        return 206, out, found.data[first:last + 1]

    def op_delete(self, groups, query, _headers, _body):
        self.model.delete(groups[0], groups[1], _int(query.get("ifGenerationMatch")))
        return 204, {}, b""

    def op_compose(self, groups, query, _headers, body):
        made = self.model.compose(groups[0], groups[1], json.loads(body),
                                  _int(query.get("ifGenerationMatch")))
        return self._json(made.describe(groups[0]))

    def op_rewrite(self, groups, query, _headers, _body):
        token, made = self.model.rewrite((groups[0], groups[1]), (groups[2], groups[3]),
                                         _int(query.get("ifGenerationMatch")), query.get("rewriteToken"))
        if made is None:
            return self._json({"kind": "storage#rewriteResponse", "done": False, "rewriteToken": token})
        return self._json({"kind": "storage#rewriteResponse", "done": True,
                           "resource": made.describe(groups[2])})

    def op_insert(self, groups, query, headers, body):
        kind, condition = query.get("uploadType"), _int(query.get("ifGenerationMatch"))
        if kind == "media":
            made = self.model.insert(groups[0], {"name": query.get("name", "")}, body, condition)
        elif kind == "multipart":
            made = self.model.insert(groups[0], *_multipart(headers, body), condition)
        else:
            raise Refused(400, f"bad uploadType {kind!r}")
        return self._json(made.describe(groups[0]))

    def op_session(self, groups, query, _headers, body):
        metadata, condition = json.loads(body), _int(query.get("ifGenerationMatch"))
        self.model.check(groups[0], metadata["name"], condition)
        key = f"session-{len(self.model.sessions) + 1}"
        self.model.sessions[key] = Session(groups[0], metadata, condition)
        return 200, {"Location": f"{self.origin}/upload/storage/v1/b/{groups[0]}/o"
                                 f"?uploadType=resumable&upload_id={key}"}, b""

    def op_upload(self, _groups, query, headers, body):
        session = self.model.sessions.get(query.get("upload_id"))
        if session is None:
            raise Refused(404, "no such session")
        asked = re.fullmatch(r"bytes (?:(\d+)-(\d+)|\*)/(\d+)", headers.get("Content-Range") or "")
        if asked is None:
            raise Refused(400, "bad Content-Range")
        total = int(asked.group(3))
        if asked.group(1) is not None:
            self._take_piece(session, int(asked.group(1)), int(asked.group(2)), total, body)
        if len(session.data) < total or (total == 0 and asked.group(1) is None and not body and total):
            have = {"Range": f"bytes=0-{len(session.data) - 1}"} if session.data else {}
            return 308, have, b""
        made = self.model.insert(session.bucket, session.metadata, session.data, session.condition)
        return self._json(made.describe(session.bucket))

    @staticmethod
    def _take_piece(session, first, last, total, body):
        if last - first + 1 != len(body) or first > len(session.data):
            raise Refused(400, "the piece is not what Content-Range says")
        if last + 1 < total and len(body) % RESUMABLE_UNIT:
            raise Refused(400, "a piece must be a multiple of 256 KiB")
        session.data = session.data[:first] + body

    def op_token(self, path, headers, body):
        if path == "/token":
            return self._json(self.tokens.oauth(body, self.origin + "/token"))
        if path == "/sts/v1/token":
            return self._json(self.tokens.sts(body))
        if path == "/impersonate":
            return self._json(self.tokens.impersonate(headers, body))
        return self._json(self.tokens.metadata(headers))

    @staticmethod
    def _json(document):
        return 200, {"Content-Type": "application/json; charset=UTF-8"}, json.dumps(document).encode()


def _int(text):
    if text is None:
        return None
    if not re.fullmatch(r"\d+", text):
        raise Refused(400, f"Invalid value {text!r}")
    return int(text)


def _multipart(headers, body):
    match = re.fullmatch(r'multipart/related; boundary="?([^";]+)"?', headers.get("Content-Type") or "")
    if match is None:
        raise Refused(400, "Missing multipart boundary")
    mark = b"--" + match.group(1).encode()
    if not body.startswith(mark + b"\r\n") or not body.endswith(b"\r\n" + mark + b"--\r\n"):
        raise Refused(400, "Malformed multipart body")
    inner = body[len(mark) + 2:-len(mark) - 6]
    first, _, second = inner.partition(b"\r\n" + mark + b"\r\n")
    head, _, text = first.partition(b"\r\n\r\n")
    media_head, _, data = second.partition(b"\r\n\r\n")
    if b"application/json" not in head or b"Content-Type" not in media_head:
        raise Refused(400, "Malformed multipart part")
    return json.loads(text), data


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    double = None
    disable_nagle_algorithm = True

    def log_message(self, *_args):
        pass

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        if parts.path.startswith("/_double/"):
            return self._control(parts.path[len("/_double/"):], body)
        with self.double.model.lock:
            answer = self._answer(parts, body)
        if answer is not None:
            self._send(*answer)

    do_GET = do_POST = do_PUT = do_DELETE = _serve

    def _answer(self, parts, body):
        op, groups, query = self._route(parts)
        if op is None:
            self.double.violations.append(f"{self.command} {self.path}")
            return _refusal(Refused(404, "Not Found", "notFound"))
        entry = {"op": op, "method": self.command, "target": self.path, "bytes": len(body),
                 "condition": query.get("ifGenerationMatch"), "status": 0}
        self.double.log.append(entry)
        fault = self.double.faults.pick(op)
        answer = self._faulty(fault, op, groups, query, body, parts.path) if fault else \
            self._perform(op, groups, query, body, parts.path)
        entry["status"] = answer[0] if answer else -1
        return answer

    def _route(self, parts):
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        for pattern, methods in ROUTES:
            match = pattern.fullmatch(parts.path)
            if match is None or self.command not in methods:
                continue
            op = methods[self.command]
            unknown = set(query) - QUERY[op]
            if unknown:
                self.double.violations.append(f"unknown parameters {sorted(unknown)} for {op}")
            if op == "get_or_stat":
                op = "get" if query.get("alt") == "media" else "stat"
            if op == "insert" and query.get("uploadType") == "resumable":
                op = "session"
            return op, [unquote(g) for g in match.groups()], query
        return None, [], query

    def _perform(self, op, groups, query, body, path):
        try:
            if op == "token":
                return self.double.op_token(path, self.headers, body)
            if op == "subject":
                return 200, {"Content-Type": "text/plain"}, (self.double.tokens.subject or "").encode()
            self.double.tokens.check(self.headers)
            return getattr(self.double, f"op_{op}")(groups, query, self.headers, body)
        except Refused as refused:
            return _refusal(refused)
        except (ValueError, KeyError, TypeError) as error:
            return _refusal(Refused(400, f"bad request: {error}"))

    def _faulty(self, fault, op, groups, query, body, path):
        kind, settings = fault.kind, fault.settings
        if kind == "status":
            status, headers, text = _refusal(Refused(settings["status"], "made to fail", "backendError"))
            if "retry_after" in settings:
                headers["Retry-After"] = str(settings["retry_after"])
            return status, headers, text
        if kind == "expired":
            self.double.tokens.revoke_all()
            return _refusal(Refused(401, "Invalid Credentials", "authError"))
        if kind == "reset_before":
            return self._reset()
        if kind in ("stall", "slow"):
            self.double.model.lock.release()  # nobody else has to wait
            try:
                time.sleep(settings.get("delay_s", 1))
            finally:
                self.double.model.lock.acquire()
        if kind == "stall":
            return self._reset()
        answer = self._perform(op, groups, query, body, path)
        if kind == "reset_after":
            return self._reset()
        if kind == "lost_status":
            return _refusal(Refused(settings["status"], "made to fail", "backendError"))
        if kind == "corrupt" and answer[2]:
            damaged = bytearray(answer[2])
            damaged[len(damaged) // 2] ^= 1
            return answer[0], answer[1], bytes(damaged)
        if kind == "broken":
            return self._send(*answer, cut=settings.get("bytes", len(answer[2]) // 2))
        return answer

    def _reset(self):
        """Close so that the peer sees a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _send(self, status, headers, body, cut=None):
        try:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if cut is None else body[:cut])
            self.wfile.flush()
        except OSError:
            self.close_connection = True
        if cut is not None:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    # control

    def _control(self, path, body):
        double = self.double
        settings = json.loads(body) if body else {}
        with double.model.lock:
            if path == "fault":
                double.faults.active.append(Fault(settings))
            elif path == "faults/clear":
                double.faults.active.clear()
            elif path == "log/clear":
                double.log.clear()
            elif path == "set":
                for name, value in settings.items():
                    target = double.tokens if hasattr(double.tokens, name) else double.model
                    setattr(target, name, value)
            elif path == "damage":
                found = double.model.object(settings["bucket"], settings["name"])
                data = bytearray(found.data)
                data[settings.get("at", 0)] ^= 1
                found.data = bytes(data)
            elif path == "revoke":
                double.tokens.revoke_all()
        document = {"log": double.log, "violations": double.violations, "minted": double.tokens.minted}
        text = json.dumps(document).encode()
        self._send(200, {"Content-Type": "application/json"}, text)


def _refusal(refused):
    if refused.reason.startswith(("invalid_", "unsupported_")):
        document = {"error": refused.reason, "error_description": refused.message}
    else:
        document = {"error": {"code": refused.status, "message": refused.message,
                              "errors": [{"reason": refused.reason, "message": refused.message}]}}
    return refused.status, {"Content-Type": "application/json; charset=UTF-8"}, json.dumps(document).encode()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass  # resets are wanted here


def serve(double, port=0):
    handler = type("BoundHandler", (Handler,), {"double": double})
    server = Server(("127.0.0.1", port), handler)
    double.origin = f"http://127.0.0.1:{server.server_address[1]}"
    return server
