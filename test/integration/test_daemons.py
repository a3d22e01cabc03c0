"""The programs as an operator meets them: flags, health, signals, secrets."""

import json
import os
import re
import threading
import time
import unittest

import recordings
from fcgi_client import FcgiClient
from harness import SECRET, TOKEN, Api, Case, Mirror, accepts, lines_of, wait_until

PROGRAMS = ("maintnerd-sync", "maintnerd-fcgi", "maint-dump", "maint-probe")
STOP_S = 5


class Flags(Case):
    def run_to_end(self, *arguments, env=None):
        program = self.stage.run(*arguments, env=env)
        return program.wait(30), program

    def test_help_and_version(self):
        for name in PROGRAMS:
            for flag, pattern in (("--help", rf"(?i)usage.*{name}(.|\n)*--version"),
                                  ("--version", rf"{name}.* \d+\.\d+\.\d+")):
                with self.subTest(program=name, flag=flag):
                    status, program = self.run_to_end(name, flag)
                    self.assertEqual((0, ""), (status, program.stderr))
                    self.assertRegex(program.stdout, pattern)

    def test_bad_flags_are_told_with_status_2(self):
        sync = ("maintnerd-sync", "--owner", "o", "--repo", "r", "--snapshot", "s")
        whole = (*sync, "--log", "file:///nowhere")
        for arguments, word in (
                (("maintnerd-sync", "--nonsense"), "--nonsense"),
                (("maintnerd-sync",), "--owner"),
                (("maintnerd-sync", "--owner"), "--owner"),
                (sync, "--log"),
                ((*whole, "--log-exact", "file:///x"), "--log-exact"),
                ((*whole, "--interval", "soon"), "--interval"),
                ((*whole, "--interval", "0"), "--interval"),
                ((*whole, "--interval", "99999999999999999999"), "--interval"),
                ((*whole, "--log-level", "loud"), "loud"),
                ((*whole, "--token", "abc"), "--token"),
                ((*whole, "operand"), "operand"),
                (("maintnerd-fcgi",), "--snapshot"),
                (("maintnerd-fcgi", "--snapshot", "s", "--threads", "0"), "--threads"),
                (("maintnerd-fcgi", "--snapshot", "s", "--threads", "1000000"), "--threads"),
                (("maintnerd-fcgi", "--snapshot", "s", "--log-level", ""), "--log-level"),
                (("maint-probe",), "ADDR"),
                (("maint-probe", "nonsense"), "nonsense"),
                (("maint-probe", "--timeout", "-1", "unix:/x"), "--timeout"),
                (("maint-dump",), "--snapshot"),
                (("maint-dump", "--verify", "--snapshot", "s"), "--log"),
                (("maint-dump", "--snapshot", "s", "--diff", "t", "--number", "3"), "--diff takes all"),
                (("maint-dump", "--log-exact", "/l"), "--log-exact: /l: not file:///dir"),
                (("maint-dump", "--log-exact", "file:///l", "--diff", "/m"), "--diff: /m: not file:///dir"),
                (("maint-dump", "--verify", "--snapshot", "s", "--log", "file:///l", "--type", "issue"),
                 "--verify takes all")):
            with self.subTest(arguments=arguments):
                status, program = self.run_to_end(*arguments)
                self.assertEqual((2, ""), (status, program.stdout), program.tail())
                self.assertIn(word, program.stderr)
                self.assertTrue(program.stderr.startswith(arguments[0] + ": "), program.stderr)
                self.assertEqual(1, program.stderr.count("\n"), program.stderr)

    def test_a_start_that_cannot_work_is_told_with_status_1(self):
        whole = ("maintnerd-sync", "--owner", "o", "--repo", "r", "--snapshot",
                 self.stage.path("s"), "--log", f"file://{self.stage.path('l')}", "--once")
        for arguments, word in (
                ((*whole, "--owner", "a/b"), "--owner"),
                ((*whole, "--repo", ".."), "--repo"),
                ((*whole, "--token-file", self.stage.path("absent")), "absent"),
                ((*whole, "--github-url", "ftp://x"), "ftp://x"),
                ((*whole, "--log", "http://x"), "http://x"),
                ((*whole, "--listen", "nowhere"), "nowhere"),
                ((*whole, "--listen", f"unix:{self.stage.path('no', 'folder')}"), "folder"),
                ((*whole, "--snapshot", "/proc/nothing"), "/proc/nothing"),
                (("maintnerd-fcgi", "--snapshot", "s", "--listen", "x"), "x"),
                (("maintnerd-fcgi", "--snapshot", "s"), "")):
            with self.subTest(arguments=arguments[-2:]):
                status, program = self.run_to_end(*arguments)
                self.assertEqual(1, status, program.tail())
                errors = program.log_with(severity="ERROR")
                self.assertTrue(errors, program.tail())
                self.assertIn(word, errors[-1]["error"])

    def test_the_environment_stands_in_for_flags(self):
        double = self.stage.double(recordings.made(71, 10, 5))
        mirror = Mirror(self.stage, "acme/widgets", double.url)
        env = {"MAINTNER_OWNER": "acme", "MAINTNER_REPO": "not-this",
               "MAINTNER_LOG": f"file://{mirror.log_root}", "MAINTNER_SNAPSHOT": mirror.snapshot,
               "MAINTNER_GITHUB_URL": double.url, "MAINTNER_ONCE": "1", "GITHUB_TOKEN": TOKEN}
        status, program = self.run_to_end("maintnerd-sync", "--repo", "widgets", env=env)
        self.assertEqual(0, status, program.tail())
        path = self.stage.path("env.sock")
        self.stage.run("maintnerd-fcgi", env={"MAINTNER_SNAPSHOT": mirror.snapshot,
                                              "MAINTNER_LISTEN": f"unix:{path}",
                                              "MAINTNER_THREADS": "3"})
        wait_until(lambda: accepts(f"unix:{path}"), "the responder")
        self.assertEqual(15, len(Api(f"unix:{path}", "acme/widgets").all()))
        status, program = self.run_to_end("maintnerd-sync", env={**env, "MAINTNER_ONCE": "x"})
        self.assertEqual(2, status, program.tail())
        self.assertIn("MAINTNER_ONCE", program.stderr)


