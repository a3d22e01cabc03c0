"""Rate limits and tokens: while one must wait nothing is asked, then it goes on by itself.

The daemon's clock runs SCALE times faster than ours, so that the minutes that GitHub
asks for pass in seconds; it needs a build with MAINTNER_FAULTS.  The double's clock is
moved by the test when the daemon has waited long enough.
"""

import collections
import os
import subprocess
import time
import unittest

import recordings
from expected_answer import load_recording
from harness import TOKEN, Case, Mirror, wait_until

SCALE = 30
OTHER = "ghp_anotherTokenThatMustNotLeakEither"
BAD = "ghp_revokedTokenThatMustNotLeakEither"
WAITING = "waiting for GitHub's rate limit"
SIZES = dict(seed=71, issues=25, pulls=12)


class LimitCase(Case):
    tokens = (TOKEN,)

    def setUp(self):
        super().setUp()
        self.folder = recordings.made(**SIZES)
        self.double = self.stage.double(self.folder, tokens=self.tokens)
        self.repo = load_recording(self.folder)["repo"]
        self.mirror = Mirror(self.stage, self.repo, self.double.url)

    def start(self, *arguments, env=None, scale=SCALE):
        return self.mirror.start_sync(
            *arguments, env={"MAINTNER_TIME_SCALE": str(scale), **(env or {})})

    def answered(self, double=None):
        """How often each page was given."""
        return collections.Counter(request["target"] for request in
                                   (double or self.double).requests() if request["status"] == 200)

    def undisturbed(self):
        """The same for a first sync that meets no limit."""
        double = self.stage.double(self.folder)
        mirror = Mirror(self.stage, self.repo, double.url)
        mirror.sync()
        return self.answered(double)

    def waits(self, program):
        return [line["seconds"] for line in program.log_with(message=WAITING)]

    def sit_out(self, program, nth, low_s, high_s):
        """The nth wait: as long as it must be, nothing is asked, and the clock moves on."""
        wait_until(lambda: len(self.waits(program)) > nth or program.process.poll() is not None,
                   program.tail)
        asked = self.double.counts()["total"]
        began = time.monotonic()
        seconds = self.waits(program)[nth]
        self.assertTrue(low_s <= seconds <= high_s, f"{seconds} s\n{program.tail()}")
        time.sleep(seconds / SCALE * 0.8)
        self.assertEqual(asked, self.double.counts()["total"], "asked in spite of the limit")
        self.double.clock(advance_s=seconds + 1)
        wait_until(lambda: self.double.counts()["total"] > asked, program.tail)
        self.assertGreater(time.monotonic() - began, seconds / SCALE * 0.7)

    def assert_complete(self, program, double=None):
        self.assertEqual(0, program.wait(), program.tail())
        self.assertEqual([], program.log_with(severity="ERROR"))
        self.assert_mirrors((double or self.double).state(self.repo), self.mirror.answers())
        self.mirror.check_log()
        self.assertEqual([], self.double.counts()["violations"])


class Refusals(LimitCase):
    """A first sync is refused in its middle; what it had fetched is not asked again."""

    def check(self, *waits, **fault):
        want = self.undisturbed()
        self.double.fault(match="", after=7, **fault)
        program = self.start("--once")
        for nth, (low_s, high_s) in enumerate(waits):
            self.sit_out(program, nth, low_s, high_s)
        self.assert_complete(program)
        self.assertEqual(len(waits), len(self.waits(program)), program.tail())
        self.assertEqual(fault["times"], self.double.faults()[0]["fired"])
        self.assertEqual(want, self.answered())

    def test_retry_after_with_403(self):
        self.check((89, 98), kind="secondary_limit", retry_after=90, times=1)

    def test_retry_after_with_429(self):
        self.check((29, 34), kind="secondary_limit", status=429, retry_after=30, times=1)

    def test_without_a_time_a_minute_and_then_twice_that(self):
        self.check((59, 64), (119, 128), kind="secondary_limit", times=2)

    def test_a_primary_limit_with_403(self):
        self.check((58, 66), kind="primary_limit", reset_in_s=60, times=1)

    def test_a_primary_limit_with_429(self):
        self.check((58, 66), kind="primary_limit", status=429, reset_in_s=60, times=1)


