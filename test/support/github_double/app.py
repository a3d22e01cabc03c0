"""The endpoints of a GitHub App: itself, its installation, its tokens.

  GET  /app
  GET  /repos/{owner}/{repo}/installation
  POST /app/installations/{id}/access_tokens
  https://docs.github.com/en/rest/apps/apps

They want a JSON Web Token instead of a token; which claims it has is written in
.../authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
"""

import json
import re

import rs256

from .answers import Answer, ApiError, not_found
from .clock import format_time
from .records import encode

LONGEST_LIFE_S = 600
INSTALLATION_ID = 4_711
PERMISSIONS = {"contents": "read", "issues": "read", "metadata": "read", "pull_requests": "read"}

_TOKENS = re.compile(r"/app/installations/(\d+)/access_tokens\Z")
_INSTALLATION = re.compile(r"/repos/([^/]+)/([^/]+)/installation\Z")


class App:
    """`app_id` and the PEM text of its key; without them the endpoints are not there."""

    def __init__(self, app_id, key_pem, world, tokens, clock):
        self._id = app_id
        self._key = rs256.public_key(key_pem) if key_pem else None
        self._world = world
        self._tokens = tokens
        self._clock = clock

    def classify(self, request):
        """True when the request is one of an App's; sets its kind."""
        if request.path == "/app" or _INSTALLATION.match(request.path):
            request.kind = "app"
        elif _TOKENS.match(request.path):
            request.kind = "app_token"
        return request.kind in ("app", "app_token")

    def answer(self, request):
        if self._key is None:
            raise not_found("apps/apps")
        self._check_assertion(request.headers.get("authorization", ""))
        if request.kind == "app_token":
            return self._mint(request)
        if request.method != "GET":
            raise not_found("apps/apps")
        if request.path == "/app":
            return Answer(200, encode({"id": self._number(), "slug": "sync-double",
                                       "name": "Sync double", "permissions": PERMISSIONS}))
        return self._installation(*_INSTALLATION.match(request.path).groups())

    def _number(self):
        return int(self._id) if str(self._id).isdigit() else 1

    def _check_assertion(self, header):
        """The JWT of the Authorization header, or 401 with GitHub's reason."""
        scheme, _, assertion = header.partition(" ")
        if scheme.lower() != "bearer" or not assertion:
            raise _refused("A JSON web token could not be decoded")
        try:
            claims = rs256.verify(assertion, self._key)
        except ValueError:
            raise _refused("A JSON web token could not be decoded") from None
        now = self._clock.now()
        issued, ends = claims.get("iat"), claims.get("exp")
        if not _is_number(issued) or issued > now:
            raise _refused("'Issued at' claim ('iat') must be an Integer representing the time "
                           "that the assertion was issued")
        if not _is_number(ends) or ends <= now:
            raise _refused("'Expiration time' claim ('exp') must be a numeric value representing "
                           "the future time at which the assertion expires")
        if ends > now + LONGEST_LIFE_S:
            raise _refused("'Expiration time' claim ('exp') is too far in the future")
        if str(claims.get("iss")) != str(self._id):
            raise ApiError(404, "Integration not found", page="apps/apps")

    def _mint(self, request):
        installation = int(_TOKENS.match(request.path).group(1))
        if request.method != "POST" or installation != INSTALLATION_ID:
            raise not_found("apps/apps#create-an-installation-access-token-for-an-app")
        try:
            wish = json.loads(request.body or b"{}")
        except ValueError:
            wish = None
        if not isinstance(wish, dict):
            raise ApiError(400, "Problems parsing JSON")
        token, end = self._tokens.mint(installation)
        return Answer(201, encode({
            "token": token, "expires_at": end, "repository_selection": "all",
            "permissions": wish.get("permissions", PERMISSIONS)}))

    def _installation(self, owner, name):
        found = self._world.by_name(f"{owner}/{name}")
        if found is None or found.removed:
            raise not_found("apps/apps#get-a-repository-installation-for-the-authenticated-app")
        made = format_time(1_600_000_000)
        return Answer(200, encode({
            "id": INSTALLATION_ID, "app_id": self._number(), "account": found.info["owner"],
            "target_type": found.info["owner"].get("type", "User"), "permissions": PERMISSIONS,
            "repository_selection": "all", "events": [], "created_at": made, "updated_at": made,
            "suspended_at": None}))


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _refused(why):
    return ApiError(401, why)
