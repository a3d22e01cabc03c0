"""Logs are moved between buckets: one for each repository, or all in one."""

import hashlib
import json
import os
import time
import unittest

import paths  # makes the doubles importable
import many_logs
from gcs_double.client import GcsDouble
from harness import FULL, Case, count_of, seeded, some_of, wait_until

NAMES = ["acme/widgets", "Acme/gadgets", "other/.github"]


def sha(name):
    return hashlib.sha224(name.encode()).hexdigest()


def fence(holder, released, folder):
    """A commit record of the one segment that stands in a folder."""
    name = next(n for n in os.listdir(folder) if n.endswith(".mutlog"))
    size = os.path.getsize(os.path.join(folder, name))
    return json.dumps({"epoch": 1, "holder": holder, "released": released, "lease_s": 300,
                       "tail": {"number": 0, "size": size, "sha224": name[5:61]}})


class LogsCase(Case):
    def setUp(self):
        super().setUp()
        self.root = self.stage.path("buckets")
        self.list = self.stage.path("repos.json")
        self.write_list(NAMES)
        for name in NAMES:
            self.make(name)

    def write_list(self, names):
        with open(self.list, "w", encoding="utf-8") as file:
            json.dump({"repos": [{"repo": name, "is_tracking_issues": True} for name in names]}, file)

    def make(self, name, seed=1, holder="pod", released=True):
        folder = f"{self.root}/mtr-p-{sha(name)}"
        many_logs.make(folder, [tuple(name.split("/"))], 200, seed=seed)
        with open(os.path.join(folder, "WRITER"), "w", encoding="ascii") as file:
            file.write(fence(holder, released, folder))
        return folder

    def run_tool(self, tool, *arguments, status=0):
        program = self.start(tool, *arguments)
        self.assertEqual(status, program.wait(60), program.tail())
        return program

    def start(self, tool, *arguments):
        to = {"maint-bucket-migrate": ("--to-prefix", f"file://{self.root}/mtr-q-"),
              "maint-bucket-reduce": ("--to-bucket", f"file://{self.root}/all")}[tool]
        return self.stage.run(tool, "--repos", f"file://{self.list}",
                              "--from-prefix", f"file://{self.root}/mtr-p-", *to, *arguments)

    def objects(self, folder):
        """{name: bytes}, without what a store keeps for itself."""
        found = {}
        for name in os.listdir(folder) if os.path.isdir(folder) else []:
            if not name.startswith(".maintner-"):
                with open(os.path.join(folder, name), "rb") as file:
                    found[name] = file.read()
        return found

    def source(self, name):
        return self.objects(f"{self.root}/mtr-p-{sha(name)}")

    def moved(self, name):
        return self.objects(f"{self.root}/mtr-q-{sha(name)}")


