"""The HTTP side: connections, faults, the log of requests, watches as they flow."""

import json
import socket
import ssl
import struct
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

from .api import BODY_MAX, Ask
from .control import command
from .errors import Refused
from .watch import Watch


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    double = None

    def log_message(self, *_args):
        pass

    def setup(self):
        self.request.settimeout(120)
        if isinstance(self.request, ssl.SSLSocket):
            self.request.do_handshake()
        super().setup()

    def _serve(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > BODY_MAX:
            self.close_connection = True
            return self._refuse(Refused(413, "RequestEntityTooLarge", "Request entity too large"))
        body = self.rfile.read(length)
        parts = urlsplit(self.path)
        if parts.path.startswith("/_double/"):
            return self._control(parts.path[len("/_double/"):], body)
        if self.double.down():
            return self._reset()
        entry = {"user": "", "verb": self.command, "resource": "", "namespace": "", "name": "", "method": self.command,
                 "path": self.path, "code": 0, "agent": self.headers.get("User-Agent", ""), "at": time.time()}
        try:
            self._answer(parts, body, entry)
        except Refused as refused:
            entry["code"] = refused.code
            self._refuse(refused)
        except OSError:
            self.close_connection = True
        except Exception as error:  # a fault of the double's own: seen, not swallowed
            traceback.print_exc()
            entry["code"] = 500
            self._refuse(Refused(500, "InternalError", f"the double failed: {type(error).__name__}: {error}"))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def _answer(self, parts, body, entry):
        double = self.double
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        certificate = self.request.getpeercert() if isinstance(self.request, ssl.SSLSocket) else None
        with double.store.lock:
            double.log.append(entry)
            entry["user"] = double.access.user(self.headers.get("Authorization"), _common_name(certificate))
            found = double.discovery(parts.path) if self.command == "GET" else None
            if found is not None:
                entry.update(verb="get", resource="discovery", code=200)
            else:
                ask = Ask(self.command, parts.path, query, self.headers.get("User-Agent"))
                entry.update(verb=ask.verb, namespace=ask.namespace, name=ask.name,
                             resource=ask.kind.plural + (f"/{ask.subresource}" if ask.subresource else ""))
                double.access.demand(entry["user"], ask.verb, ask.kind, ask.namespace, ask.name, ask.subresource)
            fault = double.faults.pick(entry)
        if found is not None and fault is None:
            return self._send(200, found)
        self._perform(entry, fault, lambda: (200, found) if found is not None else double.perform(
            ask, body, (self.headers.get("Content-Type") or "application/json").partition(";")[0].strip()))

    def _perform(self, entry, fault, perform):
        kind, settings = (fault.kind, fault.settings) if fault else ("", {})
        made = Refused(settings.get("status", 500), settings.get("reason", "InternalError"), "made to fail",
                       retry_after=settings.get("retry_after"))
        if kind in ("hang", "slow"):
            time.sleep(settings.get("delay_s", 1))
        if kind in ("reset", "hang"):
            entry["code"] = -1
            return self._reset()
        if kind == "status":
            raise made
        with self.double.store.lock:
            status, document = perform()
        entry["code"] = status
        if kind == "reset_after":
            return self._reset()
        if kind == "lost":
            raise made
        if isinstance(document, Watch):
            return self._watch(document, fault)
        self._send(status, document, settings.get("bytes", -1) if kind == "truncate" else None)

    # answers

    def _send(self, status, document, cut=None, headers=()):
        """`cut`: so many bytes of the body alone, half of it when -1."""
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        if cut is not None:
            data = data[:len(data) // 2 if cut < 0 else cut]
            self.close_connection = True
        self.wfile.write(data)
        self.wfile.flush()

    def _refuse(self, refused):
        headers = [("Retry-After", str(refused.retry_after))] if refused.retry_after is not None else []
        self._send(refused.code, refused.status(), headers=headers)

    def _reset(self):
        """Close so that the peer sees a reset."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()
        self.close_connection = True

    def _watch(self, watch, fault):
        kind = fault.kind if fault and fault.kind in ("cut", "close") else ""
        left = fault.settings.get("after_events", 0) if kind else 0
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.wfile.flush()
        with self.double.store.lock:
            self.double.watches.append(watch)
        try:
            for line in watch.lines():
                if kind and left == 0:
                    if kind == "cut":
                        self._chunk(line[:len(line) // 2])
                    break
                left -= 1
                self._chunk(line)
            else:
                kind = ""
            if kind or self.double.down():
                self.close_connection = True
            if not kind:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True
        finally:
            with self.double.store.lock:
                self.double.watches.remove(watch)

    def _chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _control(self, name, body):
        try:
            state = command(self.double, name, json.loads(body) if body else {})
        except (ValueError, KeyError, TypeError, Refused) as error:
            return self._send(400, {"error": f"{type(error).__name__}: {error}"})
        self._send(200, state)


def _common_name(certificate):
    for part in (certificate or {}).get("subject", ()):
        for name, value in part:
            if name == "commonName":
                return value
    return None


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    tls = None

    def get_request(self):
        connection, address = super().get_request()
        if self.tls is not None:  # the handshake comes later, in the connection's own thread
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def service_actions(self):
        """Between requests: what became due."""
        with self.RequestHandlerClass.double.store.lock:
            self.RequestHandlerClass.double.writes.rollout.tick()

    def handle_error(self, request, client_address):
        pass  # resets are wanted here


def serve(double, port=0, tls_cert=None, tls_key=None, client_ca=None, host="127.0.0.1"):
    handler = type("BoundHandler", (Handler,), {"double": double})
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = type("BoundServer", (Server,), {"address_family": family})((host, port), handler)
    if tls_cert:
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(tls_cert, tls_key)
        if client_ca:
            server.tls.verify_mode = ssl.CERT_OPTIONAL
            server.tls.load_verify_locations(client_ca)
    shown = f"[{host}]" if ":" in host else host
    double.origin = f"{'https' if tls_cert else 'http'}://{shown}:{server.server_address[1]}"
    return server
