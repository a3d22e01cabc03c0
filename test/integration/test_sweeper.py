"""The sweeper, with real pods behind a real router: the right tombstones and no others."""

import json
import os
import re
import time
import unittest

import recordings
from gcs_double.client import GcsDouble
from harness import SECRET, TOKEN, Case, Mirror, accepts, count_of, seeded, wait_until
from router_rig import sha_of

WIDGETS, SECOND = "acme/widgets", "acme/second"
HOUR_S = 3600


class Pod:
    """A repository's sync daemon and responder, where the router looks for them."""

    def __init__(self, stage, repo, url, secret_file):
        self.stage, self.repo = stage, repo
        base = stage.path(sha_of(repo))
        self.fcgi_address, self.address = f"unix:{base}.sock", f"unix:{base}-internal.sock"
        self.mirror = Mirror(stage, repo, url)
        self.sync = self.mirror.start_sync(
            "--listen", self.address, "--internal-secret-file", secret_file,
            "--relist-interval", "0")
        self.fcgi = stage.run("maintnerd-fcgi", "--snapshot", self.mirror.snapshot,
                              "--listen", self.fcgi_address)

    def wait(self):
        wait_until(lambda: self.sync.log_with(message="round finished"), self.sync.tail, 60)
        wait_until(lambda: accepts(self.fcgi_address), self.fcgi.tail)

    def numbers(self):
        return set(self.mirror.answers())

    def stop(self):
        if self.sync.stop() != 0 or self.fcgi.stop() != 0:
            raise AssertionError(self.sync.tail() + self.fcgi.tail())

    def check(self):
        """Stop, and everything on disk is sound."""
        self.stop()
        self.mirror.check_log()
        self.mirror.verify()


class Swept(Case):
    sizes = {WIDGETS: (20, 10), SECOND: (5, 3)}
    env = {}

    def setUp(self):
        super().setUp()
        self.double = self.stage.double(*(
            recordings.made(60 + i, *self.sizes[repo], repo=repo)
            for i, repo in enumerate(self.sizes)))
        self.secret_file = self.write("secret", SECRET + "\n")
        self.list_file = self.write("repos.json", json.dumps({"repos": [
            {"repo": repo, "is_tracking_issues": True} for repo in self.sizes]}))
        self.state_file = self.stage.path("sweep.json")
        self.router_address = "unix:" + self.stage.path("router.sock")
        self.pods = {repo: Pod(self.stage, repo, self.double.url, self.secret_file)
                     for repo in self.sizes}
        self.router = self.stage.run(
            "maintner-rtr", "--listen", self.router_address,
            "--repos", f"file://{self.list_file}",
            "--backend", f"unix:{self.stage.folder}/{{sha}}.sock",
            "--internal", f"unix:{self.stage.folder}/{{sha}}-internal.sock")
        wait_until(lambda: accepts(self.router_address), self.router.tail)
        for pod in self.pods.values():
            pod.wait()
        self.was = {repo: self.numbers_on_github(repo) for repo in self.sizes}

    def write(self, name, text):
        path = self.stage.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def numbers_on_github(self, repo):
        return {issue["number"] for issue in self.double.state(repo)["issues"]}

    def plain_issues(self, repo):
        return [issue["number"] for issue in self.double.state(repo)["issues"]
                if "pull_request" not in issue]

    def start_sweep(self, *arguments, secret_file=None, state=None, env=None):
        return self.stage.run(
            "maintner-swpr", "--repos", f"file://{self.list_file}",
            "--router", self.router_address,
            "--internal", f"unix:{self.stage.folder}/{{sha}}-internal.sock",
            "--internal-secret-file", secret_file or self.secret_file,
            "--state", state or f"file://{self.state_file}", "--github-url", self.double.url,
            "--report", *arguments, env={"GITHUB_TOKEN": TOKEN, **self.env, **(env or {})})

    def sweep(self, *arguments, status=0, **more):
        """A run to its end; {repository: row of the table}."""
        program = self.start_sweep(*arguments, **more)
        self.assertEqual(status, program.wait(60), program.tail())
        return self.rows(program)

    def rows(self, program):
        lines = program.stdout.splitlines()
        self.assertRegex(lines[0], "^repository .* result$", program.tail())
        names = ["mirrored", "github", "deleted", "moved", "vanished", "waiting", "lacking",
                 "buried", "requests"]
        table = {}
        for line in lines[1:-1]:
            repo, *numbers, result = re.fullmatch(
                r"(\S+)" + r" +(\d+)" * len(names) + r"  (.*)", line).groups()
            table[repo] = dict(zip(names, map(int, numbers)), result=result)
        return table

    def state(self):
        with open(self.state_file, encoding="utf-8") as file:
            return json.load(file)

    def missing(self, repo):
        return {entry[0] for r in self.state()["repos"] if r["repo"] == repo
                for entry in r["missing"]}

    def without_graphql(self):
        self.double.fault(match="POST /graphql", kind="status", status=404, times=-1)

    def assert_mirrors_github(self, repo=WIDGETS):
        self.assertEqual(self.numbers_on_github(repo), self.pods[repo].numbers())


