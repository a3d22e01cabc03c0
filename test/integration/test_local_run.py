"""deploy/local/run as its user meets it, and the commands of the pages that speak of its demo.

Each test runs it as a process of its own, with programs that are built already, on a free port.
"""

import os
import re
import shutil
import signal
import subprocess
import unittest

import paths
import recordings
from harness import SANITIZER_SIGNS, TOKEN, Case, wait_until
from servers import find_server, free_port

RUN = os.path.join(paths.DEPLOY, "local", "run")
SERVERS = {"nginx": "nginx", "lighttpd": "lighttpd", "apache": "apache2"}
READY_S = 60
LAST_LINE = "Ctrl-C stops.\n"


class Run:
    """A running deploy/local/run; its output is in `text()`."""

    def __init__(self, stage, *arguments, env=None):
        self.path = stage.path(f"run-{stage.next_number()}.out")
        kept = {**stage.environment(), "MAINTNER_BIN": os.path.abspath(paths.BIN), "HOME": stage.folder, **(env or {})}
        del kept["TMPDIR"]  # the names of sockets have a limit
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", RUN, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            cwd=stage.folder, env=kept, start_new_session=True)

    def text(self):
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def wait_for(self, text):
        wait_until(lambda: text in self.text() or self.process.poll() is not None, self.text, READY_S)
        if text not in self.text():
            raise AssertionError(f"status {self.process.poll()}: {self.text()}")

    def end(self, number=signal.SIGINT):
        """As Ctrl-C does; the exit status."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        return self.process.wait(30)


class LocalRun(Case):
    def setUp(self):
        super().setUp()
        self.port = free_port()

    def start(self, *arguments, **more):
        front = arguments[arguments.index("--front") + 1] if "--front" in arguments else "nginx"
        if find_server(SERVERS[front]) is None:
            self.skipTest(f"{front} is not here")
        run = Run(self.stage, "--port", str(self.port), *arguments, **more)
        self.addCleanup(run.end, signal.SIGTERM)
        return run

    def state(self, *parts):
        return self.stage.path(".local/state/drghs-worker", *parts)

    def shell(self, command):
        command = command.replace("127.0.0.1:8080", f"127.0.0.1:{self.port}")
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False,
                              cwd=self.stage.folder)
        self.assertEqual((0, ""), (done.returncode, done.stderr), command)
        return done.stdout

    def assert_clean(self, name):
        for file_name in os.listdir(self.state(name)):
            if file_name.endswith((".log", ".log.1")):
                with open(self.state(name, file_name), encoding="utf-8", errors="replace") as file:
                    text = file.read()
                self.assertFalse([sign for sign in SANITIZER_SIGNS if sign in text], text[-3000:])

    # it runs

    def test_from_nothing_to_answers_and_back_with_each_web_server(self):
        for front in SERVERS:
            with self.subTest(front):
                self.port = free_port()
                run = self.start("--front", front)
                run.wait_for(LAST_LINE)
                for command in re.findall(r"^  (curl .*)$", run.text(), re.M):
                    self.assertRegex(self.shell(command), r'^\{"(issues|issue|repositories)":')
                (folder,) = re.findall(r"unix:(/\S+)/router.sock", " ".join(self.command_lines(run)))
                self.assertEqual(0, run.end(), run.text())
                self.assertEqual((False, []), (os.path.exists(folder), self.command_lines(run)))
                self.assert_clean("demo")
                with open(self.state("demo", front + ".log"), encoding="utf-8") as file:
                    self.assertNotRegex(file.read(), "ignored for worker|deprecated|obsolete", "what is configured counts")
        self.assertRegex(run.text(), r"1 of 1 repositories complete: 200 issues, 800 comments, \d requests",
                         "the second start goes on from the first")

    def command_lines(self, run):
        """Of its children that are still there."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8") as stat, open(f"/proc/{pid}/cmdline", encoding="utf-8") as line:
                    if int(stat.read().rpartition(")")[2].split()[1]) == run.process.pid:
                        found.append(line.read().replace("\0", " "))
            except OSError:  # it ended meanwhile
                pass
        return found

    def test_recordings_and_a_state_whose_name_has_a_space(self):
        made = [recordings.made(), recordings.made(repo="acme/gears")]
        run = self.start("--state", "a b", *(part for folder in made for part in ("--recording", folder)))
        run.wait_for(LAST_LINE)
        listed = self.shell("curl -s http://127.0.0.1:8080/api/v1/owners/-/repositories")
        self.assertEqual(["acme/gears", "acme/widgets"], re.findall(r'\{"name":"([^"]+)"', listed))
        self.assertEqual(0, run.end(signal.SIGTERM))
        self.assertTrue(os.path.isdir(self.stage.path("a b")))

    # it does not

    def test_wrong_arguments_are_told_in_a_line_before_anything_is_done(self):
        for arguments, word in ((("--port",), "--port"), (("--port", "x"), '"x"'), (("--port", "65536"), "65536"),
                                (("--front", "iis"), '"iis"'), (("--nope",), "--nope"), (("one",), '"one"'),
                                (("--interval", "0"), '"0"'), (("--interval", "-1"), '"-1"'),
                                (("--recording", "nowhere"), "nowhere"), (("--recording", recordings.made(), "a/b"), "exclude")):
            with self.subTest(arguments):
                run = Run(self.stage, *arguments)
                self.assertEqual(2, run.process.wait(30))
                self.assertRegex(run.text(), rf"^deploy/local/run: .*{re.escape(word)}.*\n$")
        self.assertFalse(os.path.exists(self.state()))

    def test_why_nothing_comes_is_told(self):
        double = self.stage.double(recordings.made())
        for repo, token, why in (("acme/nothing", TOKEN, "status 404: Not Found"),
                                 ("acme/widgets", "of-somebody", "status 401: Bad credentials")):
            with self.subTest(why):
                run = self.start(repo, "--github-url", double.url, env={"GITHUB_TOKEN": token})
                run.wait_for(why)
                self.assertIn(f"{repo}: round failed: ", run.text())
                self.assertNotIn("ready", run.text())
                self.assertEqual(0, run.end())

    # beside a running demo

    def test_the_pages_show_what_the_demo_answers_and_a_second_run_is_kept_from_it(self):
        run = self.start()
        run.wait_for(LAST_LINE)
        for arguments, text in (((), f"port {self.port} is in use; --port names another one"),
                                (("--port", str(free_port())), f"{self.state('demo')} is in use by another run")):
            second = self.start(*arguments)
            self.assertEqual(2, second.process.wait(30))
            self.assertIn(text, second.text())
        self.check_pages()
        self.assertEqual(0, run.end())

    def check_pages(self):
        checked = 0
        for page, base in (("README.md", "http://127.0.0.1:8080"), ("docs/api.md", "...")):
            for command, answer in self.examples(page):
                if not re.search(r"acme/widgets|\$URL|_healthz|owners/acme", command) or "/logs" in command:
                    continue  # of another repository, or not reachable
                if "| jq" in command and shutil.which("jq") is None:
                    continue
                with self.subTest(command):
                    got = self.shell("URL=http://127.0.0.1:8080/api/v1/acme/widgets/issues; "
                                     + re.sub(r"(?<=')" + re.escape(base) + r"(?=/(api|_healthz))", "http://127.0.0.1:8080", command))
                    self.assertTrue(got or "> " in command)
                    self.assertIn("code" if '"code"' in answer else "", got)
                    if '"code"' not in answer:
                        self.assertFalse(got.startswith('{"code"'), got)
                    # What is left out of an answer is shown as three dots; lines are broken anywhere.
                    shown = ".*".join(re.escape(part.strip()) for part in answer.replace("\n", "").split("..."))
                    self.assertRegex(got.replace("\n", ""), "^" + shown)
                    checked += 1
        self.assertGreater(checked, 16)

    def examples(self, page):
        """(command, what is shown below it) of a page's blocks."""
        with open(os.path.join(paths.ROOT, page), encoding="utf-8") as file:
            blocks = re.findall(r"^```\n((?:.*\n)*?)```$", file.read(), re.M)
        for block in blocks:
            for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
                command, _, answer = part.partition("\n")
                if command.startswith("curl "):
                    yield re.sub(r"\s+# .*$", "", command), answer.strip()


if __name__ == "__main__":
    unittest.main(verbosity=2)
