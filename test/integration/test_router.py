"""The router: which backend is asked, and what of its answer is passed on."""

import os
import signal
import socket
import threading
import time
import unittest

from fcgi_client import FcgiError
from harness import wait_until
from router_rig import Gone, RouterCase, answer, end, stdout
from servers import free_port


class Routes(RouterCase):
    def setUp(self):
        super().setUp()
        self.write_list("golang/go", "Foo.Com/Bar.IO", "a/b")
        for repo in ("golang/go", "Foo.Com/Bar.IO", "a/b"):
            self.backend(repo)
        self.start()

    def test_a_repository_is_found_in_any_case_and_asked_with_the_path_as_sent(self):
        for path, repo in (("/api/v1/golang/go/issues", "golang/go"),
                           ("/api/v1/GoLang/Go/issues/7", "golang/go"),
                           ("/api/v1/%67olang/%47o", "golang/go"),
                           ("/api/v1/foo.com/bar.io/issues", "Foo.Com/Bar.IO"),
                           ("/api/v1/A/B/logs/0", "a/b")):
            with self.subTest(path):
                got = self.ask(path, "x=%2F..%2f&y=//")
                self.assertEqual(200, got.status, got)
                self.assertEqual({"repo": repo, "uri": f"{path}?x=%2F..%2f&y=//"}, got.json())
        self.stop()

    def test_what_is_not_tracked_is_not_found_and_nobody_is_asked(self):
        for path in ("/api/v1/golang/other/issues", "/api/v1/golan/go", "/", "/x", "/api/v1/golang",
                     "/api/v1/a%20b/c", "/api/v2/golang/go", "/API/v1/golang/go", "/metrics/",
                     "/api/v1/owners/a/things", "/api/v1/update/"):
            with self.subTest(path):
                self.assert_status(self.ask(path), 404, 5)
        self.assertEqual([], [r for b in self.backends.values() for r in b.requests])

    def test_nothing_is_smuggled_past(self):
        root = "/api/v1/golang/go"
        for path in ("/api/v1/golang%2Fgo/issues", "/api/v1/golang%2fgo", f"{root}/../b",
                     f"{root}/%2e%2e/x", f"{root}/%2E./x", f"{root}/.", f"{root}//issues",
                     "//api/v1/golang/go", f"{root}/issues;x", f"{root}/issues%3bx",
                     f"{root}/issues%00", f"{root}/%0a", f"{root}\\issues", f"{root}/%5cissues",
                     "http://x/api/v1/golang/go", "*", "", f"{root}/%", f"{root}/%4",
                     f"{root}/%zz", f"{root}/is sues", f"{root}/issues#x", f"{root}/\x01"):
            with self.subTest(path):
                self.assert_status(self.ask(path), 400, 3, "path")
        self.assert_status(self.ask("/api/v1/golang/go/" + "x" * 5000), 414, 3, "longer")
        self.assertEqual([], self.backends["golang/go"].requests)

    def test_methods(self):
        for path, allow in (("/api/v1/update", "POST"), ("/api/v1/webhook", "POST"),
                            ("/_healthz", "GET, HEAD"), ("/metrics", "GET, HEAD"),
                            ("/api/v1/owners/-/repositories", "GET, HEAD")):
            got = self.ask(path, method="DELETE")
            self.assert_status(got, 405, 12)
            self.assertEqual(allow, got.headers["allow"])
        self.assertEqual(200, self.ask_repo("golang/go", method="DELETE").status)

    def test_the_request_id_goes_both_ways_and_secrets_do_not(self):
        backend = self.backends["a/b"]
        got = self.ask_repo("a/b", headers={"X-Request-Id": "abc-123", "Proxy": "http://evil",
                                            "X-Maintner-Secret": "guess", "X-Other": "1"})
        self.assertEqual("abc-123", got.headers["x-request-id"])
        params = backend.requests[-1].params
        self.assertEqual("abc-123", params["HTTP_X_REQUEST_ID"])
        self.assertEqual("1", params["HTTP_X_OTHER"])
        self.assertNotIn("HTTP_PROXY", params)
        self.assertNotIn("HTTP_X_MAINTNER_SECRET", params)
        names = [name for name, _ in backend.requests[-1].pairs]
        self.assertEqual(sorted(set(names)), sorted(names))
        made = {self.ask_repo("a/b").headers["x-request-id"] for _ in range(3)}
        self.assertEqual(3, len(made))
        got = self.ask_repo("a/b", headers={"X-Request-Id": "a b\"c"})
        self.assertNotIn(" ", got.headers["x-request-id"])

    def test_the_access_log_tells_what_happened_without_the_query(self):
        self.ask_repo("a/b", query="key=sesame", headers={"X-Request-Id": "log-1"})
        line = wait_until(lambda: self.program.log_with(message="request", request_id="log-1"),
                          self.program.tail)[0]
        self.assertEqual(("a/b", "/api/v1/a/b/issues", "GET", 200, "answered"),
                         (line["repository"], line["path"], line["method"], line["status"],
                          line["outcome"]))
        self.assertTrue(line["backend"].startswith("unix:"))
        self.assertTrue({"ms", "first_byte_ms", "bytes"} <= line.keys())
        self.assertNotIn("sesame", self.program.stderr)

    def test_head_and_empty_answers(self):
        self.backends["a/b"].behave = lambda r: r.send(
            stdout(answer(b"", headers=("Content-Length: 5",), length=False), r.id) + end(r.id))
        got = self.ask_repo("a/b", method="HEAD")
        self.assertEqual((200, b"", "5"), (got.status, got.body, got.headers["content-length"]))
        self.backends["a/b"].behave = lambda r: r.send(
            stdout(b"Status: 304 Not Modified\r\nETag: \"x\"\r\n\r\n", r.id) + end(r.id))
        got = self.ask_repo("a/b")
        self.assertEqual((304, b""), (got.status, got.body), got)
        self.assertEqual("\"x\"", got.headers["etag"])
        self.assertEqual(2, self.outcome("answered"))

    def test_health_and_a_clean_stop(self):
        got = self.ask("/_healthz")
        self.assertEqual({"status": "ok", "repositories": 3, "listError": ""}, got.json())
        began = time.monotonic()
        self.stop()
        self.assertLess(time.monotonic() - began, 5)


