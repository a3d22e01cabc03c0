"""The router in front of a responder that does nothing, beside that responder alone."""

import hashlib
import http.client
import json
import os
import socket
import threading
import time
from statistics import median

from front import Front
from processes import Daemon, PeakAnon, cpu_s
from table import Row, with_budget

CPU_RATIO, TAIL_RATIO, MEMORY_MB = 2.5, 1.1, 64
SIZES = (1_000, 8_000, 120_000)
LISTED = 5_000
SIDE_THREADS, SIDE_PAUSE_S = 8, 0.02
WARM_SIDE_S = 12  # a hanging backend's first requests end, and its breaker opens
TAIL_CONNECTIONS = 4  # a queue in front of one core would hide what the router adds
GOOD, OTHER, DEAD, HANGING = "bench/good", "bench/other", "bench/dead", "bench/hanging"


class Hanging:
    """Takes connections and never answers."""

    def __init__(self, path):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen(512)
        self._open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self._open.append(self._listener.accept()[0])
            except OSError:
                return

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()


class Stage:
    """noop_fcgi as the backend of two repositories, the router, nginx in front of all."""

    def __init__(self, bench):
        self.bench = bench
        self.run = bench.path("now", "router")
        os.makedirs(os.path.join(self.run, "static"))
        self.noops = {}
        for repo in (GOOD, OTHER):
            self.noop(repo, SIZES[1])
        self.hanging = Hanging(self.backend(HANGING))
        self.router_path = os.path.join(self.run, "router.sock")
        self.router = Daemon(
            [bench.program("maintner-rtr"), "--listen", f"unix:{self.router_path}",
             "--repos", f"file://{self.write_list()}", "--backend",
             f"unix:{self.run}/{{sha}}.sock"], self.router_path)
        sockets = {"direct": self.backend(GOOD), "router": self.router_path,
                   "fresh": self.router_path}
        for path in sockets.values():
            os.chmod(path, 0o666)
        self.front = Front(os.path.join(self.run, "front"), sockets,
                           os.path.join(self.run, "static"), fresh=("fresh",))
        self.wait_ready()

    def write_list(self):
        path = os.path.join(self.run, "repos.json")
        repos = [GOOD, OTHER, DEAD, HANGING] + [f"org{i % 50}/repo{i}" for i in range(LISTED - 4)]
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"repos": [{"repo": repo, "is_tracking_issues": True} for repo in repos]},
                      file)
        return path

    def backend(self, repo):
        return os.path.join(self.run, hashlib.sha224(repo.encode()).hexdigest() + ".sock")

    def noop(self, repo, size):
        if repo in self.noops:
            self.noops[repo].stop()
        self.noops[repo] = Daemon(
            [self.bench.helper("noop_fcgi"), "--listen", f"unix:{self.backend(repo)}",
             "--bytes", size], self.backend(repo))

    def ask(self, connection, repo):
        connection.request("GET", f"/api/v1/{repo}/issues")
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.front.port("router"), timeout=30)

    def wait_ready(self):
        end, connection = time.monotonic() + 10, self.connect()
        while self.ask(connection, GOOD) != 200:
            if time.monotonic() > end:
                raise RuntimeError("the router did not become ready")
            time.sleep(0.05)
        connection.close()

    def load(self, name, connections=16):
        """(slice, CPU of the router for each request)."""
        before = cpu_s(self.router.pid)
        got = self.front.load(name, [f"/api/v1/{GOOD}/issues"], self.noops[GOOD].pid,
                              self.bench.options.seconds, connections)
        requests = got.per_s * self.bench.options.seconds
        return got, (cpu_s(self.router.pid) - before) * 1e6 / requests

    def close(self):
        self.front.stop()
        self.router.stop()
        self.hanging.close()
        for daemon in self.noops.values():
            daemon.stop()


