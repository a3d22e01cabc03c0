"""What the integration tests share: stages, programs, mirrors, waiting.

A Stage is a temporary folder with the programs that run on it.  When it closes,
all of them are ended, and a sanitizer's report or a secret in any program's
output is a failure.
"""

import glob
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import paths
from expected_answer import accepted_logins, compare_repositories, expected_issues
from fcgi_client import FcgiClient
from github_double.client import DoubleProcess
from log_checker import check_log

FULL = os.environ.get("MAINTNER_FULL", "") not in ("", "0")
TOKEN = "ghp_integrationTestTokenThatMustNotLeak"
SECRET = "internal-secret-that-must-not-leak"

SANITIZER_SIGNS = ("AddressSanitizer", "LeakSanitizer", "runtime error:",
                   "UndefinedBehaviorSanitizer", "ThreadSanitizer")
START_S = 30
STOP_S = 20
SYNC_S = 240


def count_of(small, full):
    """How often a randomized test repeats; printed, so that a log tells what ran."""
    count = full if FULL else small
    print(f"count: {count} (of {full} with MAINTNER_FULL=1)", flush=True)
    return count


def seeded():
    """A random generator whose seed is printed; MAINTNER_SEED repeats a run."""
    seed = int(os.environ.get("MAINTNER_SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"seed: MAINTNER_SEED={seed}", flush=True)
    return random.Random(seed)


def some_of(count, share=3):
    """Numbers below `count` to try: all of them in a full run, else a random share."""
    rng = seeded()
    some = sorted(rng.sample(range(count), count if FULL else max(1, count // share)))
    print(f"count: {len(some)} (of {count} with MAINTNER_FULL=1)", flush=True)
    return some


def wait_until(condition, what, timeout_s=START_S, pause_s=0.02):
    """The first true value of condition(); fails after the deadline."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"after {timeout_s} s: {what() if callable(what) else what}")
        time.sleep(pause_s)


def lines_of(text):
    """Lines as programs write them: str.splitlines() also parts at U+2028 and others."""
    return text.split("\n")[:-1] if text.endswith("\n") else text.split("\n")


def accepts(address):
    """True when somebody listens there."""
    client = FcgiClient(address)
    try:
        client.connect()
        return True
    except OSError:
        return False
    finally:
        client.close()


def link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


class Program:
    """A running program; its output goes to files, its log lines are JSON."""

    def __init__(self, stage, arguments, name=None, env=None, stdin=None):
        self.name = name or os.path.basename(arguments[0])
        self.arguments = [str(argument) for argument in arguments]
        self._base = stage.path(f"{stage.next_number():03d}-{self.name}")
        with open(self._base + ".out", "wb") as out, open(self._base + ".err", "wb") as err:
            self.process = subprocess.Popen(
                self.arguments, stdin=stdin or subprocess.DEVNULL, stdout=out, stderr=err,
                env=stage.environment(env), cwd=stage.folder)

    @property
    def pid(self):
        return self.process.pid

    def _text(self, suffix):
        with open(self._base + suffix, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()

    @property
    def stdout(self):
        return self._text(".out")

    @property
    def stderr(self):
        return self._text(".err")

    def log(self):
        """The JSON objects on standard error."""
        lines = []
        for line in lines_of(self.stderr):
            if line.startswith("{"):
                lines.append(json.loads(line))
        return lines

    def log_with(self, **fields):
        """Log lines that have these values; a callable value is asked."""
        def fits(line):
            return all(want(line[name]) if callable(want) else line[name] == want
                       for name, want in fields.items() if name in line) \
                and fields.keys() <= line.keys()
        return [line for line in self.log() if fits(line)]

    def wait(self, timeout_s=SYNC_S):
        """The exit status; a program that does not end is killed and fails."""
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self} ran for {timeout_s} s:\n{self.tail()}") from None

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self, timeout_s=STOP_S):
        """SIGTERM, then the exit status."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.wait(timeout_s)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def tail(self, size=4000):
        return f"{self}\n--- stdout\n{self.stdout[-size:]}\n--- stderr\n{self.stderr[-size:]}"

    def __str__(self):
        return f"{self.name} [{self.pid}] status {self.process.poll()}"


class Stage:
    """A temporary folder and what runs on it."""

    def __init__(self, name="stage"):
        self.folder = tempfile.mkdtemp(prefix=f"maintner-{name}-")
        self.programs = []
        self._doubles = []
        self._number = 0
        self.output_files = []  # further files to look for sanitizer reports in

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def next_number(self):
        self._number += 1
        return self._number

    def public_programs(self):
        """The programs' folder where every user may start them: a clone may lie in a home directory."""
        prefix = self.path("usr")
        if not os.path.exists(prefix):
            for source in glob.glob(os.path.join(paths.BIN, "maint*")) + [paths.MODULE]:
                target = os.path.join(prefix, os.path.relpath(source, os.path.dirname(paths.BIN)))
                os.makedirs(os.path.dirname(target), exist_ok=True)
                link_or_copy(source, target)
        return os.path.join(prefix, "bin")

    def environment(self, more=None):
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
        kept["TMPDIR"] = self.folder
        # A double answers faster than GitHub's limits per minute allow to ask.
        kept["MAINTNER_POINTS_PER_MINUTE"] = "1000000"
        # Freed memory is kept from use for a while; 256 MB of it cost more than all the rest.
        kept["ASAN_OPTIONS"] = "detect_leaks=1:abort_on_error=0" + ("" if FULL else ":quarantine_size_mb=16")
        kept["UBSAN_OPTIONS"] = "print_stacktrace=1"
        kept.update(more or {})
        return kept

    def run(self, name, *arguments, env=None, stdin=None):
        """Start one of our programs."""
        return self.start([paths.program(name), *arguments], name, env, stdin)

    def start(self, arguments, name=None, env=None, stdin=None):
        program = Program(self, arguments, name, env, stdin)
        self.programs.append(program)
        return program

    def double(self, *recordings, tokens=(TOKEN,), options=()):
        double = DoubleProcess(recordings, tokens, options)
        self._doubles.append(double)
        return double

    def close(self):
        for double in self._doubles:
            double.stop()
        for program in self.programs:
            program.kill()
        texts = [program.tail(20_000) for program in self.programs]
        for path in self.output_files:
            if os.path.exists(path):
                with open(path, encoding="utf-8", errors="replace") as file:
                    texts.append(file.read())
        bad = [text for text in texts if any(sign in text for sign in SANITIZER_SIGNS)]
        leaks = [text for text in texts if TOKEN in text or SECRET in text]
        shutil.rmtree(self.folder, ignore_errors=True)
        if bad:
            raise AssertionError(f"a sanitizer reported:\n{bad[0]}")
        if leaks:
            raise AssertionError(f"a secret is in the output:\n{leaks[0]}")


class Api:
    """Questions to a responder."""

    def __init__(self, address, repo):
        self.client = FcgiClient(address)
        self.repo = repo
        self.root = f"/api/v1/{repo}/issues"

    def ask(self, path="", query="", **more):
        """`path` is relative to the repository's issues, or absolute."""
        where = path if path.startswith("/") else f"{self.root}/{path}" if path else self.root
        return self.client.ask(where, query, **more)

    def get(self, path="", **query):
        answer = self.ask(path, query)
        if answer.status != 200:
            raise AssertionError(f"{path} {query}: {answer}")
        return answer.json()

    def pages(self, **query):
        """Every page of a list."""
        token = ""
        while True:
            page = self.get(**query, **({"pageToken": token} if token else {}))
            yield page
            token = page["nextPageToken"]
            if not token:
                return

    def walk(self, **query):
        """Every issue of a list, in its order."""
        return [issue for page in self.pages(**query) for issue in page["issues"]]

    def all(self, **query):
        """{number: Issue} with comments and reviews; numbers must not repeat."""
        issues = self.walk(comments="true", reviews="true", reviewComments="true", **query)
        found = {issue["issueId"]: issue for issue in issues}
        if len(found) != len(issues):
            raise AssertionError("a number is listed twice")
        return found

    def close(self):
        self.client.close()


class Mirror:
    """One repository's log and snapshot, and the programs on them."""

    def __init__(self, stage, repo, url, name="mirror"):
        self.stage = stage
        self.repo = repo
        self.owner, self.short = repo.split("/")
        self.url = url
        self.folder = stage.path(f"{name}-{stage.next_number()}")
        self.log_root = os.path.join(self.folder, "log")
        self.log_folder = os.path.join(self.log_root, self.owner, self.short)
        self.snapshot = os.path.join(self.folder, "snapshot")
        os.makedirs(self.log_root)
        self.responders = 0

    def copy(self, name="copy"):
        """Another mirror that begins with this one's files; nothing may run on this."""
        other = Mirror(self.stage, self.repo, self.url, name)
        shutil.rmtree(other.log_root)
        shutil.copytree(self.log_root, other.log_root, symlinks=True)
        if os.path.isdir(self.snapshot):
            shutil.copytree(self.snapshot, other.snapshot, symlinks=True)
        return other

    def start_sync(self, *arguments, env=None):
        return self.stage.run(
            "maintnerd-sync", "--owner", self.owner, "--repo", self.short,
            "--log", f"file://{self.log_root}", "--snapshot", self.snapshot,
            "--github-url", self.url, *arguments, env={"GITHUB_TOKEN": TOKEN, **(env or {})})

    def sync(self, *arguments, env=None, timeout_s=SYNC_S):
        """`--once` to its end, which must be a good one."""
        program = self.start_sync("--once", *arguments, env=env)
        status = program.wait(timeout_s)
        if status != 0:
            raise AssertionError(f"exit status {status}: {program.tail()}")
        return program

    def responder(self, *arguments):
        """(Program, Api) of a responder on this snapshot."""
        self.responders += 1
        path = os.path.join(self.folder, f"fcgi{self.responders}.sock")
        program = self.stage.run("maintnerd-fcgi", "--snapshot", self.snapshot,
                                 "--listen", f"unix:{path}", *arguments)
        wait_until(lambda: accepts(f"unix:{path}") or program.process.poll() is not None,
                   program.tail)
        return program, Api(f"unix:{path}", self.repo)

    def answers(self):
        """Everything that a fresh responder says, {number: Issue}."""
        program, api = self.responder()
        try:
            return api.all()
        finally:
            api.close()
            status = program.stop()
            if status != 0:
                raise AssertionError(f"exit status {status}: {program.tail()}")

    def verify(self):
        """The last line of maint-dump --verify, which must find no difference."""
        program = self.stage.run("maint-dump", "--verify", "--snapshot", self.snapshot,
                                 "--log", f"file://{self.log_root}")
        status = program.wait()
        last = json.loads(lines_of(program.stdout)[-1]) if program.stdout else {}
        if status != 0 or last.get("differences") != 0:
            raise AssertionError(f"maint-dump --verify: {program.tail()}")
        return last

    def check_log(self, allow_foreign=False):
        """The log checker's counts; its errors are failures."""
        report = check_log(self.log_folder, allow_foreign)
        if not report.ok:
            raise AssertionError("the log: " + "\n".join(report.errors[:20]))
        return report.counts

    def log_bytes(self):
        return sum(os.path.getsize(os.path.join(self.log_folder, name))
                   for name in os.listdir(self.log_folder) if name.endswith(".mutlog"))


def differences(source, got, ignore=()):
    """Texts of what differs between a recording (or the double's state) and answers."""
    import expected_answer
    if isinstance(source, str):
        source = expected_answer.load_recording(source)
    return compare_repositories(expected_issues(source), got, accepted_logins(source), ignore)


class Case(unittest.TestCase):
    """A test with a stage of its own."""

    maxDiff = 4000

    def setUp(self):
        self.stage = Stage(type(self).__name__)
        self.addCleanup(self.stage.close)

    def assert_mirrors(self, source, got, ignore=()):
        """The answers are what the recording, or the double's state, says."""
        found = differences(source, got, ignore)
        if found:
            self.fail(f"{len(found)} differences:\n" + "\n".join(found[:25]))
