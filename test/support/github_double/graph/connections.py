"""Connections: pages with opaque, stable cursors, and what may be asked of them.

https://docs.github.com/en/graphql/guides/using-pagination-in-the-graphql-api
"""

import base64
import json

from .execute import FieldError

MAX_RECORDS = 100
_PREFIX = b"cursor:v2:"


def cursor_of(key):
    """An opaque text for a place in an order; `key` is what the rows are sorted by."""
    return base64.b64encode(_PREFIX + json.dumps(key, separators=(",", ":")).encode()).decode()


def key_of(cursor, field):
    try:
        data = base64.b64decode(cursor, validate=True)
        if not data.startswith(_PREFIX):
            raise ValueError("prefix")
        return tuple(json.loads(data[len(_PREFIX):]))
    except (ValueError, TypeError):
        raise FieldError("INVALID_CURSOR_ARGUMENTS",
                         f"`{cursor}` does not appear to be a valid cursor.") from None


def _check(call, first, last):
    for name, value in (("first", first), ("last", last)):
        if value is not None and value > MAX_RECORDS:
            raise FieldError("EXCESSIVE_PAGINATION", f"Requesting {value} records on the "
                             f"`{call.name}` connection exceeds the `{name}` limit of "
                             f"{MAX_RECORDS} records.")
        if value is not None and value < 0:
            raise FieldError("INVALID_PAGINATION", f"`{name}` on the `{call.name}` connection "
                             "cannot be less than zero.")
    if first is not None and last is not None:
        raise FieldError("UNSUPPORTED_PAGINATION", "Passing both `first` and `last` to paginate "
                         f"the `{call.name}` connection is not supported.")
    if first is None and last is None and call.wants("nodes", "edges", "pageInfo"):
        raise FieldError("MISSING_PAGINATION_BOUNDARIES", "You must provide a `first` or `last` "
                         f"value to properly paginate the `{call.name}` connection.")


class Rows:
    """Sorted things, each with its sort key; `make` turns one into an object."""

    def __init__(self, pairs, make, descending=False):
        self._pairs = pairs  # (key, thing), in the order of the listing
        self._make = make
        self._descending = descending

    def _beyond(self, key, spot, forward):
        return key > spot if forward != self._descending else key < spot

    def page(self, call, type_name, total=None, first=None, last=None, after=None, before=None,
             skip=None, more=None):
        """The connection object; `total` where it is not the number of rows."""
        _check(call, first, last)
        rows = self._pairs
        if after is not None:
            spot = key_of(after, call.name)
            rows = [r for r in rows if self._beyond(r[0], spot, True)]
        if before is not None:
            spot = key_of(before, call.name)
            rows = [r for r in rows if self._beyond(r[0], spot, False)]
        filtered = len(rows)
        skipped = min(skip or 0, filtered)
        cut = rows[skipped:] if last is None else rows[:filtered - skipped]
        page = cut[:first] if first is not None else cut[max(0, len(cut) - (last or 0)):]
        start = page[0][0] if page else None
        end = page[-1][0] if page else None
        info = {"__typename": "PageInfo",
                "startCursor": cursor_of(start) if page else None,
                "endCursor": cursor_of(end) if page else None,
                "hasNextPage": bool(page) and self._pairs[-1][0] != end,
                "hasPreviousPage": bool(page) and self._pairs[0][0] != start}
        node_type = type_name.removesuffix("Connection")
        return {
            "__typename": type_name, "pageInfo": info,
            "totalCount": len(self._pairs) if total is None else total,
            "filteredCount": filtered, "pageCount": len(page),
            "nodes": lambda _call: [self._make(thing) for _key, thing in page],
            "edges": lambda _call: [{"__typename": f"{node_type}Edge", "cursor": cursor_of(key),
                                     "node": self._make(thing)} for key, thing in page],
            **(more or {}),
        }
