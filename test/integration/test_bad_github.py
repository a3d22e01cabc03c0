"""GitHub at its worst: each fault is told clearly and harms nothing.

Most of the time of these tests is the daemon's own waiting, so all scenarios
run side by side; each has a double, a mirror and a responder of its own.
"""

import concurrent.futures
import socket
import threading
import time
import unittest

import recordings
from expected_answer import load_recording
from harness import Mirror, Stage, differences, wait_until

WORKERS = 16
RETRIED = "request failed, trying again"
FAILED = "round failed"
RECOVERY_S = 90


class Scenario:
    """One fault, met by a mirror that is in sync while GitHub has news."""

    def __init__(self, expect, told=FAILED, severity="ERROR", setup=None, **fault):
        self.expect = expect  # words of the log line's error
        self.told = told
        self.severity = severity
        self.setup = setup
        self.fault = {"match": "issues", "times": -1, **fault}

    def run(self, stage, base, folder):
        double = stage.double(folder)
        mirror = base.copy()
        mirror.url = double.url
        before = mirror.answers()
        edit_a_little(double, mirror.repo)
        double.reset_counts()
        double.fault(**self.fault)
        program = mirror.start_sync("--interval", "1")
        lines = wait_until(lambda: program.log_with(message=self.told, severity=self.severity),
                           program.tail, RECOVERY_S)
        self.check_line(lines[0], program)
        check(before == mirror.answers(), "the mirror changed under the fault")
        double.clear_faults()
        wait_until(lambda: program.log_with(message="round finished"), program.tail, RECOVERY_S)
        check_end(double, mirror, program)

    def check_line(self, line, program):
        for word in self.expect:
            check(word in line["error"], f"{word!r} is not in {line['error']!r}")
        check(program.process.poll() is None, program.tail())


class FirstSync:
    """Faults that pass, in the middle of a first sync: `--once` gets over them."""

    def __init__(self, told=RETRIED, graphql=True, **fault):
        self.told = told
        self.graphql = graphql
        self.fault = {"match": "", "times": 2, "after": 8, **fault}

    def run(self, stage, _base, folder):
        double = stage.double(folder)
        mirror = Mirror(stage, load_recording(folder)["repo"], double.url)
        double.fault(**self.fault)
        if not self.graphql:
            double.fault(match="graphql", kind="status", status=404, times=-1)
        program = mirror.sync()
        fired = double.faults()[0]["fired"]
        check(fired == self.fault["times"], f"the fault came {fired} times")
        if self.told is not None:
            check(program.log_with(message=self.told), program.tail())
        check_end(double, mirror, program)


def check(condition, text):
    if not condition:
        raise AssertionError(text)


def edit_a_little(double, repo):
    state = double.state(repo)
    issue = next(i["number"] for i in state["issues"] if "pull_request" not in i)
    pull = state["pulls"][0]["number"]
    double.edit(repo, "edit_title", number=issue, title="A new title")
    double.edit(repo, "add_comment", number=pull, body="a new comment")
    double.edit(repo, "add_review", number=pull, state="APPROVED", user="octo-reviewer")
    double.edit(repo, "create_issue", title="A new issue")


def check_end(double, mirror, program):
    """The daemon stops well, and the mirror is what GitHub is."""
    status = program.stop()
    check(status == 0, program.tail())
    found = differences(double.state(mirror.repo), mirror.answers())
    check(not found, "\n".join(found[:20]))
    mirror.check_log()
    mirror.verify()
    check(double.counts()["violations"] == [], double.counts()["violations"])


class Elsewhere:
    """A host that must never be asked: it notes who connects."""

    def __init__(self):
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"
        self.visits = 0
        threading.Thread(target=self._count, daemon=True).start()

    def _count(self):
        while True:
            try:
                connection, _address = self._listener.accept()
            except OSError:
                return
            self.visits += 1
            connection.close()

    def close(self):
        self._listener.close()


class RedirectElsewhere(Scenario):
    def __init__(self, status):
        super().__init__(["another host"], kind="redirect", status=status, keep_path=True)

    def run(self, stage, base, folder):
        elsewhere = Elsewhere()
        self.fault["location"] = elsewhere.url
        try:
            super().run(stage, base, folder)
            check(elsewhere.visits == 0, "the other host was asked")
        finally:
            elsewhere.close()


