"""The router's own answers: an owner's repositories, and webhooks."""

import hashlib
import hmac
import json
import threading
import time
import unittest

from fcgi_client import FcgiError
from harness import SECRET, wait_until
from router_rig import Gone, RouterCase, answer, end, stdout


class Owners(RouterCase):
    def setUp(self):
        super().setUp()
        self.repos = ["acme/Anvil", "acme/bolt", "acme/crate", "acme-x/only", "zeta/one"]
        self.write_list(*reversed(self.repos))
        for repo in self.repos:
            self.backend(repo)

    def names(self, owner, query="", **more):
        got = self.ask(f"/api/v1/owners/{owner}/repositories", query, **more)
        self.assertEqual(200, got.status, got)
        return [item["name"] for item in got.json()["repositories"]], got.json()

    def test_the_answers_are_merged_and_sorted(self):
        self.start()
        for owner, want in (("acme", self.repos[:3]), ("ACME", self.repos[:3]),
                            ("acme-x", ["acme-x/only"]), ("nobody", []),
                            ("-", ["acme-x/only", *self.repos[:3], "zeta/one"])):
            with self.subTest(owner):
                names, whole = self.names(owner)
                self.assertEqual(want, names)
                self.assertEqual((len(want), "", []), (whole["total"], whole["nextPageToken"],
                                                       whole["unreachable"]))
        first = whole["repositories"][0]
        self.assertEqual({"name": "acme-x/only", "issueCount": 3, "pullRequestCount": 1}, first)
        self.stop()

    def test_pages_follow_each_other(self):
        self.start()
        for size in (1, 2, 3, 5, 6):
            names, token, pages = [], "", 0
            while True:
                query = {"pageSize": size, **({"page_token": token} if token else {})}
                page, whole = self.names("-", query)
                self.assertEqual(5, whole["total"])
                names += page
                pages += 1
                token = whole["nextPageToken"]
                if not token:
                    break
            self.assertEqual(["acme-x/only", *self.repos[:3], "zeta/one"], names)
            self.assertEqual(-(-5 // size), pages)
        _, whole = self.names("-", "pageSize=2")
        token = whole["nextPageToken"]
        self.assertEqual(["acme/bolt", "acme/crate"], self.names("-", f"pageSize=2&pageToken={token}")[0])
        for owner, query in (("acme", f"pageToken={token}"), ("-", f"pageToken=x{token}"),
                             ("-", "pageToken=%"), ("-", "pageSize=x"), ("-", f"pageToken={token}A")):
            self.assert_status(self.ask(f"/api/v1/owners/{owner}/repositories", query), 400, 3)
        self.stop()

    def test_a_token_survives_a_restart_and_a_changed_list(self):
        self.start()
        _, whole = self.names("-", "pageSize=2")
        self.stop()
        self.write_list(*self.repos[1:], "acme/aaa")
        self.backend("acme/aaa")
        self.start()
        names, _ = self.names("-", {"pageSize": 10, "pageToken": whole["nextPageToken"]})
        self.assertEqual(["acme/bolt", "acme/crate", "zeta/one"], names)
        self.stop()

    def test_who_does_not_answer_is_named(self):
        def vanish(_request):
            raise Gone
        wrong = self.backends["zeta/one"].summary()
        asked = threading.Event()
        self.backends["acme/Anvil"].behave = lambda _r: asked.wait(60)
        self.backends["acme/bolt"].behave = vanish
        self.backends["acme/crate"].behave = lambda r: r.reply(wrong.encode())
        self.backends["acme-x/only"].behave = lambda r: r.reply(b"{}", status=503)
        self.start("--fanout-ms", "600", "--counts-ms", "0")
        began = time.monotonic()
        names, whole = self.names("-")
        self.assertLess(time.monotonic() - began, 30, "nobody waits for the one that hangs")
        asked.set()
        self.assertEqual(["zeta/one"], names)
        self.assertEqual(["acme-x/only", *self.repos[:3]], whole["unreachable"])
        self.assertEqual(5, whole["total"])
        for repo in self.repos:
            self.backends[repo].behave = self.backends[repo].say_name
        self.assertEqual([], wait_until(
            lambda: [w for w in [self.names("-")[1]] if not w["unreachable"]],
            self.program.tail)[0]["unreachable"])
        self.stop()

    def test_an_unchanged_list_is_not_sent_again(self):
        self.start("--counts-ms", "0")
        path = "/api/v1/owners/acme/repositories"
        tag = self.ask(path).headers["etag"]
        for value in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            got = self.ask(path, headers={"If-None-Match": value})
            self.assertEqual((304, b"", tag), (got.status, got.body, got.headers["etag"]))
            self.assertNotIn("content-length", got.headers)
        self.assertEqual(200, self.ask(path, headers={"If-None-Match": '"other"'}).status)
        self.backends["acme/bolt"].behave = lambda r: r.reply(
            self.backends["acme/bolt"].summary(7).encode())
        got = self.ask(path, headers={"If-None-Match": tag})
        self.assertEqual(200, got.status)
        self.assertNotEqual(tag, got.headers["etag"])
        self.stop()

    def test_counts_are_asked_once_for_a_while(self):
        self.start("--counts-ms", "60000")
        for _ in range(3):
            self.names("acme")
        self.assertEqual([1, 1, 1], [len(self.backends[r].requests) for r in self.repos[:3]])
        self.stop()

    def test_many_are_asked_at_once_but_not_all(self):
        repos = [f"o/r{i:03}" for i in range(60)]
        self.write_list(*repos)
        running, most = set(), [0]

        def slow(request):
            running.add(request)
            most[0] = max(most[0], len(running))
            time.sleep(0.1)
            running.discard(request)
            name = "o/" + self.paths[request.sock.getsockname()].rsplit("/")[-1]
            request.reply(self.backends[name].summary().encode())
        self.paths = {}
        for repo in repos:
            backend = self.backend(repo, slow)
            self.paths[backend.address[len("unix:"):]] = repo
        self.start("--fanout-at-once", "20", "--fanout-ms", "20000")
        names, whole = self.names("o")
        self.assertEqual(repos, names)
        self.assertEqual([], whole["unreachable"])
        self.assertLessEqual(most[0], 20)
        self.assertGreaterEqual(most[0], 10)
        self.stop()

    def test_filters_choose_among_all_repositories(self):
        def says(repo, issues):
            body = json.dumps({"repositories": [{
                "name": repo, "issueCount": issues, "pullRequestCount": 2, "openIssueCount": 1}],
                "nextPageToken": "", "total": 1}).encode()
            return lambda request: request.reply(body)
        for issues, repo in enumerate(self.repos):
            self.backends[repo].behave = says(repo, issues * 10)
        self.start()
        for text, want in (("repository.issue_count > 10", ["acme-x/only", "acme/crate", "zeta/one"]),
                           ('repository.name.startsWith("acme/") && repository.issueCount >= 10',
                            ["acme/bolt", "acme/crate"]),
                           ("repository.issue_count > 1000", []),
                           ("repository.event_count == 0 && now > timestamp('2020-01-01T00:00:00Z')",
                            ["acme-x/only", *self.repos[:3], "zeta/one"])):
            for size in (1, 2, 500):
                with self.subTest(text=text, size=size):
                    names, token = [], ""
                    while True:
                        page, whole = self.names("-", {"filter": text, "pageSize": size,
                                                       "pageToken": token})
                        self.assertEqual((len(want), []), (whole["total"], whole["unreachable"]))
                        names += page
                        token = whole["nextPageToken"]
                        if not token:
                            break
                    self.assertEqual(want, names)
        token = self.names("-", {"filter": "repository.issue_count > 10", "pageSize": 1})[1]["nextPageToken"]
        for text, word in (("repository.nothing > 1", "column 12"), ("repository.name", "bool"),
                           ("issue.number == 1", "issue"), ("1 / 0 == 1", "division"), ("(", "line 1")):
            got = self.ask("/api/v1/owners/-/repositories", {"filter": text})
            self.assert_status(got, 400, 3, "filter: ")
            self.assertIn(word, got.json()["message"])
        self.assert_status(self.ask("/api/v1/owners/-/repositories", {"pageToken": token}), 400, 3,
                           "another query")
        got = self.ask("/api/v1/owners/acme/repositories", method="HEAD")
        self.assertEqual((200, b""), (got.status, got.body))
        self.stop()

    def test_a_filter_names_who_did_not_answer(self):
        self.backends["acme/bolt"].stop()
        self.start()
        names, whole = self.names("acme", {"filter": "repository.issue_count == 3"})
        self.assertEqual((["acme/Anvil", "acme/crate"], ["acme/bolt"], 2),
                         (names, whole["unreachable"], whole["total"]))
        self.stop()


class Webhooks(RouterCase):
    def setUp(self):
        super().setUp()
        self.write_list("acme/widgets", "acme/other")
        self.backend("acme/widgets")
        self.pokes = self.backend("pokes", lambda r: r.reply(b"{}", status=202),
                                  self.socket_of("acme/widgets", "-internal"))

    def payload(self, name="acme/widgets", **more):
        return json.dumps({"action": "opened", "issue": {"number": 1, "repository": "a trap",
                                                         "body": "\"repository\": {"},
                           "repository": {"id": 1, "full_name": name, "owner": {"login": "x"}},
                           **more}).encode()

    def sign(self, body, secret=None):
        secret = secret or self.webhook_secrets[0]
        return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()

    def deliver(self, body, signature=None, delivery=None, **headers):
        self.number = getattr(self, "number", 0) + 1
        headers = {"X-Hub-Signature-256": self.sign(body) if signature is None else signature,
                   "X-GitHub-Delivery": delivery or f"d-{self.number}", "X-GitHub-Event": "issues",
                   **headers}
        headers = {name: value for name, value in headers.items() if value}
        return self.ask_with_type(body, headers)

    def ask_with_type(self, body, headers, content_type="application/json"):
        import fcgi_client
        original = fcgi_client.cgi_variables

        def with_type(*arguments):
            return {**original(*arguments), "CONTENT_TYPE": content_type}
        fcgi_client.cgi_variables = with_type
        try:
            return self.ask("/api/v1/webhook", method="POST", body=body, headers=headers)
        finally:
            fcgi_client.cgi_variables = original

    def test_a_signed_delivery_pokes_the_sync_daemon(self):
        self.start()
        for name in ("acme/widgets", "Acme/WIDGETS"):
            self.pokes.requests.clear()
            got = self.deliver(self.payload(name))
            self.assertEqual((202, {"result": "poked"}), (got.status, got.json()))
            wait_until(lambda: self.pokes.requests, self.program.tail)
            params = self.pokes.requests[0].params
            self.assertEqual(("POST", "/internal/v1/sync", SECRET),
                             (params["REQUEST_METHOD"], params["REQUEST_URI"],
                              params["HTTP_X_MAINTNER_SECRET"]))
        self.stop()

    def test_only_right_signatures_count(self):
        self.start()
        body = self.payload()
        for signature in ("", "sha256=", "sha256=" + "0" * 64, self.sign(body).upper(),
                          self.sign(body)[:-1], self.sign(body + b" "), self.sign(body, "another"),
                          "sha1=" + "0" * 40, self.sign(body) + "0"):
            with self.subTest(signature):
                self.assert_status(self.deliver(body, signature), 401, 16, "X-Hub-Signature-256")
        got = self.deliver(body, self.sign(body, self.webhook_secrets[1]))
        self.assertEqual(202, got.status)
        wait_until(lambda: len(self.pokes.requests) == 1, self.program.tail)
        self.assertEqual(9, self.metric('maintner_router_webhooks_total{result="bad_signature"}'))
        self.stop()

    def test_secrets_are_read_again_when_the_file_changes(self):
        self.start()
        body = self.payload()
        new = "a third webhook secret"
        self.assertEqual(401, self.deliver(body, self.sign(body, new)).status)
        with open(self.stage.path("webhook-secrets"), "w", encoding="utf-8") as file:
            file.write(new)
        self.assertEqual(202, self.deliver(body, self.sign(body, new)).status)
        self.assertEqual(401, self.deliver(body).status)
        with open(self.stage.path("webhook-secrets"), "w", encoding="utf-8") as file:
            file.write("")
        self.assertEqual(202, self.deliver(body, self.sign(body, new)).status)
        self.stop()

    def test_a_delivery_counts_once(self):
        self.start()
        body = self.payload()
        results = [self.deliver(body, delivery="same").json()["result"] for _ in range(3)]
        self.assertEqual(["poked", "duplicate", "duplicate"], results)
        self.assertEqual(401, self.deliver(body, "sha256=" + "0" * 64, delivery="forged").status)
        self.assertEqual("poked", self.deliver(body, delivery="forged").json()["result"])
        self.stop()

    def test_other_payloads(self):
        self.start()
        for body, status, word in (
                (self.payload("acme/untracked"), 202, "not_tracked"),
                (b'{"zen":"x","hook":{"repository":{"full_name":"acme/widgets"}}}', 202,
                 "no_repository"),
                (b"", 202, "no_repository"), (b"not json", 202, "no_repository"),
                (b'{"repository":{"full_name":"no slash"}}', 400, "full_name"),
                (b'{"repository":{"full_name":7}}', 400, "full_name"),
                (b'{"repository":7}', 400, "repository"),
                (b'{"repository":{"full_name":"a/b","x":"' + b"y" * 70000 + b'"}}', 400, "long")):
            with self.subTest(body[:60]):
                got = self.deliver(body)
                self.assertEqual(status, got.status, got)
                self.assertIn(word, str(got.json()))
        self.assertEqual([], self.pokes.requests)
        form = self.ask_with_type(b"payload=x", {"X-Hub-Signature-256": self.sign(b"payload=x")},
                                  "application/x-www-form-urlencoded")
        self.assert_status(form, 415, 3, "application/json")
        self.stop()

    def test_a_long_payload_is_hashed_and_not_kept(self):
        self.start()
        filler = "f" * (20 << 20)
        body = json.dumps({"commits": filler, "repository": {"full_name": "acme/widgets"}}).encode()
        self.assertEqual("poked", self.deliver(body).json()["result"])
        body = json.dumps({"commits": "f" * (26 << 20)}).encode()
        try:
            self.assert_status(self.deliver(body, self.sign(body)), 413, 3, "25 MiB")
        except (FcgiError, OSError):  # the answer can be overtaken by the closed connection
            self.assertEqual(1, self.metric('maintner_router_webhooks_total{result="too_large"}'))
        self.stop()

    def test_the_answer_does_not_wait_for_the_daemon(self):
        delivered = threading.Event()
        self.pokes.behave = lambda r: (delivered.wait(60), r.reply(b"{}", status=202))
        self.start()
        for i in range(20):
            self.assertEqual(202, self.deliver(self.payload(n=i)).status)
        self.assertLessEqual(len(self.pokes.requests), 1)
        delivered.set()
        # What came while one poke was under way is one more.
        wait_until(lambda: len(self.pokes.requests) == 2, self.program.tail)
        time.sleep(0.8)
        self.assertEqual(2, len(self.pokes.requests))
        self.stop()

    def test_a_daemon_that_is_away_is_logged_and_no_more(self):
        self.pokes.stop()
        self.start()
        self.assertEqual(202, self.deliver(self.payload()).status)
        wait_until(lambda: self.program.log_with(message="sync daemon not poked"),
                   self.program.tail)
        self.assertEqual(1, self.metric("maintner_router_poke_failures_total"))
        self.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
