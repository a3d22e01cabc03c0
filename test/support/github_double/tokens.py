"""Who may ask: tokens given at the start, and installation tokens of a GitHub App.

https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
Installation tokens end an hour after they were made, on the double's clock.
"""

import secrets

from .clock import format_time

INSTALLATION_LIFE_S = 3600


class TokenBook:
    """Knows every token; without any given, and without an App, all are good."""

    def __init__(self, tokens, clock, strict=False):
        self._given = set(tokens)
        self._clock = clock
        self._strict = strict or bool(tokens)
        self._minted = {}  # token -> (installation, when it ends)
        self._revoked = set()

    @property
    def required(self):
        return self._strict

    def is_good(self, token):
        if token in self._revoked:
            return False
        if token in self._minted:
            return self._clock.now() < self._minted[token][1]
        return token in self._given or not self._strict

    def owner(self, token):
        """Whose rate limit a token uses: all of an installation's tokens share one."""
        found = self._minted.get(token)
        return token if found is None else f"installation {found[0]}"

    def mint(self, installation):
        """(token, when it ends as text)."""
        token = "ghs_" + secrets.token_urlsafe(27).replace("-", "a").replace("_", "b")
        end = int(self._clock.now()) + INSTALLATION_LIFE_S
        self._minted[token] = (installation, end)
        return token, format_time(end)

    def revoke(self, token):
        """Make one token bad, or all that were minted (`*`)."""
        self._revoked.update(self._minted if token == "*" else [token])

    def report(self):
        good = sum(map(self.is_good, self._minted))
        return {"minted": len(self._minted), "good": good, "revoked": len(self._revoked)}
