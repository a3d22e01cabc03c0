"""A watch: what happened since a version, as lines of JSON."""

import json
import time

from .errors import Refused, expired



def _line(kind, obj):
    return (json.dumps({"type": kind, "object": obj}) + "\n").encode()


class Watch:
    """lines() gives each line to send; ends at the deadline, when history is gone, or when told to stop."""

    def __init__(self, double, ask, wanted):
        self.double = double
        self.store = double.store
        self.kind = ask.kind
        self.namespace = ask.namespace
        self.wanted = wanted
        self.bookmarks = ask.query.get("allowWatchBookmarks") == "true"
        self.deadline = time.monotonic() + float(ask.query.get("timeoutSeconds") or 1800)
        text = ask.query.get("resourceVersion", "")
        self.initial = text in ("", "0")
        self.version = self.store.version if self.initial else int(text)
        self.stopped = False
        if self.version < self.store.compacted and double.gone_as_status:
            raise self._gone()

    def _gone(self):
        return expired(f"too old resource version: {self.version} ({self.store.compacted})")

    def stop(self):
        with self.store.lock:
            self.stopped = True
            self.store.changed.notify_all()

    def lines(self):
        if self.initial:
            with self.store.lock:
                self.version = self.store.version
                found = self.store.select(self.kind, self.namespace, self.wanted)
            for obj in found:
                yield _line("ADDED", obj)
        told = time.monotonic()
        while True:
            try:
                changes = self._next(told)
            except Refused as gone:
                yield _line("ERROR", gone.status())
                return
            if changes is None:
                return
            yield from changes
            if not changes and self.bookmarks and self._bookmark_due(told):
                told = time.monotonic()
                yield self._bookmark()

    def _bookmark_due(self, told):
        return time.monotonic() - told >= self.double.bookmark_every_s

    def _bookmark(self):
        return _line("BOOKMARK", {"kind": self.kind.kind, "apiVersion": self.kind.api_version,
                                  "metadata": {"resourceVersion": str(self.version)}})

    def _next(self, told):
        """Waits for changes; [] when it is time for a bookmark, None at the end."""
        with self.store.lock:
            while True:
                if self.stopped or self.double.down():
                    return None
                if self.version < self.store.compacted:
                    raise self._gone()
                out = self._take()
                now = time.monotonic()
                if out or (self.bookmarks and self._bookmark_due(told)):
                    return out
                if now >= self.deadline:
                    return None
                self.store.changed.wait(min(0.1, self.deadline - now))

    def _take(self):
        out, begin = [], self.version
        recent = []
        for change in reversed(self.store.history):
            if change.version <= begin:
                break
            recent.append(change)
        for change in reversed(recent):
            self.version = change.version
            if change.kind is self.kind and self.namespace in ("", change.new["metadata"].get("namespace", "")):
                kind = self._kind_of(change)
                if kind is not None:
                    out.append(_line(kind, change.new))
        return out

    def _kind_of(self, change):
        """An object that begins or ceases to be selected is added or deleted."""
        before = change.old is not None and self.wanted(change.old)
        after = change.type != "DELETED" and self.wanted(change.new)
        if before and after:
            return "MODIFIED"
        return "ADDED" if after else "DELETED" if before else None