class Lists(RouterCase):
    def test_the_list_is_read_again_on_request_and_by_signal(self):
        self.write_list("a/b")
        self.backend("a/b"), self.backend("c/d")
        self.start()
        self.assert_status(self.ask_repo("c/d"), 404, 5, "c/d is not mirrored here")
        self.write_list("a/b", "c/d")
        self.assertEqual(202, self.ask("/api/v1/update", "key=x", method="POST").status)
        wait_until(lambda: self.ask_repo("c/d").status == 200, self.program.tail)
        self.write_list("c/d")
        self.program.signal(signal.SIGHUP)
        wait_until(lambda: self.ask_repo("a/b").status == 404, self.program.tail)
        self.assertEqual(200, self.ask_repo("c/d").status)
        self.stop()

    def test_a_bad_list_changes_nothing_and_is_reported(self):
        self.write_list("a/b")
        self.backend("a/b")
        self.start()
        for text, word in (("{", "not JSON"), ('{"repos":[]}', "empty"), ("[]", "repos"),
                           ('{"repos":7}', "array")):
            with self.subTest(text):
                failures = self.metric("maintner_router_list_failures_total")
                self.write_list(text=text)
                self.program.signal(signal.SIGHUP)
                wait_until(lambda: self.metric("maintner_router_list_failures_total") > failures,
                           self.program.tail)
                self.assertIn(word, self.ask("/_healthz").json()["listError"])
                self.assertEqual(200, self.ask_repo("a/b").status)
        self.write_list(text='{"repos":[{"repo":"a/b","is_tracking_issues":true},'
                             '{"repo":"A/B","is_tracking_issues":true},{"repo":"x"}]}')
        self.program.signal(signal.SIGHUP)
        wait_until(lambda: self.ask("/_healthz").json()["listError"] == "", self.program.tail)
        skipped = self.program.log_with(message="entry of the repository list skipped")
        self.assertEqual({1, 2}, {line["entry"] for line in skipped})
        self.stop()

    def test_without_a_list_it_is_not_ready_and_then_becomes_so(self):
        self.backend("a/b")
        self.start(wait=False)
        self.assert_status(self.ask("/_healthz"), 503, 14)
        got = self.ask_repo("a/b")
        self.assert_status(got, 503, 14, "list")
        self.assertEqual("1", got.headers["retry-after"])
        self.write_list("a/b")
        self.ask("/api/v1/update", method="POST")
        wait_until(lambda: self.ask("/_healthz").status == 200, self.program.tail)
        self.assertEqual(200, self.ask_repo("a/b").status)
        self.stop()

    def test_the_supervisor_is_told_once_and_without_the_query(self):
        self.write_list("a/b")
        supervisor = self.backend("sprvsr", lambda r: r.reply(b"{}"),
                                  f"unix:{self.stage.path('sprvsr.sock')}")
        self.start("--sprvsr", supervisor.address)
        for _ in range(5):
            self.assertEqual(202, self.ask("/api/v1/update", "key=sesame", method="POST").status)
        wait_until(lambda: supervisor.requests, self.program.tail)
        time.sleep(0.3)
        self.assertEqual(1, len(supervisor.requests))
        request = supervisor.requests[0].params
        self.assertEqual(("POST", "/api/v1/update", ""),
                         (request["REQUEST_METHOD"], request["REQUEST_URI"],
                          request["QUERY_STRING"]))
        self.assertNotIn("sesame", str(request))
        self.stop()

    def test_wrong_settings_are_named(self):
        self.write_list("a/b")
        for arguments, word in ((("--backend", "x-{digest}:1"), "{sha}"),
                                (("--repos", "ftp://x/y"), "gs://"),
                                (("--listen", "nowhere"), "host:port"),
                                (("--first-byte-ms", "0"), "first-byte-ms")):
            program = self.stage.run("maintner-rtr", "--listen", "127.0.0.1:0", "--repos",
                                     f"file://{self.list_path}", *arguments)
            if word == "gs://":  # not to be told from a store that is away for now
                wait_until(lambda: word in program.stderr, program.tail)
                program.stop()
                continue
            self.assertIn(program.wait(20), (1, 2))
            self.assertIn(word, program.stderr)