class Running(Case):
    def setUp(self):
        super().setUp()
        self.double = self.stage.double(recordings.made(72, 30, 20))
        self.mirror = Mirror(self.stage, "acme/widgets", self.double.url)
        self.address = f"unix:{self.stage.path('sync.sock')}"
        self.secret_file = self.stage.path("secret")
        with open(self.secret_file, "w") as file:
            file.write(SECRET + "\n")

    def start_daemon(self, *arguments, env=None):
        program = self.mirror.start_sync("--listen", self.address, "--interval", "3600",
                                         *arguments, env=env)
        wait_until(lambda: accepts(self.address) or program.process.poll() is not None,
                   program.tail)
        client = FcgiClient(self.address)
        self.addCleanup(client.close)
        return program, client

    def wait_for_rounds(self, program, count):
        wait_until(lambda: len(program.log_with(message="round finished")) >= count,
                   program.tail)

    def assert_prometheus(self, answer, *names):
        """Text exposition format 0.0.4; these metrics are in it."""
        self.assertEqual(200, answer.status)
        self.assertEqual("text/plain; version=0.0.4",
                         answer.headers["content-type"].replace("; charset=utf-8", ""))
        text = answer.body.decode()
        typed = set(re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.M))
        for line in text.splitlines():
            if not line.startswith("#"):
                match = re.fullmatch(r'([a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? \S+',
                                     line)
                self.assertTrue(match, line)
                self.assertIn(re.sub(r"_(bucket|sum|count)$", "", match[1])
                              if match[1] not in typed else match[1], typed)
        for name in names:
            self.assertIn(name, typed)
        return text

    # Health and metrics

    def test_sync_tells_its_health_and_its_numbers(self):
        program, client = self.start_daemon()
        self.wait_for_rounds(program, 1)
        health = client.ask("/_healthz")
        self.assertEqual(200, health.status)
        wait_until(lambda: client.ask("/_healthz").json()["phase"] == "idle", "idle")
        body = client.ask("/_healthz").json()
        self.assertEqual(("ok", True, ""), (body["status"], body["complete"], body["lastError"]))
        text = self.assert_prometheus(
            client.ask("/metrics"), "maintner_sync_objects", "maintner_sync_rounds_total",
            "maintner_sync_github_requests_total", "maintner_sync_complete")
        self.assertIn('maintner_sync_objects{family="issues"} 50\n', text)
        self.assertIn("maintner_sync_complete 1\n", text)
        requests = int(re.search(r"^maintner_sync_github_requests_total (\d+)$", text, re.M)[1])
        self.assertEqual(self.double.counts()["total"], requests)
        self.assertEqual(404, client.ask("/").status)
        self.assertEqual(404, client.ask("/api/v1/acme/widgets/issues").status)
        refused = client.ask("/metrics", method="POST")
        self.assertEqual((405, "GET, HEAD"), (refused.status, refused.headers.get("allow")))
        self.assertEqual(0, program.stop(STOP_S), program.tail())

    def test_sync_tells_what_is_wrong(self):
        self.double.fault(match="", kind="status", status=401, body={"message": "Bad \"token\""},
                          times=-1)
        program, client = self.start_daemon()
        wait_until(lambda: client.ask("/_healthz").json()["lastError"], "an error")
        body = client.ask("/_healthz").json()
        self.assertEqual((200, False), (client.ask("/_healthz").status, body["complete"]))
        self.assertIn('status 401: Bad "token"', body["lastError"])
        self.assertIn("maintner_sync_rounds_failed_total 1\n",
                      client.ask("/metrics").body.decode())
        self.assertEqual(0, program.stop(STOP_S), program.tail())

    def test_the_responder_waits_for_a_mirror_and_serves_its_first_page(self):
        path = self.stage.path("early.sock")
        responder = self.stage.run("maintnerd-fcgi", "--snapshot", self.mirror.snapshot,
                                   "--listen", f"unix:{path}")
        wait_until(lambda: accepts(f"unix:{path}"), responder.tail)
        api = Api(f"unix:{path}", "acme/widgets")
        for target in ("/_healthz", "/api/v1/acme/widgets/issues"):
            answer = api.ask(target)
            self.assertEqual((503, 14), (answer.status, answer.json()["code"]), target)
        self.assert_prometheus(api.ask("/metrics"), "maintner_fcgi_answers_total")
        self.double.fault(match="reviews", kind="slow", delay_s=0.2, times=-1)
        program, client = self.start_daemon()
        wait_until(lambda: api.ask("/_healthz").status == 200, "a first view")
        wait_until(lambda: len(api.get()["issues"]) == 50, "the issues")
        self.assertFalse(api.ask("/_healthz").json()["complete"])
        self.assertFalse(client.ask("/_healthz").json()["complete"])
        self.double.clear_faults()
        wait_until(lambda: api.ask("/_healthz").json()["complete"], program.tail)
        text = self.assert_prometheus(api.ask("/metrics"), "maintner_fcgi_issues")
        total = sum(int(n) for n in re.findall(r"^maintner_fcgi_issues\{.*\} (\d+)$", text, re.M))
        self.assertEqual(50, total)
        self.assertEqual(0, responder.stop(STOP_S), responder.tail())
        self.assertEqual(0, program.stop(STOP_S), program.tail())

    def test_the_probe(self):
        _program, client = self.start_daemon()
        for arguments, status in (((self.address,), 0),
                                  ((f"unix:{self.stage.path('nobody')}",), 1),
                                  (("--path", "/nothing", self.address), 1),
                                  (("--secret-file", self.stage.path("nothing"), self.address), 1),
                                  (("--verbose", "--path", "/metrics", self.address), 0)):
            probe = self.stage.run("maint-probe", *arguments)
            self.assertEqual(status, probe.wait(10), probe.tail())
            self.assertEqual(status == 0, probe.stderr == "", probe.tail())
        self.assertIn("maintner_sync_objects", probe.stdout)

    # Pokes

    def test_a_poke_needs_the_secret_and_starts_a_round_at_once(self):
        program, client = self.start_daemon("--internal-secret-file", self.secret_file)
        self.wait_for_rounds(program, 1)

        def poke(**headers):
            headers = {name.replace("_", "-"): value for name, value in headers.items()}
            return client.ask("/internal/v1/sync", method="POST", headers=headers)
        for headers in ({}, {"X_Maintner_Secret": ""}, {"X_Maintner_Secret": "wrong"},
                        {"X_Maintner_Secret": SECRET + "x"}, {"X_Maintner_Secret": SECRET[:-1]}):
            answer = poke(**headers)
            self.assertEqual((401, 16), (answer.status, answer.json()["code"]), headers)
        refused = client.ask("/internal/v1/sync")
        self.assertEqual((405, "POST"), (refused.status, refused.headers.get("allow")))
        time.sleep(0.3)
        self.assertEqual(1, len(program.log_with(message="round finished")))
        number = self.double.state("acme/widgets")["issues"][0]["number"]
        self.double.edit("acme/widgets", "edit_title", number=number, title="poked")
        self.double.reset_counts()
        self.assertEqual(202, poke(X_Maintner_Secret=SECRET).status)
        wait_until(lambda: self.double.counts()["total"] > 0, program.tail, 5, 0.01)
        self.wait_for_rounds(program, 2)
        self.assertEqual("poked", self.mirror.answers()[number]["title"])
        self.assertEqual(0, program.stop(STOP_S), program.tail())

    def test_without_a_secret_there_are_no_pokes(self):
        program, client = self.start_daemon()
        self.wait_for_rounds(program, 1)
        for secret in ("", "x"):
            answer = client.ask("/internal/v1/sync", method="POST",
                                headers={"X-Maintner-Secret": secret})
            self.assertEqual(401, answer.status)

    # Signals

    def test_sigterm_with_clients_on_the_line(self):
        self.mirror.sync()
        for threads in ("1", "4"):
            program, api = self.mirror.responder("--threads", threads)
            api.all()  # the connection stays open and idle
            half = FcgiClient(api.client.address)
            half.connect()
            half._sock.sendall(b"\x01\x01\x00\x01\x00\x08")
            began = time.monotonic()
            self.assertEqual(0, program.stop(STOP_S), program.tail())
            self.assertLess(time.monotonic() - began, STOP_S)
            half.close()

    def test_sigterm_does_not_wait_for_idle_clients(self):
        self.mirror.sync()
        program, api = self.mirror.responder()
        api.all()
        began = time.monotonic()
        self.assertEqual(0, program.stop(STOP_S), program.tail())
        self.assertLess(time.monotonic() - began, 5, "the time to drain")

    def test_sigterm_lets_answers_end(self):
        self.mirror.sync()
        program, api = self.mirror.responder()
        whole = api.ask(query={"comments": "true"})
        answers, ends = [], []

        def ask_until_it_ends():
            own = Api(api.client.address, api.repo)
            try:
                while True:
                    answers.append(own.ask(query={"comments": "true"}))
            except Exception as error:  # the daemon is gone, between two answers
                ends.append(error)
        clients = [threading.Thread(target=ask_until_it_ends) for _ in range(4)]
        for client in clients:
            client.start()
        wait_until(lambda: len(answers) > 20, program.tail)
        self.assertEqual(0, program.stop(STOP_S), program.tail())
        for client in clients:
            client.join(10)
        self.assertEqual(4, len(ends))
        self.assertTrue(all(answer.body == whole.body for answer in answers))

    # A rebuild under a running responder

    def test_a_responder_follows_a_rebuild(self):
        self.mirror.sync()
        program, api = self.mirror.responder()
        before = api.all()
        number = min(before)
        self.double.edit("acme/widgets", "edit_title", number=number, title="while rebuilding")
        self.mirror.sync("--rebuild")
        self.assertEqual("while rebuilding", api.all()[number]["title"])
        for _ in range(3):
            self.mirror.sync("--rebuild")
            self.assertEqual(sorted(before), sorted(api.all()))
        self.assertEqual(0, program.stop(STOP_S), program.tail())

    # Logs and secrets

    def test_log_lines_are_json_and_hold_no_secret(self):
        token_file = self.stage.path("token")
        with open(token_file, "w") as file:
            file.write(TOKEN + "\n")
        for arguments, env in (
                (("--log-level", "debug"), None),
                (("--log-level", "debug", "--token-file", token_file), {"GITHUB_TOKEN": ""})):
            program, client = self.start_daemon("--internal-secret-file", self.secret_file,
                                                *arguments, env=env)
            self.wait_for_rounds(program, 1)
            self.assertEqual(self.double.counts()["total"],
                             self.double.counts()["with_authorization"])
            client.ask("/internal/v1/sync", method="POST", headers={"X-Maintner-Secret": SECRET})
            self.double.fault(match="", kind="status", status=401, times=3)
            client.ask("/internal/v1/sync", method="POST", headers={"X-Maintner-Secret": SECRET})
            wait_until(lambda: program.log_with(severity="ERROR"), program.tail)
            with open(f"/proc/{program.pid}/cmdline", "rb") as file:
                command = file.read()
            self.assertNotIn(TOKEN.encode(), command)
            self.assertNotIn(SECRET.encode(), command)
            for answer in (client.ask("/metrics"), client.ask("/_healthz")):
                self.assertNotIn(TOKEN.encode(), answer.body)
                self.assertNotIn(SECRET.encode(), answer.body)
            self.double.clear_faults()
            self.assertEqual(0, program.stop(STOP_S), program.tail())
            client.close()
            self.assert_log_lines(program)
        for folder, _folders, files in os.walk(self.mirror.folder):
            for name in files:
                if not name.endswith(".sock"):
                    with open(os.path.join(folder, name), "rb") as file:
                        self.assertNotIn(TOKEN.encode(), file.read(), name)

    def assert_log_lines(self, program):
        for line in lines_of(program.stderr):
            fields = json.loads(line)
            self.assertLessEqual({"timestamp", "severity", "message", "program", "repo"},
                                 fields.keys())
            self.assertRegex(fields["timestamp"], r"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
            self.assertIn(fields["severity"], ("DEBUG", "INFO", "WARNING", "ERROR"))
            self.assertEqual(("maintnerd-sync", "acme/widgets"),
                             (fields["program"], fields["repo"]))
            self.assertNotIn(TOKEN, line)
            self.assertNotIn(SECRET, line)

    def test_it_polls_by_itself(self):
        program = self.mirror.start_sync("--interval", "1")
        self.wait_for_rounds(program, 3)
        self.assertEqual(0, program.stop(STOP_S), program.tail())
        self.assertEqual([], self.double.counts()["violations"])


class Dump(Case):
    def test_snapshot_and_log_as_json_lines(self):
        double = self.stage.double(recordings.made(73, 20, 10))
        mirror = Mirror(self.stage, "acme/widgets", double.url)
        mirror.sync()
        counts = mirror.check_log()
        for arguments, least in (
                (("--snapshot", mirror.snapshot), 30),
                (("--log", f"file://{mirror.log_root}", "--repo", "acme/widgets"),
                 counts["mutations"]),
                (("--log-exact", f"file://{mirror.log_folder}"), counts["mutations"])):
            program = self.stage.run("maint-dump", *arguments)
            self.assertEqual(0, program.wait(), program.tail())
            lines = [json.loads(line) for line in lines_of(program.stdout)]
            self.assertGreaterEqual(len(lines), least)
            self.assertEqual("", program.stderr)

    def test_verify_finds_a_difference(self):
        double = self.stage.double(recordings.made(73, 20, 10))
        mirror = Mirror(self.stage, "acme/widgets", double.url)
        mirror.sync()
        older = mirror.copy()
        double.edit("acme/widgets", "create_issue", title="later")
        mirror.sync()
        program = self.stage.run("maint-dump", "--verify", "--snapshot", older.snapshot,
                                 "--log", f"file://{mirror.log_root}")
        self.assertEqual(1, program.wait(), program.tail())
        self.assertIn("differs", program.stderr)
        self.assertTrue([line for line in lines_of(program.stdout)
                         if "difference" in json.loads(line)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
