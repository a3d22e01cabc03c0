"""Objects, versions, history and pages.  Callers hold `lock`; objects are never changed in place."""

import base64
import collections
import copy
import datetime
import json
import threading
import time
import uuid

from .errors import bad_request, exists, expired, not_found

CONTINUE_LIFE_S = 300
HISTORY_MAX = 20000

Change = collections.namedtuple("Change", "version type kind new old")


class Clock:
    """Real time and an offset that a test moves."""

    def __init__(self):
        self.offset_s = 0.0

    def monotonic(self):
        return time.monotonic() + self.offset_s

    def text(self):
        now = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=self.offset_s)
        return now.strftime("%Y-%m-%dT%H:%M:%SZ")


class Store:
    def __init__(self, namespaces=()):
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.clock = Clock()
        self.version = 1000
        self.compacted = 0       # a watch from before this version is gone
        self.history = collections.deque()
        self.objects = {}        # kind -> {(namespace, name): object}
        self.snapshots = {}      # continue id -> (time, version, [object])
        self.addresses = 0
        self.namespaces = {"default", *namespaces}

    def next_address(self):
        self.addresses += 1
        return f"10.96.{self.addresses >> 8 & 255}.{self.addresses & 255}"

    def of(self, kind):
        return self.objects.setdefault(kind, {})

    def find(self, kind, namespace, name):
        return self.of(kind).get((namespace or "", name))

    def get(self, kind, namespace, name):
        obj = self.find(kind, namespace, name)
        if obj is None:
            raise not_found(kind, name)
        return obj

    def create(self, kind, obj):
        meta = obj["metadata"]
        key = (meta.get("namespace", ""), meta["name"])
        if key in self.of(kind):
            raise exists(kind, meta["name"])
        meta["uid"] = str(uuid.uuid4())
        meta["creationTimestamp"] = self.clock.text()
        return self._put(kind, key, obj, "ADDED")

    def replace(self, kind, obj):
        meta = obj["metadata"]
        return self._put(kind, (meta.get("namespace", ""), meta["name"]), obj, "MODIFIED")

    def _put(self, kind, key, obj, what):
        self.version += 1
        obj["metadata"]["resourceVersion"] = str(self.version)
        old = self.of(kind).get(key)
        self.of(kind)[key] = obj
        if kind.kind == "Namespace":
            self.namespaces.add(key[1])
        self._note(Change(self.version, what, kind, obj, old))
        return obj

    def remove(self, kind, namespace, name):
        old = self.of(kind).pop((namespace or "", name))
        self.version += 1
        last = copy.deepcopy(old)
        last["metadata"]["resourceVersion"] = str(self.version)
        self._note(Change(self.version, "DELETED", kind, last, old))
        return last

    def _note(self, change):
        self.history.append(change)
        while len(self.history) > HISTORY_MAX:
            self.compacted = self.history.popleft().version
        self.changed.notify_all()

    def compact(self):
        """Forget history: watches and pages from before now are gone."""
        self.history.clear()
        self.compacted = self.version
        self.snapshots.clear()
        self.changed.notify_all()

    # lists

    def select(self, kind, namespace, wanted):
        return [obj for key, obj in sorted(self.of(kind).items(), key=lambda pair: pair[0])
                if (not namespace or key[0] == namespace) and wanted(obj)]

    def page(self, kind, namespace, wanted, limit, token):
        """(objects, version, continue token or None, how many remain)."""
        if token:
            version, items = self._continued(token)
        else:
            version, items = self.version, self.select(kind, namespace, wanted)
        if not limit or len(items) <= limit:
            return items, version, None, 0
        key = uuid.uuid4().hex
        self.snapshots[key] = (self.clock.monotonic(), version, items[limit:])
        text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": key}).encode()
        return items[:limit], version, base64.urlsafe_b64encode(text).decode(), len(items) - limit

    def _continued(self, token):
        try:
            key = json.loads(base64.urlsafe_b64decode(token))["start"]
        except (ValueError, KeyError, TypeError):
            raise bad_request(f"continue key is not valid: {token}") from None
        kept = self.snapshots.get(key)
        if kept is None or self.clock.monotonic() - kept[0] > CONTINUE_LIFE_S:
            raise expired("The provided continue parameter is too old to display a consistent list result. "
                          "You must start a new list without the continue parameter.")
        return kept[1], kept[2]
