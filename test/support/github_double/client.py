"""For tests in Python: run a double as a process, steer it, walk its listings.

    with DoubleProcess([folder], tokens=["t1"]) as double:
        double.edit("acme/widgets", "add_comment", number=3, body="hello")
        double.fault(match="events", kind="status", status=502, times=2)
        ... run the program against double.url ...
        assert double.counts()["violations"] == []
"""

import http.client
import json
import os
import re
import subprocess
import sys
import threading
from urllib.parse import quote, urlsplit

SUPPORT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

DEFAULT_HEADERS = {
    "User-Agent": "double-client",
    "Accept": "application/vnd.github+json",
    "X-GitHub-Api-Version": "2022-11-28",
}

_LINK = re.compile(r'<([^>]*)>; rel="([a-z]+)"')


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    def json(self):
        return json.loads(self.body)

    def links(self):
        """The targets of the Link header by rel."""
        return {rel: url for url, rel in _LINK.findall(self.headers.get("Link") or "")}


class ControlFailed(RuntimeError):
    pass


class DoubleClient:
    """Speaks to a running double; `token` goes into API requests, not control."""

    def __init__(self, url, token=None):
        self.url = url.rstrip("/")
        self._headers = dict(DEFAULT_HEADERS)
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"
        parts = urlsplit(self.url)
        self._address = (parts.hostname, parts.port)
        self._local = threading.local()

    # API requests

    def request(self, target, headers=None, method="GET", body=None):
        """One request with exactly these headers; `target` may be a whole URL."""
        if target.startswith(self.url):
            target = target[len(self.url):]
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection(*self._address, timeout=60)
            self._local.connection = connection
        try:
            connection.request(method, target, body, headers or {})
            answer = connection.getresponse()
            return Response(answer.status, answer.headers, answer.read())
        except Exception:
            self.close()
            raise

    def close(self):
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def get(self, target, **headers):
        """A well-formed API request; keywords become headers (`If_None_Match`)."""
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(target, {**self._headers, **more})

    def graphql(self, query, operation=None, path="/graphql", **variables):
        """One GraphQL query; the answer's JSON is its json()."""
        body = {"query": query, "variables": variables}
        if operation is not None:
            body["operationName"] = operation
        return self.request(path, self._headers, "POST", json.dumps(body).encode())

    def walk(self, target):
        """All elements of a listing, following rel="next"."""
        while target is not None:
            response = self.get(target)
            if response.status != 200:
                raise ControlFailed(f"{target}: {response.status} {response.body[:300]!r}")
            yield from response.json()
            target = response.links().get("next")

    # Control

    def control(self, path, body=None):
        method = "GET" if body is None else "POST"
        raw = None if body is None else json.dumps(body).encode()
        response = self.request(f"/_double/{path}", method=method, body=raw)
        if response.status != 200:
            raise ControlFailed(f"{path}: {response.body.decode(errors='replace')}")
        return response.json()

    def counts(self):
        return self.control("counts")

    def reset_counts(self):
        return self.control("counts/reset", {})

    def requests(self):
        return self.control("requests")

    def fault(self, **settings):
        return self.control("fault", settings)

    def random_edits(self, repo, count, seed, kinds=None, spread_s=0):
        """What was done, in order; the same for the same seed and state."""
        wish = {"repo": repo, "count": count, "seed": seed, "spread_s": spread_s}
        return self.control("random_edits", wish if kinds is None else {**wish, "kinds": kinds})

    def secondary(self, **settings):
        return self.control("secondary", settings)

    def revoke(self, token):
        """`*`: every installation token."""
        return self.control("token", {"revoke": token})

    def faults(self):
        return self.control("faults")

    def clear_faults(self):
        return self.control("faults/clear", {})

    def clock(self, **settings):
        return self.control("clock", settings)["now"]

    def rate_limit(self, **settings):
        return self.control("rate_limit", settings)

    def edit(self, repo, op, **settings):
        return self.control("edit", {"repo": repo, "op": op, **settings})

    def delta(self, line):
        return self.control("delta", line)

    def load(self, recording):
        return self.control("load", {"recording": os.path.abspath(recording)})

    def state(self, repo):
        return self.control(f"state?repo={quote(repo, safe='')}")


class DoubleProcess(DoubleClient):
    """A double in a process of its own; a context manager."""

    def __init__(self, recordings, tokens=(), options=()):
        command = [sys.executable, os.path.join(SUPPORT, "github-double"), "--quiet"]
        for folder in recordings:
            command += ["--recording", str(folder)]
        for token in tokens:
            command += ["--token", token]
        self.process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            self.process.kill()
            raise RuntimeError(f"the double did not start: {line!r}")
        super().__init__(line.split()[-1], tokens[0] if tokens else None)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.stop()

    def stop(self):
        """End the process; its exit status."""
        self.close()
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()  # nothing is left over, even when it hangs
            self.process.wait()
            self.process.stdout.close()
