"""The same bytes whichever web server asks, and however it is connected."""

import concurrent.futures
import grp
import gzip
import os
import unittest

import recordings
import servers
from fcgi_client import FcgiClient
from harness import Mirror, Stage, accepts, wait_until

COMPARED = ("content-type", "content-length", "etag", "cache-control", "allow")
AT_ONCE = 16


def questions(repo, api):
    """(method, target) of all kinds; `api` answers what is needed to make them."""
    owner, short = repo.split("/")
    root = f"/api/v1/{repo}/issues"
    page = api.json_of(f"{root}?pageSize=2&orderBy=-updated&fieldMask=title")
    first = api.json_of(f"{root}?pageSize=1&fieldMask=issueId")["issues"][0]["issueId"]
    escaped = "".join(f"%{ord(c):02X}" for c in short)
    targets = [
        root, f"{root}?comments=true&reviews=true", f"{root}?pageSize=1", f"{root}?pageSize=0",
        f"{root}?pageSize=2&orderBy=-updated&fieldMask=title&pageToken={page['nextPageToken']}",
        f"{root}?page_size=3&field_mask=issue_id,created_at", f"{root}?closed=true&pullRequest=false",
        f"{root}?fieldMask=title%2Clabels&closed=false", f"{root}?unknown=x&&=&pageSize=1",
        f"{root}/{first}", f"{root}/{first}?comments=true&reviews=true", f"{root}/99999999",
        f"{root}/0", f"{root}/x", f"{root}/{first}/", f"{root}?pageToken=abc",
        f"{root}?fieldMask=nothing", f"{root}?pageSize=%zz", f"{root}?orderBy=%C3%A9+%22",
        f"/api/v1/{repo.upper()}/issues/{first}", f"/api/v1/{owner}/{escaped}/issues/{first}",
        f"{root}/%{ord(str(first)[0]):x}{str(first)[1:]}", f"/api/v1/{repo}/nothing",
        f"/api/v1/{repo}/issues%2F{first}", f"/api/v1/owners/{owner}/repositories",
        "/api/v1/owners/-/repositories", "/_healthz", f"{root}?" + "x=" + "y" * 8000,
        f"/api/v1/{repo}", f"/api/v1/{repo}/labels", f"/api/v1/{repo}/milestones?pageSize=1",
        f"{root}/{first}/comments", f"{root}/{first}/events?pageSize=2", f"/api/v1/{repo}/slo",
        f"{root}?filter=issue.closed%20%26%26%20issue.title.contains(%22e%22)",
        f"{root}?filter=issue.labels.exists(l,%20l%20%3D%3D%20'bug')&pageSize=3",
        f"{root}?filter=issue.titel", f"{root}?fieldMask=reporter.login,reactions.totalCount",
        # A dot segment, and characters that servers like to treat themselves.
        f"{root}/{first}?a=/../&b=%2e%2e", f"{root}/%20", f"{root}/%E2%80%A8",
    ]
    asked = [("GET", target) for target in targets]
    asked += [("HEAD", targets[0]), ("HEAD", targets[1]), ("HEAD", targets[11])]
    asked += [(method, root) for method in ("POST", "PUT", "DELETE", "PATCH")]
    return asked


class Direct:
    """The responder itself: what every server must hand on."""

    def __init__(self, address):
        self._client = FcgiClient(address)

    def ask(self, target, method="GET", headers=()):
        path, _, query = target.partition("?")
        return self._client.ask(path, query, method, headers)

    def json_of(self, target):
        return self.ask(target).json()

    def close(self):
        self._client.close()


def seen(answer):
    """What a client can tell of an answer, without what the server adds."""
    return (answer.status, {k: v for k, v in answer.headers.items() if k in COMPARED},
            answer.body)


REPO = "acme/widgets"


class Shared:
    """One mirror and its responder, for all servers; set up by setUpModule()."""

    stage = mirror = address = direct = None


def setUpModule():
    Shared.stage = Stage("web")
    unittest.addModuleCleanup(Shared.stage.close)
    os.chmod(Shared.stage.folder, 0o755)
    double = Shared.stage.double(recordings.made(61, 120, 60))
    Shared.mirror = Mirror(Shared.stage, REPO, double.url)
    Shared.mirror.sync()
    servers.share(Shared.mirror.folder)
    _program, api = Shared.mirror.responder("--threads", "2")
    Shared.address = api.client.address
    if os.geteuid() == 0:
        os.chown(Shared.address[len("unix:"):], -1, grp.getgrnam(servers.GROUP).gr_gid)
    Shared.direct = Direct(Shared.address)
    unittest.addModuleCleanup(Shared.direct.close)


