"""A right log passes; each way to be wrong is found and named."""

import os
import subprocess
import sys
import unittest

import log_wire
from context import SUPPORT, data_file, scratch
from log_builder import LogBuilder, encode, raw_field, varint, write_writer
from log_checker import check_log, read_mutations

_count = 0


def root():
    global _count
    _count += 1
    return scratch(f"log-{_count}")


class Case(unittest.TestCase):
    def check(self, builder, foreign=False, writer=True):
        return check_log(builder.write(root(), writer), foreign)

    def assert_ok(self, builder, **options):
        report = self.check(builder, **options)
        self.assertEqual(report.errors, [])
        return report

    def assert_error(self, text, builder, **options):
        report = self.check(builder, **options)
        self.assertTrue(any(text in error for error in report.errors), report.errors)


class RightLogs(Case):
    def test_a_complete_log_passes(self):
        log = LogBuilder()
        log.mutation({"github": {"owner": "acme", "repo": "widgets",
                                 "labels": [{"id": 4, "name": "bug"}]}})
        log.first(1, comment=[{"id": 2**40, "body": "hi\u2028",
                               "created": {"seconds": 1}, "user": {"id": 2, "login": "two"}}])
        log.next_segment().issue(1, closed={"val": True}, remove_label=[4], comment=[
            {"id": 2**40, "body": "edited"}])
        log.issue(1, not_exist=True).issue(1, not_exist=True, event_status={})
        log.issue(1, updated={"seconds": 5})
        report = self.assert_ok(log)
        self.assertEqual({k: report.counts[k] for k in ("segments", "mutations", "issues",
                                                        "tombstones", "revivals", "comments")},
                         {"segments": 2, "mutations": 6, "issues": 1, "tombstones": 1,
                          "revivals": 1, "comments": 2})

    def test_an_unseen_number_may_be_tombstoned_alone(self):
        self.assert_ok(LogBuilder().issue(9, not_exist=True).first(9))

    def test_extensions_pass_in_our_logs_only(self):
        log = LogBuilder().first(1, raw=raw_field(1003, 2, b"x"))
        self.assertEqual(self.assert_ok(log).counts["extensions"], 1)
        self.assert_error("extension", log, foreign=True)

    def test_packed_and_single_numbers_are_read(self):
        packed = raw_field(23, 2, varint(4) + varint(5))
        log = LogBuilder().first(1).issue(1, raw=packed).issue(1, remove_label=[6, 7])
        folder = log.write(root())
        self.assertEqual(check_log(folder).errors, [])
        rows = [m["github_issue"].get("remove_label") for m in read_mutations(folder)]
        self.assertEqual(rows, [None, [4, 5], [6, 7]])

    def test_maintners_own_log_passes_as_foreign(self):
        folder = os.path.join(os.path.dirname(data_file("maintner-log", "expected.jsonl.gz")),
                              "acme", "repo1k")
        report = check_log(folder, allow_foreign=True)
        self.assertEqual(report.errors, [])
        self.assertEqual(report.counts["mutations"], 5177)
        self.assertIn("there is no WRITER", check_log(folder).errors)


