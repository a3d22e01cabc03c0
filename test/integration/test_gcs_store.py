"""The bucket client against a strict double: every operation, every fault, with and
without a precondition.  Looked at are the outcome, how often it was tried, the
precondition on each try, and the bytes in the end."""

import os
import subprocess
import tempfile
import unittest

import paths

from gcs_double.checksum import crc32c
from gcs_double.client import GcsDouble

DATA = bytes(range(256)) * 40
OTHER = b"what was there before"

# op -> (command, the double's operation that the faults are for)
WRITES = {
    "put": (["put", "{file}", "gs://logs/dir/new"], "insert"),
    "put over": (["put", "{file}", "gs://logs/dir/old"], "insert"),
    "resumable": (["put", "{file}", "gs://logs/dir/new", "--resumable"], "upload"),
    "copy": (["copy", "gs://logs/dir/data", "gs://logs/dir/new"], "rewrite"),
    "compose": (["compose", "gs://logs/dir/half1", "gs://logs/dir/half2", "gs://logs/dir/new"], "compose"),
    "delete": (["delete", "gs://logs/dir/old"], "delete"),
}
READS = {
    "get": (["get", "gs://logs/dir/data", "{out}"], "get"),
    "stat": (["stat", "gs://logs/dir/data"], "stat"),
    "list": (["list", "gs://logs/dir"], "list"),
    "bucket": (["stat", "gs://logs"], "bucket"),
}
# fault -> may it pass if it is repeated?
FAULTS = {
    "503 twice": ({"kind": "status", "status": 503, "times": 2}, True),
    "500": ({"kind": "status", "status": 500}, True),
    "429": ({"kind": "status", "status": 429}, True),
    "408": ({"kind": "status", "status": 408}, True),
    "reset before": ({"kind": "reset_before"}, True),
    "lost answer": ({"kind": "reset_after"}, True),
    "503 after it was done": ({"kind": "lost_status", "status": 503}, True),
    "400": ({"kind": "status", "status": 400, "times": -1}, False),
    "403": ({"kind": "status", "status": 403, "times": -1}, False),
    "503 for ever": ({"kind": "status", "status": 503, "times": -1}, False),
}


class GcsCase(unittest.TestCase):
    def setUp(self):
        self.double = GcsDouble(buckets=["logs", "empty"], write_interval=0)
        self.addCleanup(self.double.stop)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "in")
        self.out = os.path.join(self.folder.name, "out")
        with open(self.file, "wb") as f:
            f.write(DATA)
        self.fill()

    def fill(self):
        for name, data in {"data": DATA, "old": OTHER, "half1": DATA[:5000], "half2": DATA[5000:]}.items():
            self.double.put("logs", f"dir/{name}", data)
        self.double.clear()

    def cli(self, *args, deadline_ms=3000, env=None):
        command = [paths.program("store-cli"), "--backoff-ms", "20", "--deadline-ms", str(deadline_ms), *args]
        result = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False,
                                env={**os.environ, "STORAGE_EMULATOR_HOST": self.double.origin, **(env or {})})
        self.assertNotIn("Sanitizer", result.stderr)
        return result

    def command(self, template):
        return [part.format(file=self.file, out=self.out) for part in template]

    def generation(self, name):
        found = self.double.model.buckets["logs"].get(name)
        return 0 if found is None else found.generation


