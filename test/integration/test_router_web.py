"""The router behind real web servers, in front of many backends that come and go."""

import grp
import hashlib
import hmac
import http.client
import json
import os
import random
import shutil
import signal
import ssl
import subprocess
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

import recordings
import servers
from fcgi_client import FcgiClient
from harness import FULL, Mirror, accepts, seeded, wait_until
from router_rig import Gone, RouterCase, stdout

REPOS = 50
REAL = REPOS if FULL else 6  # maintnerd-fcgi; the others are played
ASKERS = 8
LOAD_S = 60 if FULL else 4
RECOVERY_S = 2
MAY_FAIL = (502, 503, 504)


class WebCase(RouterCase):
    def open_socket(self):
        """Let the web server's workers reach the router."""
        os.chmod(self.stage.folder, 0o755)
        if os.geteuid() == 0:
            os.chown(self.address[len("unix:"):], -1, grp.getgrnam(servers.GROUP).gr_gid)

    def front(self, server, **settings):
        front = server(self.stage, self.address[len("unix:"):])
        for name, value in settings.items():
            setattr(front, name, value)
        self.addCleanup(front.end)
        front.start()
        return front


def servers_here():
    return [s for s in (servers.RoutedNginx, servers.RoutedLighttpd, servers.RoutedApache)
            if not s.missing()]


class Fronts(WebCase):
    def setUp(self):
        super().setUp()
        self.write_list("acme/widgets", "acme/broken")
        self.widgets = self.backend("acme/widgets")
        self.start("--first-byte-ms", "500", "--idle-ms", "500",
                   "--breaker-failures", "1000")
        self.open_socket()
        if not servers_here():
            self.skipTest("no web server here")

    def test_answers_and_errors_pass_through_each_server(self):
        for server in servers_here():
            front = self.front(server)
            client = front.client()
            self.addCleanup(client.close)
            direct = FcgiClient(self.address)
            self.addCleanup(direct.close)
            for target, status in (("/api/v1/acme/widgets/issues?a=%2F&b=..//", 200),
                                   ("/api/v1/Acme/%57idgets/issues/1", 200),
                                   ("/api/v1/acme/none/issues", 404),
                                   ("/api/v1/acme/broken/issues", 503),
                                   ("/api/v1/owners/acme/repositories", 200),
                                   ("/_healthz", 200)):
                with self.subTest(server=server.__name__, target=target):
                    got = client.ask(target, headers={"X-Request-Id": "web-1"})
                    path, _, query = target.partition("?")
                    want = direct.ask(path, query, headers={"X-Request-Id": "web-1"})
                    self.assertEqual((status, want.body), (got.status, got.body))
                    self.assertEqual("web-1", got.headers["x-request-id"])
            for target in ("/api/v1/acme%2Fwidgets/issues", "/api/v1/acme/widgets/../../../metrics",
                           "/api/v1/acme//widgets/issues", "/api/v1/acme/widgets/%2e%2e/x",
                           "/api/v1/acme/widgets/issues;x", "/api/v1/acme/widgets/%00", "/metrics",
                           "//metrics", "/internal/v1/sync", "/%6detrics"):
                with self.subTest(server=server.__name__, target=target):
                    got = client.ask(target)
                    self.assertIn(got.status, (400, 403, 404))
                    self.assertNotIn(b"maintner_router", got.body)
                    client.close()
            self.assertIn(front.stop(), front.stopped_well, front.program.tail())

    def test_an_answer_that_breaks_off_ends_the_clients_request(self):
        def breaks(request):
            head = b"Content-Type: a/b\r\nContent-Length: 500000\r\n\r\n"
            request.send(stdout(head + b"x" * 200_000, request.id))
            raise Gone
        self.backend("acme/broken", breaks)
        for server in servers_here():
            with self.subTest(server.__name__):
                front = self.front(server)
                client = front.client()
                with self.assertRaises((http.client.HTTPException, OSError)):
                    got = client.ask("/api/v1/acme/broken/issues")
                    if got.status >= 500:  # a server that had sent nothing yet may say so
                        raise http.client.IncompleteRead(b"")
                client.close()
                client = front.client()
                self.assertEqual(200, client.ask("/api/v1/acme/widgets/issues").status)
                client.close()
                front.end()

    def test_a_webhook_passes_each_server_with_its_bytes_unchanged(self):
        pokes = self.backend("pokes", lambda r: r.reply(b"{}", status=202),
                             self.socket_of("acme/widgets", "-internal"))
        body = json.dumps({"a": "\u00e9\u2028" * 300_000,
                           "repository": {"full_name": "acme/widgets"}},
                          ensure_ascii=False).encode()
        sign = "sha256=" + hmac.new(self.webhook_secrets[1].encode(), body, hashlib.sha256).hexdigest()
        for number, server in enumerate(servers_here()):
            with self.subTest(server.__name__):
                front = self.front(server)
                client = front.client()
                got = client.ask("/api/v1/webhook", "POST", body=body, headers={
                    "Content-Type": "application/json", "X-GitHub-Delivery": str(number),
                    "X-Hub-Signature-256": sign})
                self.assertEqual((202, b'{"result":"poked"}'), (got.status, got.body))
                wait_until(lambda: len(pokes.requests) > number, self.program.tail)
                client.close()
                front.end()


