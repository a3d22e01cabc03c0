"""Requests to answers: paths, verbs, parameters; knows nothing of sockets."""

import json
import re
import time

from . import discovery, selectors, yaml_subset
from .access import Access
from .errors import Refused, bad_request
from .faults import Faults
from .kinds import BY_PLURAL
from .store import Store
from .watch import Watch
from .writes import APPLY, Writes, scale_of

_PATH = re.compile(r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
                   r"(?:/namespaces/(?P<namespace>[^/]+)(?=/))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?"
                   r"(?:/(?P<sub>[^/]+))?")
_WRITE = {"fieldManager", "fieldValidation", "dryRun", "pretty"}
_LIST = {"labelSelector", "fieldSelector", "limit", "continue", "resourceVersion", "resourceVersionMatch",
         "watch", "allowWatchBookmarks", "timeoutSeconds", "pretty", "sendInitialEvents"}
_QUERY = {"get": {"pretty", "resourceVersion"}, "list": _LIST, "watch": _LIST, "create": _WRITE, "update": _WRITE,
          "patch": _WRITE | {"force"}, "deletecollection": _LIST | {"dryRun", "propagationPolicy"},
          "delete": {"dryRun", "propagationPolicy", "gracePeriodSeconds", "pretty"}}
BODY_MAX = 3 * 1024 * 1024
OBJECT_MAX = 1536 * 1024


class Ask:
    """A request, taken apart."""

    def __init__(self, method, path, query, user_agent):
        match = _PATH.fullmatch(path)
        kind = match and BY_PLURAL.get((match["group"] or "", match["version"] or "v1", match["plural"]))
        if kind is None or (match["namespace"] and not kind.namespaced) or (
                match["name"] and kind.namespaced and not match["namespace"]) or (
                match["sub"] and match["sub"] not in kind.subresources):
            raise Refused(404, "NotFound", "the server could not find the requested resource")
        self.kind = kind
        self.namespace = match["namespace"] or ""
        self.name = match["name"] or ""
        self.subresource = match["sub"] or ""
        self.query = query
        self.verb = self._verb(method)
        self.manager = query.get("fieldManager") or (user_agent or "unknown").partition("/")[0]
        self.dry_run = query.get("dryRun") == "All"

    def _verb(self, method):
        one = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
        many = {"GET": "watch" if self.query.get("watch") in ("1", "true") else "list", "POST": "create",
                "DELETE": "deletecollection"}
        verb = (one if self.name else many).get(method)
        if verb is None or (verb == "create" and self.kind.namespaced and not self.namespace):
            raise Refused(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")
        return verb

    def check_query(self):
        unknown = set(self.query) - _QUERY[self.verb]
        if unknown:
            raise bad_request(f"unknown parameters for {self.verb}: {sorted(unknown)}")
        for name in ("limit", "timeoutSeconds"):
            if not re.fullmatch(r"\d*", self.query.get(name, "")):
                raise bad_request(f"{name}: {self.query[name]!r} is no number")
        version = self.query.get("resourceVersion", "")
        if not re.fullmatch(r"\d*", version):
            raise bad_request(f"resourceVersion: Invalid value: {version!r}")
        if self.query.get("continue") and version not in ("", "0"):
            raise bad_request("resourceVersion is forbidden: specifying resource version is not allowed when using continue")
        if self.query.get("resourceVersionMatch") and not version:
            raise bad_request("resourceVersionMatch is forbidden: it may not be specified unless resourceVersion is provided")
        if self.query.get("dryRun") not in (None, "", "All"):
            raise bad_request("dryRun: only All is known")
        if self.query.get("sendInitialEvents") == "true":
            raise Refused(422, "Invalid", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden here")


class Double:
    """All state; calls come with store.lock held, where it is not said otherwise."""

    def __init__(self, namespaces=()):
        self.store = Store(namespaces)
        self.writes = Writes(self.store)
        self.access = Access()
        self.faults = Faults()
        self.log = []              # {"user", "verb", "resource", "namespace", "name", "path", "method", "code", ...}
        self.watches = []
        self.page_max = 0          # 0: as many as the client asks for
        self.gone_as_status = False
        self.bookmark_every_s = 1.0
        self.down_until = 0.0      # of time.monotonic(): connections are reset
        self.origin = ""

    def down(self):
        return time.monotonic() < self.down_until

    def perform(self, ask, body, content_type):
        """(status, document), or (200, Watch)."""
        ask.check_query()
        if ask.verb == "get":
            found = self.store.get(ask.kind, ask.namespace, ask.name)
            return 200, scale_of(found) if ask.subresource == "scale" else found
        if ask.verb in ("list", "watch"):
            return 200, self._list(ask)
        if ask.verb == "delete":
            options = _parse(body, "application/json") if body else {}
            return 200, self.writes.delete(ask, options)
        if ask.verb == "deletecollection":
            return 200, self._delete_many(ask)
        document = _parse(body, content_type)
        if ask.verb == "create":
            return 201, self.writes.create(ask, document)
        if ask.verb == "update":
            return 200, self.writes.update(ask, document)
        before = self.store.find(ask.kind, ask.namespace, ask.name)
        return 200 if before else 201, self.writes.patch(ask, document, content_type)

    def _wanted(self, ask):
        by_label = selectors.labels(ask.query.get("labelSelector", ""))
        by_field = selectors.fields(ask.query.get("fieldSelector", ""), ask.kind)
        return lambda obj: by_label(obj) and by_field(obj)

    def _list(self, ask):
        if ask.verb == "watch":
            return Watch(self, ask, self._wanted(ask))
        limit = int(ask.query.get("limit") or 0)
        if self.page_max:
            limit = min(limit or self.page_max, self.page_max)
        if int(ask.query.get("resourceVersion") or 0) > self.store.version:
            raise Refused(504, "Timeout", "Too large resource version", retry_after=1)
        items, version, token, left = self.store.page(ask.kind, ask.namespace, self._wanted(ask), limit,
                                                      ask.query.get("continue"))
        meta = {"resourceVersion": str(version)}
        if token:
            meta["continue"] = token
            if not ask.query.get("labelSelector") and not ask.query.get("fieldSelector"):
                meta["remainingItemCount"] = left
        bare = [{k: v for k, v in obj.items() if k not in ("apiVersion", "kind")} for obj in items]
        return {"kind": ask.kind.kind + "List", "apiVersion": ask.kind.api_version, "metadata": meta, "items": bare}

    def _delete_many(self, ask):
        for obj in self.store.select(ask.kind, ask.namespace, self._wanted(ask)):
            if not ask.dry_run:
                self.store.remove(ask.kind, obj["metadata"].get("namespace"), obj["metadata"]["name"])
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}

    def discovery(self, path):
        return discovery.document(path, self.origin.partition("//")[2])


def _unique(pairs):
    """An object whose members are each there once; the real one is as strict with an apply."""
    out = dict(pairs)
    if len(out) != len(pairs):
        raise ValueError(f"strict decoding error: a field stands twice among {[name for name, _ in pairs]}")
    return out


def _parse(body, content_type):
    if len(body) > OBJECT_MAX:
        raise Refused(413, "RequestEntityTooLarge", f"Request entity too large: limit is {OBJECT_MAX}")
    try:
        text = body.decode()
        if content_type != APPLY or text.lstrip().startswith("{"):
            return json.loads(text, object_pairs_hook=_unique)
        documents = yaml_subset.load_all(text)
    except ValueError as error:
        raise bad_request(f"error decoding the body: {error}") from None
    if len(documents) != 1:
        raise bad_request("the body is not one object")
    return documents[0]