class Table(GcsCase):
    def check_done(self, op):
        if op in ("put", "resumable", "copy", "compose"):
            self.assertEqual(self.double.data("logs", "dir/new"), DATA)
        elif op == "put over":
            self.assertEqual(self.double.data("logs", "dir/old"), DATA)
        elif op == "delete":
            self.assertIsNone(self.double.data("logs", "dir/old"))

    def check_undone(self, op):
        if op in ("put over", "delete"):
            self.assertEqual(self.double.data("logs", "dir/old"), OTHER)
        else:
            self.assertIsNone(self.double.data("logs", "dir/new"))

    def reset(self):
        self.double.clear()
        self.double.model.buckets["logs"].clear()
        self.double.model.sessions.clear()
        self.fill()

    def test_writes_with_a_precondition_are_repeated_until_they_are_done(self):
        for op, (template, operation) in WRITES.items():
            for name, (fault, passes) in FAULTS.items():
                with self.subTest(op=op, fault=name):
                    self.reset()
                    target = "dir/old" if op in ("put over", "delete") else "dir/new"
                    condition = str(self.generation(target))
                    self.double.fault(op=operation, **fault)
                    result = self.cli(*self.command(template), "--if-generation", condition,
                                      deadline_ms=3000 if passes else 200)
                    tries = self.double.attempts(operation)
                    self.assertEqual(result.returncode, 0 if passes else 1, result.stderr)
                    (self.check_done if passes else self.check_undone)(op)
                    if fault.get("status") in (400, 403):
                        self.assertEqual(len(tries), 1)
                    else:
                        self.assertGreaterEqual(len(tries), 2)
                    if operation != "upload":  # a session holds its condition itself
                        self.assertEqual({t["condition"] for t in tries}, {condition})
                    self.assertEqual(self.double.violations, [])

    def test_writes_without_a_precondition_are_attempted_exactly_once(self):
        for op, (template, operation) in WRITES.items():
            if operation == "upload":
                continue  # its pieces carry offsets: repeating one cannot write twice
            for name, (fault, _passes) in FAULTS.items():
                with self.subTest(op=op, fault=name):
                    self.reset()
                    self.double.fault(op=operation, **fault)
                    result = self.cli(*self.command(template))
                    self.assertEqual(result.returncode, 1)
                    self.assertIn("store-cli:", result.stderr)
                    self.assertEqual(len(self.double.attempts(operation)), 1)
                    if fault["kind"] in ("reset_after", "lost_status"):
                        self.check_done(op)
                    else:
                        self.check_undone(op)

    def test_reads_are_repeated(self):
        for op, (template, operation) in READS.items():
            for name, (fault, passes) in FAULTS.items():
                with self.subTest(op=op, fault=name):
                    self.reset()
                    self.double.fault(op=operation, **fault)
                    result = self.cli(*self.command(template), deadline_ms=3000 if passes else 200)
                    tries = self.double.attempts(operation)
                    self.assertEqual(result.returncode, 0 if passes else 1, result.stderr)
                    self.assertEqual(len(tries) == 1, fault.get("status") in (400, 403))
                    if op == "get" and passes:
                        with open(self.out, "rb") as f:
                            self.assertEqual(f.read(), DATA)