class WrongFiles(Case):
    def change(self, edit, writer=True):
        """Errors and warnings after edit(folder, segment names)."""
        log = LogBuilder().first(1).next_segment().issue(1, title="b")
        folder = log.write(root(), writer)
        names = sorted(n for n in os.listdir(folder) if n.endswith(".mutlog"))
        edit(folder, names)
        report = check_log(folder)
        return " | ".join(report.errors), " | ".join(report.warnings)

    def test_content_must_fit_its_name(self):
        def edit(folder, names):
            with open(os.path.join(folder, names[0]), "ab") as file:
                file.write(b"x")
        self.assertIn("another sha224", self.change(edit)[0])

    def test_a_gap_is_an_error(self):
        self.assertIn("numbers are [1]", self.change(
            lambda folder, names: os.remove(os.path.join(folder, names[0])))[0])

    def test_a_bad_name_is_an_error(self):
        def edit(folder, names):
            os.rename(os.path.join(folder, names[0]),
                      os.path.join(folder, "00000" + names[0][4:]))
        self.assertIn("not the name of a segment", self.change(edit)[0])

    def test_a_missing_or_broken_writer_is_an_error(self):
        self.assertIn("no WRITER", self.change(lambda folder, names: None, writer=False)[0])
        for text, want in (("{", "not JSON"), ("[]", "no JSON object"),
                           ('{"epoch": 1}', "holder"), ('{"tail": {"number": 1}}', "tail is")):
            def edit(folder, names, text=text):
                with open(os.path.join(folder, "WRITER"), "w") as file:
                    file.write(text)
            self.assertIn(want, self.change(edit)[0])

    def test_writer_must_name_a_tail_that_is_there(self):
        tail = {"number": 1, "size": 3, "sha224": "0" * 56}
        self.assertIn("which is not there", self.change(
            lambda folder, names: write_writer(folder, tail))[0])

        def wrong_size(folder, names):
            write_writer(folder, {"number": 1, "size": 3, "sha224": names[1][5:61]})
        self.assertIn("the tail has 3 bytes", self.change(wrong_size)[0])

    def test_objects_that_writer_does_not_name_are_left_out(self):
        def edit(folder, names):
            path = os.path.join(folder, names[0])
            write_writer(folder, {"number": 0, "size": os.path.getsize(path),
                                  "sha224": names[0][5:61]})
        errors, warnings = self.change(edit)
        self.assertEqual(errors, "")
        self.assertIn("beyond the tail", warnings)

    def test_the_command_tells_by_its_status(self):
        good = LogBuilder().first(1).write(root())
        bad = LogBuilder().issue(1, title="x").write(root())
        command = [sys.executable, os.path.join(SUPPORT, "log_checker.py")]
        self.assertEqual(subprocess.run([*command, good], capture_output=True).returncode, 0)
        run = subprocess.run([*command, bad], capture_output=True, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("error: 0000@0: issue 1: its first mutation lacks id", run.stdout)


class WrongRecords(Case):
    def framed(self, data):
        log = LogBuilder()
        log.segments = [data]
        return log

    def test_framing_is_exact(self):
        payload = encode("Mutation", {"github": {"owner": "acme", "repo": "widgets"}})
        size = b"%x" % len(payload)
        for head in (b"REC@1+" + size + b"=", b"REC@00+" + size + b"=", b"rec@0+" + size + b"=",
                     b"REC@0+" + size.upper() + b" ", b"REC@0+0" + size + b"=",
                     b"REC@0+%x=" % (len(payload) + 1)):
            self.assert_error("offset 0x0", self.framed(head + payload))
        self.assert_error("no record head", self.framed(b"REC@0+" + size + b"=" + payload + b"\n"))

    def test_payloads_are_well_formed(self):
        for payload, want in (
                (b"", "empty record"),
                (b"\x0a\x05ab", "bytes announced"),
                (b"\x0a", "runs past the end"),
                (raw_field(1, 0, 1), "wire type 0"),
                (raw_field(99, 0, 1), "no field 99"),
                (b"\x08" + b"\xff" * 10 + b"\x01", "ten bytes"),
                (b"\x0b", "wire type 3"),
                (b"\x00\x00", "field number 0"),
                (encode("Mutation", {"github": {"owner": b"\xed\xa0\x80"}}), "not UTF-8"),
                (encode("Mutation", {"github": {"raw": raw_field(1, 2, b"a") * 2}}), "twice"),
                (encode("Mutation", {"github_issue": {"number": 2**31}}), "does not fit int32"),
                (encode("Mutation", {"github_issue": {"raw": raw_field(13, 0, 2)}}), "bool is 2"),
                (encode("Mutation", {"github_issue": {"created": {"nanos": -1}}}), "nanos"),
                (encode("Mutation", {"github_issue": {"created": {"seconds": 2**40}}}), "years")):
            self.assert_error(want, LogBuilder().raw(payload))

    def test_negative_numbers_are_read(self):
        data = encode("Timestamp", {"seconds": -5})
        self.assertEqual(log_wire.decode("Timestamp", data), {"seconds": -5})

    def test_the_first_mutation_has_its_fields(self):
        self.assert_error("lacks id, created", LogBuilder().issue(1, title="x",
                                                                  updated={"seconds": 1}))

    def test_comments_wait_for_their_issue(self):
        self.assert_error("before its first mutation", LogBuilder().issue(
            1, comment=[{"id": 1, "created": {"seconds": 1}}]))

    def test_label_and_milestone_ids_are_not_0(self):
        zero = [{"name": "bug"}]
        self.assert_error("label 'bug' has id 0", LogBuilder().first(1, add_label=zero))
        self.assert_error("removed label has id 0", LogBuilder().first(1, remove_label=[0]))
        self.assert_error("milestone has id 0", LogBuilder().first(1, milestone_title="1.0"))
        self.assert_error("label 'bug' has id 0", LogBuilder().mutation(
            {"github": {"owner": "acme", "repo": "widgets", "labels": zero}}))

    def test_tombstones_are_repeated_and_stand_alone(self):
        self.assert_error("does not repeat it", LogBuilder().first(1).issue(
            1, not_exist=True).issue(1, event_status={}))
        self.assert_error("says more", LogBuilder().issue(1, not_exist=True, title="x"))

    def test_a_mutation_is_of_this_repository_and_of_one_kind(self):
        other = {"owner": "acme", "repo": "other"}
        self.assert_error("in the log of acme/widgets", LogBuilder().mutation({"github": other}))
        self.assert_error("a mutation of nothing", LogBuilder().raw(raw_field(1000, 0, 1)))
        self.assert_error("github_issue and github", LogBuilder().mutation(
            {"github": other, "github_issue": {"number": 1}}))

    def test_errors_say_where(self):
        log = LogBuilder().first(1).next_segment().first(2)
        offset = len(log.segments[-1])
        log.issue(3, title="x")
        self.assert_error(f"0001@{offset:x}: issue 3", log)


if __name__ == "__main__":
    unittest.main()