class Side:
    """A steady trickle of requests to another repository, while the load runs."""

    def __init__(self, stage, repo):
        self._stop = threading.Event()
        self.statuses = {}
        self._threads = [threading.Thread(target=self._ask, args=(stage, repo), daemon=True)
                         for _ in range(SIDE_THREADS)]
        for thread in self._threads:
            thread.start()

    def _ask(self, stage, repo):
        connection = stage.connect()
        while not self._stop.wait(SIDE_PAUSE_S):
            try:
                status = stage.ask(connection, repo)
            except (OSError, http.client.HTTPException):
                connection.close()
                continue
            self.statuses[status] = self.statuses.get(status, 0) + 1
        connection.close()

    def end(self):
        self._stop.set()
        for thread in self._threads:
            thread.join()
        return self.statuses


def mid(values):
    return median(values)


def row_cells(what, size, slices, router_us):
    return [what, f"{size / 1000:.0f} KB", f"{mid([s.per_s for s in slices]):,.0f}",
            f"{mid([s.nginx_us for s in slices]):.0f}", f"{mid(router_us):.0f}",
            f"{mid([s.backend_us for s in slices]):.0f}",
            f"{mid([s.p50_us for s in slices]) / 1000:.2f} ms",
            f"{mid([s.p99_us for s in slices]) / 1000:.2f} ms"]


def cpu_case(stage, size):
    """Direct, kept and fresh in turn; the budget is the router's CPU against the no-op's."""
    stage.noop(GOOD, size)
    os.chmod(stage.backend(GOOD), 0o666)
    slices = {name: [] for name in ("direct", "router", "fresh")}
    router = {name: [] for name in slices}
    for nth in range(stage.bench.options.http_rounds + 1):
        for name in slices:
            got, router_us = stage.load(name)
            if nth > 0:
                slices[name].append(got)
                router[name].append(router_us)
    stage.bench.rows.append(with_budget(
        f"router in front of a no-op responder, {size / 1000:.0f} KB",
        f"{mid(router['router']):.1f} us",
        f"no-op {mid([s.backend_us for s in slices['direct']]):.1f} us",
        [r / s.backend_us for r, s in zip(router["router"], slices["direct"])], CPU_RATIO))
    names = {"direct": "without router", "router": "router, kept connections",
             "fresh": "router, a connection for each request of nginx"}
    return [row_cells(names[name], size, slices[name],
                      router[name] if name != "direct" else [0]) for name in slices]


def tail_case(stage, what, repo):
    """p99 of one repository while another is asked that is well, and that is not."""
    Side(stage, repo).end()
    warm = Side(stage, repo)
    time.sleep(WARM_SIDE_S if repo == HANGING else 1)
    warm.end()
    tails = {OTHER: [], repo: []}
    for _ in range(stage.bench.options.http_rounds):
        for other in tails:
            side = Side(stage, other)
            tails[other].append(stage.load("router", TAIL_CONNECTIONS)[0].p99_us)
            statuses = side.end()
    stage.bench.say(f"{what}: {statuses}")
    stage.bench.rows.append(with_budget(
        f"p99 of a repository while another one {what}", f"{mid(tails[repo]) / 1000:.2f} ms",
        f"other one well {mid(tails[OTHER]) / 1000:.2f} ms",
        [a / b for a, b in zip(tails[repo], tails[OTHER])], TAIL_RATIO))


def measure_router(bench):
    stage = Stage(bench)
    peak = PeakAnon(stage.router.pid)
    try:
        cells = []
        for size in SIZES:
            bench.say(f"router, {size} bytes")
            cells += cpu_case(stage, size)
        stage.noop(GOOD, SIZES[1])
        tail_case(stage, "is dead", DEAD)
        tail_case(stage, "hangs", HANGING)
        mib = peak.stop()
        bench.rows.append(Row(
            f"router's own memory in all of that, {LISTED:,} repositories listed",
            f"{mib:.1f} MiB", "", "", f"{MEMORY_MB} MB", mib * 1.048576 <= MEMORY_MB))
    finally:
        stage.close()
    bench.further.append((
        "Router: the no-op responder alone, and behind it; a log line for each request is written",
        ["what", "size", "requests/s", "nginx us", "router us", "no-op us", "p50", "p99"], cells))
