"""The generator: the same seed gives the same bytes, and all the odd things."""

import filecmp
import json
import os
import subprocess
import sys
import unittest

from context import SUPPORT, made_recording, recorded_folders, scratch
from expected_answer import load_recording
from recording_maker.generate import Sizes, make
from recording_maker.writer import write_recording


def flat(source, family):
    return [row for rows in source[family].values() for row in rows]


class Determinism(unittest.TestCase):
    def make(self, name, seed):
        folder = scratch(name)
        subprocess.run([sys.executable, os.path.join(SUPPORT, "make-recording"), "--out", folder,
                        "--seed", str(seed), "--issues", "12", "--pulls", "8", "--odd"],
                       check=True)
        return folder

    def differing(self, left, right):
        names = [os.path.relpath(os.path.join(root, name), left)
                 for root, _dirs, files in os.walk(left) for name in files]
        _same, different, missing = filecmp.cmpfiles(left, right, names, shallow=False)
        return different + missing

    def test_the_seed_decides(self):
        first, second, other = self.make("a", 7), self.make("b", 7), self.make("c", 8)
        self.assertEqual(self.differing(first, second), [])
        self.assertIn("issues.json", self.differing(first, other))


class Content(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.source = load_recording(made_recording())

    def test_counts_are_as_wished(self):
        source = load_recording(made_recording(30, 20, comments=300, events=900, reviews=77))
        self.assertEqual([len(source["issues"]), len(source["pulls"])], [50, 20])
        self.assertEqual([len(flat(source, f)) for f in ("comments", "events", "reviews")],
                         [300, 900, 77])

    def test_every_family_has_unique_ids(self):
        for family in ("comments", "events", "reviews", "review_comments"):
            ids = [row["id"] for row in flat(self.source, family)]
            self.assertEqual(len(ids), len(set(ids)), family)

    def test_ids_pass_32_bits(self):
        self.assertGreater(max(row["id"] for row in flat(self.source, "comments")), 2**31)
        self.assertGreater(max(row["id"] for row in flat(self.source, "events")), 2**32)

    def test_the_texts_are_odd(self):
        texts = [i["body"] for i in self.source["issues"]]
        whole = "".join(t for t in texts if t)
        for mark in ("\r\n", "\x07", "\U0001f680", "\u2028", "\U0010ffff"):
            self.assertIn(mark, whole)
        self.assertIn(None, texts)
        self.assertIn("", [c["body"] for c in flat(self.source, "comments")])
        self.assertGreater(max(len(t.encode()) for t in texts if t), 60_000)
        self.assertNotIn("\0", whole)

    def test_users_are_missing_or_ghosts(self):
        users = [c["user"] for c in flat(self.source, "comments")]
        self.assertIn(None, users)
        self.assertIn("ghost", [u["login"] for u in users if u])

    def test_issues_are_of_all_sorts(self):
        issues = self.source["issues"]
        labels = {x["name"] for i in issues for x in i["labels"]}
        self.assertTrue({"P1", "type: bug", "blocked", "Release-Blocking"} <= labels)
        self.assertTrue(any(i["locked"] for i in issues))
        self.assertTrue(any(i["milestone"] for i in issues))
        self.assertTrue(any(i["assignees"] for i in issues))
        self.assertTrue({"completed", "not_planned"} <= {i["state_reason"] for i in issues})
        self.assertLess(len(issues), issues[-1]["number"], "there are gaps")
        self.assertGreater(max(i["comments"] for i in issues), 100)
        self.assertEqual({r["state"] for r in flat(self.source, "reviews")},
                         {"APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"})
        self.assertTrue(any(p["draft"] for p in self.source["pulls"]))
        self.assertTrue(any(p["merged_at"] for p in self.source["pulls"]))

    def test_objects_agree_with_each_other(self):
        pulls = {p["number"]: p for p in self.source["pulls"]}
        for issue in self.source["issues"]:
            number = str(issue["number"])
            self.assertEqual(issue["comments"], len(self.source["comments"].get(number, [])))
            self.assertLessEqual(issue["created_at"], issue["updated_at"])
            self.assertEqual(issue["state"] == "closed", issue["closed_at"] is not None)
            for name in ("state", "labels", "updated_at", "draft", "title", "body", "user"):
                if issue["number"] in pulls:
                    self.assertEqual(issue[name], pulls[issue["number"]][name], name)

    def test_plain_recordings_are_plain(self):
        source = load_recording(made_recording(20, 10, odd=False))
        self.assertTrue(all(i["user"] and i["body"].isascii() for i in source["issues"]))

    def test_objects_have_the_fields_of_real_ones(self):
        folders = [f for f in recorded_folders() if f.endswith("quicwg__qlog")]
        if not folders:
            self.skipTest("no recorded data here")
        real = load_recording(folders[0])
        for name in ("issues", "pulls", "labels"):
            self.assertLessEqual(set(real[name][0]), set(self.source[name][0])
                                 | {"draft", "pull_request", "sub_issues_summary",
                                    "issue_dependencies_summary"}, name)
        for family in ("comments", "reviews", "review_comments"):
            self.assertLessEqual(set(flat(real, family)[0]) - {"updated_at"},
                                 set(flat(self.source, family)[0]), family)


class Large(unittest.TestCase):
    def test_two_thousand_items_are_made(self):
        recording = make("acme/speed", 1, Sizes(1300, 700))
        write_recording(scratch("speed"), recording, {"kind": "made"})
        with open(os.path.join(scratch("speed"), "MANIFEST.json")) as file:
            self.assertEqual(json.load(file)["counts"]["issues"], 1300)


if __name__ == "__main__":
    unittest.main()
