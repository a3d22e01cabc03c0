"""The double's clock, which a test can set, move and stop.

All times that clients see come from here: `Date`, rate limit resets
(https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api)
and the `updated_at` of edits.
"""

import re
import time
from datetime import datetime, timedelta, timezone
from email.utils import formatdate

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.\d+)?"
    r"(?:([Zz])|([+-])(\d\d):?(\d\d))?\Z")


def parse_time(text):
    """RFC 3339 text to Unix seconds; ValueError when it is none.

    A time without an offset is UTC, which is how GitHub reads `since`.
    """
    match = _RFC3339.match(text)
    if match is None:
        raise ValueError(f"not an ISO 8601 time: {text!r}")
    parts = [int(part) for part in match.groups()[:6]]
    moment = datetime(*parts, tzinfo=timezone.utc)
    if match.group(8):
        offset = timedelta(hours=int(match.group(9)), minutes=int(match.group(10)))
        moment = moment - offset if match.group(8) == "+" else moment + offset
    return int(moment.timestamp())


def format_time(seconds):
    """Unix seconds to the form in GitHub's objects, `2024-01-31T23:59:59Z`."""
    return datetime.fromtimestamp(int(seconds), timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Clock:
    """Real time plus an offset, or a stopped instant."""

    def __init__(self):
        self._offset = 0.0
        self._stopped_at = None

    def now(self):
        if self._stopped_at is not None:
            return self._stopped_at
        return time.time() + self._offset

    def text(self):
        return format_time(self.now())

    def http_date(self):
        return formatdate(int(self.now()), usegmt=True)

    def set(self, seconds, frozen=False):
        """Go to an instant and run on from it, or stand still at it."""
        self._offset = seconds - time.time()
        self._stopped_at = float(seconds) if frozen else None

    def use_real_time(self):
        self._offset = 0.0
        self._stopped_at = None

    def advance(self, seconds):
        if self._stopped_at is not None:
            self._stopped_at += seconds
        self._offset += seconds
