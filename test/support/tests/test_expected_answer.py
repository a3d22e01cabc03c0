"""The derivation of API answers: rules by table, whole repositories by sampling."""

import copy
import functools
import json
import os
import subprocess
import sys
import unittest

import expected_answer as ea
from context import (SUPPORT, Double, DoubleClient, data_file, made_recording,
                     recorded_folders)
from maintner_differences import read_lines

FIELDS = {
    "name", "title", "body", "priority", "priorityUnknown", "issueType", "labels", "createdAt",
    "updatedAt", "closedAt", "closed", "closedBy", "isPr", "approved", "gitCommit", "commit",
    "issueId", "url", "assignees", "reporter", "comments", "reviews", "repo", "blocked",
    "releaseBlocking", "draft", "mergedAt", "stateReason", "locked", "milestone",
    "authorAssociation", "activeLockReason", "reactions", "mergeCommit", "mergedBy", "base",
    "head", "requestedReviewers", "requestedTeams", "type", "reviewComments",
}


def review(actor_id, state):
    return {"actor": actor_id and {"id": actor_id, "login": "x"}, "state": state}


class Rules(unittest.TestCase):
    def test_priority_is_the_first_label_that_decides(self):
        for names, want in ((["P1"], "P1"), (["priority: p0", "P4"], "P0"),
                            (["api: p3ter", "p2"], "P3"), (["p1 or p0"], "P0"),
                            (["bug"], ea.NO_PRIORITY), ([], ea.NO_PRIORITY)):
            self.assertEqual(ea.priority_of(names), want, names)

    def test_type_is_the_first_label_that_decides(self):
        for names, want in ((["Bug"], "BUG"), (["type: bug"], "BUG"), (["bugfix"], ea.NO_TYPE),
                            (["enhancement"], "FEATURE"), (["docs", "type: question"], "QUESTION"),
                            (["cleanup", "bug"], "CLEANUP"), (["process"], "PROCESS"),
                            (["feature", "kind/bug"], "FEATURE")):
            self.assertEqual(ea.type_of(names), want, names)

    def test_blocked_and_blocking(self):
        for names, want in ((["blocked"], (True, False)), (["Release-Blocking"], (False, True)),
                            (["blocked by release-blocking"], (True, False)),
                            (["BLOCKED", "blocking"], (True, True)), (["block"], (False, False))):
            self.assertEqual(ea.blocking_of(names), want, names)

    def test_labels_are_sorted_without_case_and_then_by_id(self):
        labels = [{"name": "b", "id": 1}, {"name": "Bug", "id": 9}, {"name": "bug", "id": 3},
                  {"name": "A", "id": 5}]
        self.assertEqual(ea.sorted_labels(labels), ["A", "b", "bug", "Bug"])

    def test_approved_needs_each_reviewers_last_word(self):
        yes, no = "APPROVED", "CHANGES_REQUESTED"
        for reviews, want in (([], False), ([review(1, yes)], True),
                              ([review(1, no), review(1, yes)], True),
                              ([review(1, yes), review(2, "COMMENTED")], False),
                              ([review(1, yes), review(None, no)], False),
                              ([review(1, yes), review(1, "DISMISSED")], False)):
            self.assertEqual(ea.approved_of(True, reviews), want, reviews)
        self.assertFalse(ea.approved_of(False, [review(1, yes)]))

    def test_the_commit_is_that_of_the_last_event(self):
        events = [{"id": 2, "created_at": "2020-01-02T00:00:00Z", "commit_id": "b"},
                  {"id": 1, "created_at": "2020-01-02T00:00:00Z", "commit_id": "a"},
                  {"id": 3, "created_at": "2020-01-03T00:00:00Z", "commit_id": None}]
        self.assertEqual(ea.commit_of(events), "b")
        self.assertEqual(ea.commit_of([]), "")

    def test_rules_agree_with_what_drghs_answered(self):
        for number, issue in read_lines(data_file("maintner-log", "expected.jsonl.gz")).items():
            labels = issue["labels"]
            self.assertEqual(
                (ea.priority_of(labels), ea.type_of(labels), *ea.blocking_of(labels),
                 ea.approved_of(issue["isPr"], issue["reviews"])),
                (issue["priority"], issue["issueType"], issue["blocked"],
                 issue["releaseBlocking"], issue["approved"]), number)


