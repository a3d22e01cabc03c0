"""A log of many repositories is split into one for each, whatever interrupts it."""

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import paths
import many_logs
from gcs_double.client import GcsDouble
from harness import FULL, Case, count_of, seeded, some_of, wait_until
from log_checker import check_log, records

REPOSITORIES = count_of(20, 200)
RECORDS = count_of(20_000, 1_000_000)
LISTED = [("acme", f"repo-{n:03}") for n in range(REPOSITORIES)]
UNLISTED = [("other", "one"), ("other", "two")]


class Migrate(Case):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="maintner-monolith-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        # Names in the log need not be spelled as in the list.
        in_log = [(owner.upper(), repo) for owner, repo in LISTED[:3]] + LISTED[3:] + UNLISTED
        many_logs.make(cls.folder, in_log, RECORDS, seed=5)
        names = [f"{owner}/{repo}" for owner, repo in LISTED]
        cls.want, cls.others = many_logs.split(cls.folder, names)

    def setUp(self):
        super().setUp()
        self.dest = self.stage.path("dest")
        self.list = self.stage.path("repos.json")
        with open(self.list, "w", encoding="utf-8") as file:
            json.dump({"repos": [{"repo": f"{owner}/{repo}", "is_tracking_issues": True}
                                 for owner, repo in LISTED]}, file)

    def start(self, *arguments, dest=None, source=None, env=None):
        return self.stage.run("maintmigrate", "--source", source or f"file://{self.folder}",
                              "--repos", f"file://{self.list}", "--dest", dest or f"file://{self.dest}",
                              "--scratch", self.stage.folder, *arguments, env=env)

    def migrate(self, *arguments, status=0, **more):
        program = self.start(*arguments, **more)
        self.assertEqual(status, program.wait(), program.tail())
        return program

    def assert_split(self, want=None):
        for name, digest in (want or self.want).items():
            folder = os.path.join(self.dest, name)
            self.assertEqual(digest, many_logs.digest_of(folder), name)

    def test_each_result_is_what_an_independent_split_gives(self):
        program = self.migrate("--report")
        self.assert_split()
        said = program.stdout
        self.assertIn(f"{REPOSITORIES} of {REPOSITORIES} repositories done", said)
        for owner, repo in UNLISTED:
            self.assertIn(f"{owner}/{repo}", said)
        self.assertEqual(RECORDS, sum(count for _, count in self.want.values()) + self.others)
        # A second run finds that there is nothing to do.
        self.assertEqual(REPOSITORIES, self.migrate().stdout.count("unchanged"))
        self.assert_split()

    def test_git_records_are_kept_when_asked_for(self):
        names = ["acme/repo-000", "acme/repo-007"]
        want, _ = many_logs.split(self.folder, names, keep_git=True)
        self.migrate("--keep-git", *(word for name in names for word in ("--repo", name)))
        self.assert_split(want)

    def test_a_dry_run_writes_nothing(self):
        program = self.migrate("--dry-run")
        self.assertEqual(REPOSITORIES, program.stdout.count("to be written"))
        found = [name for _, _, files in os.walk(self.dest) for name in files
                 if not name.startswith(".maintner-")]
        self.assertEqual([], found)

    def test_a_template_that_leads_astray_is_refused_before_anything_is_done(self):
        for template, said in (("{foo}/{repo}", "only {sha}, {owner} and {repo}"),
                               ("{owner}", "acme/repo-000 and acme/repo-001 would both be at")):
            program = self.migrate(dest=f"file://{self.dest}/{template}", status=2)
            self.assertIn(said, program.stderr)
        self.assertFalse(os.path.exists(self.dest))

    def test_words_that_cannot_be_meant_are_refused_before_anything_is_read(self):
        for arguments, more, said in (((), {"dest": "/somewhere"}, "--dest: /somewhere: not file:///dir or gs://"),
                                      ((), {"source": "s3://b/log"}, "--source: s3://b/log: not file:///dir"),
                                      (("--repo", "acme"), {}, '--repo: "acme" is not OWNER/REPO')):
            program = self.migrate(*arguments, status=2, **more)
            self.assertEqual(f"maintmigrate: {said}", program.stderr.strip()[:len(said) + 14])
            self.assertEqual("", program.stdout)

    def test_a_list_that_is_none_is_named(self):
        for text, said in (('{"repos":[', "is not JSON"), ('{"repos":[{"repo":"a/b"}]}', "no repository in it")):
            with open(self.list, "w", encoding="utf-8") as file:
                file.write(text)
            program = self.migrate(status=1)
            self.assertRegex(program.stderr, f"file://{self.list}: .*{said}")

    def test_bucket_tools_refuse_such_templates_too(self):
        root = self.stage.path("coll")
        for name in ("a", "b"):
            many_logs.make(f"{root}/o/{name}", [("o", name)], 10, seed=3)
        for tool, source, to, said in (
                ("migrate", "{owner}/{repo}", ("--replace", "--to-prefix", "all/{owner}"),
                 "o/a and o/b would both be at"),
                ("migrate", "{owner}", ("--to-prefix", "all/{sha}"), "--from-prefix: o/a and o/b"),
                ("migrate", "{owner}/{repo}", ("--to-prefix", "all/{name}"), "only {sha}"),
                ("migrate", "{owner}/{repo}", ("--replace", "--to-prefix", "{owner}/{repo}//"),
                 "o/a is where o/a is to go"),
                ("reduce", "{owner}/{repo}", ("--to-bucket", ""), "o/a is where o/a is to go"),
                ("reduce", "{owner}/{repo}", ("--repo", "c", "--to-bucket", "x"), '"c" is not OWNER/REPO')):
            program = self.stage.run(f"maint-bucket-{tool}", "--repo", "o/a", "--repo", "o/b",
                                     "--from-prefix", f"file://{root}/{source}",
                                     *to[:-1], f"file://{root}/{to[-1]}")
            self.assertEqual(2, program.wait(), program.tail())
            self.assertIn(said, program.stderr)
            self.assertEqual("", program.stdout)
        self.assertEqual(["o"], os.listdir(root))

    def test_what_is_exported_for_other_tools_is_ignored(self):
        exported = {"MAINTNER_KUBECONFIG": "/nowhere", "MAINTNER_NAMESPACE": "mirror"}
        root = f"file://{self.stage.path('empty')}"
        for more, env, status, said in (((), exported, 1, "there is no log"),
                                        (("--namespace", "mirror"), {}, 2, "are for --kubernetes")):
            program = self.stage.run("maint-bucket-migrate", "--repo", "o/a", "--from-prefix", f"{root}/p-",
                                     "--to-prefix", f"{root}/q-", *more, env=env)
            self.assertEqual(status, program.wait(), program.tail())
            self.assertIn(said, program.stderr)

    def test_a_report_that_is_lost_is_no_success(self):
        command = [paths.program("maintmigrate"), "--source", f"file://{self.folder}", "--repo", "acme/repo-003",
                   "--dest", f"file://{self.dest}", "--scratch", self.stage.folder]
        with open("/dev/full", "wb") as full:
            program = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(1, program.returncode)
        self.assertIn("standard output cannot be written", program.stderr)

    def test_another_log_or_something_else_is_not_touched(self):
        foreign = os.path.join(self.dest, "acme/repo-001")
        os.makedirs(foreign)
        with open(os.path.join(foreign, "notes.txt"), "w", encoding="utf-8") as file:
            file.write("mine\n")
        other = os.path.join(self.dest, "acme/repo-002")
        many_logs.make(other, [("acme", "repo-002")], 50, seed=9)
        before = many_logs.digest_of(other)
        program = self.migrate(status=1)
        self.assertIn("notes.txt is no part of a log", program.stderr)
        self.assertIn("--append-verified", program.stderr)
        self.assertIn(f"{REPOSITORIES - 2} of {REPOSITORIES} repositories done", program.stdout)
        program = self.migrate("--append-verified", status=1)
        self.assertIn("is another than record 0 of the result", program.stderr)
        self.assertEqual(before, many_logs.digest_of(other))
        self.assertEqual(["notes.txt"], [name for name in os.listdir(foreign)
                                         if not name.startswith(".")])

    def test_a_beginning_is_gone_on_with_when_told_to(self):
        folder = os.path.join(self.dest, "acme/repo-004")
        segments = many_logs.Segments(folder)
        mine = [p for p in many_logs.payloads(self.folder)
                if many_logs._names_of(p)[0] == "acme/repo-004"]
        for payload in mine[:len(mine) // 2]:
            segments.add(payload)
        segments.close()
        self.migrate(status=1)
        # Its writer did not release it: while it lives it holds the lock.
        [segment] = [name for name in os.listdir(folder) if name.endswith(".mutlog")]
        with open(os.path.join(folder, "WRITER"), "w", encoding="ascii") as file:
            json.dump({"epoch": 1, "holder": "pod-7", "released": False, "lease_s": 300, "tail": {
                "number": 0, "size": os.path.getsize(os.path.join(folder, segment)),
                "sha224": segment[5:61]}}, file)
        with open(os.path.join(folder, ".maintner-lock.WRITER"), "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            program = self.migrate("--append-verified", "--repo", "acme/repo-004", status=1)
            self.assertIn("pod-7 holds the log; stop it first", program.stderr)
        program = self.migrate("--append-verified")
        self.assertEqual(1, program.stdout.count("gone on with"))
        self.assert_split()
        check_log(folder, allow_foreign=True)

    def test_kills_at_random_points_change_nothing_in_the_end(self):
        rng = seeded()
        began = time.monotonic()
        self.start("--dry-run").wait()
        length = 2 * (time.monotonic() - began)
        for _ in range(count_of(6, 40)):
            program = self.start()
            time.sleep(rng.random() * length)
            program.kill()
        self.migrate()
        self.assert_split()

    def test_what_a_killed_run_left_on_the_disk_is_removed_by_the_next(self):
        left = self.stage.path("maintmigrate-killed")
        os.mkdir(left, 0o700)
        with open(os.path.join(left, "0"), "wb") as file:
            file.write(b"records")
        program = self.migrate("--dry-run", "--repo", "acme/repo-003")
        self.assertIn("removed what 1 killed runs had left", program.stderr)
        self.assertEqual([], self.scratch())

    def scratch(self):
        return [name for name in os.listdir(self.stage.folder) if name.startswith("maintmigrate-")]

    def test_a_named_repository_without_records_is_not_done(self):
        with open(self.list, "w", encoding="utf-8") as file:
            json.dump({"repos": [{"repo": name, "is_tracking_issues": True}
                                 for name in ("acme/repo-003", "acme/none", "not a name")]}, file)
        program = self.migrate()
        self.assertIn("2 of 2 repositories done (without records: 1; "
                      "entries of the list skipped: 1)", program.stdout)
        for more in ((), ("--keep-git",), ("--dry-run",)):
            program = self.migrate("--repo", "acme/none", *more, status=1)
            self.assertIn(f"acme/none: file://{self.folder} has no records of it", program.stderr)
            self.assertIn("0 of 1 repositories done", program.stdout)
        self.assertFalse(os.path.exists(os.path.join(self.dest, "acme/none/WRITER")))

    def test_what_was_left_is_gone_on_with_however_the_source_is_spelled(self):
        self.migrate("--repo", "acme/repo-003")
        program = self.migrate("--repo", "acme/repo-003", source=f"file:///{self.folder}//")
        self.assertEqual(1, program.stdout.count("unchanged"))

    def test_two_at_once_do_not_mix(self):
        first, second = self.start(), self.start()
        for program in (first, second):  # either may find that the other one is at it
            if program.wait() != 0:
                self.assertRegex(program.stderr, "wrote to the log meanwhile|is being written by")
        self.assert_split()
        self.migrate()
        self.assert_split()

    def test_damage_in_the_source_is_told_with_its_place(self):
        broken = self.stage.path("broken")
        shutil.copytree(self.folder, broken)
        name = sorted(os.listdir(broken))[0]
        path = os.path.join(broken, name)
        with open(path, "r+b") as file:
            file.seek(1000)
            file.write(b"\xff\xff")
        program = self.stage.run("maintmigrate", "--source", f"file://{broken}",
                                 "--repos", f"file://{self.list}", "--dest", f"file://{self.dest}",
                                 "--scratch", self.stage.folder)
        self.assertEqual(1, program.wait(), program.tail())
        self.assertIn(name[:4], program.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.dest, "acme/repo-000")))

    def test_a_source_that_is_cut_off_is_told_with_its_place(self):
        cut = self.stage.path("cut")
        shutil.copytree(self.folder, cut)
        name = sorted(os.listdir(cut))[-1]
        os.truncate(os.path.join(cut, name), os.path.getsize(os.path.join(cut, name)) - 10)
        program = self.migrate(source=f"file://{cut}", status=1)
        self.assertRegex(program.stderr, f"file://{cut}: segment {name} offset 0x[0-9a-f]+: truncated")
        self.assertFalse(os.path.exists(self.dest))

    def test_memory_is_bounded(self):
        """Peak of the process itself, which does not grow with the log."""
        program = self.start()
        peak = 0
        while program.process.poll() is None:
            peak = max(peak, peak_mb(program.pid))
            time.sleep(0.01)
        self.assertEqual(0, program.process.returncode, program.tail())
        print(f"maintmigrate used {peak} MB", file=sys.stderr)
        if not is_sanitized("maintmigrate"):
            self.assertLess(peak, 100)