class Limit:
    """A rate limit: one line says how long, nothing is asked meanwhile, then it goes on."""

    WAIT_S = 3

    def __init__(self, fault=None, primary=False):
        self.fault = fault
        self.primary = primary

    def run(self, stage, base, folder):
        double = stage.double(folder)
        mirror = base.copy()
        mirror.url = double.url
        edit_a_little(double, mirror.repo)
        if self.primary:
            # A window is per token, so the token must have been seen.
            double.get(f"/repos/{mirror.repo}")
            double.rate_limit(remaining=1, reset_in_s=self.WAIT_S)
        else:
            double.fault(**self.fault)
        double.reset_counts()
        program = mirror.start_sync("--once")
        line = wait_until(
            lambda: program.log_with(message="waiting for GitHub's rate limit", severity="INFO"),
            program.tail)[0]
        began = time.monotonic()
        check(self.WAIT_S - 2 <= line["seconds"] <= self.WAIT_S + 2, line)
        asked = double.counts()["total"]
        time.sleep(1)
        check(double.counts()["total"] == asked, "asked in spite of the limit")
        check(program.wait() == 0, program.tail())
        check(time.monotonic() - began > self.WAIT_S - 2, "the wait was too short")
        check(not program.log_with(severity="ERROR"), program.tail())
        check_end(double, mirror, program)


class LostEdit:
    """A fault on the second page of a poll must not make the poll forget the rest."""

    def __init__(self, **fault):
        self.fault = fault

    def run(self, stage, _base, _folder):
        folder = recordings.made(55, 20, 5, comments=400)
        double = stage.double(folder)
        mirror = Mirror(stage, load_recording(folder)["repo"], double.url)
        mirror.sync()
        rows = [row for rows in double.state(mirror.repo)["comments"].values() for row in rows]
        edits = [{"repo": mirror.repo, "op": "edit_comment", "id": row["id"],
                  "body": f"edited {row['id']}", "at": f"2027-01-01T00:{n // 60:02d}:{n % 60:02d}Z"}
                 for n, row in enumerate(rows[:250])]
        double.control("edit", edits)
        double.fault(match="comments", after=1, **self.fault)
        program = mirror.start_sync("--interval", "1")
        wait_until(lambda: double.faults()[0]["left"] == 0 and
                   program.log_with(message="round finished"), program.tail, RECOVERY_S)
        check_end(double, mirror, program)


SERVER_ERROR = {"message": "Server Error"}

