"""The primary and the secondary rate limits, per token, on the double's clock.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

import math
from collections import deque

from .answers import ApiError

WINDOW_S = 3600
MINUTE_S = 60
ANONYMOUS = ""

SECONDARY_LIMIT = ("You have exceeded a secondary rate limit. Please wait a few minutes "
                   "before you try again.")

HEADER_MODES = ("normal", "absent", "zero")


class _Window:
    def __init__(self, reset):
        self.used = 0
        self.reset = reset


class RateLimits:
    """Counts requests, or the points of GraphQL, of each token in hourly windows.

    `header_mode` imitates GitHub Enterprise, which sends no rate limit headers
    or zeros while limits are off; then nothing is refused either.
    """

    def __init__(self, limit, clock, resource="core"):
        self.limit = limit
        self.resource = resource
        self.header_mode = "normal"
        self._clock = clock
        self._windows = {}

    def _window(self, token):
        now = int(self._clock.now())
        window = self._windows.get(token)
        if window is None or now >= window.reset:
            window = self._windows[token] = _Window(now + WINDOW_S)
        return window

    def remaining(self, token):
        return max(0, self.limit - self._window(token).used)

    def check(self, token):
        """Raise GitHub's refusal when the window is used up."""
        if self.is_used_up(token):
            raise exceeded(403)

    def is_used_up(self, token):
        return self.header_mode == "normal" and self.remaining(token) == 0

    def reset(self, token):
        """When the window of a token ends, in Unix seconds."""
        return self._window(token).reset

    def charge(self, token, points=1):
        """Take points off, to nothing at most."""
        window = self._window(token)
        window.used = max(window.used, min(self.limit, window.used + points))

    def set(self, token=None, remaining=None, reset_in_s=None):
        """Move the limit of one token, or of every token seen."""
        tokens = [token] if token is not None else list(self._windows) or [ANONYMOUS]
        for name in tokens:
            window = self._window(name)
            if remaining is not None:
                window.used = self.limit - remaining
            if reset_in_s is not None:
                window.reset = int(self._clock.now()) + reset_in_s

    def headers(self, token):
        if self.header_mode == "absent":
            return {}
        window = self._window(token)
        values = (self.limit, self.remaining(token), window.reset, window.used)
        if self.header_mode == "zero":
            values = (0, 0, 0, 0)
        names = ("Limit", "Remaining", "Reset", "Used")
        answer = {f"X-RateLimit-{n}": str(v) for n, v in zip(names, values)}
        answer["X-RateLimit-Resource"] = self.resource
        return answer

    def report(self, token):
        """What GET /rate_limit says of this resource."""
        window = self._window(token)
        return {"limit": self.limit, "used": window.used,
                "remaining": self.remaining(token), "reset": window.reset}


class SecondaryLimits:
    """Points a minute, for each endpoint of each token; off while a bound is 0.

    A request that only reads is one point, a GraphQL query too.
    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#about-secondary-rate-limits
    """

    def __init__(self, clock, rest=0, graphql=0, status=403, retry_after=True):
        self._clock = clock
        self.bounds = {"rest": rest, "graphql": graphql}
        self.status = status
        self.retry_after = retry_after
        self.refused = 0
        self._times = {}

    def check(self, token, kind):
        """Count a request of a kind (counters.CLASSES), or refuse it."""
        bound = self.bounds["graphql" if kind == "graphql" else "rest"]
        if not bound:
            return
        now = self._clock.now()
        times = self._times.setdefault((token, kind), deque())
        while times and times[0] <= now - MINUTE_S:
            times.popleft()
        if len(times) < bound:
            times.append(now)
            return
        self.refused += 1
        headers = {}
        if self.retry_after:
            headers["Retry-After"] = str(max(1, math.ceil(times[0] + MINUTE_S - now)))
        raise secondary(self.status, headers)

    def set(self, wish):
        """Settings of the control interface: rest, graphql, status, retry_after."""
        for name in self.bounds:
            self.bounds[name] = int(wish.get(name, self.bounds[name]))
        self.status = int(wish.get("status", self.status))
        self.retry_after = bool(wish.get("retry_after", self.retry_after))
        self._times.clear()


def secondary(status, headers=None):
    return ApiError(status, SECONDARY_LIMIT, headers=headers,
                    page="overview/rate-limits-for-the-rest-api"
                         "#about-secondary-rate-limits")


def exceeded(status, headers=None):
    return ApiError(
        status, "API rate limit exceeded for user ID 1. If you reach out to GitHub Support "
        "for help, please include the request ID.", page="overview/rate-limits-for-the-rest-api",
        headers=headers)
