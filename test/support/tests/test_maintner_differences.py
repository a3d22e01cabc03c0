"""Which differences from drghs's answers are allowed, and that others are not."""

import copy
import json
import os
import subprocess
import sys
import unittest

import maintner_differences as md
from context import REPO, SUPPORT, data_file, scratch


def theirs():
    """An answer as drghs gave it, with every known flaw."""
    user = {"id": 5, "login": "five"}
    return {
        "name": "", "repo": REPO, "issueId": 7, "title": "t", "body": "b", "closed": False,
        "closedAt": "2020-01-05T00:00:00Z", "createdAt": "2020-01-01T00:00:00Z",
        "updatedAt": "2020-01-06T00:00:00Z", "closedBy": None, "reporter": user,
        "labels": ["A", "bug", "Bug"], "assignees": [], "approved": False, "isPr": True,
        "comments": [{"id": -1294967295, "user": user, "createdAt": "2020-01-02T00:00:00Z",
                      "updatedAt": "2020-01-02T00:00:00Z", "body": "c"}],
        "reviews": [{"id": 9, "actor": user, "actorAssociation": "NONE", "commitId": "",
                     "createdAt": "2020-01-03T00:00:00Z", "body": "", "state": "APPROVED"}],
    }


def ours():
    """The same as our API answers it, with every allowed difference."""
    issue = copy.deepcopy(theirs())
    issue.update(name=f"{REPO}/issues/7", closedAt=None, labels=["A", "Bug", "bug"], draft=False,
                 locked=False, milestone=None, mergedAt=None, stateReason="")
    issue["comments"][0]["id"] = 3_000_000_001
    issue["comments"].append({"id": 3_000_000_002, "user": None, "body": "ghost",
                              "createdAt": "2020-01-02T00:00:01Z",
                              "updatedAt": "2020-01-02T00:00:01Z"})
    issue["reviews"][0]["commitId"] = "a" * 40
    return issue


class Differences(unittest.TestCase):
    def test_ids_are_cut_as_a_signed_32_bit_field_cuts(self):
        self.assertEqual([md.cut_to_32_bits(n) for n in (5, 2**31 - 1, 2**31, 2**32 + 7)],
                         [5, 2**31 - 1, -2**31, 7])

    def test_the_allowed_differences_pass(self):
        self.assertEqual(md.compare(theirs(), ours()), [])

    def test_any_other_difference_is_told(self):
        changes = (
            lambda i: i.update(title="x"), lambda i: i.update(name=""),
            lambda i: i.update(closedAt="2020-01-05T00:00:00Z"), lambda i: i.pop("body"),
            lambda i: i.update(labels=["bug", "A", "Bug"]), lambda i: i.update(labels=["A"]),
            lambda i: i["comments"].pop(0), lambda i: i["comments"].reverse(),
            lambda i: i["comments"][0].update(id=4), lambda i: i["reviews"].clear(),
            lambda i: i["reviews"][0].update(state="COMMENTED"),
            lambda i: i["reviews"][0].update(commitId=None),
            lambda i: i["comments"].append({**i["comments"][0], "id": 77,
                                            "createdAt": "2021-01-01T00:00:00Z"}),
            lambda i: i.update(approved=0),
        )
        for index, change in enumerate(changes):
            issue = ours()
            change(issue)
            self.assertNotEqual(md.compare(theirs(), issue), [], index)

    def test_a_closed_issue_keeps_its_time(self):
        issue = {**theirs(), "closed": True}
        self.assertNotEqual(md.compare(issue, {**ours(), "closed": True}), [])
        got = {**ours(), "closed": True, "closedAt": issue["closedAt"]}
        self.assertEqual(md.compare(issue, got), [])


class Command(unittest.TestCase):
    def run_it(self, rows):
        path = scratch("ours.jsonl")
        with open(path, "w") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        other = scratch("theirs.jsonl")
        with open(other, "w") as file:
            file.write(json.dumps(theirs()) + "\n")
        return subprocess.run([sys.executable, os.path.join(SUPPORT, "maintner_differences.py"),
                               other, path], capture_output=True, text=True)

    def test_the_status_tells(self):
        self.assertEqual(self.run_it([{"issue": ours()}]).returncode, 0)
        bad = self.run_it([])
        self.assertEqual((bad.returncode, bad.stdout), (1, "7: missing\n"))

    def test_the_recorded_answers_agree_with_their_own_transform(self):
        rows = md.read_lines(data_file("maintner-log", "expected.jsonl.gz"))
        self.assertEqual(md.compare_all(rows, {n: md.transform(r) for n, r in rows.items()}), [])


if __name__ == "__main__":
    unittest.main()
