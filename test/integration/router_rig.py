"""A router on a stage, and backends that behave as a test wants them to."""

import hashlib
import json
import os
import socket
import struct
import threading

from fcgi_client import END_REQUEST, STDOUT, FcgiClient
from harness import SECRET, Case, accepts, wait_until

BEGIN_REQUEST, ABORT_REQUEST, PARAMS, STDIN = 1, 2, 4, 5
MAX_CONTENT = 65_528


def sha_of(repo):
    return hashlib.sha224(repo.encode()).hexdigest()


def record(kind, content=b"", request_id=1):
    return struct.pack(">BBHHBx", 1, kind, request_id, len(content), 0) + content


def stdout(data, request_id=1):
    return b"".join(record(STDOUT, data[i:i + MAX_CONTENT], request_id)
                    for i in range(0, len(data), MAX_CONTENT))


def end(request_id=1, app_status=0, protocol_status=0):
    return record(END_REQUEST, struct.pack(">IB3x", app_status, protocol_status), request_id)


def answer(body, status=200, length=True, headers=()):
    """A CGI answer's bytes."""
    lines = [f"Status: {status} X", "Content-Type: application/json", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def decode_params(data):
    def length(at):
        if data[at] < 128:
            return data[at], at + 1
        return struct.unpack(">I", data[at:at + 4])[0] & 0x7fff_ffff, at + 4
    at, pairs = 0, []
    while at < len(data):
        name, at = length(at)
        value, at = length(at)
        pairs.append((data[at:at + name].decode("latin-1"),
                      data[at + name:at + name + value].decode("latin-1")))
        at += name + value
    return pairs


class Request:
    """What a backend was asked, on which connection."""

    def __init__(self, connection, sock, pairs, body, request_id):
        self.connection = connection  # counted from 1
        self.sock = sock
        self.pairs = pairs
        self.params = dict(pairs)
        self.body = body
        self.id = request_id

    def send(self, data):
        self.sock.sendall(data)

    def reply(self, body, **more):
        self.send(stdout(answer(body, **more), self.id) + end(self.id))


class Gone(Exception):
    """Thrown by a behaviour to close the connection."""


class Backend:
    """A responder in threads: `behave(request)` answers, or raises Gone."""

    def __init__(self, repo, address, behave=None):
        self.repo = repo
        self.address = address
        self.behave = behave or self.say_name
        self.requests = []
        self.open = 0
        self.aborted = threading.Event()
        self._connections = 0
        self._lock = threading.Lock()
        self._sockets = set()
        self._listener = None
        self.start()

    def say_name(self, request):
        if "/owners/" in request.params["REQUEST_URI"]:
            request.reply(self.summary().encode())
        else:
            request.reply(json.dumps({"repo": self.repo,
                                      "uri": request.params["REQUEST_URI"]}).encode())

    def summary(self, issues=3):
        return json.dumps({"repositories": [{"name": self.repo, "issueCount": issues,
                                             "pullRequestCount": 1}],
                           "nextPageToken": "", "total": 1})

    def start(self):
        if self.address.startswith("unix:"):
            self._listener = socket.socket(socket.AF_UNIX)
            path = self.address[len("unix:"):]
            if os.path.exists(path):
                os.unlink(path)
            self._listener.bind(path)
        else:
            host, _, port = self.address.rpartition(":")
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._listener = socket.socket(family)
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((host.strip("[]"), int(port)))
        self._listener.listen(512)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def stop(self):
        """As when the process dies: the listener and every connection go."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            for sock in self._sockets:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def _accept(self, listener):
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        with self._lock:
            self._connections += 1
            self.open += 1
            number = self._connections
            self._sockets.add(sock)
        try:
            while self._one(sock, number):
                pass
        except (Gone, OSError):
            pass
        finally:
            with self._lock:
                self.open -= 1
                self._sockets.discard(sock)
            sock.close()

    def _read(self, sock, size):
        data = b""
        while len(data) < size:
            piece = sock.recv(size - len(data))
            if not piece:
                return None
            data += piece
        return data

    def _one(self, sock, number):
        """Read one request and let it be answered; False at the connection's end."""
        params, body = b"", b""
        while True:
            head = self._read(sock, 8)
            if head is None:
                if params:
                    self.aborted.set()
                return False
            _, kind, request_id, length, padding = struct.unpack(">BBHHBx", head)
            content = self._read(sock, length + padding)[:length] if length + padding else b""
            if kind == PARAMS:
                params += content
            elif kind == STDIN:
                body += content
                if not content:
                    break
            elif kind == ABORT_REQUEST:
                self.aborted.set()
        request = Request(number, sock, decode_params(params), body, request_id)
        with self._lock:
            self.requests.append(request)
        self.behave(request)
        return True


class RouterCase(Case):
    """A router in front of backends on unix sockets."""

    webhook_secrets = ("first webhook secret", "second webhook secret")

    def setUp(self):
        super().setUp()
        self.backends = {}
        self.list_path = self.stage.path("repos.json")
        self.program = None
        self.clients = []
        self.addCleanup(self.end)

    def end(self):
        for client in self.clients:
            client.close()
        for backend in self.backends.values():
            backend.stop()

    def socket_of(self, repo, kind=""):
        return "unix:" + self.stage.path(f"{sha_of(repo)}{kind}.sock")

    def backend(self, repo, behave=None, address=None):
        backend = Backend(repo, address or self.socket_of(repo), behave)
        self.backends[repo] = backend
        return backend

    def write_list(self, *repos, text=None):
        if text is None:
            text = json.dumps({"repos": [{"repo": repo, "default_branch": "main",
                                          "is_tracking_issues": True} for repo in repos]})
        temporary = self.list_path + ".new"
        with open(temporary, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(temporary, self.list_path)

    def start(self, *arguments, backend=None, wait=True, env=None):
        self.address = f"unix:{self.stage.path('router.sock')}"
        secrets = self.stage.path("webhook-secrets")
        with open(secrets, "w", encoding="utf-8") as file:
            file.write("\n".join(self.webhook_secrets) + "\n")
        internal = self.stage.path("internal-secret")
        with open(internal, "w", encoding="utf-8") as file:
            file.write(SECRET + "\n")
        self.program = self.stage.run(
            "maintner-rtr", "--listen", self.address, "--repos", f"file://{self.list_path}",
            "--backend", backend or f"unix:{self.stage.folder}/{{sha}}.sock",
            "--internal", f"unix:{self.stage.folder}/{{sha}}-internal.sock",
            "--webhook-secret-file", secrets, "--internal-secret-file", internal, *arguments,
            env=env)
        wait_until(lambda: accepts(self.address) or self.program.process.poll() is not None,
                   self.program.tail)
        if wait:
            wait_until(lambda: self.program.log_with(message="repository list read"),
                       self.program.tail)
        return self.program

    def client(self):
        client = FcgiClient(self.address, timeout_s=30)
        self.clients.append(client)
        return client

    def ask(self, path, query="", **more):
        """On a connection of its own."""
        client = FcgiClient(self.address, timeout_s=30)
        try:
            return client.ask(path, query, **more)
        finally:
            client.close()

    def ask_repo(self, repo, **more):
        return self.ask(f"/api/v1/{repo}/issues", **more)

    def metric(self, name):
        text = self.ask("/metrics").body.decode()
        for line in text.splitlines():
            if line.startswith(name + " "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"no {name} in:\n{text}")

    def outcome(self, name):
        return self.metric(f'maintner_router_requests_total{{outcome="{name}"}}')

    def assert_status(self, got, status, code, word=""):
        """A google.rpc.Status."""
        self.assertEqual(status, got.status, got)
        body = got.json()
        self.assertEqual({"code", "message", "details"}, set(body))
        self.assertEqual(code, body["code"], got)
        self.assertIn(word, body["message"])
        self.assertTrue(got.headers.get("x-request-id"))

    def stop(self):
        self.assertEqual(0, self.program.stop(), self.program.tail())