class Details(GcsCase):
    def test_a_precondition_that_fails_changes_nothing_and_is_not_repeated(self):
        for template, operation in (WRITES["put over"], WRITES["delete"]):
            result = self.cli(*self.command(template), "--if-generation", "7")
            self.assertEqual(result.returncode, 1)
            self.assertIn("412", result.stderr)
            self.assertEqual(len(self.double.attempts(operation)), 1)
        self.assertEqual(self.double.data("logs", "dir/old"), OTHER)

    def test_after_a_lost_answer_somebody_elses_object_is_not_taken_for_ours(self):
        self.double.fault(op="insert", kind="status", status=503)
        original = self.double.model.insert
        def rival(bucket, metadata, data, condition):
            self.double.put("logs", "dir/new", b"a rival's")
            return original(bucket, metadata, data, condition)
        self.double.model.insert = rival
        result = self.cli("put", self.file, "gs://logs/dir/new", "--if-generation", "0")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(self.double.data("logs", "dir/new"), b"a rival's")

    def test_a_download_that_is_cut_goes_on_by_range_with_its_generation(self):
        self.double.fault(op="get", kind="broken", bytes=4000, times=2)
        result = self.cli("get", "gs://logs/dir/data", self.out)
        self.assertEqual(result.returncode, 0, result.stderr)
        with open(self.out, "rb") as f:
            self.assertEqual(f.read(), DATA)
        tries = self.double.attempts("get")
        self.assertEqual(len(tries), 3)
        pinned = f"generation={self.generation('dir/data')}"
        self.assertNotIn("generation=", tries[0]["target"])
        self.assertIn(pinned, tries[1]["target"])
        self.assertIn(pinned, tries[2]["target"])

    def test_damaged_downloads_start_over_and_then_are_reported(self):
        self.double.fault(op="get", kind="corrupt", times=2)
        self.assertEqual(self.cli("get", "gs://logs/dir/data", self.out).returncode, 0)
        self.double.clear()
        self.double.fault(op="get", kind="corrupt", times=-1)
        result = self.cli("get", "gs://logs/dir/data", self.out)
        self.assertEqual(result.returncode, 1)
        self.assertEqual(len(self.double.attempts("get")), 3)
        self.assertIn("gs://logs/dir/data", result.stderr)
        self.assertEqual(result.stderr.count("crc32c"), 1)
        self.assertRegex(result.stderr, r"crc32c \S{8}, the server says \S{8}")

    def test_the_server_refuses_damaged_uploads(self):
        original = self.double.op_insert
        self.double.op_insert = lambda groups, query, headers, body: original(
            groups, query, headers, body.replace(DATA[:64], bytes(64), 1))
        result = self.cli("put", self.file, "gs://logs/dir/new", "--if-generation", "0")
        self.assertEqual(result.returncode, 1)
        self.assertIn("CRC32C", result.stderr)
        self.assertIsNone(self.double.data("logs", "dir/new"))

    def test_listings_follow_page_tokens_over_empty_pages(self):
        self.double.model.page_size = 2
        original, calls = self.double.model.page, []
        def page(bucket, prefix, token, limit):
            calls.append(token)
            if len(calls) == 2:  # an empty page with another behind it
                return [], token
            return original(bucket, prefix, token, limit)
        self.double.model.page = page
        result = self.cli("list", "gs://logs/dir")
        self.assertEqual([l.split()[0] for l in result.stdout.splitlines()], ["data", "half1", "half2", "old"])
        self.assertEqual(calls[1], calls[2])

    def test_names_are_percent_encoded(self):
        odd = "a b/c%d/é+?&#=~/\"q\""
        self.assertEqual(self.cli("put", self.file, f"gs://logs/{odd}", "--if-generation", "0").returncode, 0)
        self.assertEqual(self.double.data("logs", odd), DATA)
        self.assertEqual(self.cli("get", f"gs://logs/{odd}", self.out).returncode, 0)
        self.assertEqual(self.double.violations, [])

    def test_a_large_resumable_upload_goes_on_where_it_was_cut(self):
        large = os.urandom(1024) * 20000
        with open(self.file, "wb") as f:
            f.write(large)
        self.double.fault(op="upload", kind="reset_before", after=1, times=1)
        self.double.fault(op="upload", kind="status", status=503, after=2, times=1)
        result = self.cli("put", self.file, "gs://logs/big", "--resumable", "--if-generation", "0",
                          deadline_ms=200000)  # the double takes its time to check 20 MB
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.double.data("logs", "big"), large)
        self.assertEqual(len(self.double.attempts("session")), 1)

    def test_a_rewrite_takes_as_many_calls_as_it_needs(self):
        self.double.model.rewrite_calls = 4
        self.double.fault(op="rewrite", kind="status", status=503, after=2)
        result = self.cli("copy", "gs://logs/dir/data", "gs://empty/copy", "--if-generation", "0")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(self.double.data("empty", "copy"), DATA)
        self.assertEqual(len(self.double.attempts("rewrite")), 5)

    def test_writes_to_one_name_keep_a_second_apart(self):
        self.double.model.write_interval = 1.0
        self.assertEqual(self.cli("put", self.file, "gs://logs/w", "--if-generation", "0").returncode, 0)
        result = self.cli("put", self.file, "gs://logs/w", "--if-generation", str(self.generation("w")))
        self.assertEqual(result.returncode, 0, result.stderr)  # 429 is waited out

    def test_missing_things_are_named(self):
        for args, text in ((["get", "gs://logs/none", self.out], "logs/none"),
                           (["list", "gs://nowhere"], "bucket does not exist"),
                           (["make-bucket", "gs://logs", "--project", "p"], "409")):
            result = self.cli(*args)
            self.assertEqual(result.returncode, 1)
            self.assertIn(text, result.stderr)

    def test_the_doubles_checksum_is_crc32c(self):
        self.assertEqual(crc32c(b"123456789"), 0xE3069283)  # RFC 3720's polynomial
        self.assertEqual(crc32c(b""), 0)


if __name__ == "__main__":
    unittest.main()