@functools.cache
def source_of(folder):
    return ea.load_recording(folder)


@functools.cache
def answers_of(folder):
    return ea.expected_issues(source_of(folder))


class Whole(unittest.TestCase):
    def folders(self):
        return [made_recording(), *recorded_folders()]

    def test_every_issue_has_exactly_the_fields(self):
        for folder in self.folders():
            for issue in answers_of(folder).values():
                self.assertEqual(set(issue), FIELDS)
                self.assertIsInstance(issue["body"], str)
                self.assertEqual(issue["closed"], issue["closedAt"] is not None)
                for rows in (issue["comments"], issue["reviews"]):
                    keys = [(row["createdAt"], row["id"]) for row in rows]
                    self.assertEqual(keys, sorted(keys))

    def test_the_doubles_state_gives_the_same_answers(self):
        folders = [folder for folder in self.folders()
                   if os.path.getsize(os.path.join(folder, "issues.json")) < 2_000_000]
        with Double(folders) as double:
            client = DoubleClient(double.url)
            for folder in folders:
                state = client.state(source_of(folder)["repo"])
                self.assertEqual(ea.expected_issues(state), answers_of(folder))
            client.close()

    def test_logins_are_one_for_each_id(self):
        for folder in self.folders():
            names = {}
            for issue in answers_of(folder).values():
                for user in (issue["reporter"], issue["closedBy"], *issue["assignees"]):
                    if user:
                        self.assertEqual(names.setdefault(user["id"], user["login"]),
                                         user["login"])

    def test_renamed_users_are_reported(self):
        source = ea.load_recording(made_recording())
        source["issues"][0]["user"] = {"id": 7, "login": "before"}
        source["issues"][1]["user"] = {"id": 7, "login": "after"}
        self.assertEqual(ea.accepted_logins(source), {7: {"before", "after"}})

    def test_the_command_prints_lines(self):
        run = subprocess.run([sys.executable, os.path.join(SUPPORT, "expected_answer.py"),
                              made_recording()], capture_output=True, check=True)
        lines = [json.loads(line) for line in run.stdout.split(b"\n") if line]
        self.assertEqual({x["issueId"]: x for x in lines}, ea.expected_issues(made_recording()))


class Comparison(unittest.TestCase):
    def setUp(self):
        self.issues = ea.expected_issues(made_recording())
        self.issue = next(i for i in self.issues.values() if i["comments"] and i["reporter"])

    def test_equal_issues_have_no_differences(self):
        self.assertEqual(ea.compare_repositories(self.issues, copy.deepcopy(self.issues)), [])

    def test_each_kind_of_difference_is_told(self):
        for change, word in ((lambda i: i.update(title="x"), "title"),
                             (lambda i: i.pop("commit"), "commit: missing"),
                             (lambda i: i.update(closed=int(i["closed"])), "closed"),
                             (lambda i: i["comments"].pop(), "comments"),
                             (lambda i: i["comments"][0].update(body="x"), "comments[0].body"),
                             (lambda i: i["reporter"].update(extra=1), "reporter.extra")):
            got = copy.deepcopy(self.issue)
            change(got)
            found = ea.compare_issues(self.issue, got)
            self.assertTrue(found and found[0].startswith(word), (word, found))

    def test_accepted_logins_and_order_of_assignees_are_free(self):
        want = {**self.issue, "assignees": [{"id": 1, "login": "a"}, {"id": 2, "login": "b"}]}
        got = {**self.issue, "assignees": [{"id": 2, "login": "old-b"}, {"id": 1, "login": "a"}]}
        self.assertEqual(ea.compare_issues(want, got, {2: {"b", "old-b"}}), [])
        self.assertEqual(len(ea.compare_issues(want, got)), 1)

    def test_missing_and_surplus_issues_are_told(self):
        got = dict(self.issues)
        number, issue = got.popitem()
        got[99_999] = issue
        self.assertEqual(ea.compare_repositories(self.issues, got)[:2],
                         [f"{number}: missing", "99999: not expected"])


if __name__ == "__main__":
    unittest.main()