class GraphqlRefusals(LimitCase):
    """GraphQL has a budget of its own, and says in a 200 that it is spent."""

    def queries(self):
        return self.double.counts()["graphql"]

    def test_an_error_in_the_body_is_waited_for_until_the_reset(self):
        self.double.fault(match="graphql", kind="graphql_limited", reset_in_s=60, times=1)
        program = self.start("--once")
        self.sit_out(program, 0, 55, 66)
        self.assert_complete(program)
        self.assertEqual(1, len(self.waits(program)), program.tail())
        self.assertGreater(self.queries(), 1)

    def test_a_secondary_limit_on_graphql_keeps_to_its_time(self):
        self.double.fault(match="graphql", kind="secondary_limit", status=200, retry_after=30,
                          times=1)
        program = self.start("--once")
        self.sit_out(program, 0, 29, 34)
        self.assert_complete(program)


class App(LimitCase):
    """A GitHub App's installation tokens, which end after an hour."""

    def setUp(self):
        super().setUp()
        self.key = self.stage.path("app.pem")
        subprocess.run(["openssl", "genrsa", "-traditional", "-out", self.key, "2048"],
                       check=True, capture_output=True)
        self.double.stop()
        self.double = self.stage.double(self.folder, tokens=(), options=(
            "--app-id", "77", "--app-key", self.key))
        self.mirror = Mirror(self.stage, self.repo, self.double.url)

    def start_app(self, *arguments):
        return self.start("--app-id", "77", "--app-key-file", self.key, *arguments,
                          env={"GITHUB_TOKEN": ""})

    def tokens_made(self):
        return self.double.counts()["app_token"]

    def test_an_installation_is_found_and_its_token_used(self):
        program = self.start_app("--once")
        self.assert_complete(program)
        self.assertEqual(1, self.tokens_made())

    def test_a_token_is_renewed_before_it_ends(self):
        program = self.start_app("--interval", "1")
        wait_until(lambda: program.log_with(message="round finished"), program.tail)
        self.assertEqual(1, self.tokens_made())
        # Renewal goes by our clock, which stands still here; the double's hour is over, so
        # that the old token is refused, and one new one is asked for.
        self.double.clock(advance_s=3700)
        rounds = len(program.log_with(message="round finished"))
        wait_until(lambda: self.tokens_made() == 2, program.tail)
        wait_until(lambda: len(program.log_with(message="round finished")) > rounds + 1,
                   program.tail)
        self.assertEqual(0, program.stop(), program.tail())
        self.assertEqual(2, self.tokens_made())


class Budgets(LimitCase):
    def test_a_spent_budget_is_not_overdrawn_and_is_waited_for(self):
        want = self.undisturbed()
        self.double.get(f"/repos/{self.repo}")  # a window begins with a request
        self.double.reset_counts()
        self.double.rate_limit(limit=600, remaining=20, reset_in_s=60)
        program = self.start("--once")
        self.sit_out(program, 0, 50, 66)
        self.assert_complete(program)
        self.assertEqual(want, self.answered())
        # There is no rules file: that is the 404.
        self.assertEqual({"200", "404"}, set(self.double.counts()["by_status"]))

    def test_absent_and_zero_headers_stop_nothing(self):
        for mode in ("absent", "zero"):
            with self.subTest(headers=mode):
                self.double.rate_limit(headers=mode)
                self.mirror = Mirror(self.stage, self.repo, self.double.url)
                # and a server without limits has none per minute either
                program = self.start("--once", env={"MAINTNER_POINTS_PER_MINUTE": "2"}, scale=1)
                self.assert_complete(program)
                self.assertEqual([], self.waits(program))

    def test_requests_of_a_minute_are_counted(self):
        self.double.fault(match="graphql", kind="status", status=404, times=-1)
        program = self.start("--once", "--log-level", "debug",
                             env={"MAINTNER_POINTS_PER_MINUTE": "20"})
        self.assert_complete(program)
        pauses = program.log_with(message="pacing requests")
        self.assertGreater(len(pauses), 5, program.tail())
        self.assertTrue(all(line["ms"] <= 6001 for line in pauses), pauses)

    def test_a_wait_of_an_hour_can_be_ended(self):
        self.double.fault(match="", after=3, kind="secondary_limit", retry_after=3600, times=-1)
        program = self.start("--once", scale=1)
        wait_until(lambda: self.waits(program), program.tail)
        self.assertEqual(0, program.stop(5), program.tail())


