"""What holds for every API request: headers, token, limits, faults, ETags.

Below https://docs.github.com/en/rest/ that is

  headers      using-the-rest-api/getting-started-with-the-rest-api
  versions     about-the-rest-api/api-versions
  conditional  using-the-rest-api/best-practices-for-using-the-rest-api
"""

import hashlib
import itertools
from email.utils import formatdate

from .answers import Answer, ApiError, not_found
from .clock import parse_time
from .graph.endpoint import AUTHENTICATE
from .limits import ANONYMOUS
from .records import encode

KNOWN_VERSIONS = ("2022-11-28", "2026-03-10")
MEDIA_TYPE = "application/vnd.github+json"

# Requests with a JSON Web Token, and those that the REST limit does not count.
APP_KINDS = ("app", "app_token")
UNLIMITED = ("rate_limit", "graphql", *APP_KINDS)

RAW_MEDIA_TYPES = ("application/vnd.github.raw+json", "application/vnd.github.raw")


class Gate:
    """Answers API requests; counting is the caller's, which also sends them."""

    def __init__(self, double):
        self.api = double.api
        self.app = double.app
        self.graph = double.graph
        self.tokens = double.tokens
        self.limits = double.limits
        self.graph_limits = double.graph_limits
        self.secondary = double.secondary
        self.faults = double.faults
        self.counters = double.counters
        self.clock = double.clock
        self._request_ids = itertools.count(1)

    def answer(self, request):
        token = ANONYMOUS
        try:
            self._check_headers(request)
            if request.kind not in APP_KINDS:
                token = self._token(request)
            if request.kind not in UNLIMITED:
                self.limits.check(self.tokens.owner(token))
            if request.kind != "rate_limit":
                self.secondary.check(self.tokens.owner(token), request.kind)
            answer = self._answer_or_fault(request, token)
        except ApiError as error:
            answer = error.answer()
        self._charge(request, token, answer)
        return self._finish(request, token, answer)

    def _check_headers(self, request):
        headers = request.headers
        if not headers.get("user-agent"):
            self.counters.violation(f"no User-Agent: {request.kind}")
            raise ApiError(403, "Request forbidden by administrative rules. Please make sure "
                           "your request has a User-Agent header.")
        if request.kind == "graphql":
            if request.graph is None:
                raise not_found()
            return
        accepted = headers.get("accept", "")
        raw_allowed = request.kind == "rules" and any(t in accepted for t in RAW_MEDIA_TYPES)
        if MEDIA_TYPE not in accepted and not raw_allowed:
            self.counters.violation(f"Accept is {accepted!r}: {request.kind}")
            raise ApiError(415, f"Unsupported 'Accept' header: {accepted!r}. "
                           f"Must accept '{MEDIA_TYPE}'.")
        self._check_version(request)
        if request.method not in ("GET", "HEAD") and request.kind not in APP_KINDS:
            self.counters.violation(f"method {request.method}: {request.kind}")
            raise not_found()
        for name in self.api.unknown_parameters(request):
            self.counters.violation(f"unknown parameter {name!r}: {request.kind}")

    def _check_version(self, request):
        version = request.headers.get("x-github-api-version")
        if version is None:
            self.counters.violation(f"no X-GitHub-Api-Version: {request.kind}")
        elif version not in KNOWN_VERSIONS:
            self.counters.violation(f"X-GitHub-Api-Version is {version!r}: {request.kind}")
            raise ApiError(400, f"The API version '{version}' is not supported.",
                           page="about-the-rest-api/api-versions")

    def _token(self, request):
        """The token of a request; an unknown one is refused when some are known."""
        value = request.headers.get("authorization")
        if value is None:
            if request.kind == "graphql":
                raise ApiError(401, "This endpoint requires you to be authenticated.",
                               url=AUTHENTICATE)
            if self.tokens.required:
                self.counters.violation(f"no Authorization: {request.kind}")
                raise ApiError(401, "Requires authentication")
            return ANONYMOUS
        scheme, _, token = value.partition(" ")
        if scheme.lower() not in ("bearer", "token") or not token \
                or not self.tokens.is_good(token):
            raise ApiError(401, "Bad credentials")
        return token

    def _answer_or_fault(self, request, token):
        def answer_normally():
            try:
                return self._conditional(request, token, self._plain(request, token))
            except ApiError as error:
                return error.answer()
        fault = self.faults.take(request)
        if fault is None:
            return answer_normally()
        return fault.apply(request, answer_normally, self.clock)

    def _plain(self, request, token):
        owner = self.tokens.owner(token)
        if request.kind == "graphql":
            return self.graph.answer(request, owner)
        if request.kind in APP_KINDS:
            return self.app.answer(request)
        if request.kind == "rate_limit":
            core = self.limits.report(owner)
            return Answer(200, encode({"resources": {
                "core": core, "graphql": self.graph_limits.report(owner)}, "rate": core}))
        return self.api.answer(request)

    def _conditional(self, request, token, answer):
        """Add the ETag, and turn the answer into a 304 if the client has it."""
        if answer.status != 200 or request.kind in UNLIMITED:
            return answer
        tag = _etag(token, request.target, answer)
        if answer.last_modified:
            answer.headers["Last-Modified"] = _http_date(answer.last_modified)
        answer.headers["Cache-Control"] = (
            "private, max-age=60, s-maxage=60" if token else "public, max-age=60, s-maxage=60")
        if _matches(request.headers.get("if-none-match"), tag):
            headers = {k: v for k, v in answer.headers.items() if k != "Link"}
            answer = Answer(304, b"", headers)
        answer.headers["ETag"] = f'W/"{tag}"'
        return answer

    def _charge(self, request, token, answer):
        """A 304 is free for an authenticated request, and so is /rate_limit."""
        owner = self.tokens.owner(token)
        if request.kind == "graphql":
            if request.graph is not None and answer.status != 401:
                self._charge_query(request.graph, owner, answer)
            return
        free = answer.status == 401 or request.kind in UNLIMITED \
            or (answer.status == 304 and token)
        if not free and self.limits.remaining(owner) > 0:
            self.limits.charge(owner)

    def _charge_query(self, query, owner, answer):
        """A query costs its points, or what a fault says; a refusal for a limit nothing."""
        points = query.points if answer.points is None else answer.points
        if self.graph_limits.is_used_up(owner) or answer.status in (403, 429):
            points = 0
        self.graph_limits.charge(owner, points)
        self.counters.points += points

    def _finish(self, request, token, answer):
        limits = self.graph_limits if request.kind == "graphql" else self.limits
        own = limits.headers(self.tokens.owner(token)) if answer.status != 401 else {}
        own.update({
            "Date": self.clock.http_date(),
            "Server": "github-double",
            "X-GitHub-Media-Type": "github.v3; format=json",
            "X-GitHub-Request-Id": f"D0B1:{next(self._request_ids):08X}",
            "Vary": "Accept, Authorization, Cookie, X-GitHub-OTP",
        })
        if answer.status != 304:
            own["Content-Type"] = "application/json; charset=utf-8"
        version = request.headers.get("x-github-api-version")
        if version in KNOWN_VERSIONS:
            own["X-GitHub-Api-Version-Selected"] = version
        own.update(answer.headers)  # what the handler or a fault says wins
        answer.headers = own
        return answer


def _etag(token, target, answer):
    digest = hashlib.blake2b(digest_size=32)
    digest.update(f"{token}\n{target}\n".encode())
    digest.update(answer.body)
    return digest.hexdigest()


def _matches(header, tag):
    """Weak comparison of If-None-Match, RFC 9110 section 13.1.2."""
    if header is None:
        return False
    if header.strip() == "*":
        return True
    candidates = (part.strip() for part in header.split(","))
    return any(part.removeprefix("W/").strip('"') == tag for part in candidates)


def _http_date(text):
    try:
        return formatdate(parse_time(text), usegmt=True)
    except ValueError:
        return formatdate(0, usegmt=True)
