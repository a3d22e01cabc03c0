"""The token endpoints: service account assertions, refresh tokens, STS, impersonation,
and the metadata server."""

import json
import re
import time
from urllib.parse import parse_qs

import rs256

from .model import Refused

SCOPES = ("https://www.googleapis.com/auth/devstorage.read_write",
          "https://www.googleapis.com/auth/cloud-platform")
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
STS_GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS = "urn:ietf:params:oauth:token-type:access_token"


def verify(token, key):
    """The claims of a JWT; Refused when its signature is wrong."""
    try:
        return rs256.verify(token, key)
    except ValueError as error:
        raise Refused(400, f"Invalid JWT: {error}", "invalid_grant") from None


class Tokens:
    def __init__(self, life_s=3600):
        self.life_s = life_s
        self.valid = {}
        self.required = False
        self.account = None      # {"client_email", "key"}
        self.refresh = None      # {"client_id", "client_secret", "refresh_token"}
        self.subject = None      # the federated token that STS accepts
        self.audience = None
        self.minted = []         # kinds, in order
        self._serial = 0

    def mint(self, kind, life_s=None):
        self._serial += 1
        token = f"ya29.{kind}-{self._serial}"
        life = self.life_s if life_s is None else life_s
        self.valid[token] = time.time() + life
        self.minted.append(kind)
        return token, life

    def check(self, headers):
        """The Authorization header of a storage request."""
        if not self.required:
            return
        match = re.fullmatch(r"Bearer (.+)", headers.get("Authorization") or "")
        if match is None or self.valid.get(match.group(1), 0) < time.time():
            raise Refused(401, "Invalid Credentials", "authError")

    def revoke_all(self):
        self.valid.clear()

    # endpoints

    def oauth(self, body, url):
        form = {k: v[0] for k, v in parse_qs(body.decode()).items()}
        if form.get("grant_type") == JWT_GRANT:
            return self._assertion(form, url)
        if form.get("grant_type") == "refresh_token":
            wanted = self.refresh or {}
            if any(form.get(k) != wanted.get(k) for k in ("client_id", "client_secret", "refresh_token")):
                raise Refused(400, "Bad Request", "invalid_grant")
            return self._answer("user")
        raise Refused(400, "Unsupported grant type", "unsupported_grant_type")

    def _assertion(self, form, url):
        if self.account is None:
            raise Refused(400, "no service account", "invalid_grant")
        claims = verify(form.get("assertion", ""), self.account["key"])
        now = time.time()
        problems = [name for name, bad in {
            "iss": claims.get("iss") != self.account["client_email"],
            "aud": claims.get("aud") != url,
            "scope": claims.get("scope") not in SCOPES,
            "iat": not now - 300 <= claims.get("iat", 0) <= now + 60,
            "exp": not now < claims.get("exp", 0) <= claims.get("iat", 0) + 3600,
        }.items() if bad]
        if problems:
            raise Refused(400, f"Invalid JWT: {', '.join(problems)}", "invalid_grant")
        return self._answer("service")

    def sts(self, body):
        form = {k: v[0] for k, v in parse_qs(body.decode()).items()}
        if form.get("grant_type") != STS_GRANT or form.get("requested_token_type") != ACCESS:
            raise Refused(400, "bad grant", "invalid_request")
        if form.get("subject_token") != self.subject or form.get("audience") != self.audience:
            raise Refused(400, "The given credential is rejected", "invalid_grant")
        if not form.get("subject_token_type") or form.get("scope") not in SCOPES:
            raise Refused(400, "missing parameter", "invalid_request")
        return {**self._answer("sts"), "issued_token_type": ACCESS}

    def impersonate(self, headers, body):
        token = (headers.get("Authorization") or "")[len("Bearer "):]
        if self.valid.get(token, 0) < time.time() or ".sts-" not in token:
            raise Refused(401, "Invalid Credentials", "authError")
        if json.loads(body).get("scope") not in ([s] for s in SCOPES):
            raise Refused(400, "bad scope")
        token, life = self.mint("impersonated")
        return {"accessToken": token,
                "expireTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + life))}

    def metadata(self, headers):
        if headers.get("Metadata-Flavor") != "Google":
            raise Refused(403, "Metadata-Flavor is missing")
        return self._answer("metadata")

    def _answer(self, kind):
        token, life = self.mint(kind)
        return {"access_token": token, "expires_in": int(life), "token_type": "Bearer"}