class BadBackends(RouterCase):
    def setUp(self):
        super().setUp()
        self.write_list("bad/one", "good/one")
        self.good = self.backend("good/one")

    def start_quick(self, *arguments):
        self.start("--connect-ms", "300", "--first-byte-ms", "500", "--idle-ms", "500",
                   "--breaker-failures", "1000", *arguments)

    def test_each_fault_has_its_answer_and_touches_nobody_else(self):
        def hang(_request):
            time.sleep(3)

        def trickle(request):
            for byte in b"Status: 200 OK\r\nX: 1\r\n\r\n":
                request.send(stdout(bytes([byte])))
                time.sleep(0.15)

        def vanish(_request):
            raise Gone
        ok = answer(b"{}")
        cases = {
            "hangs": (hang, 504, 4, "in time"),
            "trickles its header": (trickle, 504, 4, "in time"),
            "hangs up": (vanish, 502, 14, "hung up"),
            "no header": (lambda r: r.send(stdout(b"hello\n\n") + end()), 502, 14, "no answer"),
            "an HTTP head": (lambda r: r.send(stdout(b"HTTP/1.1 200 OK\r\n\r\n") + end()), 502, 14,
                             "no answer"),
            "an empty answer": (lambda r: r.send(end()), 502, 14, "no answer"),
            "an informational status": (
                lambda r: r.send(stdout(b"Status: 100 Continue\r\n\r\n") + end()), 502, 14, ""),
            "two lengths": (lambda r: r.send(stdout(
                b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}") + end()), 502, 14, ""),
            "transfer coding": (lambda r: r.send(stdout(
                b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n") + end()), 502, 14, ""),
            "a split header": (lambda r: r.send(stdout(
                b"X: 1\r\rSet-Cookie: a\r\n\r\n{}") + end()), 502, 14, ""),
            "too long a header": (lambda r: r.send(stdout(b"X: " + b"y" * 20000 + b"\r\n\r\n")
                                                  + end()), 502, 14, "too long"),
            "no FastCGI": (lambda r: r.send(b"HTTP/1.1 200 OK\r\n\r\n" * 10), 502, 14, ""),
            "another request's record": (lambda r: r.send(stdout(ok, 7) + end(7)), 502, 14, ""),
            "more than its length": (lambda r: r.send(stdout(
                b"Content-Length: 1\r\n\r\n{}") + end()), 502, 14, ""),
            "overloaded": (lambda r: r.send(end(1, 0, 2)), 503, 14, "overloaded"),
        }
        bad = self.backend("bad/one")
        self.start_quick()
        for name, (behave, status, code, word) in cases.items():
            with self.subTest(name):
                bad.behave = behave
                got = self.ask_repo("bad/one", method="POST", body=b"x")
                self.assert_status(got, status, code, word)
                self.assertIn("bad/one", got.json()["message"])
                if status == 503:
                    self.assertTrue(got.headers["retry-after"])
                self.assertEqual("good/one", self.ask_repo("good/one").json()["repo"])
        bad.behave = bad.say_name
        self.assertEqual("bad/one", self.ask_repo("bad/one").json()["repo"])
        self.stop()

    def test_nobody_there(self):
        self.start_quick()
        got = self.ask_repo("bad/one")
        self.assert_status(got, 503, 14, "not there yet")
        self.assertEqual("1", got.headers["retry-after"])
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.socket_of("bad/one")[len("unix:"):])  # bound, but nobody listens
        self.addCleanup(listener.close)
        self.assert_status(self.ask_repo("bad/one"), 503, 14, "takes no connection")
        self.stop()

    def test_an_answer_that_breaks_off_is_not_passed_off_as_complete(self):
        half = answer(b"{" + b" " * 300_000, headers=("Content-Length: 400000",), length=False)
        bare = answer(b"x" * 1000, length=False)

        def breaks(after):
            def behave(request):
                request.send(stdout(half if after != "bare" else bare))
                if after == "end":
                    request.send(end())
                elif after == "bare":
                    request.send(end(1, 1))  # a status of its own: it failed midway
                elif after == "hang":
                    time.sleep(2)
                raise Gone
            return behave
        bad = self.backend("bad/one")
        self.start_quick()
        for after in ("close", "end", "hang", "bare"):
            with self.subTest(after):
                bad.behave = breaks(after)
                with self.assertRaises(FcgiError):
                    self.ask_repo("bad/one")
        self.assertEqual(4, self.outcome("broken"))
        self.stop()

    def test_an_unanswered_get_is_asked_once_more_and_nothing_else_is(self):
        bad = self.backend("bad/one")
        self.start_quick()

        def first_vanishes(request):
            if len(bad.requests) == 1:
                raise Gone
            bad.say_name(request)

        def all_vanish(_request):
            raise Gone
        bad.behave = first_vanishes
        self.assertEqual("bad/one", self.ask_repo("bad/one").json()["repo"])
        self.assertEqual(2, len(bad.requests))
        for method, behave, asked in (("POST", all_vanish, 1), ("GET", all_vanish, 2)):
            bad.requests.clear()
            bad.behave = behave
            self.assert_status(self.ask_repo("bad/one", method=method), 502, 14, "hung up")
            self.assertEqual(asked, len(bad.requests), method)
        self.assertEqual(2, self.metric("maintner_router_retries_total"))

        def stops_midway(request):
            request.send(stdout(b"Status: 200"))
            raise Gone
        bad.requests.clear()
        bad.behave = stops_midway
        self.assertEqual(502, self.ask_repo("bad/one").status)
        self.assertEqual(1, len(bad.requests))
        self.stop()

    def test_a_restarted_backend_is_met_on_a_fresh_connection(self):
        bad = self.backend("bad/one")
        self.start_quick()
        for _ in range(3):
            self.assertEqual(200, self.ask_repo("bad/one").status)
            bad.stop()
            bad.start()
        self.assertEqual(200, self.ask_repo("bad/one").status)
        self.stop()

    def test_the_breaker_opens_and_a_probe_closes_it(self):
        self.start("--first-byte-ms", "300", "--breaker-failures", "3",
                   "--breaker-retry-ms", "500")
        bad = self.backend("bad/one", lambda _r: time.sleep(1))
        for _ in range(3):
            self.assertEqual(504, self.ask_repo("bad/one").status)
        asked = len(bad.requests)
        got = self.ask_repo("bad/one")
        self.assert_status(got, 503, 14, "does not answer")
        self.assertEqual("1", got.headers["retry-after"])
        self.assertEqual(asked, len(bad.requests))
        self.assertEqual(1, self.metric("maintner_router_breakers_open"))
        bad.behave = bad.say_name
        wait_until(lambda: self.ask_repo("bad/one").status == 200, self.program.tail, 5)
        self.assertEqual(200, self.ask_repo("bad/one").status)
        self.assertEqual(0, self.metric("maintner_router_breakers_open"))
        self.stop()

    def test_long_polls_take_no_place_from_others(self):
        gate = threading.Event()
        bad = self.backend("bad/one")

        def behave(request):
            if "/logs" in request.params["REQUEST_URI"]:
                gate.wait(20)
            bad.say_name(request)
        bad.behave = behave
        self.start("--backend-connections", "2", "--first-byte-ms", "500")
        got = []
        polls = [threading.Thread(target=lambda: got.append(
            self.ask("/api/v1/bad/one/logs", "waitsizenot=1").status)) for _ in range(4)]
        for poll in polls:
            poll.start()
        wait_until(lambda: len(bad.requests) == 2, self.program.tail)
        for _ in range(5):
            self.assertEqual("bad/one", self.ask_repo("bad/one").json()["repo"])
        time.sleep(1.2)  # longer than any other request may take
        gate.set()
        for poll in polls:
            poll.join()
        self.assertEqual([200] * 4, got)
        self.stop()

    def test_too_many_that_wait_are_refused_at_once(self):
        gate = threading.Event()
        bad = self.backend("bad/one")

        def wait(request):
            gate.wait(10)
            bad.say_name(request)
        bad.behave = wait
        self.start("--backend-connections", "2", "--backend-waiting", "3")
        got = []

        def ask():
            got.append(self.ask_repo("bad/one").status)
        threads = [threading.Thread(target=ask) for _ in range(9)]
        for thread in threads:
            thread.start()
        wait_until(lambda: got.count(503) == 4, lambda: f"{got}")
        self.assertEqual("good/one", self.ask_repo("good/one").json()["repo"])
        gate.set()
        for thread in threads:
            thread.join()
        self.assertEqual({200: 5, 503: 4}, {s: got.count(s) for s in set(got)})
        self.assertLessEqual(len({r.connection for r in bad.requests}), 2)
        self.stop()


class Streams(RouterCase):
    def setUp(self):
        super().setUp()
        self.write_list("a/b")
        self.b = self.backend("a/b")
        self.start("--idle-ms", "5000")

    def test_pieces_arrive_as_they_are_sent(self):
        step = threading.Semaphore(0)

        def behave(request):
            request.send(stdout(answer(b"one ", length=False)))
            step.acquire(timeout=10)
            request.send(stdout(b"two") + end())
        self.b.behave = behave
        client = self.client()
        client.connect()
        raw = self.raw_request(client)
        raw.recv(65536)
        step.release()
        rest = b""
        while b"two" not in rest:
            rest += raw.recv(65536)

    def raw_request(self, client, body=b""):
        import fcgi_client
        variables = fcgi_client.cgi_variables("GET", "/api/v1/a/b/issues")
        client._sock.sendall(
            fcgi_client._record(1, b"\0\1\1\0\0\0\0\0")
            + fcgi_client._stream(4, fcgi_client.encode_params(variables))
            + fcgi_client._stream(5, body))
        return client._sock

    def test_large_answers_and_bodies_pass_whole(self):
        data = bytes(range(256)) * 40_000  # 10 MB
        self.b.behave = lambda r: r.reply(r.body, length=len(r.body) % 2 == 0)
        for body in (data, data[:-1], b"x", b""):
            got = self.ask_repo("a/b", method="PUT", body=body)
            self.assertEqual(len(body), len(got.body))
            self.assertTrue(body == got.body)
        self.stop()

    def test_a_slow_client_holds_the_backend_not_the_memory(self):
        size, sent = 64 << 20, []

        def behave(request):
            request.send(stdout(answer(b"", headers=(f"Content-Length: {size}",), length=False)))
            piece = stdout(b"z" * MAX)
            for _ in range(size // MAX):
                request.send(piece)
                sent.append(MAX)
            request.send(end())
        MAX = 1 << 16
        self.b.behave = behave
        client = self.client()
        client.connect()
        raw = self.raw_request(client)
        wait_until(lambda: self.metric("maintner_router_stalled") == 1, self.program.tail)
        time.sleep(0.3)
        before = sum(sent)
        time.sleep(0.5)
        self.assertEqual(before, sum(sent), "the backend is still being read")
        self.assertLess(before, 4 << 20)
        total = 0
        while total < size:
            total += len(raw.recv(1 << 20))
        self.assertEqual(0, self.metric("maintner_router_stalled"))
        self.stop()

    def test_a_client_that_leaves_aborts_the_backend(self):
        entered = threading.Event()

        def behave(request):
            entered.set()
            request.sock.settimeout(10)
            if request.sock.recv(1) == b"":
                self.b.aborted.set()
        self.b.behave = behave
        client = self.client()
        client.connect()
        self.raw_request(client)
        self.assertTrue(entered.wait(10))
        client.close()
        self.assertTrue(self.b.aborted.wait(10))
        wait_until(lambda: self.outcome("client_gone") == 1, self.program.tail)
        self.stop()

    def test_an_answer_before_the_body_is_read_frees_the_connection(self):
        self.b.stop()
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        os.unlink(self.b.address[len("unix:"):])
        listener.bind(self.b.address[len("unix:"):])
        listener.listen(8)

        def early():
            sock, _ = listener.accept()
            sock.recv(1000)
            sock.sendall(stdout(answer(b"early")))  # no end, and nothing more is read
            self.kept = sock
        threading.Thread(target=early, daemon=True).start()
        got = self.ask_repo("a/b", method="PUT", body=b"x" * (8 << 20))
        self.assertEqual((200, b"early"), (got.status, got.body))
        wait_until(lambda: self.metric("maintner_router_backend_connections") == 0,
                   self.program.tail, 5)
        self.kept.close()
        self.stop()

    def test_connections_are_kept_on_both_sides(self):
        client = self.client()
        for _ in range(20):
            self.assertEqual(200, client.ask("/api/v1/a/b/issues").status)
        self.assertEqual({1}, {r.connection for r in self.b.requests})
        self.stop()

    def test_a_stop_lets_running_answers_end(self):
        entered = threading.Event()

        def behave(request):
            entered.set()
            time.sleep(1)
            request.reply(b"late")
        self.b.behave = behave
        got = []
        thread = threading.Thread(target=lambda: got.append(self.ask_repo("a/b")))
        thread.start()
        self.assertTrue(entered.wait(10))
        self.stop()
        thread.join()
        self.assertEqual(b"late", got[0].body)


class Connections(RouterCase):
    def test_over_ipv6_and_by_name(self):
        if not socket.has_ipv6:
            self.skipTest("no IPv6 here")
        for host, template in (("[::1]", "[::1]:{}"), ("127.0.0.1", "127.0.0.1:{}"),
                               ("127.0.0.1", "localhost:{}")):
            with self.subTest(template):
                port = free_port()
                self.write_list("a/b")
                self.backend("a/b", address=f"{host}:{port}")
                self.start(backend=template.format(port))
                self.assertEqual(200, self.ask_repo("a/b").status)
                self.stop()
                self.backends["a/b"].stop()

    def test_a_name_that_does_not_exist(self):
        self.write_list("a/b")
        self.start("--connect-ms", "5000", backend="no-such-host.invalid:9000")
        got = self.ask_repo("a/b")
        self.assertIn(got.status, (503, 504), got)
        self.stop()

    def test_the_longest_idle_connection_makes_room(self):
        repos = [f"o/r{i}" for i in range(40)]
        self.write_list(*repos)
        for repo in repos:
            self.backend(repo)
        self.start("--all-connections", "16")
        for _ in range(2):
            for repo in repos:
                self.assertEqual(repo, self.ask_repo(repo).json()["repo"])
        self.assertLessEqual(self.metric("maintner_router_backend_connections"), 16)
        self.assertGreaterEqual(self.metric("maintner_router_backend_connections_evicted_total"), 60)
        self.stop()

    def test_who_finds_no_room_waits_for_it(self):
        repos = [f"o/r{i}" for i in range(40)]
        self.write_list(*repos)

        def slow(request):
            time.sleep(0.2)
            backend = self.backends[request.params["REQUEST_URI"].split("/issues")[0][8:]]
            backend.say_name(request)
        for repo in repos:
            self.backend(repo, slow)
        self.start("--all-connections", "16")
        got = {}
        threads = [threading.Thread(target=lambda r=r: got.update({r: self.ask_repo(r)}))
                   for r in repos]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual({r: r for r in repos}, {r: got[r].json()["repo"] for r in repos})
        self.stop()

    def test_idle_connections_close(self):
        self.write_list("a/b")
        backend = self.backend("a/b")
        self.start("--keep-ms", "200")
        self.assertEqual(200, self.ask_repo("a/b").status)
        wait_until(lambda: backend.open == 0, self.program.tail, 10)
        self.assertEqual(200, self.ask_repo("a/b").status)
        self.stop()


if __name__ == "__main__":
    unittest.main(verbosity=2)