class BucketTools(LogsCase):
    def test_each_log_is_copied_object_by_object(self):
        program = self.run_tool("maint-bucket-migrate")
        self.assertIn("3 of 3 repositories done", program.stdout)
        for name in NAMES:
            self.assertEqual(2, len(self.source(name)))
            self.assertEqual(self.source(name), self.moved(name))
        again = self.run_tool("maint-bucket-migrate")
        for name in NAMES:
            self.assertEqual(self.source(name), self.moved(name))
        self.assertEqual(3, again.stdout.count(" segments"))

    def test_logs_are_gathered_under_their_names(self):
        self.run_tool("maint-bucket-reduce")
        for name in NAMES:
            self.assertEqual(self.source(name), self.objects(f"{self.root}/all/{name}"))

    def test_a_log_that_is_being_written_stays_where_it_is(self):
        self.make(NAMES[0], holder="pod-7", released=False)
        program = self.run_tool("maint-bucket-migrate", status=1)
        self.assertIn("pod-7 holds the log at", program.stderr)
        self.assertEqual({}, self.moved(NAMES[0]))
        self.assertEqual(self.source(NAMES[1]), self.moved(NAMES[1]))
        self.assertIn("2 of 3 repositories done", program.stdout)

    def test_what_is_there_is_kept_unless_it_is_to_be_replaced(self):
        other = f"{self.root}/mtr-q-{sha(NAMES[0])}"
        many_logs.make(other, [("acme", "widgets")], 10, seed=8)
        before = self.objects(other)
        program = self.run_tool("maint-bucket-migrate", status=1)
        self.assertIn("none of this log's", program.stderr)
        self.assertEqual(before, self.objects(other))
        self.run_tool("maint-bucket-migrate", "--replace")
        self.assertEqual(self.source(NAMES[0]), self.objects(other))
        with open(os.path.join(other, "mine.txt"), "w", encoding="ascii") as file:
            file.write("not a log")
        program = self.run_tool("maint-bucket-migrate", "--replace", status=1)
        self.assertIn("mine.txt is no part of a log", program.stderr)

    def test_a_log_that_is_being_written_is_not_replaced(self):
        other = f"{self.root}/mtr-q-{sha(NAMES[0])}"
        many_logs.make(other, [("acme", "widgets")], 10, seed=8)
        with open(os.path.join(other, "WRITER"), "w", encoding="ascii") as file:
            file.write(fence("pod-9", False, other))
        before = self.objects(other)
        for arguments in ((), ("--replace",)):
            program = self.run_tool("maint-bucket-migrate", *arguments, status=1)
            self.assertIn("pod-9 holds the log at", program.stderr)
            self.assertEqual(before, self.objects(other))

    def test_a_dry_run_changes_nothing(self):
        program = self.run_tool("maint-bucket-migrate", "--dry-run")
        self.assertEqual(3, program.stdout.count("to be copied"))
        self.assertEqual({}, self.moved(NAMES[0]))

    def test_damage_is_found(self):
        folder = f"{self.root}/mtr-p-{sha(NAMES[1])}"
        path = os.path.join(folder, next(n for n in os.listdir(folder) if n.endswith("mutlog")))
        with open(path, "r+b") as file:
            file.seek(30)
            file.write(b"\0")
        program = self.run_tool("maint-bucket-migrate", status=1)
        self.assertIn("the copy is not what its name says", program.stderr)
        # Without its commit record the copy is an unfinished one.
        self.assertNotIn("WRITER", self.moved(NAMES[1]))

    def test_kills_at_random_points_change_nothing_in_the_end(self):
        rng = seeded()
        for _ in range(count_of(10, 100)):
            program = self.start("maint-bucket-migrate")
            time.sleep(rng.random() * 0.2)
            program.kill()
        self.run_tool("maint-bucket-migrate")
        for name in NAMES:
            self.assertEqual(self.source(name), self.moved(name))

    def test_buckets_that_misbehave(self):
        names = [f"mtr-{letter}-{sha(name)}" for letter in "pq" for name in NAMES]
        with GcsDouble(buckets=names, write_interval=0) as gcs:
            for name in NAMES:
                for object_name, data in self.source(name).items():
                    gcs.put(f"mtr-p-{sha(name)}", object_name, data)
            for op in ("rewrite", "list", "get", "stat"):
                gcs.fault(kind="status", status=503, op=op, times=2)
                gcs.fault(kind="reset_after", op=op, times=1)
            program = self.stage.run(
                "maint-bucket-migrate", "--repos", f"file://{self.list}",
                "--from-prefix", "gs://mtr-p-", "--to-prefix", "gs://mtr-q-",
                env={"STORAGE_EMULATOR_HOST": gcs.origin})
            self.assertEqual(0, program.wait(120), program.tail())
            for name in NAMES:
                for object_name, data in self.source(name).items():
                    self.assertEqual(data, gcs.data(f"mtr-q-{sha(name)}", object_name))