def peak_mb(pid):
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            return max((int(line.split()[1]) >> 10 for line in file if line.startswith("VmHWM")),
                       default=0)
    except OSError:
        return 0


def is_sanitized(program):
    with open(paths.program(program), "rb") as file:
        return b"__asan_init" in file.read()


class Bucket(Case):
    """The same into a bucket."""

    def setUp(self):
        super().setUp()
        self.folder = self.stage.path("monolith")
        many_logs.make(self.folder, LISTED[:4], 3000, seed=6)
        self.names = [f"{owner}/{repo}" for owner, repo in LISTED[:4]]
        self.want, _ = many_logs.split(self.folder, self.names)

    def start(self, gcs, *arguments, names=None, source=None, dest="gs://logs/root"):
        names = self.names if names is None else names
        return self.stage.run(
            "maintmigrate", "--source", source or f"file://{self.folder}", "--dest", dest,
            "--scratch", self.stage.folder,
            *(word for name in names for word in ("--repo", name)), *arguments,
            env={"STORAGE_EMULATOR_HOST": gcs.origin})

    def assert_split(self, gcs, names=None):
        for name in names or self.names:
            local = tempfile.mkdtemp(dir=self.stage.folder)
            for path in gcs.names("logs"):
                if path.startswith(f"root/{name}/"):
                    with open(os.path.join(local, path.split("/")[-1]), "wb") as file:
                        file.write(gcs.data("logs", path))
            self.assertEqual(self.want[name], many_logs.digest_of(local), name)

    def test_faults_of_the_bucket_are_overcome(self):
        with GcsDouble(buckets=["logs"], write_interval=0) as gcs:
            for op in ("insert", "list", "get", "delete"):
                gcs.fault(kind="status", status=503, op=op, times=2)
                gcs.fault(kind="reset_after", op=op, times=1)
            program = self.start(gcs)
            self.assertEqual(0, program.wait(120), program.tail())
            self.assert_split(gcs)

    def test_each_request_may_be_refused_done_or_not_and_a_rerun_ends_it(self):
        name = self.names[:1]
        with GcsDouble(buckets=["logs", "monolith"], write_interval=0) as gcs:
            for part in os.listdir(self.folder):
                with open(os.path.join(self.folder, part), "rb") as file:
                    gcs.put("monolith", part, file.read())
            self.assertEqual(0, self.start(gcs, names=name, source="gs://monolith").wait(60))
            count = len(gcs.attempts())
            self.assertGreaterEqual(count, 10)
            for nth in some_of(count):
                kinds = ("status", "lost_status")
                for kind in kinds if FULL else kinds[nth % 2:][:1]:
                    with self.subTest(nth=nth, kind=kind):
                        gcs.clear()
                        for there in gcs.names("logs"):
                            gcs.remove("logs", there)
                        gcs.fault(op="any", kind=kind, status=403, after=nth)
                        program = self.start(gcs, names=name, source="gs://monolith")
                        if program.wait(60) != 0:  # cleaning up may fail, the sync daemon's sweep does it then
                            self.assertIn("403", program.stderr)
                            program = self.start(gcs, names=name, source="gs://monolith")
                            self.assertEqual(0, program.wait(60), program.tail())
                        self.assert_read_back(gcs, name[0])

    def test_kills_at_random_points_leave_what_a_rerun_makes_whole(self):
        rng = seeded()
        with GcsDouble(buckets=["logs"], write_interval=0) as gcs:
            began = time.monotonic()
            self.assertEqual(0, self.start(gcs, "--dry-run").wait(60))
            length = 3 * (time.monotonic() - began)
            for _ in range(count_of(5, 60)):
                program = self.start(gcs)
                time.sleep(rng.random() * length)
                program.kill()
            program = self.start(gcs)
            self.assertEqual(0, program.wait(60), program.tail())
            for name in self.names:
                self.assert_read_back(gcs, name)

    def assert_read_back(self, gcs, name):
        """The log as its readers take it, beside which there may be what a kill left."""
        program = self.stage.run("maint-dump", "--log", "gs://logs/root", "--repo", name,
                                 env={"STORAGE_EMULATOR_HOST": gcs.origin})
        self.assertEqual(0, program.wait(60), program.tail())
        self.assertEqual(self.want[name][1], program.stdout.count("\n"))
        writer = json.loads(gcs.data("logs", f"root/{name}/WRITER"))
        self.assertTrue(writer["released"])
        tail = gcs.data("logs", f"root/{name}/0000.{writer['tail']['sha224']}.mutlog")
        folder = tempfile.mkdtemp(dir=self.stage.folder)
        with open(os.path.join(folder, "0000.mutlog"), "wb") as file:
            file.write(tail)
        self.assertEqual(self.want[name], many_logs.digest_of(folder))

    def test_the_source_may_be_in_a_bucket_with_what_interrupted_flushes_left(self):
        with GcsDouble(buckets=["logs", "monolith"], write_interval=0) as gcs:
            names = sorted(os.listdir(self.folder))
            with open(os.path.join(self.folder, names[0]), "rb") as file:
                first = file.read()
            # A tail from before it grew stands beside it, under the same number: the older one.
            end = list(records(first))[2][0]
            older = f"{names[0][:5]}{hashlib.sha224(first[:end]).hexdigest()}.mutlog"
            gcs.put("monolith", f"m/{older}", first[:end])
            for name in names:
                with open(os.path.join(self.folder, name), "rb") as file:
                    gcs.put("monolith", f"m/{name}", file.read())
            program = self.start(gcs, source="gs://monolith/m")
            self.assertEqual(0, program.wait(60), program.tail())
            self.assert_split(gcs)

    def test_places_that_are_not_there_are_told_before_the_source_is_read(self):
        some = hashlib.sha224(self.names[0].encode()).hexdigest()
        with GcsDouble(buckets=["monolith", f"mtr-p-{some}"], write_interval=0) as gcs:
            for name in os.listdir(self.folder):
                with open(os.path.join(self.folder, name), "rb") as file:
                    gcs.put("monolith", name, file.read())
            program = self.start(gcs, source="gs://monolith", dest="gs://mtr-p-{sha}", names=self.names[1:])
            self.assertEqual(1, program.wait(60), program.tail())
            self.assertEqual(3, program.stderr.count("The specified bucket does not exist"))
            self.assertEqual([], gcs.attempts("get"))
            self.assertIn("0 of 3 repositories done", program.stdout)
            program = self.start(gcs, source="gs://monolith", dest="gs://mtr-p-{sha}")
            self.assertEqual(1, program.wait(60), program.tail())
            self.assertIn("1 of 4 repositories done", program.stdout)
            self.assertEqual(3, program.stdout.count("failed"))
            self.assertIn("WRITER", gcs.names(f"mtr-p-{some}"))

    def put_half(self, gcs, name, lease_s):
        """Half of a result, as pod-7 left it: the WRITER."""
        half = many_logs.Segments(self.stage.path("half"))
        mine = [p for p in many_logs.payloads(self.folder) if many_logs._names_of(p)[0] == name]
        for payload in mine[:len(mine) // 2]:
            half.add(payload)
        half.close()
        segment = os.listdir(half.folder)[0]
        with open(os.path.join(half.folder, segment), "rb") as file:
            data = file.read()
        writer = json.dumps({"epoch": 1, "holder": "pod-7", "released": False, "lease_s": lease_s,
                             "tail": {"number": 0, "size": len(data), "sha224": segment[5:61]}})
        gcs.put("logs", f"root/{name}/{segment}", data)
        gcs.put("logs", f"root/{name}/WRITER", writer.encode())
        return segment, writer.encode()

    def test_what_a_killed_flush_left_is_no_hindrance(self):
        name = self.names[0]
        with GcsDouble(buckets=["logs"], write_interval=0) as gcs:
            segment, writer = self.put_half(gcs, name, lease_s=1)
            gcs.put("logs", f"root/{name}/WRITER", writer.replace(b"false", b"true"))
            gcs.put("logs", f"root/{name}/{segment}.4711.delta", b"the end of it")
            gcs.put("logs", f"root/{self.names[1]}/{segment}.4711.delta", b"nothing but this")
            program = self.start(gcs, "--append-verified", names=self.names[:2])
            self.assertEqual(0, program.wait(60), program.tail())
            self.assert_split(gcs, self.names[:2])
            gcs.put("logs", f"root/{name}/mine.delta", b"something else")
            program = self.start(gcs, names=[name])
            self.assertEqual(1, program.wait(60), program.tail())
            self.assertIn("mine.delta is no part of a log", program.stderr)

    def test_a_holder_that_died_is_waited_for_and_one_that_lives_is_told(self):
        name = self.names[0]
        with GcsDouble(buckets=["logs"], write_interval=0) as gcs:
            _, writer = self.put_half(gcs, name, lease_s=2)
            program = self.start(gcs, "--append-verified", "--dry-run", names=[name])
            self.assertEqual(1, program.wait(60), program.tail())
            self.assertIn("pod-7 holds the log, or died", program.stderr)
            program = self.start(gcs, "--append-verified", names=[name])
            while f"{name}: pod-7 did not release the log: waiting 2 s" not in program.stderr:
                self.assertIsNone(program.process.poll(), program.tail())
                time.sleep(0.02)
            gcs.put("logs", f"root/{name}/WRITER", writer.replace(b'"lease_s": 2', b'"lease_s": 1'))
            self.assertEqual(1, program.wait(60), program.tail())
            self.assertIn("is being written by pod-7", program.stderr)
            self.assertIn("1 of 1 repositories, 0 MB written", program.stderr)
            program = self.start(gcs, "--append-verified", names=[name])
            self.assertEqual(0, program.wait(60), program.tail())
            self.assertEqual(1, program.stdout.count("gone on with"))
            self.assert_split(gcs, [name])

    def test_a_signal_stops_all_writers_and_leaves_no_scratch(self):
        for sign in (signal.SIGINT, signal.SIGTERM):
            with GcsDouble(buckets=["logs"], write_interval=0) as gcs:
                gcs.fault(kind="stall", op="insert", delay_s=0.5, times=-1)
                program = self.start(gcs)
                wait_until(lambda: gcs.attempts("insert"), program.tail)
                program.process.send_signal(sign)
                self.assertEqual(1, program.wait(20), program.tail())
                self.assertIn("0 of 4 repositories done", program.stdout)
                self.assertIn("4 repositories were not done", program.stderr)
            self.assertEqual([], [name for name in os.listdir(self.stage.folder)
                                  if name.startswith("maintmigrate-")])

    def test_of_two_at_once_the_fence_stops_one(self):
        with GcsDouble(buckets=["logs"], write_interval=0) as gcs:
            for program in [self.start(gcs), self.start(gcs)]:
                if program.wait(120) != 0:
                    self.assertRegex(program.stderr, "wrote to the log meanwhile|was taken over by")
            program = self.start(gcs)
            self.assertEqual(0, program.wait(120), program.tail())
            self.assert_split(gcs)


if __name__ == "__main__":
    unittest.main(verbosity=2)
