"""The log in a bucket: recovery, one writer, crashes between every two steps, what a
trickle costs, and maintner's log shipping."""

import hashlib
import json
import os
import shutil
import signal
import threading
import unittest

import recordings
from fcgi_client import FcgiError
from gcs_double.client import GcsDouble
from gcs_mirror import BUCKET, GcsMirror
from harness import Api, Case, count_of, seeded, wait_until
from maintner_differences import compare_all, read_lines

REPO = "acme/widgets"
# Every place at which a commit or a flush can be cut.
POINTS = ["mirror.committed", "mlog_flush.begin", "mlog_flush.delta", "mlog_flush.composed",
          "mlog_flush.put", "mlog_flush.swapped", "mlog_flush.deleted", "mirror.flushed"]


class GcsCase(Case):
    sizes = {"issues": 25, "pulls": 15}

    def setUp(self):
        super().setUp()
        self.folder = recordings.made(**self.sizes)
        self.github = self.stage.double(self.folder, tokens=())
        self.gcs = GcsDouble(buckets=[BUCKET], write_interval=0)
        self.addCleanup(self.gcs.stop)
        self.mirror = GcsMirror(self.stage, REPO, self.github.url, self.gcs)

    def issue_number(self):
        return next(i["number"] for i in self.github.state(REPO)["issues"])

    def edit(self, text):
        self.github.edit(REPO, "edit_title", number=self.issue_number(), title=text)

    def title(self, mirror):
        return mirror.answers()[self.issue_number()]["title"]

    def assert_whole(self, mirror=None):
        mirror = mirror or self.mirror
        self.assert_mirrors(self.github.state(REPO), mirror.answers())
        mirror.verify()
        mirror.check_log()
        self.assertEqual(self.gcs.violations, [])


