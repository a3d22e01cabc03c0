"""Tokens: those of a GitHub App, revoked ones, and the points of a minute."""

import base64
import json
import os
import subprocess
import unittest

from context import REPO, DoubleCase, DoubleClient, made_recording, scratch
from github_double.client import DoubleProcess

import rs256

NOW = 1_800_000_000
APP_ID = 31_415


def made_key():
    """(path, PEM text) of an RSA key, made once a run."""
    path = scratch("app.pem")
    if not os.path.exists(path):
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", path, "2048"], check=True,
                       capture_output=True)
    with open(path) as file:
        return path, file.read()


def _part(value):
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def signed(claims, pem, algorithm="RS256"):
    """A JSON Web Token."""
    modulus, _exponent, private = rs256.key_numbers(pem)[:3]
    text = f"{_part({'alg': algorithm, 'typ': 'JWT'})}.{_part(claims)}"
    size = (modulus.bit_length() + 7) // 8
    number = int.from_bytes(rs256.padded_digest(text.encode(), size), "big")
    return f"{text}.{_part(pow(number, private, modulus).to_bytes(size, 'big'))}"


class AppCase(DoubleCase):
    def setUp(self):
        self.path, self.pem = made_key()
        self.options = {"app_id": str(APP_ID), "app_key": self.pem, "tokens": ("given",)}
        super().setUp()
        self.client.clock(set="2027-01-15T08:00:00Z", frozen=True)

    def as_app(self, target, method="GET", body=None, **claims):
        claims = {"iat": NOW - 60, "exp": NOW + 540, "iss": APP_ID, **claims}
        return self.with_token(target, signed(claims, self.pem), method, body)

    def with_token(self, target, token, method="GET", body=None):
        headers = {**self.client._headers, "Authorization": f"Bearer {token}"}
        return self.client.request(target, headers, method, body)

    def mint(self):
        return self.as_app(self.tokens_path(), "POST").json()["token"]

    def tokens_path(self):
        found = self.as_app(f"/repos/{REPO}/installation").json()["id"]
        return f"/app/installations/{found}/access_tokens"

    def status(self, token, target=f"/repos/{REPO}"):
        return self.with_token(target, token).status


class App(AppCase):
    def test_an_installation_token_lasts_an_hour(self):
        answer = self.as_app(self.tokens_path(), "POST", b"{}")
        self.assertEqual(answer.status, 201)
        body = answer.json()
        self.assertEqual(body["expires_at"], "2027-01-15T09:00:00Z")
        self.assertEqual(body["permissions"]["issues"], "read")
        self.assertEqual(self.status(body["token"]), 200)
        self.client.clock(advance_s=3599)
        self.assertEqual(self.status(body["token"]), 200)
        self.client.clock(advance_s=1)
        refused = self.with_token(f"/repos/{REPO}", body["token"])
        self.assertEqual((refused.status, refused.json()["message"]), (401, "Bad credentials"))

    def test_graphql_takes_it_too(self):
        client = DoubleClient(self.double.url, self.mint())
        self.addCleanup(client.close)
        self.assertEqual(client.graphql("{ viewer { login } }").status, 200)
        self.client.clock(advance_s=3600)
        self.assertEqual(client.graphql("{ viewer { login } }").status, 401)

    def test_assertions_are_checked(self):
        self.assertEqual(self.as_app("/app").json()["id"], APP_ID)
        for claims in ({"exp": NOW + 601}, {"exp": NOW}, {"iat": NOW + 1}, {"iat": "x"},
                       {"exp": None}):
            self.assertEqual(self.as_app("/app", **claims).status, 401, claims)
        self.assertEqual(self.as_app("/app", iss=1).status, 404)
        good = {"iat": NOW - 60, "exp": NOW + 540, "iss": str(APP_ID)}
        self.assertEqual(self.status(signed(good, self.pem), "/app"), 200)
        self.assertEqual(self.status(signed(good, self.pem, "HS256"), "/app"), 401)
        head, claims, signature = signed(good, self.pem).split(".")
        other = signed({**good, "exp": NOW + 100}, self.pem).split(".")[1]
        for bad in (f"{head}.{other}.{signature}", f"{head}.{claims}.", f"{head}.{claims}", "x"):
            self.assertEqual(self.status(bad, "/app"), 401, bad)
        self.assertEqual(self.status("given", "/app"), 401)

    def test_an_assertion_is_no_token_for_the_rest(self):
        self.assertEqual(self.as_app(f"/repos/{REPO}").status, 401)

    def test_unknown_installations_and_repositories_are_404(self):
        self.assertEqual(self.as_app("/app/installations/1/access_tokens", "POST").status, 404)
        self.assertEqual(self.as_app("/repos/acme/other/installation").status, 404)
        self.assertEqual(self.as_app(self.tokens_path()).status, 404)

    def test_revoked_tokens_are_bad(self):
        first, second = self.mint(), self.mint()
        self.client.revoke(first)
        self.assertEqual((self.status(first), self.status(second)), (401, 200))
        self.assertEqual(self.client.revoke("*"), {"minted": 2, "good": 0, "revoked": 2})
        self.assertEqual(self.status(second), 401)
        self.client.revoke("given")
        self.assertEqual(self.status("given"), 401)

    def test_a_tag_got_with_one_token_is_worth_nothing_with_the_next(self):
        first, second = self.mint(), self.mint()
        tag = self.with_token(f"/repos/{REPO}/issues", first).headers["ETag"]
        for token, status in ((first, 304), (second, 200)):
            headers = {**self.client._headers, "Authorization": f"Bearer {token}",
                       "If-None-Match": tag}
            self.assertEqual(self.client.request(f"/repos/{REPO}/issues", headers).status, status)

    def test_tokens_of_one_installation_share_its_limit(self):
        first, second = self.mint(), self.mint()
        self.with_token(f"/repos/{REPO}", first)
        answer = self.with_token(f"/repos/{REPO}", second)
        self.assertEqual(answer.headers["X-RateLimit-Used"], "2")

    def test_minting_is_counted(self):
        self.mint()
        counts = self.client.counts()
        self.assertEqual((counts["app_token"], counts["app"], counts["violations"]), (1, 1, []))