SCENARIOS = {
    "401": Scenario(["status 401", "Bad credentials"], kind="status", status=401,
                    body={"message": "Bad credentials"}, match=""),
    "403": Scenario(["status 403", "not accessible"], kind="status", status=403,
                    body={"message": "Resource not accessible by personal access token"}),
    "404": Scenario(["status 404", "Not Found"], kind="status", status=404,
                    body={"message": "Not Found"}),
    "404 of the repository": Scenario(
        ["GitHub does not find the repository"], kind="status", status=404,
        match=r"GET /repos/[^/]+/[^/]+($|/issues\?)", body={"message": "Not Found"}),
    "410": Scenario(["status 410", "Issues are disabled"], kind="status", status=410,
                    body={"message": "Issues are disabled for this repo"}),
    "422": Scenario(["status 422", "Validation Failed"], kind="status", status=422,
                    body={"message": "Validation Failed"}),
    "451": Scenario(["status 451"], kind="status", status=451, body={"message": "DMCA"}),
    "418": Scenario(["status 418"], kind="status", status=418, body="I am a teapot"),
    "500": Scenario(["status 500", "Server Error"], kind="status", status=500,
                    body=SERVER_ERROR),
    "502 as HTML": Scenario(["status 502"], RETRIED, "WARNING", kind="status", status=502,
                            body="<html>Bad Gateway</html>"),
    "503": Scenario(["status 503"], RETRIED, "WARNING", kind="status", status=503,
                    body=SERVER_ERROR),
    "garbage JSON": Scenario(["GET "], kind="garbage_json"),
    "an empty body": Scenario(["GET "], RETRIED, "WARNING", kind="garbage_json", body=""),
    "an object for an array": Scenario(["not a JSON array"], kind="wrong_type"),
    "elements that are no issues": Scenario(["issue"], kind="garbage_json",
                                            body='[{"number":"x"}, 7, null]'),
    "a truncated body": Scenario(["issues", "partial"], RETRIED, "WARNING", kind="truncate"),
    "a dropped connection": Scenario([], kind="drop"),
    "a head cut short": Scenario([], RETRIED, "WARNING", kind="drop_after", bytes=30),
    "200 MB": Scenario(["larger than"], kind="huge"),
    "200 MB in chunks": Scenario(["larger than"], kind="huge", chunked=True),
    "nothing for long": Scenario([], RETRIED, "WARNING", kind="slow", delay_s=40),
    "302 elsewhere": RedirectElsewhere(302),
    "301 elsewhere": RedirectElsewhere(301),
    "secondary limit": Limit({"match": "issues", "kind": "secondary_limit", "retry_after": 3,
                              "times": 1}),
    "secondary limit as 429": Limit({"match": "comments", "kind": "secondary_limit",
                                     "status": 429, "retry_after": 3, "times": 1}),
    "primary limit": Limit(primary=True),
    "primary limit as 429": Limit({"match": "events", "kind": "primary_limit", "status": 429,
                                   "reset_in_s": 3, "times": 1}),
    "first sync, 500": FirstSync(kind="status", status=500),
    "first sync, 502 on reviews": FirstSync(graphql=False, kind="status", status=502,
                                            match="reviews", after=3),
    "first sync, 502 of GraphQL": FirstSync(told="a GraphQL query was too large", kind="gateway",
                                            match="graphql", after=0),
    "first sync, garbage of GraphQL": FirstSync(kind="garbage_json", match="graphql", after=0),
    "first sync, GraphQL in part": FirstSync(told=None, kind="partial", every=3,
                                             match="graphql", after=0),
    "first sync, an array for an object": FirstSync(kind="wrong_type", match="repo", after=0),
    "first sync, garbage": FirstSync(kind="garbage_json"),
    "first sync, wrong type": FirstSync(graphql=False, kind="wrong_type", match="reviews",
                                        after=2),
    "first sync, truncated": FirstSync(kind="truncate", bytes=1000, match="comments", after=1),
    "first sync, dropped": FirstSync(kind="drop"),
    "first sync, 401": FirstSync(told=FAILED, kind="status", status=401, times=1),
    "first sync, 200 MB of comments": FirstSync(told=FAILED, kind="huge", match="comments",
                                                after=1, times=1),
    "first sync, 200 MB of issues": FirstSync(told=FAILED, kind="huge", match="issues",
                                              after=1, times=1),
    "first sync, slow": FirstSync(told=None, graphql=False, kind="slow", delay_s=0.01, times=30,
                                  match="^GET ", after=0),
    "poll, 200 MB on page 2": LostEdit(kind="huge", times=1),
    "poll, 500 on page 2": LostEdit(kind="status", status=500, times=7),
    "poll, 404 on page 2": LostEdit(kind="status", status=404, times=1,
                                    body={"message": "Not Found"}),
}

LONGEST = ("500", "garbage JSON", "an object for an array", "elements that are no issues",
           "a dropped connection", "nothing for long", "poll, 500 on page 2")


class BadGitHub(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stage = Stage("bad-github")
        cls.addClassCleanup(cls.stage.close)
        cls.folder = recordings.made(31, 30, 20)
        double = cls.stage.double(cls.folder)
        cls.base = Mirror(cls.stage, load_recording(cls.folder)["repo"], double.url)
        cls.base.sync()
        recordings.made(55, 20, 5, comments=400)
        pool = concurrent.futures.ThreadPoolExecutor(WORKERS)
        cls.addClassCleanup(pool.shutdown, cancel_futures=True)
        # Those that sit out every retry go first.
        names = sorted(SCENARIOS, key=lambda name: name not in LONGEST)
        cls.results = {name: pool.submit(cls.run_alone, SCENARIOS[name]) for name in names}

    @classmethod
    def run_alone(cls, scenario):
        """On a stage of its own, which closes with the scenario."""
        stage = Stage("fault")
        try:
            base = Mirror(stage, cls.base.repo, "")
            base.log_root, base.log_folder = cls.base.log_root, cls.base.log_folder
            base.snapshot = cls.base.snapshot
            scenario.run(stage, base, cls.folder)
        finally:
            stage.close()


def _test(name):
    def test(self):
        self.results[name].result()
    return test


for _name in SCENARIOS:
    setattr(BadGitHub, "test " + _name, _test(_name))


if __name__ == "__main__":
    unittest.main(verbosity=2)
