"""One GitHub object as the double keeps it: serialized bytes plus sort keys.

Answers are made by joining bytes, so a page of a hundred objects costs no
JSON encoding.  The dictionary is parsed only when an edit needs it.
"""

import json

import github_objects


def encode(value):
    """Compact UTF-8 JSON, the form of the recordings."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


class Record:
    """An object of any listing.

    `number` is the issue or pull request that it belongs to, or is.  `created`
    and `updated` are GitHub's time strings, which sort as text.
    """

    __slots__ = ("raw", "number", "id", "created", "updated", "state", "comments",
                 "_listing_raw")

    def __init__(self, raw, number=0, data=None):
        self.raw = raw
        self.number = number
        self._take_keys(json.loads(raw) if data is None else data)

    @classmethod
    def of(cls, data, number=0):
        return cls(encode(data), number, data)

    def _take_keys(self, data):
        self.id = data["id"]
        self.created = data.get("created_at") or data.get("submitted_at") or ""
        self.updated = data.get("updated_at") or self.created
        self.state = data.get("state")
        count = data.get("comments")
        self.comments = count if isinstance(count, int) else 0
        self.number = data.get("number", self.number)
        self._listing_raw = None

    def load(self):
        """A fresh dictionary; give it to store() to make changes stick."""
        return json.loads(self.raw)

    def store(self, data):
        self.raw = encode(data)
        self._take_keys(data)

    def replace_bytes(self, pairs):
        """Substitute byte strings; True when something changed."""
        raw = self.raw
        for old, new in pairs:
            raw = raw.replace(old, new)
        if raw == self.raw:
            return False
        self.raw = raw
        self._listing_raw = None
        return True

    def pull_listing_raw(self):
        """A pull request as `GET /pulls` lists it: without the detail fields."""
        if self._listing_raw is None:
            data = self.load()
            for field in github_objects.PULL_DETAIL_FIELDS:
                data.pop(field, None)
            self._listing_raw = encode(data)
        return self._listing_raw