class Tokens(LimitCase):
    tokens = (TOKEN, OTHER)

    def setUp(self):
        super().setUp()
        self.path = self.stage.path("tokens")

    def write(self, *lines):
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write("".join(f"{line}\n" for line in lines))
        os.rename(self.path + ".new", self.path)

    def start_with_file(self, *arguments, scale=SCALE):
        return self.start(*arguments, "--token-file", self.path, env={"GITHUB_TOKEN": ""},
                          scale=scale)

    def assert_no_token_told(self, program):
        for token in (TOKEN, OTHER, BAD):
            self.assertNotIn(token, program.stdout + program.stderr)

    def test_a_revoked_token_is_passed_over(self):
        self.write("# two bots", BAD, "", OTHER)
        program = self.start_with_file("--once")
        self.assert_complete(program)
        self.assert_no_token_told(program)
        self.assertLessEqual(self.double.counts()["by_status"].get("401", 0), 1)

    def test_a_spent_token_makes_room_for_another(self):
        want = self.undisturbed()
        for token in self.tokens:
            self.double.request(f"/repos/{self.repo}", {
                "Authorization": f"Bearer {token}", "User-Agent": "x",
                "Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"})
        # Enough for neither alone: whichever comes first, the other must help.  A first sync
        # leaves a tenth of the limit of 5,000 to polls.
        for token in self.tokens:
            self.double.rate_limit(token=token, remaining=sum(want.values()) * 2 // 3 + 500,
                                   reset_in_s=1000)
        self.double.reset_counts()
        program = self.start_with_file_of_both()
        self.assert_complete(program)
        self.assertEqual([], self.waits(program))
        self.assertEqual(want, self.answered())

    def start_with_file_of_both(self):
        self.write(*self.tokens)
        return self.start_with_file("--once", scale=600)

    def test_a_new_file_helps_a_running_daemon(self):
        self.write(BAD)
        program = self.start_with_file("--interval", "1", scale=1)
        wait_until(lambda: program.log_with(message="round failed"), program.tail)
        self.write(OTHER)
        wait_until(lambda: program.log_with(message="round finished"), program.tail)
        self.assertTrue(program.log_with(message=lambda text: "was read again: 1 token" in text))
        # An empty file, and then none, change nothing and are told once each.
        self.write("# nothing")
        kept = "the tokens read before stay in use"
        wait_until(lambda: program.log_with(message=lambda text: kept in text), program.tail)
        os.unlink(self.path)
        wait_until(lambda: len(program.log_with(message=lambda text: kept in text)) == 2,
                   program.tail)
        rounds = len(program.log_with(message="round finished"))
        wait_until(lambda: len(program.log_with(message="round finished")) > rounds + 2,
                   program.tail)
        self.assertEqual(2, len(program.log_with(message=lambda text: kept in text)))
        self.assertEqual(0, program.stop(), program.tail())
        self.assert_no_token_told(program)

    def test_contradictions_and_bad_files_are_told(self):
        self.write("good", "b ad")
        for arguments, status, word in (
                (("--token-file", self.path, "--app-id", "1", "--app-key-file", "k"), 2,
                 "--token-file"),
                (("--app-id", "1"), 2, "--app-key-file"),
                (("--app-key-file", "k"), 2, "--app-id"),
                (("--installation-id", "7"), 2, "--app-id"),
                (("--app-id", "1", "--app-key-file", "k", "--installation-id", "0"), 2,
                 "--installation-id"),
                (("--app-id", "1", "--app-key-file", self.path), 1, "no RSA key"),
                (("--token-file", self.path), 1, "line 2")):
            with self.subTest(arguments=arguments):
                program = self.start("--once", *arguments)
                self.assertEqual(status, program.wait(30), program.tail())
                self.assertIn(word, program.stderr)
                self.assertNotIn("b ad", program.stderr)


if __name__ == "__main__":
    unittest.main()