class States(LogsCase):
    """What stands at either end, and what a copy makes of it."""

    def setUp(self):
        super().setUp()
        self.name = NAMES[0]
        self.write_list([self.name])
        self.folder = f"{self.root}/mtr-p-{sha(self.name)}"
        self.other = f"{self.root}/mtr-q-{sha(self.name)}"

    def write(self, folder, name, data, age_s=0):
        path = os.path.join(folder, name)
        with open(path, "wb") as file:
            file.write(data)
        os.utime(path, (time.time() - age_s,) * 2)

    def segment(self, number, data):
        return f"{number:04}.{hashlib.sha224(data).hexdigest()}.mutlog"

    def grow(self, folder, more):
        """The tail as the next flush leaves it; WRITER names it."""
        (old, data), = [(n, d) for n, d in self.objects(folder).items() if n.endswith(".mutlog")]
        os.unlink(os.path.join(folder, old))
        self.write(folder, self.segment(0, data + more), data + more)
        self.write(folder, "WRITER", fence("pod", True, folder).encode())

    def copy(self, *arguments, status=0):
        return self.run_tool("maint-bucket-migrate", *arguments, status=status)

    def assert_kept(self, before, *words, replace=True):
        """Refused, with and without --replace, and nothing has changed at the destination."""
        for arguments in ((), ("--replace",))[:2 if replace else 1]:
            program = self.copy(*arguments, status=1)
            for word in words:
                self.assertIn(word, program.stderr)
            self.assertEqual(before, self.moved(self.name))

    def test_of_two_objects_with_one_number_the_log_is_copied(self):
        os.unlink(os.path.join(self.folder, "WRITER"))
        (old, data), = self.source(self.name).items()
        for i in range(4):  # names in any order
            grown = data + b"%d" % i
            self.write(self.folder, self.segment(0, grown), grown, age_s=100 - i)
            os.utime(os.path.join(self.folder, old), (time.time() - 1000,) * 2)
            self.copy("--replace")
            self.assertEqual({self.segment(0, grown): grown}, self.moved(self.name))

    def test_what_is_no_readable_log_is_not_copied(self):
        before = self.source(self.name)
        self.copy()
        (segment, data), = [(n, d) for n, d in before.items() if n != "WRITER"]
        os.unlink(os.path.join(self.folder, segment))
        self.assert_kept(before, "number 0000 is missing")
        os.unlink(os.path.join(self.folder, "WRITER"))
        self.write(self.folder, self.segment(1, data), data)
        self.assert_kept(before, "number 0000 is missing")

    def test_nothing_is_replaced_by_a_damaged_log(self):
        many_logs.make(self.other, [("acme", "widgets")], 10, seed=8)
        before = self.moved(self.name)
        (segment, data), = [(n, d) for n, d in self.source(self.name).items() if n != "WRITER"]
        self.write(self.folder, segment, data[:-1] + b"!")
        program = self.copy("--replace", status=1)
        self.assertIn("nothing is replaced", program.stderr)
        self.assertEqual(before, self.moved(self.name))

    def test_a_log_that_has_grown_is_caught_up_with(self):
        self.copy()
        self.grow(self.folder, b"more")
        program = self.copy()
        self.assertIn("2 copied, 2 deleted", program.stdout)
        self.assertEqual(self.source(self.name), self.moved(self.name))

    def test_a_copy_that_has_gone_on_is_never_replaced(self):
        self.copy()
        self.grow(self.other, b"written there")
        self.assert_kept(self.moved(self.name), "none of this log's", replace=False)
        before = self.moved(self.name)
        program = self.copy("--replace", status=1)
        self.assertIn("has gone on since", program.stderr)
        self.assertEqual(before, self.moved(self.name))

    def test_what_an_interrupted_flush_left_is_no_part_of_it(self):
        before = self.source(self.name)
        segment = next(n for n in before if n != "WRITER")
        self.write(self.folder, f"{segment}.123.delta", b"delta")
        self.copy()
        self.assertEqual(before, self.moved(self.name))
        self.write(self.other, f"{segment}.123.delta", b"delta")
        self.copy()
        self.assertEqual(before, self.moved(self.name))

    def test_a_holder_that_is_long_dead_is_not_waited_for(self):
        self.write(self.folder, "WRITER", fence("dead", False, self.folder).encode(), age_s=2 * 86400)
        self.copy("--dry-run")
        self.assertFalse(json.loads(self.source(self.name)["WRITER"])["released"])
        self.copy()
        self.assertTrue(json.loads(self.source(self.name)["WRITER"])["released"])
        self.assertEqual(self.source(self.name), self.moved(self.name))

    def test_what_was_damaged_at_the_destination_is_copied_anew(self):
        self.copy()
        segment, data = next((n, d) for n, d in self.moved(self.name).items() if n != "WRITER")
        self.write(self.other, segment, data[:-1] + b"!")
        self.copy()
        self.assertEqual(self.source(self.name), self.moved(self.name))

    def test_a_copy_that_is_finished_stays_as_it_is(self):
        self.copy()
        before = os.stat(os.path.join(self.other, "WRITER"))
        program = self.copy()
        self.assertIn("unchanged", program.stdout)
        after = os.stat(os.path.join(self.other, "WRITER"))
        self.assertEqual((before.st_ino, before.st_mtime_ns), (after.st_ino, after.st_mtime_ns))

    def test_what_comes_from_elsewhere_meanwhile_is_told_and_not_mixed_with(self):
        with GcsDouble(buckets=[f"mtr-{letter}-{sha(self.name)}" for letter in "pq"], write_interval=0) as gcs:
            for name, data in self.source(self.name).items():
                gcs.put(f"mtr-p-{sha(self.name)}", name, data)
            gcs.fault(kind="stall", op="rewrite", delay_s=1)
            program = self.stage.run(
                "maint-bucket-migrate", "--repos", f"file://{self.list}", "--from-prefix", "gs://mtr-p-",
                "--to-prefix", "gs://mtr-q-", env={"STORAGE_EMULATOR_HOST": gcs.origin})
            wait_until(lambda: gcs.attempts("rewrite"), program.tail)
            stranger = self.segment(0, b"of another log")
            gcs.put(f"mtr-q-{sha(self.name)}", stranger, b"of another log")
            self.assertEqual(1, program.wait(60), program.tail())
            self.assertIn(f"somebody else writes there: {stranger}", program.stderr)
            self.assertEqual([stranger], gcs.names(f"mtr-q-{sha(self.name)}"))


