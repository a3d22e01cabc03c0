"""Nothing is lost and nothing doubled, whenever the sync daemon dies.

The repositories do not change here, so that the log must tell each object
exactly once, however often the daemon was killed while it wrote.
"""

import json
import os
import re
import shutil
import signal
import time
import unittest

import harness
import paths
import recordings
from expected_answer import load_recording
from harness import Case, Mirror, count_of, seeded, wait_until
from log_contents import doubled_or_lost

CRASH_STATUS = 137
# Passed only with a store that can compose objects, which a folder cannot.
COMPOSING = {"mlog_flush.delta", "mlog_flush.composed"}


class KillCase(Case):
    def open(self, folder, options=()):
        """A recording's double, and an empty mirror of it."""
        self.folder = folder
        self.source = load_recording(folder)
        self.double = self.stage.double(folder, options=options)
        return Mirror(self.stage, self.source["repo"], self.double.url)

    def empty(self):
        return Mirror(self.stage, self.source["repo"], self.double.url)

    def assert_whole(self, mirror, once=True):
        """Answers, log and snapshot are those of an undisturbed run."""
        self.assert_mirrors(self.source, mirror.answers())
        mirror.check_log()
        mirror.verify()
        if once:
            found = doubled_or_lost(mirror.log_folder, self.source)
            self.assertEqual([], found[:20], f"{len(found)} records")


class Kill(KillCase):
    """SIGKILL at random moments of a first sync."""

    def kill_at_random(self, folder, runs, rng):
        mirror = self.open(folder)
        length = min(self.timed(self.empty()), self.timed(mirror))
        undisturbed = mirror.answers()
        self.assert_whole(mirror)
        killed = 0
        for run in range(runs):
            mirror = self.empty()
            deaths = 1 if run % 2 == 0 else rng.randint(2, 5)
            moments = [rng.uniform(0, length / deaths * 1.1) for _ in range(deaths)]
            with self.subTest(run=run, moments=moments):
                for moment in moments:
                    program = mirror.start_sync("--once")
                    time.sleep(moment)
                    killed += program.process.poll() is None
                    program.kill()
                mirror.sync()
                self.assertEqual(undisturbed, mirror.answers())
                self.assert_whole(mirror)
            shutil.rmtree(mirror.folder)
        print(f"{self.source['repo']}: {killed} kills in {runs} syncs of {length:.1f} s",
              flush=True)

    def timed(self, mirror):
        began = time.monotonic()
        mirror.sync()
        return time.monotonic() - began

    def test_a_made_repository(self):
        self.kill_at_random(recordings.made(), count_of(5, 50), seeded())

    def test_a_recorded_repository(self):
        names = [name for name in recordings.shared_archives() if "quic-v2" in name]
        if not names:
            self.skipTest("no recorded repositories here")
        self.kill_at_random(recordings.shared(names[0]), count_of(5, 50), seeded())


def crash_points():
    """The names that the sources give to fault_point(), where a log in a folder passes."""
    names = set()
    for folder in ("base", "mutation-log", "lmdb-schema", "sync"):
        for base, _folders, files in os.walk(os.path.join(paths.ROOT, folder)):
            for name in files:
                if name.endswith(".c"):
                    with open(os.path.join(base, name), encoding="utf-8") as file:
                        names.update(re.findall(r'fault_point\("([^"]+)"\)', file.read()))
    return sorted(names - COMPOSING)


class CrashPoints(KillCase):
    """The places at which a crash is hardest to recover from, one by one."""

    def test_every_point(self):
        self.open(recordings.made(issues=20, pulls=10))
        most = count_of(2, 12)
        crashed = set()
        for name in crash_points():
            for nth in range(1, most + 1):
                mirror = self.empty()
                with self.subTest(point=name, nth=nth):
                    program = mirror.start_sync(
                        "--once", env={"MAINTNER_CRASH_AT": f"{name}:{nth}"})
                    status = program.wait()
                    self.assertIn(status, (0, CRASH_STATUS), program.tail())
                    if status == CRASH_STATUS:
                        crashed.add(name)
                        mirror.sync()
                    self.assert_whole(mirror)
                shutil.rmtree(mirror.folder)
        if not crashed:
            self.skipTest("built without crash points (MAINTNER_FAULTS)")
        self.assertEqual(set(crash_points()), crashed)

    def test_crashes_in_a_row(self):
        self.open(recordings.made(issues=20, pulls=10))
        rng = seeded()
        points = crash_points()
        for _ in range(count_of(3, 30)):
            mirror = self.empty()
            chosen = [f"{rng.choice(points)}:{rng.randint(1, 3)}" for _ in range(4)]
            with self.subTest(chosen=chosen):
                for point in chosen:
                    mirror.start_sync("--once", env={"MAINTNER_CRASH_AT": point}).wait()
                mirror.sync()
                self.assert_whole(mirror)