class Keys(unittest.TestCase):
    def test_every_form_of_a_key_is_read(self):
        path, pem = made_key()
        wanted = rs256.public_key(pem)
        for arguments in (["-pubout"], ["-RSAPublicKey_out"]):
            text = subprocess.run(["openssl", "rsa", "-in", path, *arguments], check=True,
                                  capture_output=True, text=True).stdout
            self.assertEqual(rs256.public_key(text), wanted)
        text = subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", path], check=True,
                              capture_output=True, text=True).stdout
        self.assertEqual(rs256.public_key(text), wanted)


class Command(unittest.TestCase):
    def test_the_command_line_takes_an_app_and_tokens(self):
        path, pem = made_key()
        options = ["--app-id", "7", "--app-key", path, "--tokens", "a,b"]
        with DoubleProcess([made_recording()], options=options) as double:
            now = int(subprocess.run(["date", "+%s"], capture_output=True).stdout)
            assertion = signed({"iat": now - 60, "exp": now + 500, "iss": 7}, pem)
            for token, target, status in ((assertion, "/app", 200), ("a", f"/repos/{REPO}", 200),
                                          ("b", f"/repos/{REPO}", 200), ("c", f"/repos/{REPO}", 401)):
                answer = double.get(target, Authorization=f"Bearer {token}")
                self.assertEqual(answer.status, status)


class Secondary(DoubleCase):
    token = "reader"
    options = {"rest_points": 3, "graphql_points": 2}

    def setUp(self):
        super().setUp()
        self.client.clock(set="2027-01-01T00:00:00Z", frozen=True)

    def test_an_endpoint_has_so_many_points_a_minute(self):
        for _ in range(3):
            self.assertEqual(self.get("/labels").status, 200)
            self.client.clock(advance_s=10)
        refused = self.get("/labels")
        self.assertEqual((refused.status, refused.headers["Retry-After"]), (403, "30"))
        self.assertIn("secondary rate limit", refused.json()["message"])
        self.assertNotEqual(refused.headers["X-RateLimit-Remaining"], "0")
        self.assertEqual(self.get("/issues").status, 200)
        self.client.clock(advance_s=30)
        self.assertEqual(self.get("/labels").status, 200)
        self.assertEqual(self.get("/labels").status, 403)

    def test_queries_have_their_own(self):
        statuses = [self.client.graphql("{ viewer { login } }").status for _ in range(3)]
        self.assertEqual(statuses, [200, 200, 403])
        self.assertEqual(self.client.counts()["graphql_points"], 2)

    def test_the_refusal_can_be_another(self):
        self.client.secondary(rest=1, status=429, retry_after=False)
        self.get()
        refused = self.get()
        self.assertEqual((refused.status, refused.headers["Retry-After"]), (429, None))
        self.assertEqual(self.client.secondary(rest=0)["refused"], 1)
        self.assertEqual({self.get().status for _ in range(9)}, {200})


if __name__ == "__main__":
    unittest.main()
