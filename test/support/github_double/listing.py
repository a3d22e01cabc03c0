"""Listings: query parameters, order, pages and the `Link` header.

Pages are described in
https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
The issues listing answers with opaque cursors in its links, and refuses page
numbers that reach too far, as api.github.com has done since 2025.
"""

import base64
import hashlib
import hmac
import json
from bisect import bisect_left, bisect_right
from urllib.parse import parse_qsl, quote, urlencode

from .answers import ApiError, invalid
from .clock import format_time, parse_time

DEFAULT_PER_PAGE = 30
MAX_PER_PAGE = 100

# An issues page that begins or ends at this depth is refused without a cursor.
MAX_PAGE_DEPTH = 10_000

TOO_DEEP = ("Pagination with the page parameter is not supported for large datasets, "
            "please use cursor based pagination (after/before)")
WINDOW_ENDS = ("In order to keep the API fast for everyone, pagination is limited "
               "for this resource.")

_CURSOR_KEY = b"issue listing cursor"  # no secret: it only tells damage from intent
_CURSOR_PREFIX = b"cursor:v2:"
_DIGEST_BYTES = 9


class Query:
    """The query parameters of one request, checked as they are read."""

    def __init__(self, text, resource="", page=""):
        self.pairs = parse_qsl(text, keep_blank_values=True)
        self.values = dict(self.pairs)
        self.resource = resource
        self.doc_page = page

    def invalid(self, field):
        return invalid(self.resource, field, self.values.get(field), self.doc_page)

    def choice(self, name, allowed, default):
        value = self.values.get(name)
        if value is None or value == "":
            return default
        if value not in allowed:
            raise self.invalid(name)
        return value

    def count(self, name, default):
        """A positive number; zero and less mean the default, as on GitHub."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            number = int(value)
        except ValueError:
            raise self.invalid(name) from None
        return number if number > 0 else default

    def since(self):
        """The `since` parameter as a GitHub time string, or None."""
        value = self.values.get("since")
        if value is None or value == "":
            return None
        try:
            return format_time(parse_time(value))
        except (ValueError, OverflowError):
            raise self.invalid("since") from None

    def per_page(self):
        return min(self.count("per_page", DEFAULT_PER_PAGE), MAX_PER_PAGE)

    def page(self):
        return self.count("page", 1)

    def with_values(self, **changes):
        """The query text with some parameters replaced, or dropped when None."""
        pairs = [(k, v) for k, v in self.pairs if k not in changes]
        pairs += [(k, v) for k, v in changes.items() if v is not None]
        return urlencode(pairs, quote_via=quote)


def link_header(url, query, targets):
    """`targets` is a list of (rel, parameter changes), in GitHub's order."""
    parts = [f'<{url}?{query.with_values(**changes)}>; rel="{rel}"'
             for rel, changes in targets]
    return ", ".join(parts)


def page_of(records, query, url, page_cap=0):
    """One numbered page of a list: (records, Link header or None)."""
    per_page, page = query.per_page(), query.page()
    if page_cap and page > page_cap:
        raise ApiError(422, WINDOW_ENDS, page=query.doc_page)
    last = max(1, -(-len(records) // per_page))
    if page_cap:
        last = min(last, page_cap)
    start = (page - 1) * per_page
    targets = []
    if page > 1:
        targets.append(("prev", {"page": min(page - 1, last)}))
    if page < last:
        targets += [("next", {"page": page + 1}), ("last", {"page": last})]
    if page > 1:
        targets.append(("first", {"page": 1}))
    link = link_header(url, query, targets) if targets else None
    return records[start:start + per_page], link


# Sort keys; the number or id makes each order total.

def issue_sort_key(sort):
    if sort == "comments":
        return lambda record: (record.comments, record.number)
    field = "updated" if sort == "updated" else "created"
    return lambda record: (getattr(record, field), record.number)


def id_sort_key(sort):
    field = "updated" if sort == "updated" else "created"
    return lambda record: (getattr(record, field), record.id)


class CursorPager:
    """Keyset pages of the issues listing.

    A cursor names the sort values of the row beside the page, so a walk goes
    on from the same place when rows move; it is bound to the listing that gave
    it, and any other is refused with 422.
    """

    def __init__(self, binding, key, descending):
        self.binding = binding
        self.key = key
        self.descending = descending

    def _sign(self, payload):
        text = json.dumps(self.binding).encode() + payload
        return hmac.new(_CURSOR_KEY, text, hashlib.sha256).digest()[:_DIGEST_BYTES]

    def cursor_at(self, record):
        payload = json.dumps(self.key(record), separators=(",", ":")).encode()
        return base64.b64encode(_CURSOR_PREFIX + self._sign(payload) + payload).decode()

    def position(self, query, name):
        """The sort values inside a cursor parameter."""
        try:
            data = base64.b64decode(query.values[name], validate=True)
        except ValueError:
            raise query.invalid(name) from None
        start = len(_CURSOR_PREFIX) + _DIGEST_BYTES
        digest, payload = data[len(_CURSOR_PREFIX):start], data[start:]
        if not data.startswith(_CURSOR_PREFIX) \
                or not hmac.compare_digest(digest, self._sign(payload)):
            raise query.invalid(name)
        return tuple(json.loads(payload))

    def _bounds(self, ascending, query, per_page):
        """(low, high) in the ascending list; the page is read from one end."""
        if "after" in query.values:
            spot = self.position(query, "after")
            if self.descending:
                high = bisect_left(ascending, spot, key=self.key)
                return max(0, high - per_page), high
            low = bisect_right(ascending, spot, key=self.key)
            return low, min(len(ascending), low + per_page)
        if "before" in query.values:
            spot = self.position(query, "before")
            if self.descending:
                low = bisect_right(ascending, spot, key=self.key)
                return low, min(len(ascending), low + per_page)
            high = bisect_left(ascending, spot, key=self.key)
            return max(0, high - per_page), high
        return self._numbered_bounds(len(ascending), query, per_page)

    def _numbered_bounds(self, total, query, per_page):
        page = query.page()
        if page > 1 and page * per_page >= MAX_PAGE_DEPTH:
            raise ApiError(422, TOO_DEEP, page=query.doc_page)
        start = min(total, (page - 1) * per_page)
        end = min(total, start + per_page)
        return (total - end, total - start) if self.descending else (start, end)

    def page_of(self, ascending, query, url):
        """(records in listing order, Link header or None)."""
        low, high = self._bounds(ascending, query, query.per_page())
        rows = ascending[low:high]
        if self.descending:
            rows = rows[::-1]
        more_before, more_after = low > 0, high < len(ascending)
        if self.descending:
            more_before, more_after = more_after, more_before
        targets = []
        if rows and more_before:
            targets.append(("prev", {"page": max(1, query.page() - 1), "after": None,
                                     "before": self.cursor_at(rows[0])}))
        if rows and more_after:
            targets.append(("next", {"page": query.page() + 1, "before": None,
                                     "after": self.cursor_at(rows[-1])}))
        return rows, link_header(url, query, targets) if targets else None