class LostFiles(KillCase):
    """One of the two, log and snapshot, is lost or damaged."""

    def test_the_snapshot_is_lost_after_a_sync(self):
        mirror = self.open(recordings.made())
        mirror.sync()
        shutil.rmtree(mirror.snapshot)
        number = self.source["issues"][0]["number"]
        self.double.edit(mirror.repo, "edit_title", number=number, title="after the loss")
        program = mirror.sync()
        self.assertTrue(program.log_with(severity="WARNING",
                                         message=lambda text: "made from the log" in text),
                        program.tail())
        self.assert_mirrors(self.double.state(mirror.repo), mirror.answers())
        mirror.check_log()
        mirror.verify()

    def test_the_snapshot_is_lost_in_the_middle_of_a_first_sync(self):
        mirror = self.open(recordings.made())
        self.double.fault(match="graphql", kind="status", status=404, times=-1)
        self.double.fault(match="", kind="slow", delay_s=0.02, times=-1)
        program = mirror.start_sync("--once")
        wait_until(lambda: self.double.counts()["reviews"] > 5, program.tail)
        self.assertEqual(0, program.stop())  # what was mirrored is flushed
        self.assertGreater(mirror.log_bytes(), 0)
        shutil.rmtree(mirror.snapshot)
        self.double.clear_faults()
        mirror.sync()
        self.assert_whole(mirror)

    def test_the_log_is_lost(self):
        mirror = self.open(recordings.made())
        mirror.sync()
        shutil.rmtree(mirror.log_folder)
        program = mirror.sync()
        self.assertTrue(program.log_with(severity="WARNING",
                                         message=lambda text: "disagree" in text),
                        program.tail())
        self.assert_whole(mirror)

    def test_a_log_cut_short_wins_over_the_snapshot(self):
        """A log restored from an older copy: the snapshot follows it, then GitHub."""
        mirror = self.open(recordings.made())
        mirror.sync()
        shutil.copytree(mirror.log_folder, mirror.log_folder + ".old")
        number = self.source["issues"][0]["number"]
        for text in ("one", "two"):
            self.double.edit(mirror.repo, "edit_body", number=number, body=text)
            mirror.sync()
        shutil.rmtree(mirror.log_folder)
        os.rename(mirror.log_folder + ".old", mirror.log_folder)
        mirror.sync()
        self.assert_mirrors(self.double.state(mirror.repo), mirror.answers())
        mirror.check_log()
        mirror.verify()

    def test_a_damaged_snapshot_is_told_and_made_anew(self):
        first = self.open(recordings.made())
        first.sync()
        for name, damage in self.damages().items():
            mirror = first.copy()
            with self.subTest(damage=name):
                path = os.path.join(mirror.snapshot, "current", "data.mdb")
                with open(path, "r+b") as file:
                    damage(file)
                program = mirror.sync()
                told = program.log_with(severity="WARNING")
                self.assertTrue([line for line in told if "snapshot" in line["message"]],
                                program.tail())
                self.assert_whole(mirror)

    def damages(self):
        def emptied(file):
            file.truncate(0)

        def not_lmdb(file):
            file.write(b"this is no database" * 1000)

        def zeroed_meta(file):
            file.write(b"\0" * 8192)
        return {f.__name__: f for f in (emptied, not_lmdb, zeroed_meta)}

    def test_a_truncated_snapshot_is_made_anew(self):
        mirror = self.open(recordings.made())
        mirror.sync()
        path = os.path.join(mirror.snapshot, "current", "data.mdb")
        os.truncate(path, os.path.getsize(path) // 2 // 4096 * 4096)
        mirror.sync()
        self.assert_whole(mirror)

    def test_flipped_bytes_after_an_unclean_stop(self):
        """A start after a kill checks every row; only then does a flipped bit show."""
        first = self.open(recordings.made())
        first.sync()
        needle = max((i["title"] for i in self.source["issues"] if i["title"].isascii()),
                     key=len).encode()
        program = first.start_sync("--interval", "3600")
        wait_until(lambda: program.log_with(message="round finished"), program.tail)
        program.kill()
        mirror = first.copy()
        path = os.path.join(mirror.snapshot, "current", "data.mdb")
        with open(path, "r+b") as file:
            data = file.read()
            at = data.find(needle)
            self.assertGreater(at, 0, "a title stands in the snapshot as it is")
            while at >= 0:
                file.seek(at)
                file.write(bytes([needle[0] ^ 1]))
                at = data.find(needle, at + 1)
        program = mirror.sync()
        self.assertTrue(program.log_with(severity="WARNING",
                                         message=lambda text: "made anew" in text),
                        program.tail())
        self.assert_whole(mirror)

    def test_a_damaged_log_is_named_with_its_place(self):
        mirror = self.open(recordings.made())
        mirror.sync()
        name = next(n for n in os.listdir(mirror.log_folder) if n.endswith(".mutlog"))
        with open(os.path.join(mirror.log_folder, name), "r+b") as file:
            file.seek(os.path.getsize(file.name) // 2)
            file.write(b"\xff\xff\xff\xff")
        shutil.rmtree(mirror.snapshot)
        program = mirror.start_sync("--once")
        self.assertEqual(1, program.wait(), program.tail())
        errors = program.log_with(severity="ERROR")
        self.assertTrue(errors, program.tail())
        self.assertIn(name, errors[-1]["error"])


class Holders(KillCase):
    def slow_sync(self):
        mirror = self.open(recordings.made())
        self.double.fault(match="", kind="slow", delay_s=0.03, times=-1)
        program = mirror.start_sync("--once")
        wait_until(lambda: self.double.counts()["total"] > 10, program.tail)
        return mirror, program

    def test_a_second_writer_is_refused_and_told_who_holds_the_log(self):
        mirror, first = self.slow_sync()
        second = mirror.start_sync("--once")
        self.assertEqual(1, second.wait(10), second.tail())
        errors = second.log_with(severity="ERROR")
        self.assertTrue(errors, second.tail())
        with open(os.path.join(mirror.log_folder, "WRITER"), encoding="utf-8") as file:
            holder = json.load(file)["holder"]
        self.assertTrue(holder)
        self.assertIn(holder, errors[-1]["error"])
        # With a snapshot of its own the log is still the same.
        other = Mirror(self.stage, mirror.repo, mirror.url)
        shutil.rmtree(other.log_root)
        other.log_root, other.log_folder = mirror.log_root, mirror.log_folder
        third = other.start_sync("--once")
        self.assertEqual(1, third.wait(10), third.tail())
        self.assertIn(holder, third.log_with(severity="ERROR")[-1]["error"])
        self.double.clear_faults()
        self.assertEqual(0, first.wait(), first.tail())
        self.assert_whole(mirror)

    def test_sigterm_in_a_first_sync_is_quick_and_the_next_start_goes_on(self):
        whole = self.open(recordings.made(3, 300, 40, comments=600, events=600))
        whole.sync()
        total = self.double.counts()["total"]
        moments = ("issues", "pulls", "comments", "review_comments", "graphql")
        for moment in moments if harness.FULL else ("comments", "graphql"):
            mirror = self.empty()
            self.double.reset_counts()
            self.double.fault(match="", kind="slow", delay_s=0.05, times=-1)
            program = mirror.start_sync("--once")
            wait_until(lambda: self.double.counts()[moment] >= 2, program.tail)
            began = time.monotonic()
            self.assertEqual(0, program.stop(5), program.tail())
            self.assertLess(time.monotonic() - began, 5)
            self.double.clear_faults()
            done = self.double.counts()["total"]
            self.double.reset_counts()
            mirror.sync()
            rest = self.double.counts()["total"]
            with self.subTest(moment=moment, total=total, done=done, rest=rest):
                # Asked again: the page under way, and a poll of each listing that was complete.
                self.assertLessEqual(done + rest, total + 7)
                self.assert_whole(mirror)

    def test_sigterm_while_waiting_for_a_slow_answer(self):
        mirror = self.open(recordings.made())
        self.double.fault(match="labels", kind="slow", delay_s=60, times=-1)
        program = mirror.start_sync("--once")
        wait_until(lambda: self.double.counts()["repo"] > 0, program.tail)
        time.sleep(0.3)
        self.assertEqual(0, program.stop(5), program.tail())

    def test_sigkill_while_idle(self):
        mirror = self.open(recordings.made())
        for _ in range(2):
            program = mirror.start_sync("--interval", "3600")
            wait_until(lambda: program.log_with(message="round finished"), program.tail)
            program.signal(signal.SIGKILL)
            program.wait()
        mirror.sync()
        self.assert_whole(mirror)


if __name__ == "__main__":
    unittest.main(verbosity=2)