class Limits(WebCase):
    """The commented examples of deploy/ do what they say."""

    def setUp(self):
        super().setUp()
        self.write_list("acme/widgets")
        self.backend("acme/widgets")
        self.start()
        self.open_socket()
        self.keys = self.stage.path("keys")

    def test_nginx_with_tls_keys_and_a_rate(self):
        if servers.LimitedNginx.missing() or not shutil.which("openssl"):
            self.skipTest("no nginx or no openssl here")
        with open(self.keys, "w", encoding="utf-8") as file:
            file.write('"sesame" "dashboard";\n')
        certificate, key = self.stage.path("tls.pem"), self.stage.path("tls.key")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=localhost", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        front = self.front(servers.LimitedNginx, keys=self.keys, tls_port=servers.free_port(),
                           certificate=certificate, key=key)
        context = ssl.create_default_context(cafile=certificate)
        context.check_hostname = False

        def ask(target, **headers):
            connection = http.client.HTTPSConnection("127.0.0.1", front.tls_port, context=context)
            connection.request("GET", target, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, body
        plain = front.client()
        self.assertEqual(308, plain.ask("/api/v1/acme/widgets/issues").status)
        plain.close()
        target = "/api/v1/acme/widgets/issues"
        self.assertEqual(200, ask(target, **{"X-Api-Key": "sesame"})[0])
        self.assertEqual(200, ask(target + "?key=sesame")[0])
        status, body = ask(target, **{"X-Api-Key": "wrong"})
        self.assertEqual((401, 16), (status, json.loads(body)["code"]))
        got = [ask(target, **{"X-Api-Key": "sesame"})[0] for _ in range(120)]
        self.assertIn(429, got)
        self.assertIn(200, got)
        self.assertEqual(200, ask("/_healthz")[0])
        self.assertNotIn("sesame", self.program.stderr)

    def test_apache_with_keys(self):
        if servers.LimitedApache.missing():
            self.skipTest("no Apache here")
        with open(self.keys, "w", encoding="utf-8") as file:
            file.write("sesame dashboard\n")
        os.chmod(self.keys, 0o644)
        front = self.front(servers.LimitedApache, keys=self.keys)
        client = front.client()
        self.addCleanup(client.close)
        target = "/api/v1/acme/widgets/issues"
        self.assertEqual(200, client.ask(target, headers={"X-Api-Key": "sesame"}).status)
        self.assertEqual(200, client.ask(target + "?key=sesame").status)
        self.assertEqual(401, client.ask(target, headers={"X-Api-Key": "wrong"}).status)
        self.assertEqual(401, client.ask(target).status)
        self.assertEqual(200, client.ask("/_healthz").status)


class Storm(WebCase):
    """Load on every repository while backends are killed, stopped, restarted and slowed."""

    def setUp(self):
        super().setUp()
        self.repos = [f"org{i % 7}/repo{i}" for i in range(REPOS)]
        self.real = {}
        self.start_real()
        for repo in self.repos[REAL:]:
            self.backend(repo, self.played(repo))
        self.write_list(*self.repos)
        self.start("--first-byte-ms", "1000", "--idle-ms", "2000", "--connect-ms", "500",
                   "--breaker-retry-ms", "500", "--log-level", "warning", wait=False)
        wait_until(lambda: self.ask("/_healthz").status == 200, self.program.tail)
        self.open_socket()
        self.wrong, self.statuses = [], {}

    def start_real(self):
        double = self.stage.double(*[
            recordings.made(500 + i, 3, 2, repo=repo, odd=False)
            for i, repo in enumerate(self.repos[:REAL])])
        self.mirrors = {repo: Mirror(self.stage, repo, double.url) for repo in self.repos[:REAL]}
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda m: m.sync(), self.mirrors.values()))
        for repo in self.mirrors:
            self.run_real(repo)

    def run_real(self, repo):
        self.real[repo] = self.stage.run("maintnerd-fcgi", "--snapshot", self.mirrors[repo].snapshot,
                                         "--listen", self.socket_of(repo))
        wait_until(lambda: accepts(self.socket_of(repo)), self.real[repo].tail)

    def played(self, repo):
        """As a responder would answer a list of issues: five, each naming its repository."""
        body = json.dumps({"issues": [{"repo": repo, "issueId": i} for i in range(5)],
                           "total": 5}).encode()
        return lambda request: request.reply(body)

    def ask_until(self, stop, front, seed):
        rng, client = random.Random(seed), front.client()
        while not stop.is_set():
            repo = rng.choice(self.repos)
            try:
                got = client.ask(f"/api/v1/{repo}/issues?fieldMask=repo,issueId")
            except (OSError, http.client.HTTPException):
                client.close()
                client = front.client()
                self.count("broken")
                continue
            self.count(got.status)
            self.judge(repo, got)
        client.close()

    def count(self, what):
        self.statuses[what] = self.statuses.get(what, 0) + 1

    def judge(self, repo, got):
        if got.status == 200:
            issues = got.json()["issues"]
            if len(issues) != 5 or {issue["repo"] for issue in issues} != {repo}:
                self.wrong.append((repo, got))
        elif got.status not in MAY_FAIL:
            self.wrong.append((repo, got))

    def recovers(self, front, repo):
        """Seconds until it answers again."""
        began, client = time.monotonic(), front.client()
        while time.monotonic() - began < 10:
            try:
                if client.ask(f"/api/v1/{repo}/issues?fieldMask=repo").status == 200:
                    break
            except (OSError, http.client.HTTPException):
                client.close()
            time.sleep(0.02)
        client.close()
        return time.monotonic() - began

    def harm(self, rng, front):
        """One backend is taken away and given back; the seconds it took to answer again."""
        repo = rng.choice(self.repos[:REAL] if rng.random() < 0.6 else self.repos[REAL:] or self.repos)
        if repo in self.real:
            program = self.real[repo]
            if rng.random() < 0.5:
                program.signal(signal.SIGSTOP)
                time.sleep(rng.uniform(0.1, 1.5))
                program.signal(signal.SIGCONT)
            else:
                program.kill() if rng.random() < 0.5 else program.stop()
                time.sleep(rng.uniform(0, 0.6))
                self.run_real(repo)
        else:
            self.harm_played(rng, repo)
        return repo, self.recovers(front, repo)

    def harm_played(self, rng, repo):
        backend = self.backends[repo]
        if rng.random() < 0.5:
            backend.stop()
            time.sleep(rng.uniform(0, 0.6))
            backend.start()
            return
        say = backend.behave

        def vanish(_request):
            raise Gone
        backend.behave = rng.choice((vanish, lambda r: r.send(b"garbage" * 10),
                                     lambda r: time.sleep(1.2)))
        time.sleep(rng.uniform(0.2, 0.8))
        backend.behave = say

    def test_no_wrong_answer_and_recovery_within_two_seconds(self):
        if not servers_here():
            self.skipTest("no web server here")
        rng = seeded()
        for server in servers_here():
            with self.subTest(server.__name__):
                front = self.front(server)
                stop = threading.Event()
                askers = [threading.Thread(target=self.ask_until, args=(stop, front, rng.random()))
                          for _ in range(ASKERS)]
                for asker in askers:
                    asker.start()
                slow, end = [], time.monotonic() + LOAD_S
                while time.monotonic() < end:
                    repo, took = self.harm(rng, front)
                    if took > RECOVERY_S:
                        slow.append((repo, took))
                stop.set()
                for asker in askers:
                    asker.join()
                print(server.__name__, self.statuses, flush=True)
                self.assertEqual([], self.wrong[:3])
                self.assertEqual([], slow)
                self.assertGreater(self.statuses[200], 200)
                front.end()
        self.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
