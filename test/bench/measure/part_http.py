"""GetIssue and ListIssues behind nginx, beside a responder that does nothing.

"ours" makes every answer anew (--cache-mb 0), "kept" may give one again, as shipped.
"""

import os
import random
import socket
import sys
from statistics import median

from bench import REPO
from front import ROOT, Front
from processes import Daemon, PeakAnon
from table import Row, with_budget

sys.path.insert(0, os.path.join(ROOT, "test", "integration"))
from fcgi_client import FcgiClient  # noqa: E402  (needs the path above)

GET_RATIO, LIST_RATIO, SIZE_RATIO, MEMORY_MB = 1.2, 1.3, 1.3, 16
GET_PATHS = 2000
LIBFCGI_THREADS = 32  # a thread stays with its connection: one for each that nginx may keep
LIST = f"/api/v1/{REPO}/issues"
PLAIN = " (plain)"
ORDERS = ("number", "-created", "-updated", "-comments")
NO_CACHE = ("--cache-mb", "0")
OTHER_PAGES = 1000  # at most, of the row that asks for another page each time
# Bytes to come near to by the number of issues in a page, and the members they show.
SIZES = ((1000, "&fieldMask=title,url,labels"), (8000, ""), (120_000, ""))


class Stage:
    """Responders behind one nginx."""

    def __init__(self, bench):
        self.bench = bench
        self.issues = bench.options.issues
        self.small = max(self.issues // 10, 100)
        self.run = bench.path("now", "run")
        os.makedirs(os.path.join(self.run, "static"), exist_ok=True)
        self.backends = {}
        snapshots = {"ours": bench.snapshot(self.issues), "small": bench.snapshot(self.small)}
        if bench.options.large:
            snapshots["leansmall"] = bench.snapshot(self.small, lean=True)
            snapshots["leanlarge"] = bench.snapshot(bench.options.large, lean=True)
        for name, folder in snapshots.items():
            self.backends[name] = self.responder(name, folder, *NO_CACHE)
        self.backends["kept"] = self.responder("kept", snapshots["ours"])
        self.backends["libfcgi"] = self._libfcgi(snapshots["ours"])
        sockets = {name: self.socket(name) for name in [*self.backends, "noop"]}
        self.front = Front(self.socket("front", ""), sockets, self.socket("static", ""))
        self.plain = Front(self.socket("plain", ""), sockets, self.socket("static", ""),
                           keep_memory=False)
        self._clients = {name: FcgiClient(f"unix:{self.socket(name)}") for name in snapshots}

    def socket(self, name, suffix=".sock"):
        return os.path.join(self.run, name + suffix)

    def responder(self, name, folder, *more):
        return Daemon([self.bench.program("maintnerd-fcgi"), "--snapshot", folder,
                       "--listen", f"unix:{self.socket(name)}", *more], self.socket(name))

    def _libfcgi(self, folder):
        """As a web server's process manager starts it: the socket is descriptor 0."""
        path = self.socket("libfcgi")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            os.chmod(path, 0o660)
            listener.listen(1024)
            return Daemon([self.bench.program("maintnerd-fcgi"), "--snapshot", folder,
                           "--threads", LIBFCGI_THREADS, *NO_CACHE], stdin=listener)

    def noop(self, size):
        if "noop" in self.backends:
            self.backends["noop"].stop()
        self.backends["noop"] = Daemon(
            [self.bench.helper("noop_fcgi"), "--listen", f"unix:{self.socket('noop')}",
             "--bytes", size], self.socket("noop"))

    def static(self, size):
        with open(os.path.join(self.run, "static", f"{size}.json"), "wb") as file:
            file.write(b"x" * size)
        return f"/{size}.json"

    def ask(self, name, target):
        path, _, query = target.partition("?")
        answer = self._clients[name].ask(path, query)
        if answer.status != 200:
            raise RuntimeError(f"{target}: {answer}")
        return answer

    def load(self, name, paths):
        """`name` is a backend's; with " (plain)" behind it, nginx as glibc leaves it."""
        backend = name.removesuffix(PLAIN)
        pid = self.backends[backend].pid if backend in self.backends else None
        front = self.front if name == backend else self.plain
        return front.load(backend, paths, pid, self.bench.options.seconds)

    def compare(self, paths, names):
        """{name: slices}, the names in turn in each round."""
        slices = {name: [] for name in names}
        for nth in range(self.bench.options.http_rounds + 1):
            for name in names:
                got = self.load(name, paths[name])
                if nth > 0:  # the first one warms
                    slices[name].append(got)
        return slices

    def close(self):
        for client in self._clients.values():
            client.close()
        self.front.stop()
        self.plain.stop()
        for backend in self.backends.values():
            backend.stop()


def ratios(slices, a, b, scale=1.0):
    """Of CPU, for each round."""
    return [scale * x.total_us / y.total_us for x, y in zip(slices[a], slices[b])]


def mid(slices, what):
    return median(getattr(s, what) for s in slices)


def cpu_cell(slices):
    return f"{mid(slices, 'nginx_us'):.0f} + {mid(slices, 'backend_us'):.0f} us"


def middle_target(stage, name, query):
    """The same query with the token of a page in the middle."""
    token, seen = "", 0
    while True:
        more = f"&pageToken={token}" if token else ""
        page = stage.ask(name, f"{LIST}?{query}&pageSize=500&fieldMask=issueId{more}").json()
        seen += len(page["issues"])
        if seen >= page["total"] // 2 or not page["nextPageToken"]:
            return f"{LIST}?{query}&pageSize=100&pageToken={page['nextPageToken']}"
        token = page["nextPageToken"]


def detail(what, size, slices, name):
    s = slices[name]
    return [what, name, f"{size / 1000:.1f} KB", f"{mid(s, 'per_s'):,.0f}",
            f"{mid(s, 'nginx_us'):.0f}", f"{mid(s, 'backend_us'):.0f}",
            f"{mid(s, 'p50_us') / 1000:.2f} ms", f"{mid(s, 'p99_us') / 1000:.2f} ms",
            f"{mid(s, 'nginx_mib'):.1f} MiB", f"{mid(s, 'backend_mib'):.1f} MiB"]


def transports(stage, what, paths, size, more=("ours" + PLAIN, "noop" + PLAIN)):
    """All columns for one question; returns the slices and the cells."""
    stage.noop(size)
    names = ["ours", "kept", "noop", "libfcgi", "static", *more]
    every = {name: paths for name in names}
    every["static"] = [stage.static(size)]
    slices = stage.compare(every, names)
    return slices, [detail(what, size, slices, name) for name in names]


def get_issue(stage):
    numbers = random.Random(1).sample(range(1, stage.issues + 1), min(GET_PATHS, stage.issues))
    paths = [f"{LIST}/{n}?comments=true" for n in numbers]
    size = round(sum(len(stage.ask("ours", path).body) for path in paths) / len(paths))
    stage.bench.say(f"GetIssue, {size} bytes on average")
    slices, cells = transports(stage, "GetIssue with comments", paths, size)
    stage.bench.rows.append(with_budget(
        f"GetIssue with comments, {len(paths):,} issues at random, {size / 1000:.1f} KB",
        cpu_cell(slices["ours"]), f"no-op {cpu_cell(slices['noop'])}",
        ratios(slices, "ours", "noop"), GET_RATIO))
    return cells


def list_case(stage, order, query, place):
    first = f"orderBy={order}{query}"
    target = f"{LIST}?{first}&pageSize=100"
    if place == "middle":
        target = middle_target(stage, "ours", first)
    size = len(stage.ask("ours", target).body)
    stage.noop(size)
    stage.bench.say(f"ListIssues {first}, {place}, {size} bytes")
    names = ["ours", "kept", "noop"]
    slices = stage.compare({name: [target] for name in names}, names)
    state = "open" if query else "all"
    what = f"ListIssues, 100 by `{order}`, {state}, {place} page, {size / 1000:.0f} KB"
    for name, how in (("ours", "made anew"), ("kept", "kept answer")):
        stage.bench.rows.append(with_budget(
            f"{what}, {how}", cpu_cell(slices[name]), f"no-op {cpu_cell(slices['noop'])}",
            ratios(slices, name, "noop"), LIST_RATIO))


def page_targets(stage, order):
    """Every page of 100, or OTHER_PAGES of them, in an order that jumps about."""
    query, token, targets = f"orderBy={order}&pageSize=100", "", []
    while True:
        more = f"&pageToken={token}" if token else ""
        targets.append(f"{LIST}?{query}{more}")
        token = stage.ask("ours", f"{LIST}?{query}&fieldMask=issueId{more}").json()["nextPageToken"]
        if not token:
            return random.Random(1).sample(targets, min(len(targets), OTHER_PAGES))


def other_pages_case(stage, order):
    """Another page for each request, so that no cache, the processor's included, helps much."""
    targets = page_targets(stage, order)
    size = round(sum(len(stage.ask("ours", target).body) for target in targets) / len(targets))
    stage.noop(size)
    stage.bench.say(f"ListIssues {order}, {len(targets)} pages in turn, {size} bytes on average")
    names = ["ours", "kept", "noop"]
    slices = stage.compare({name: targets for name in names}, names)
    what = f"ListIssues, 100 by `{order}`, all, {len(targets):,} pages in turn, {size / 1000:.0f} KB"
    for name, how in (("ours", "made anew"), ("kept", "with a cache that they do not fit")):
        stage.bench.rows.append(with_budget(
            f"{what}, {how}", cpu_cell(slices[name]), f"no-op {cpu_cell(slices['noop'])}",
            ratios(slices, name, "noop"), LIST_RATIO))


def sized_target(stage, wanted, members):
    """(path, bytes) of the page whose size comes nearest to `wanted`."""
    def size(count):
        return len(stage.ask("ours", f"{LIST}?pageSize={count}{members}").body)
    count = min(range(1, 101), key=lambda n: abs(size(n) - wanted))
    return f"{LIST}?pageSize={count}{members}", size(count)


def size_case(stage, large, small, counts, order, place):
    """The same page in a large and in a small repository, CPU for each byte."""
    query = f"orderBy={order}"
    targets = {name: f"{LIST}?{query}&pageSize=100" if place == "first" else
               middle_target(stage, name, query) for name in (large, small)}
    sizes = {name: len(stage.ask(name, target).body) for name, target in targets.items()}
    stage.bench.say(f"ListIssues {query}, {place}, {counts[0]:,} against {counts[1]:,}")
    slices = stage.compare({name: [target] for name, target in targets.items()}, [large, small])
    scale = sizes[small] / sizes[large]
    return with_budget(
        f"ListIssues, 100 by `{order}`, {place} page, {counts[0]:,} issues",
        f"{cpu_cell(slices[large])} for {sizes[large] / 1000:.0f} KB",
        f"{counts[1]:,} issues: {cpu_cell(slices[small])} for {sizes[small] / 1000:.0f} KB",
        ratios(slices, large, small, scale), SIZE_RATIO)


def memory(stage, questions, name, issues, folder, *more):
    """A fresh responder, 16 connections that ask for large pages: one, then all of them."""
    target, size, pages = questions
    stage.backends[name].stop()
    stage.backends[name] = stage.responder(name, folder, *more)
    peak = PeakAnon(stage.backends[name].pid)
    for paths in ([target], pages, pages[:30]):
        stage.load(name, paths)
    mib = peak.stop()
    stage.bench.rows.append(Row(
        f"responder's own memory, {issues:,} issues, {'no cache' if more else 'as shipped'}, "
        f"16 connections asking for {size / 1000:.0f} KB and 200 KB", f"{mib:.1f} MiB", "", "",
        f"{MEMORY_MB} MB", mib * 1.048576 <= MEMORY_MB))


def measure_http(bench):
    stage = Stage(bench)
    try:
        cells = get_issue(stage)
        for order in ORDERS:
            for query in ("", "&closed=false"):
                for place in ("first", "middle"):
                    list_case(stage, order, query, place)
        for order in ORDERS:
            other_pages_case(stage, order)
        for wanted, members in SIZES:
            path, size = sized_target(stage, wanted, members)
            cells += transports(stage, f"{wanted // 1000} KB", [path], size, ())[1]
        page = f"{LIST}?pageSize=100"
        size = len(stage.ask("ours", page).body)
        cells += transports(stage, "ListIssues, 100", [page], size)[1]
        pairs = [("ours", "small", (stage.issues, stage.small))]
        if bench.options.large:
            pairs.append(("leanlarge", "leansmall", (bench.options.large, stage.small)))
        for large, small, counts in pairs:
            for place in ("first", "middle"):
                bench.rows.append(size_case(stage, large, small, counts, "-updated", place))
        questions = (*sized_target(stage, 120_000, ""), page_targets(stage, "-updated"))
        memory(stage, questions, "kept", stage.issues, bench.snapshot(stage.issues))
        memory(stage, questions, "ours", stage.issues, bench.snapshot(stage.issues), *NO_CACHE)
        if bench.options.large:
            memory(stage, questions, "leanlarge", bench.options.large,
                   bench.snapshot(bench.options.large, lean=True))
    finally:
        stage.close()
    bench.further.append((
        "Transports: our server without and with kept answers, a no-op on it, libfcgi with threads, a static file; "
        "plain: without the malloc settings of `measure/front.py`",
        ["what", "behind nginx", "size", "requests/s", "nginx us", "backend us", "p50", "p99",
         "nginx's memory", "backend's"],
        cells))