TOOLS = ("maint-bucket-migrate", "maint-bucket-reduce")


class Interrupted(LogsCase):
    """One repository, in buckets that refuse on command, with rivals, and killed."""

    def setUp(self):
        super().setUp()
        self.name = NAMES[0]
        self.write_list([self.name])

    def buckets(self):
        gcs = GcsDouble(buckets=["all", *(f"mtr-{letter}-{sha(self.name)}" for letter in "pq")], write_interval=0)
        self.addCleanup(gcs.stop)
        for name, data in self.source(self.name).items():
            gcs.put(f"mtr-p-{sha(self.name)}", name, data)
        return gcs

    def start_there(self, gcs, tool):
        to = {TOOLS[0]: ("--to-prefix", "gs://mtr-q-"), TOOLS[1]: ("--to-bucket", "gs://all")}[tool]
        return self.stage.run(tool, "--repos", f"file://{self.list}", "--from-prefix", "gs://mtr-p-", *to,
                              env={"STORAGE_EMULATOR_HOST": gcs.origin})

    def there(self, gcs, tool):
        bucket, prefix = (f"mtr-q-{sha(self.name)}", "") if tool == TOOLS[0] else ("all", f"{self.name}/")
        return {name.removeprefix(prefix): gcs.data(bucket, name) for name in gcs.names(bucket)}

    def assert_unfinished_or_whole(self, there):
        """No WRITER before all that it names is there."""
        if "WRITER" in there:
            self.assertEqual(self.source(self.name), there)

    def test_each_request_may_be_refused_done_or_not_and_a_rerun_ends_it(self):
        for tool in TOOLS:
            gcs = self.buckets()
            self.assertEqual(0, self.start_there(gcs, tool).wait(60))
            count = len(gcs.attempts())
            self.assertGreaterEqual(count, 6)
            for nth in some_of(count):
                kinds = ("status", "lost_status")
                for kind in kinds if FULL else kinds[(nth + TOOLS.index(tool)) % 2:][:1]:
                    with self.subTest(tool=tool, nth=nth, kind=kind):
                        gcs = self.buckets()
                        gcs.fault(op="any", kind=kind, status=403, after=nth)
                        program = self.start_there(gcs, tool)
                        self.assertEqual(1, program.wait(60), program.tail())
                        self.assertIn("403", program.stderr)
                        self.assertIn("0 of 1 repositories done", program.stdout)
                        self.assert_unfinished_or_whole(self.there(gcs, tool))
                        program = self.start_there(gcs, tool)
                        self.assertEqual(0, program.wait(60), program.tail())
                        self.assertEqual(self.source(self.name), self.there(gcs, tool))

    def test_kills_leave_nothing_that_is_half_a_log(self):
        rng = seeded()
        for tool in TOOLS:
            for _ in range(count_of(4, 60)):
                gcs = self.buckets()
                program = self.start_there(gcs, tool)
                time.sleep(rng.random() * 0.3)
                program.kill()
                self.assert_unfinished_or_whole(self.there(gcs, tool))
                program = self.start_there(gcs, tool)
                self.assertEqual(0, program.wait(60), program.tail())
                self.assertEqual(self.source(self.name), self.there(gcs, tool))

    def test_two_at_once_to_one_place_end_in_one_whole_log(self):
        for tool in TOOLS:
            for _ in range(count_of(3, 30)):
                gcs = self.buckets()
                for program in [self.start_there(gcs, tool), self.start_there(gcs, tool)]:
                    if program.wait(60) != 0:
                        self.assertIn("somebody else writes there", program.stderr)
                    self.assert_unfinished_or_whole(self.there(gcs, tool))
                self.assertEqual(0, self.start_there(gcs, tool).wait(60))
                self.assertEqual(self.source(self.name), self.there(gcs, tool))

    def dump(self, *where, env=None):
        program = self.stage.run("maint-dump", *where, env=env)
        self.assertEqual(0, program.wait(60), program.tail())
        return [json.loads(line)["mutation"] for line in program.stdout.splitlines()]

    def test_of_a_copy_and_a_migration_to_one_place_one_is_stopped(self):
        other = self.stage.path("other")
        many_logs.make(other, [tuple(self.name.split("/"))], 300, seed=4)
        copied = self.dump("--log-exact", f"file://{self.root}/mtr-p-{sha(self.name)}")
        written = [m for m in self.dump("--log-exact", f"file://{other}") if "githubIssue" in m or "github" in m]
        for nth in range(count_of(4, 40)):
            gcs = self.buckets()
            env = {"STORAGE_EMULATOR_HOST": gcs.origin}
            migration = ("maintmigrate", "--source", f"file://{other}", "--repo", self.name, "--dest", "gs://all",
                         "--scratch", self.stage.folder)
            if nth % 2:
                copy, migrate = self.start_there(gcs, TOOLS[1]), self.stage.run(*migration, env=env)
            else:
                migrate, copy = self.stage.run(*migration, env=env), self.start_there(gcs, TOOLS[1])
            done = [program.wait(60) == 0 for program in (copy, migrate)]
            self.assertNotEqual([True, True], done, copy.tail() + migrate.tail())
            if any(done):
                there = self.dump("--log", "gs://all", "--repo", self.name, env=env)
                self.assertEqual(copied if done[0] else written, there)


if __name__ == "__main__":
    unittest.main(verbosity=2)
