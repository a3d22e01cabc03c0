"""Requests to the API server, and a list that follows it."""

import http.client
import json
import ssl
import threading
import time
from urllib.parse import urlsplit

WATCH_S = 300


class ApiError(RuntimeError):
    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status


class Api:
    """One connection for each request: it is a test, and the server is near."""

    def __init__(self, origin, namespace, token=None, ca_file=None):
        parts = urlsplit(origin)
        self._address = (parts.hostname, parts.port)
        self._tls = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None
        self.namespace = namespace
        self._headers = {"User-Agent": "k8s-node/1", "Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def path(self, plural, name=""):
        root = "/apis/apps/v1" if plural == "deployments" else "/api/v1"
        return f"{root}/namespaces/{self.namespace}/{plural}{'/' + name if name else ''}"

    def _connection(self, timeout_s):
        if self._tls is None:
            return http.client.HTTPConnection(*self._address, timeout=timeout_s)
        return http.client.HTTPSConnection(*self._address, timeout=timeout_s, context=self._tls)

    def open(self, method, path, body=None, content_type="application/json", timeout_s=30):
        """(connection, answer), not yet read."""
        connection = self._connection(timeout_s)
        headers = dict(self._headers)
        if body is not None:
            headers["Content-Type"] = content_type
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            return connection, connection.getresponse()
        except Exception:
            connection.close()
            raise

    def ask(self, method, path, body=None, content_type="application/json"):
        connection, answer = self.open(method, path, body, content_type)
        try:
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= 300:
            raise ApiError(answer.status, text[:500].decode(errors="replace"))
        return json.loads(text)

    def get(self, plural, name):
        return self.ask("GET", self.path(plural, name))

    def create(self, plural, obj):
        return self.ask("POST", self.path(plural), obj)

    def set_status(self, plural, name, status):
        return self.ask("PATCH", self.path(plural, name) + "/status", {"status": status},
                        "application/merge-patch+json")

    def delete(self, plural, name):
        """True when it was there."""
        try:
            self.ask("DELETE", self.path(plural, name))
        except ApiError as error:
            if error.status != 404:
                raise
            return False
        return True


class Followed(threading.Thread):
    """name -> object of one resource, kept by list and watch; `changed` is set at each change."""

    def __init__(self, api, plural, changed):
        super().__init__(daemon=True)
        self._api = api
        self._plural = plural
        self._changed = changed
        self._lock = threading.Lock()
        self._objects = None
        self._ended = False

    def objects(self):
        """A copy; None before the first list."""
        with self._lock:
            return None if self._objects is None else dict(self._objects)

    def end(self):
        self._ended = True

    def run(self):
        while not self._ended:
            try:
                version = self._list()
                while not self._ended:
                    version = self._watch(version)
            except (OSError, ValueError, ApiError, http.client.HTTPException):
                time.sleep(0.2)  # down, or too old: list again

    def _list(self):
        page = self._api.ask("GET", self._api.path(self._plural))
        with self._lock:
            self._objects = {item["metadata"]["name"]: item for item in page["items"]}
        self._changed.set()
        return page["metadata"]["resourceVersion"]

    def _watch(self, version):
        path = (f"{self._api.path(self._plural)}?watch=1&allowWatchBookmarks=true"
                f"&timeoutSeconds={WATCH_S}&resourceVersion={version}")
        connection, answer = self._api.open("GET", path, timeout_s=WATCH_S + 30)
        try:
            if answer.status != 200:
                raise ApiError(answer.status, "watch refused")
            while not self._ended:
                line = answer.readline()
                if not line:
                    return version
                version = self._take(json.loads(line))
        finally:
            connection.close()
        return version

    def _take(self, event):
        obj = event["object"]
        if event["type"] == "ERROR":
            raise ApiError(obj.get("code", 500), obj.get("message", ""))
        if event["type"] != "BOOKMARK":
            with self._lock:
                if event["type"] == "DELETED":
                    self._objects.pop(obj["metadata"]["name"], None)
                else:
                    self._objects[obj["metadata"]["name"]] = obj
            self._changed.set()
        return obj["metadata"]["resourceVersion"]