class Flags(Case):
    def test_what_cannot_be_used_is_told(self):
        base = ("maintner-swpr", "--router", "unix:/x")
        for arguments, status, word in (
                (("maintner-swpr",), 2, "--router"),
                (base, 2, "--repos"),
                ((*base, "--repo", "a/b"), 2, "--state"),
                ((*base, "--repo", "a/b", "--state", "file:///x"), 2, "--internal-secret-file"),
                ((*base, "--repo", "a/b", "--dry-run", "--internal", "x{y}:1"), 2, "--internal"),
                (("maintner-swpr", "--router", "x", "--repo", "a/b", "--dry-run"), 2, "--router"),
                ((*base, "--repo", "ab", "--dry-run"), 2, '--repo: "ab" is not OWNER/REPO'),
                ((*base, "--repo", "a/b", "--dry-run", "operand"), 2, "operand")):
            with self.subTest(arguments):
                program = self.stage.run(*arguments)
                self.assertEqual(status, program.wait(10), program.tail())
                self.assertIn(word, program.stderr)
        for more, word in ((("--token-file", "/nowhere"), "/nowhere"), (("--github-url", "hub"), "hub")):
            program = self.stage.run(*base, "--repo", "a/b", "--repo", "a/c", "--dry-run", *more)
            self.assertEqual(1, program.wait(10), program.tail())
            self.assertEqual([word in line["error"] for line in program.log()], [True], "told once")

    def test_a_state_that_cannot_be_read_is_named_and_left_as_it_is(self):
        state = self.stage.path("sweep.json")
        secret = self.stage.path("secret")
        for path, text in ((secret, SECRET), (state, "")):
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        for text, word in (('{"version":7,"runStartedMs":0,"repos":[]}', "version 7"),
                           ("", "not JSON"), ("garbage", "not JSON"), ('{"version":1', "not JSON"),
                           ('{"version":1,"runStartedMs":0,"repos":[{}]}', "element 0 of repos")):
            for more in ((), ("--dry-run",)):
                with open(state, "w", encoding="utf-8") as file:
                    file.write(text)
                program = self.stage.run(
                    "maintner-swpr", "--router", "unix:/x", "--repo", "a/b", "--state", f"file://{state}",
                    "--internal-secret-file", secret, *more)
                self.assertEqual(1, program.wait(10), program.tail())
                [line] = program.log()
                self.assertIn(f"file://{state}: sweep state", line["error"])
                self.assertIn(word, line["error"])
                with open(state, encoding="utf-8") as file:
                    self.assertEqual(text, file.read())