class Recovery(GcsCase):
    def test_a_log_in_a_bucket_is_whole(self):
        self.mirror.sync()
        self.assert_whole()
        self.assertTrue(self.mirror.writer()["released"])
        self.assertEqual(len(self.mirror.segments()), 1)

    def test_a_lost_disk_is_rebuilt_from_the_bucket_and_caught_up(self):
        self.mirror.sync()
        log = self.mirror.log_text()
        shutil.rmtree(self.mirror.snapshot)
        self.edit("meanwhile")
        self.github.reset_counts()
        self.mirror.sync()
        self.assertEqual(self.title(self.mirror), "meanwhile")
        self.assertTrue(self.mirror.log_text().startswith(log))
        self.assertLess(self.github.counts()["total"], 15)
        self.assert_whole()

    def test_an_old_disk_replays_what_the_bucket_has_more(self):
        self.mirror.sync()
        old = self.stage.path("old")
        shutil.copytree(self.mirror.snapshot, old, symlinks=True)
        self.edit("newer")
        self.mirror.sync()
        shutil.rmtree(self.mirror.snapshot)
        shutil.copytree(old, self.mirror.snapshot, symlinks=True)
        program = self.mirror.sync()
        self.assertTrue(program.log_with(message=lambda m: "replayed" in m), program.tail())
        self.assert_whole()

    def test_where_bucket_and_disk_disagree_the_bucket_wins(self):
        self.mirror.sync()
        self.edit("unlogged")
        dead = self.mirror.start_sync("--once", env={"MAINTNER_CRASH_AT": "mlog_flush.begin:1"})
        self.assertEqual(dead.wait(), 137)
        self.mirror.shorten_lease()
        other = self.mirror.other_disk()
        self.edit("by another pod")
        other.sync()
        self.assertEqual(len(self.mirror.segments()), 2)  # the dead one's number is not continued
        program = self.mirror.sync()
        disagreed = program.log_with(message=lambda m: "set aside" in m)
        self.assertTrue(disagreed, program.tail())
        self.assertGreater(disagreed[0]["count"], 0)
        self.assertTrue(os.path.isdir(os.path.join(self.mirror.snapshot, "aside")))
        self.assertEqual(self.title(self.mirror), "by another pod")
        self.assert_whole()

    def test_a_missing_number_is_named(self):
        self.test_where_bucket_and_disk_disagree_the_bucket_wins()
        del self.gcs.model.buckets[BUCKET][self.mirror.prefix + self.mirror.segments()[0]]
        before = self.gcs.names(BUCKET)
        shutil.rmtree(self.mirror.snapshot)
        program = self.mirror.start_sync("--once")
        self.assertEqual(program.wait(), 1)
        self.assertTrue(program.log_with(error=lambda e: "0000" in e or "number 0" in e), program.tail())
        self.assertEqual(self.gcs.names(BUCKET), before)

    def test_a_damaged_segment_is_named_and_nothing_is_written(self):
        self.mirror.sync()
        name = self.mirror.prefix + self.mirror.segments()[0]
        found = self.gcs.model.buckets[BUCKET][name]
        damaged = bytearray(found.data)
        damaged[len(damaged) // 2] ^= 1
        self.gcs.put(BUCKET, name, bytes(damaged))  # damage that the bucket itself vouches for
        shutil.rmtree(self.mirror.snapshot)
        program = self.mirror.start_sync("--once")
        self.assertEqual(program.wait(), 1)
        self.assertTrue(program.log_with(error=lambda e: "mutlog" in e), program.tail())

    def test_a_log_that_maintner_wrote_is_adopted(self):
        root, repo, expected = recordings.maintner_log()
        folder = os.path.join(root, repo)
        mirror = GcsMirror(self.stage, repo, "http://127.0.0.1:1", self.gcs, "go")
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                self.gcs.put(BUCKET, mirror.prefix + name, file.read())
        program = mirror.start_sync("--once")  # GitHub is not there: the log must do
        wait_until(lambda: program.log_with(message=lambda m: "request failed" in m), program.tail, 60)
        answers = mirror.answers()
        program.stop()
        self.assertEqual(compare_all(read_lines(expected), answers), [])
        self.assertEqual(len(mirror.segments()), 1)


class OneWriter(GcsCase):
    def test_of_two_writers_one_goes_on_and_the_other_names_it(self):
        first, poke = self.mirror.daemon()
        other = self.mirror.other_disk()
        second = other.start_sync("--once")
        wait_until(lambda: second.log_with(message=lambda m: "lease" in m), second.tail)
        self.edit("by the first")
        poke()
        self.assertEqual(second.wait(60), 1)
        holder = self.mirror.writer()["holder"]
        self.assertTrue(second.log_with(error=lambda e: holder in e), second.tail())
        self.assertEqual(first.stop(), 0)
        self.assertEqual(self.title(self.mirror), "by the first")
        self.assert_whole()

    def test_a_writer_that_slept_past_its_lease_cannot_commit(self):
        first, poke = self.mirror.daemon()
        first.signal(signal.SIGSTOP)
        self.mirror.shorten_lease()
        other = self.mirror.other_disk()
        self.edit("by the second")
        other.sync()
        log = self.mirror.log_text()
        self.edit("by the sleeper")
        first.signal(signal.SIGCONT)
        poke()
        self.assertEqual(first.wait(60), 1)
        self.assertTrue(first.log_with(error=lambda e: other.writer()["holder"] in e), first.tail())
        self.assertEqual(self.mirror.log_text(), log)
        self.assertEqual(self.title(other), "by the second")
        other.sync()
        self.assertEqual(self.title(other), "by the sleeper")
        self.assert_whole(other)


class Stopping(GcsCase):
    def stop_while_writing(self, program):
        """Within the five seconds that a daemon has, with what a sanitizer takes at the end."""
        program.signal(signal.SIGTERM)
        self.assertEqual(program.wait(10), 0, program.tail())

    def test_a_flush_under_way_is_ended_first(self):
        """WRITER is written once a second at most, so the flush of a short first sync waits."""
        program = self.mirror.start_sync("--interval", "3600")
        wait_until(self.mirror.segments, program.tail)
        self.stop_while_writing(program)
        self.assertTrue(self.mirror.writer()["released"])
        self.assertEqual(len(self.mirror.segments()), 1)
        self.assertGreater(len(self.mirror.log_text()), 10_000)
        self.mirror.verify()

    def test_a_bucket_that_does_not_answer_is_not_waited_for(self):
        for fault in ({"kind": "stall", "delay_s": 30}, {"kind": "status", "status": 503}):
            with self.subTest(**fault):
                program, poke = self.mirror.daemon()
                self.edit(f"while the bucket does {fault}")
                self.gcs.clear()
                self.gcs.fault(op="insert", times=-1, **fault)
                poke()
                wait_until(lambda: self.gcs.attempts("insert"), program.tail)
                self.stop_while_writing(program)
                self.assertFalse(self.mirror.writer()["released"])
                self.assertTrue(program.log_with(message=lambda m: "outbox" in m), program.tail())
                self.gcs.clear()
                self.mirror.sync()
                self.assertEqual(self.title(self.mirror), f"while the bucket does {fault}")
        self.assert_whole()


class Crashes(GcsCase):
    def test_a_crash_between_any_two_steps_of_a_flush_ends_undisturbed(self):
        grown = self.grown_mirror()
        for point in POINTS:
            with self.subTest(point=point):
                mirror = self.clone(grown, point)
                self.edit(f"before {point}")
                program = mirror.start_sync("--once", env={"MAINTNER_CRASH_AT": f"{point}:1"})
                self.assertEqual(program.wait(), 137, program.tail())
                log = mirror.log_text()
                mirror.sync()
                self.assertTrue(mirror.log_text().startswith(log))
                # After the swap the old tail is litter, for the sweep to take when it is old.
                self.assertEqual(len(mirror.segments()), 2 if point == "mlog_flush.swapped" else 1)
                self.assert_mirrors(self.github.state(REPO), mirror.answers())
                mirror.verify()
                self.assertEqual(self.gcs.violations, [])

    def grown_mirror(self):
        """One whose tail is large enough to grow by compose."""
        number = self.issue_number()
        for i in range(5):
            self.github.edit(REPO, "add_comment", number=number, body=f"{i} " + "long text " * 4000)
        self.mirror.sync()
        self.assertGreater(len(self.mirror.log_text()), 150_000)
        return self.mirror

    def clone(self, mirror, name):
        copy = GcsMirror(self.stage, REPO, self.github.url, self.gcs, f"clone-{name}")
        for part in mirror.names():
            self.gcs.put(BUCKET, copy.prefix + part, mirror.object(part))
        shutil.copytree(mirror.snapshot, copy.snapshot, symlinks=True)
        return copy

    def test_storage_that_fails_now_and_then_costs_time_and_nothing_else(self):
        rng = seeded()
        kinds = [{"kind": "status", "status": 503}, {"kind": "reset_before"}, {"kind": "reset_after"},
                 {"kind": "lost_status", "status": 500}, {"kind": "broken", "bytes": 10}]
        mirror = self.grown_mirror()
        for i in range(count_of(6, 200)):
            self.edit(f"round {i}")
            for op in ("insert", "compose", "get", "list", "delete"):
                if rng.random() < 0.4:
                    self.gcs.fault(op=op, after=rng.randrange(3), **rng.choice(kinds))
            mirror.sync()
            self.gcs.clear()
        self.assert_whole(mirror)


class Trickle(GcsCase):
    def test_a_slow_trickle_sends_little_more_than_the_log_grows(self):
        crashes = Crashes.grown_mirror(self)
        size = len(crashes.log_text())
        program, poke = self.mirror.daemon()
        self.gcs.clear()
        rounds = 20
        for i in range(rounds):
            self.edit(f"trickle {i}")
            flushed = len(program.log_with(message="round finished"))
            poke()
            wait_until(lambda n=flushed: len(program.log_with(message="round finished")) > n, program.tail)
        self.assertEqual(program.stop(), 0)
        sent = sum(e["bytes"] for e in self.gcs.attempts() if e["method"] != "GET")
        grown = len(self.mirror.log_text()) - size
        print(f"trickle: {rounds} flushes on a tail of {size} bytes grew it by {grown} and sent {sent} "
              f"({sent / grown * 1024 * 1024 / 1e6:.1f} MB for each MiB of log)")
        self.assertGreaterEqual(len(self.gcs.attempts("compose")), rounds)
        self.assertLess(sent, rounds * 4000)  # WRITER, the delta and its wrapping
        self.assert_whole()


class Shipping(GcsCase):
    def client(self, api, have):
        """What maintner's network source does: the list, then what is missing of each segment."""
        answer = api.client.ask(f"/api/v1/{REPO}/logs")
        self.assertEqual(answer.status, 200)
        for segment in answer.json():
            known = have.get(segment["number"], b"")
            if len(known) < segment["size"]:
                self.assertEqual(segment["url"], f"logs/{segment['number']}")
                part = api.client.ask(f"/api/v1/{REPO}/{segment['url']}",
                                      headers=[("Range", f"bytes={len(known)}-{segment['size'] - 1}")])
                self.assertEqual(part.status, 206)
                known += part.body
            self.assertEqual(hashlib.sha224(known).hexdigest(), segment["sha224"])
            have[segment["number"]] = known
        return sum(len(v) for v in have.values())

    def test_a_network_source_follows_the_log(self):
        program, poke = self.mirror.daemon()
        responder, api = self.mirror.responder()
        have = {}
        size = self.client(api, have)
        self.assertEqual(b"|".join(have.values()), self.mirror.log_text())
        self.edit("followed")
        timer = threading.Timer(1, poke)
        timer.start()
        answer = api.client.ask(f"/api/v1/{REPO}/logs", f"waitsizenot={size}")
        self.assertEqual(answer.status, 200)
        self.assertGreater(sum(s["size"] for s in answer.json()), size)
        self.client(api, have)
        self.assertEqual(b"|".join(have.values()), self.mirror.log_text())
        timer.join()
        api.close()
        self.assertEqual(responder.stop(), 0)
        self.assertEqual(program.stop(), 0)

    def is_mapped(self, program, library):
        with open(f"/proc/{program.process.pid}/maps", encoding="utf-8") as file:
            return library in file.read()

    def test_a_bucket_that_hangs_holds_up_neither_other_requests_nor_a_stop(self):
        self.mirror.sync()
        responder, api = self.mirror.responder()  # one thread
        self.gcs.clear()
        self.gcs.fault(op="get", kind="stall", delay_s=30, times=-1)
        ends = []

        def ask():
            try:
                ends.append(Api(api.client.address, REPO).client.ask(f"/api/v1/{REPO}/logs/0"))
            except FcgiError as error:  # the responder is gone
                ends.append(error)
        client = threading.Thread(target=ask)
        client.start()
        wait_until(lambda: self.gcs.attempts("get"), responder.tail)
        self.assertEqual(len(api.all()), 40)
        self.assertEqual([], ends)
        responder.signal(signal.SIGTERM)
        self.assertEqual(responder.wait(10), 0, responder.tail())
        client.join()
        self.assertEqual(len(ends), 1)

    def test_many_may_ask_a_slow_bucket_at_once(self):
        self.mirror.sync()
        responder, api = self.mirror.responder()
        whole = self.mirror.object(self.mirror.segments()[0])
        self.gcs.fault(op="get", kind="slow", delay_s=1.5)
        answers = []

        def ask():
            client = Api(api.client.address, REPO).client
            answers.append(client.ask(f"/api/v1/{REPO}/logs/0", headers=[("Range", "bytes=0-99")]).body)
        # More than may wait at once, and than there are requests kept for reuse.
        clients = [threading.Thread(target=ask) for _ in range(100)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        good = [body for body in answers if body == whole[:100]]
        self.assertGreaterEqual(len(good), 64)
        self.assertTrue(all(body == whole[:100] or b'"code":14' in body for body in answers))
        self.assertEqual(len(answers), 100)
        self.assertEqual(responder.stop(), 0)

    def test_ranges_and_bad_numbers(self):
        self.mirror.sync()
        responder, api = self.mirror.responder()
        whole = self.mirror.log_text()
        url = f"/api/v1/{REPO}/logs/0"
        self.assertFalse(self.is_mapped(responder, "libcurl"))  # it would cost 10 ms at every start
        self.assertEqual(api.client.ask(url).body, whole)
        self.assertTrue(self.is_mapped(responder, "/lib/maintner/store-gcs.so"))
        cases = {"bytes=0-9": whole[:10], "bytes=5-": whole[5:], "bytes=-7": whole[-7:],
                 f"bytes=3-{len(whole) * 2}": whole[3:]}
        for header, want in cases.items():
            answer = api.client.ask(url, headers=[("Range", header)])
            self.assertEqual((answer.status, answer.body), (206, want), header)
        for header in ("bytes=9-3", "bytes=1-2,4-5", "chars=1-2", "bytes=x-", ""):
            answer = api.client.ask(url, headers=[("Range", header)])
            self.assertEqual((answer.status, answer.body), (200, whole), header)
        self.assertEqual(api.client.ask(url, headers=[("Range", f"bytes={len(whole)}-")]).status, 416)
        for path, status in (("logs/1", 404), ("logs/01", 400), ("logs/x", 400), ("logs/99999", 400)):
            self.assertEqual(api.client.ask(f"/api/v1/{REPO}/{path}").status, status, path)
        self.assertEqual(json.loads(api.client.ask(f"/api/v1/{REPO}/logs", "startseg=1").body), [])
        api.close()
        responder.stop()


if __name__ == "__main__":
    unittest.main()
