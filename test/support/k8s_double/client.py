"""For tests: a double in this process, on a free port.

    with K8sDouble(namespaces=["maintner"]) as double:
        double.fault(verb="patch", kind="status", status=429, retry_after=1)
        ... run a program against double.origin ...
        assert double.counts() == {"list deployments": 1}
"""

import json
import threading
import urllib.error
import urllib.request

from .api import Double
from .control import command, counts
from .kinds import KINDS
from .server import serve

KIND_OF = {kind.plural: kind for kind in KINDS}


class K8sDouble(Double):
    """`tokens`: token -> user; `roles`: user -> the objects of a manifest with Roles."""

    def __init__(self, namespaces=(), tokens=None, roles=None, port=0, **tls):
        super().__init__(namespaces)
        self.access.tokens.update(tokens or {})
        for user, documents in (roles or {}).items():
            self.access.add_role(user, documents)
        self._server = serve(self, port, **tls)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.stop()

    def stop(self):
        self.do("watches/stop")
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def do(self, what, /, **settings):
        """A command of control.py."""
        return command(self, what, settings)

    def fault(self, **settings):
        self.do("fault", **settings)

    def counts(self):
        with self.store.lock:
            return counts(self.log)

    def requests(self, **fields):
        """What was asked, in order, with these fields: {"user", "verb", "resource", "name", "code", ...}."""
        with self.store.lock:
            return [dict(e) for e in self.log if all(e[k] == v for k, v in fields.items())]

    def objects(self, plural, namespace=None):
        """name -> object."""
        with self.store.lock:
            return {obj["metadata"]["name"]: obj
                    for obj in self.store.select(KIND_OF[plural], namespace, lambda _: True)}

    def ask(self, method, path, body=None, content_type="application/json", token=None):
        """(status, document)."""
        request = urllib.request.Request(self.origin + path, method=method)
        if body is not None:
            request.data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            request.add_header("Content-Type", content_type)
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def apply(self, path, obj, manager="test", force=False, token=None):
        flag = "&force=true" if force else ""
        return self.ask("PATCH", f"{path}?fieldManager={manager}{flag}", obj, "application/apply-patch+yaml", token)