class Served:
    """The tests of one server and transport; subclasses are made below."""

    server = None  # a class of servers.py
    listen = None  # "unix" or "tcp" where the responder listens by itself
    repo = REPO

    @classmethod
    def setUpClass(cls):
        reason = cls.server.missing()
        if reason:
            raise unittest.SkipTest(reason)
        cls.direct = Shared.direct
        cls.front = cls.server(Shared.stage, Shared.mirror, cls.address())
        cls.addClassCleanup(cls.front.end)
        cls.front.start()

    @classmethod
    def address(cls):
        """As the server's configuration spells the responder's address."""
        if cls.listen == "tcp":
            address = f"127.0.0.1:{servers.free_port()}"
            Shared.stage.run("maintnerd-fcgi", "--snapshot", Shared.mirror.snapshot,
                             "--listen", address)
            wait_until(lambda: accepts(address), "the responder on TCP")
            return address
        return Shared.address if issubclass(cls.server, servers.Nginx) else Shared.address[len("unix:"):]

    def setUp(self):
        self.client = self.front.client()
        self.addCleanup(self.client.close)

    def test_the_same_bytes(self):
        sizes = []
        for method, target in questions(self.repo, self.direct):
            with self.subTest(method=method, target=target[:100]):
                want = self.direct.ask(target, method)
                got = self.client.ask(target, method)
                self.assertEqual(seen(want), seen(got))
                sizes.append(len(got.body))
        self.assertGreater(max(sizes), 120_000)

    def test_whole_lists(self):
        root = f"/api/v1/{self.repo}/issues"
        plain = self.direct.ask(f"{root}/1").body
        for target, accept in ((f"{root}?format=csv", "*/*"), (root, "text/csv"),
                               (f"{root}?comments=true", "application/x-ndjson"),
                               (f"{root}?format=ndjson&filter=issue.is_pr", "*/*")):
            with self.subTest(target=target, accept=accept):
                want = self.direct.ask(target, headers={"Accept": accept})
                got = self.client.ask(target, headers={"Accept": accept})
                self.assertEqual((200, want.body), (got.status, got.body))
                self.assertEqual(want.headers["content-type"], got.headers["content-type"])
                for asked in (self.direct, self.client):  # the next answer is its own
                    self.assertEqual(plain, asked.ask(f"{root}/1").body)

    def test_many_at_once(self):
        target = f"/api/v1/{self.repo}/issues?comments=true"
        want = seen(self.direct.ask(target))

        def ask(_):
            client = self.front.client()
            try:
                return seen(client.ask(target)) == want
            finally:
                client.close()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            self.assertTrue(all(pool.map(ask, range(2 * AT_ONCE))))

    def test_conditional_requests(self):
        issues = f"/api/v1/{self.repo}/issues"
        for target in (f"{issues}?pageSize=3", f"/api/v1/{self.repo}", f"{issues}?closed=true"):
            tag = self.direct.ask(target).headers["etag"]
            for value in (tag, f'"other", {tag}', "*", '"other"'):
                headers = {"If-None-Match": value}
                want = self.direct.ask(target, headers=headers)
                got = self.client.ask(target, headers=headers)
                self.assertEqual((want.status, want.body), (got.status, got.body), value)

    def test_compressed_answers_hold_the_same(self):
        target = f"/api/v1/{self.repo}/issues"
        got = self.client.ask(target, headers={"Accept-Encoding": "gzip"})
        self.assertEqual("gzip", got.headers.get("content-encoding"))
        self.assertEqual(self.direct.ask(target).body, gzip.decompress(got.body))
        # What the server made of the validator is understood when it comes back.
        again = self.client.ask(target, headers={"Accept-Encoding": "gzip",
                                                 "If-None-Match": got.headers["etag"]})
        self.assertEqual(304, again.status)

    def test_what_is_not_for_the_outside(self):
        for target in ("/metrics", "/metrics?x", "/internal/v1/sync", "/internal/v1/tombstones",
                       "//metrics", "/./metrics", "/%6detrics", "/x/../metrics", "/metrics/",
                       "/internal", "/INTERNAL/v1/sync", f"/api/v1/{self.repo}/logs",
                       f"/api/v1/{self.repo}/logs/0", f"/api/v1/{self.repo.upper()}/LOGS",
                       f"/api/v1/{self.repo}/lo%67s", f"/api/v1/{self.repo}//logs",
                       f"/api/v1/{self.repo}/./logs", f"/api/v1/{self.repo}/x/../logs"):
            for method in ("GET", "POST"):
                got = self.client.ask(target, method)
                self.assertIn(got.status, (400, 403, 404, 405), f"{method} {target}")
                self.assertNotIn(b"maintner_", got.body)
                self.client.close()

    def test_unknown_places_are_not_found(self):
        for target in ("/", "/index.html", "/api/v1", "/api/v1/other/repo/issues", "/favicon.ico",
                       "/maintnerd-fcgi", "/cgi-bin/maintnerd-fcgi", "/front.conf"):
            self.assertIn(self.client.ask(target).status, (403, 404), target)

    def test_a_nul_byte_is_refused(self):
        target = f"/api/v1/{self.repo}/issues/1%00"  # some servers answer that themselves
        self.assertIn(self.client.ask(target).status, (400, 404))

    def test_zz_a_clean_stop(self):
        self.client.ask("/_healthz")
        self.assertIn(self.front.stop(), self.front.stopped_well, self.front.program.tail())


def load_tests(_loader, _tests, _pattern):
    kinds = {
        "nginx, unix socket": (servers.Nginx, "unix"),
        "nginx, TCP": (servers.Nginx, "tcp"),
        "nginx of a pod": (servers.NginxOfPod, "tcp"),
        "lighttpd, unix socket": (servers.Lighttpd, "unix"),
        "lighttpd starts it": (servers.LighttpdSpawn, None),
        "lighttpd, CGI": (servers.LighttpdCgi, None),
        "Apache, mod_proxy_fcgi": (servers.Apache, "unix"),
        "Apache, mod_fcgid starts it": (servers.ApacheFcgid, None),
        "Apache, CGI": (servers.ApacheCgi, None),
    }
    suite = unittest.TestSuite()
    for name, (server, listen) in kinds.items():
        case = type(f"Served[{name}]", (Served, unittest.TestCase),
                    {"server": server, "listen": listen})
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    return suite


if __name__ == "__main__":
    unittest.main(verbosity=2)