class Large(Swept):
    """Some 300 issues, of which 3 % were deleted and 1 % transferred."""

    sizes = {WIDGETS: (220, 80), SECOND: (5, 3)}

    def setUp(self):
        super().setUp()
        self.random = seeded()
        gone = self.random.sample(self.plain_issues(WIDGETS), 12)
        self.deleted, self.transferred = set(gone[:9]), set(gone[9:])
        for number in self.deleted:
            self.double.edit(WIDGETS, "delete_issue", number=number)
        for number in self.transferred:
            self.double.edit(WIDGETS, "transfer_issue", number=number, to=SECOND)

    def transient(self, numbers):
        """Each of them is not found, once."""
        for number in numbers:
            self.double.fault(match=f"GET /repos/{WIDGETS}/issues/{number}$", kind="status",
                              status=404, body={"message": "Not Found"}, times=1)

    def test_the_right_ones_are_buried_and_none_wrongly(self):
        everywhere = sorted(self.was[WIDGETS])
        lost = self.random.sample(sorted(self.deleted | self.transferred), 3)
        lags = set(self.random.sample(everywhere, len(everywhere) // 20)) | set(lost)
        self.transient(lags)
        rows = self.sweep()
        row = rows[WIDGETS]
        lost = lags & (self.deleted | self.transferred)  # not sure in this run
        self.assertEqual((300, 288, len(lost), 12 - len(lost)),
                         (row["mirrored"], row["github"], row["waiting"], row["buried"]), rows)
        self.assertEqual(lost, self.missing(WIDGETS))
        self.assertLessEqual(row["requests"], 2 + 4 + 12 + 3,
                             "two health checks, four pages, a question each, three redirects")
        self.assertEqual(self.was[WIDGETS] - self.deleted - self.transferred | lost,
                         self.pods[WIDGETS].numbers())
        # What arrived in the other repository was pointed out to its mirror.
        self.assertEqual((3, 0), (rows[SECOND]["lacking"], rows[SECOND]["buried"]))
        wait_until(lambda: self.pods[SECOND].numbers() == self.numbers_on_github(SECOND), "poke")
        rows = self.sweep()
        self.assertEqual((len(lost), 0), (rows[WIDGETS]["buried"], rows[WIDGETS]["waiting"]))
        self.assertEqual(set(), self.missing(WIDGETS))
        self.assert_mirrors_github()
        rows = self.sweep()
        self.assertEqual((288, 288, 0, 0),
                         tuple(rows[WIDGETS][k] for k in ("mirrored", "github", "buried", "waiting")))
        for pod in self.pods.values():
            pod.check()

    def test_a_listing_cut_short_and_issues_that_lag_behind_bury_nobody(self):
        self.without_graphql()
        self.double.fault(match=r"GET /\S+/issues\?.*page=2", kind="stale", times=1)
        lags = set(self.random.sample(sorted(self.was[WIDGETS]), 40))
        self.transient(lags)
        rows = self.sweep("--repo", WIDGETS)
        self.assertLess(rows[WIDGETS]["github"], 250)
        waiting = self.missing(WIDGETS)
        self.assertTrue(waiting and waiting <= lags, "some were asked for and not found")
        self.double.clock(advance_s=HOUR_S + 10)
        self.sweep("--repo", WIDGETS)
        self.assertEqual(set(), self.missing(WIDGETS))
        self.assert_mirrors_github()
        self.pods[WIDGETS].check()

    def test_killed_at_any_moment_the_end_is_the_same(self):
        self.double.fault(match="", kind="slow", delay_s=0.015, times=-1)
        kills = 0
        for _ in range(count_of(8, 40)):
            program = self.start_sweep()
            time.sleep(self.random.uniform(0.02, 0.7))
            kills += program.process.poll() is None
            program.kill()
        self.double.clear_faults()
        print(f"killed: {kills}", flush=True)
        rows = self.sweep()
        self.assertTrue(all(row["result"] == "ok" for row in rows.values()), rows)
        self.sweep()
        self.assertEqual(0, self.state()["runStartedMs"])
        self.assertEqual([], [r for r in self.state()["repos"] if r["missing"] or "listing" in r])
        self.assert_mirrors_github()
        for pod in self.pods.values():
            pod.check()


class Small(Swept):
    def test_not_found_counts_after_an_hour_of_it_and_a_healthy_repository(self):
        gone, back = self.plain_issues(WIDGETS)[:2]
        for number in (gone, back):
            self.double.edit(WIDGETS, "delete_issue", number=number, status=404)
        self.assertEqual((2, 0), self.waiting_and_buried())
        self.double.clock(advance_s=HOUR_S - 60)
        self.double.edit(WIDGETS, "restore_issue", number=back)
        self.assertEqual((1, 0), self.waiting_and_buried())
        self.double.clock(advance_s=120)
        self.double.edit(WIDGETS, "disable_issues")
        rows = self.sweep("--repo", WIDGETS, status=1)
        self.assertIn("switched off", rows[WIDGETS]["result"])
        self.double.edit(WIDGETS, "enable_issues")
        self.assertEqual(self.was[WIDGETS], self.pods[WIDGETS].numbers())
        self.assertEqual((0, 1), self.waiting_and_buried())
        self.assertEqual(self.was[WIDGETS] - {gone}, self.pods[WIDGETS].numbers())

    def test_an_hour_is_counted_from_the_answers_not_from_the_start_of_a_run(self):
        number = self.plain_issues(WIDGETS)[0]
        self.double.edit(WIDGETS, "delete_issue", number=number, status=404)
        self.assertEqual((1, 0), self.waiting_and_buried_after(2 * HOUR_S - 300))
        self.double.clock(advance_s=360)  # two hours after the first run began
        self.assertEqual((1, 0), self.waiting_and_buried())
        self.double.clock(advance_s=HOUR_S - 660)  # 55 minutes after the question
        self.assertEqual((0, 1), self.waiting_and_buried_after(300))
        self.assert_mirrors_github()

    def waiting_and_buried_after(self, seconds):
        """Of a run in which so much time passes between the listing and the questions."""
        self.double.fault(match="POST /graphql", kind="slow", delay_s=2, times=1)
        program = self.start_sweep("--repo", WIDGETS)
        wait_until(lambda: any(fault["fired"] for fault in self.double.faults()), program.tail)
        self.double.clock(advance_s=seconds)
        self.assertEqual(0, program.wait(60), program.tail())
        self.double.clear_faults()
        row = self.rows(program)[WIDGETS]
        return row["waiting"], row["buried"]

    def waiting_and_buried(self):
        row = self.sweep("--repo", WIDGETS)[WIDGETS]
        return row["waiting"], row["buried"]

    def test_a_pod_that_is_down_is_told_and_the_others_are_swept(self):
        number = self.plain_issues(WIDGETS)[0]
        self.double.edit(WIDGETS, "delete_issue", number=number)
        other = self.plain_issues(SECOND)[0]
        self.double.edit(SECOND, "delete_issue", number=other)
        self.pods[SECOND].sync.kill()  # it answers, but takes no orders
        rows = self.sweep(status=1)
        self.assertEqual((1, "ok"), (rows[WIDGETS]["buried"], rows[WIDGETS]["result"]))
        self.assertIn("the sync daemon cannot be asked", rows[SECOND]["result"])
        self.pods[SECOND].fcgi.kill()
        rows = self.sweep(status=1)
        self.assertEqual("ok", rows[WIDGETS]["result"])
        self.assertIn("the router answers 503", rows[SECOND]["result"])
        self.assertIn("1 not to the end", rows["all"]["result"])
        self.assert_mirrors_github()

    def test_a_wrong_secret_is_told(self):
        number = self.plain_issues(WIDGETS)[0]
        self.double.edit(WIDGETS, "delete_issue", number=number)
        wrong = self.write("wrong", "another secret\n")
        rows = self.sweep("--repo", WIDGETS, status=1, secret_file=wrong)
        self.assertIn("refuses the secret of --internal-secret-file", rows[WIDGETS]["result"])
        self.assertEqual((1, 0), (rows[WIDGETS]["deleted"], rows[WIDGETS]["buried"]))
        self.assertEqual(self.was[WIDGETS], self.pods[WIDGETS].numbers())

    def test_a_dry_run_changes_nothing_and_a_small_budget_takes_several_runs(self):
        number = self.plain_issues(WIDGETS)[0]
        self.double.edit(WIDGETS, "delete_issue", number=number)
        rows = self.sweep("--dry-run")
        self.assertEqual((1, 0), (rows[WIDGETS]["deleted"], rows[WIDGETS]["buried"]))
        self.assertFalse(os.path.exists(self.state_file))
        self.assertEqual(self.was[WIDGETS], self.pods[WIDGETS].numbers())
        rows = self.sweep("--budget", "2", status=1)
        self.assertIn("budget", rows[WIDGETS]["result"])
        self.assertEqual(0, rows[WIDGETS]["buried"])
        self.assertIn("listing", json.dumps(self.state()))
        runs = 1
        while self.sweep("--budget", "2", status=1)[WIDGETS]["buried"] == 0:
            runs += 1
            self.assertLess(runs, 7, "a run goes on where the last one stopped")
        self.assert_mirrors_github()

    def test_the_budget_is_not_exceeded_and_takes_turns(self):
        swept = []
        for _ in range(6):
            rows = self.sweep("--budget", "3", status=1)
            self.assertLessEqual(rows["all"]["requests"], 3, rows)
            swept.append({repo for repo, row in rows.items() if row["result"] == "ok"})
            self.assertIn("the budget of requests is used up", str(rows))
        self.assertEqual({WIDGETS, SECOND}, set().union(*swept))

    def test_the_state_in_a_bucket_that_misbehaves(self):
        gone = self.plain_issues(WIDGETS)[0]
        self.double.edit(WIDGETS, "delete_issue", number=gone, status=404)
        with GcsDouble(buckets=["states"], write_interval=0) as gcs:
            where = {"state": "gs://states/sweep.json", "env": {"STORAGE_EMULATOR_HOST": gcs.origin}}
            for op in ("get", "insert"):  # may fail for a while, done or not
                gcs.fault(kind="status", status=503, op=op)
                gcs.fault(kind="reset_after", op=op)
            self.assertEqual(1, self.sweep(**where)[WIDGETS]["waiting"])
            self.double.clock(advance_s=HOUR_S + 10)
            before = gcs.data("states", "sweep.json")
            for op in ("get", "insert"):
                gcs.fault(kind="status", status=403, op=op)
                program = self.start_sweep(**where)
                self.assertEqual(1, program.wait(60), program.tail())
                self.assertIn("403", program.log()[-1]["error"])
                self.assertEqual(before, gcs.data("states", "sweep.json"))
                self.assertEqual(self.was[WIDGETS], self.pods[WIDGETS].numbers(), "nothing without a memory of it")
            self.assertEqual(1, self.sweep(**where)[WIDGETS]["buried"])
            self.assert_mirrors_github()

    def interrupted(self, swept_s=-30):
        """A run of all was, after the first repository; when it began."""
        now = int(time.time() * 1000)
        self.write("sweep.json", json.dumps({
            "version": 1, "runStartedMs": now - 60000,
            "repos": [{"repo": WIDGETS, "sweptMs": now + swept_s * 1000, "missing": []}]}))
        return now - 60000

    def test_what_is_named_is_swept_and_an_interrupted_run_stays_so(self):
        number = self.plain_issues(WIDGETS)[0]
        self.double.edit(WIDGETS, "delete_issue", number=number)
        started = self.interrupted()
        before = self.state()
        for arguments in ((), ("--repo", WIDGETS)):
            rows = self.sweep("--dry-run", *arguments)
            self.assertEqual(1, rows[WIDGETS]["deleted"], rows)
            self.assertEqual(len(arguments) == 0, SECOND in rows)
            self.assertEqual(before, self.state())
        self.assertEqual(1, self.sweep("--repo", WIDGETS)[WIDGETS]["buried"])
        self.assertEqual(started, self.state()["runStartedMs"])
        self.assert_mirrors_github()
        self.assertEqual({SECOND, "all"}, self.sweep().keys(), "it goes on")
        self.assertEqual(0, self.state()["runStartedMs"])
        self.sweep("--repo", WIDGETS)
        self.assertEqual(0, self.state()["runStartedMs"])
        self.assertEqual({WIDGETS, SECOND, "all"}, self.sweep().keys(), "a new one")
        self.interrupted(swept_s=HOUR_S)
        self.assertEqual({WIDGETS, SECOND, "all"}, self.sweep().keys(), "the clock was set back")
        self.assertEqual(0, self.router.stop(), self.router.tail())
        started = self.interrupted()
        rows = self.sweep("--repo", WIDGETS, status=1)
        self.assertIn("the router", rows[WIDGETS]["result"])
        self.assertEqual(started, self.state()["runStartedMs"])

    def test_two_sweepers_do_not_overwrite_each_others_memory(self):
        self.double.fault(match=f"GET /repos/{WIDGETS}$", kind="slow", delay_s=2, times=1)
        one = self.start_sweep()
        wait_until(lambda: one.log_with(repository=SECOND), one.tail)
        self.sweep("--repo", SECOND)
        self.assertEqual(1, one.wait(60), one.tail())
        self.assertIn("another sweeper uses this state", one.stderr)


class Away(Swept):
    sizes = {f"acme/r{n}": (2, 1) for n in range(4)}
    env = {"MAINTNER_TIME_SCALE": "1000"}

    def test_a_github_that_answers_nobody_stops_the_run_and_the_next_one_goes_on(self):
        self.double.fault(match="", kind="status", status=503, times=-1)
        program = self.start_sweep()
        self.assertEqual(1, program.wait(60), program.tail())
        self.assertEqual(list(self.sizes)[:3], [row for row in self.rows(program) if row != "all"])
        self.assertIn("GitHub does not answer", program.log()[-1]["error"])
        self.assertGreater(self.state()["runStartedMs"], 0)
        self.double.clear_faults()
        # One alone is no reason to stop.
        self.double.fault(match="GET /repos/acme/r1$", kind="status", status=503, times=-1)
        rows = self.sweep(status=1)
        self.assertIn("503", rows["acme/r1"]["result"])
        self.assertEqual(3, [row["result"] for row in rows.values()].count("ok"))


if __name__ == "__main__":
    unittest.main()
