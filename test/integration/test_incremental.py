"""What people do on GitHub arrives with the next round, each kind of change.

Not here, because no listing of GitHub's tells it and the issue's own time does
not move; the slow relist and the sweeper are for these:

  - an issue that was deleted, transferred, or whose author's account was deleted
  - a review whose text was edited
  - a comment deleted without moving the issue's time
"""

import gzip
import json
import os
import sys
import time
import unittest

import harness
import paths
import recordings
from expected_answer import accepted_logins, compare_repositories, expected_issues
from harness import Case, Mirror, count_of, seeded

EDITS_DURING_A_SYNC = 60


class Edited(Case):
    """One mirror that is brought up to date again and again."""

    def open(self, folder, repo="acme/widgets", now=None):
        """Mirror a recording; `now` is the time that GitHub's clock shows."""
        self.repo = repo
        self.double = self.stage.double(folder)
        self.double.clock(set=now)
        self.mirror = Mirror(self.stage, repo, self.double.url)
        self.mirror.sync()
        state = self.state()
        self.issues = [i["number"] for i in state["issues"] if "pull_request" not in i]
        self.pulls = [pull["number"] for pull in state["pulls"]]

    def state(self):
        return self.double.state(self.repo)

    def edit(self, op, **settings):
        return self.double.edit(self.repo, op, **settings)

    def assert_in_step(self, what, ignore_numbers=()):
        state = self.state()
        expected = expected_issues(state, self.repo)
        got = self.mirror.answers()
        for number in ignore_numbers:
            expected.pop(number, None)
            got.pop(number, None)
        found = compare_repositories(expected, got, accepted_logins(state))
        self.assertEqual([], found[:20], f"{what}: {len(found)} differences")

    def follow(self, what):
        program = self.mirror.sync()
        self.assert_in_step(what)
        return program

    def assert_files(self):
        self.mirror.check_log()
        self.mirror.verify()


class OneByOne(Edited):
    def setUp(self):
        super().setUp()
        self.open(recordings.made(41, 40, 20))

    def change(self, op, **settings):
        """An edit, a round, and everything is as GitHub says."""
        result = self.edit(op, **settings)
        with self.subTest(op=op, **settings):
            self.follow(op)
        return result

    def test_an_issue(self):
        n = self.issues[0]
        self.change("edit_title", number=n, title='A "new" title \u2028 \U0001f600 \x01')
        self.change("edit_body", number=n, body="line\r\nline\tend")
        self.change("edit_body", number=n, body=None)
        self.change("edit_body", number=n, body="x" * 65_536)
        self.change("edit_body", number=n, body="")
        self.change("touch", number=n)
        self.change("close", number=n, state_reason="not_planned", commit_id="a" * 40)
        self.change("reopen", number=n)
        self.change("close", number=n, actor="someone-else")
        self.change("lock", number=n, reason="spam")
        self.change("unlock", number=n)
        self.change("create_issue", title="brand new", body="text", labels=["bug", "p1"],
                    assignees=["somebody"])
        self.change("create_issue", number=5000, title="far away")
        self.assert_files()

    def test_labels(self):
        n, m = self.issues[0], self.issues[1]
        self.change("add_label", number=n, name="P0")
        self.change("add_label", number=n, name="type: bug")
        self.change("add_label", number=m, name="type: bug")
        self.change("add_label", number=n, name="release-blocking")
        self.change("remove_label", number=n, name="P0")
        self.change("create_label", name="unused")
        self.change("rename_label", name="type: bug", new_name="Feature request")
        self.change("rename_label", name="feature request", new_name="FEATURE REQUEST")
        self.change("delete_label", name="FEATURE REQUEST")
        self.assert_files()

    def test_people_and_milestones(self):
        n, m = self.issues[0], self.issues[1]
        self.change("assign", number=n, assignee="first-helper")
        self.change("assign", number=n, assignee="second-helper")
        self.change("unassign", number=n, assignee="first-helper")
        made = self.edit("create_milestone", title="v9")["milestone"]
        self.change("set_milestone", number=n, milestone=made)
        self.change("set_milestone", number=m, milestone=made)
        self.change("edit_milestone", milestone=made, title="v10 \u00e9")
        self.change("edit_milestone", milestone=made, state="closed")
        self.change("clear_milestone", number=n)
        self.change("delete_milestone", milestone=made)
        self.assert_files()

    def test_comments(self):
        n = self.issues[0]
        first = self.change("add_comment", number=n, body="one", user="a-commenter")["id"]
        second = self.change("add_comment", number=n, body="two", user=None)["id"]
        third = self.change("add_comment", number=n, body="three", user="ghost")["id"]
        self.change("edit_comment", id=first, body="one, edited")
        self.change("edit_comment", id=second, body="")
        self.change("edit_comment", id=second, body="text again")
        self.change("delete_comment", id=third)
        self.change("delete_comment", id=first)
        self.change("add_comment", number=self.pulls[0], body="on a pull request")
        # One goes and one comes: the count is the same.
        self.edit("delete_comment", id=second)
        self.change("add_comment", number=n, body="instead")
        self.assert_files()

    def test_pull_requests(self):
        n = self.pulls[0]
        self.change("set_draft", number=n, draft=True)
        self.change("set_draft", number=n, draft=False)
        self.change("push_head", number=n)
        self.change("request_review", number=n, reviewer="a-reviewer")
        review = self.change("add_review", number=n, state="APPROVED", user="a-reviewer")["id"]
        self.change("add_review", number=n, state="CHANGES_REQUESTED", user="b-reviewer",
                    body="no\r\nnot yet")
        other = self.change("add_review", number=n, state="APPROVED", user="b-reviewer")["id"]
        self.change("dismiss_review", id=other)
        self.change("add_review", number=n, state="COMMENTED", user=None)
        comment = self.change("add_review_comment", number=n, body="here", review_id=review)["id"]
        self.change("edit_review_comment", id=comment, body="there")
        # Nothing but the comment itself tells of that: the slow pass finds it.
        self.edit("delete_review_comment", id=comment)
        self.double.clock(advance_s=120)  # it leaves out what may be too new to be listed
        self.mirror.sync("--relist")
        self.assert_in_step("delete_review_comment")
        unmerged = next(p["number"] for p in self.state()["pulls"] if not p["merged_at"])
        self.change("merge_pull", number=unmerged)
        made = self.change("create_pull", title="more work", draft=True)["number"]
        self.change("close", number=made)
        self.assert_files()

    def test_a_renamed_user_is_renamed_everywhere(self):
        n = self.issues[0]
        self.change("add_comment", number=n, body="by the old name", user="old-name")
        self.change("add_comment", number=self.issues[1], body="also", user="old-name")
        self.edit("rename_user", login="old-name", new_login="new-name")
        self.change("add_comment", number=self.issues[2], body="by the new", user="new-name")
        self.assertNotIn("old-name", json.dumps(list(self.mirror.answers().values())))
        self.assert_files()

    def test_a_renamed_repository_is_followed_and_told(self):
        new = "acme/gadgets"
        self.edit("rename_repo", new_name=new)
        self.double.edit(new, "edit_title", number=self.issues[0], title="after the move")
        program = self.mirror.sync()
        told = program.log_with(severity="WARNING", message=lambda text: "renamed" in text)
        self.assertEqual(new, told[0]["full_name"])
        self.assert_mirrors({**self.double.state(new), "repo": self.repo}, self.mirror.answers())
        self.assert_files()

    def test_a_repository_renamed_back_has_its_name_again(self):
        self.edit("rename_repo", new_name="acme/gadgets")
        self.mirror.sync()
        self.assertEqual("acme/gadgets", self.resource()["renamedTo"])
        self.double.edit("acme/gadgets", "rename_repo", new_name=self.repo)
        self.edit("edit_title", number=self.issues[0], title="home again")
        self.seldom_round()
        self.assertEqual("", self.resource()["renamedTo"])
        self.assert_in_step("renamed back")
        self.assert_files()

    def get(self, path):
        """What a fresh responder answers below the repository."""
        program, api = self.mirror.responder()
        try:
            return api.get(f"/api/v1/{self.repo}{path}")
        finally:
            api.close()
            self.assertEqual(0, program.stop(), program.tail())

    def resource(self):
        return self.get("")["repository"]

    def seldom_round(self):
        """Rounds until labels, the repository and the rules file are asked for again."""
        asked = self.double.counts()["repo"]
        for _ in range(11):
            self.mirror.sync()
            if self.double.counts()["repo"] > asked:
                return
        self.fail("the repository was not asked for in eleven rounds")

    def rules(self):
        """The rules that the responder shows; None without a file."""
        program, api = self.mirror.responder()
        try:
            answer = api.ask(f"/api/v1/{self.repo}/slo", {})
            self.assertIn(answer.status, (200, 404), answer)
            return answer.json()["rules"] if answer.status == 200 else None
        finally:
            api.close()
            self.assertEqual(0, program.stop(), program.tail())

    def test_rules_are_kept_when_their_file_cannot_be_read(self):
        self.assertIsNone(self.rules())
        self.edit("set_rules", content='[{"complianceSettings": {"responseTime": "2d"}}]')
        self.seldom_round()
        before = self.rules()
        self.assertEqual(["172800s"], [rule["responseTime"] for rule in before])
        for fault in ({"kind": "status", "status": 403},
                      {"kind": "garbage_json", "body": '{"content": "%%%", "encoding": "base64"}'},
                      {"kind": "garbage_json", "body": '{"content": "", "encoding": "none"}'}):
            self.double.fault(match="contents", times=1, **fault)
            self.edit("set_rules", content='[{"complianceSettings": {"responseTime": "3d"}}]')
            self.seldom_round()
            self.double.clear_faults()
            self.assertEqual(before, self.rules(), fault)
        self.seldom_round()
        self.assertEqual(["259200s"], [rule["responseTime"] for rule in self.rules()])
        self.edit("set_rules", content=None)
        self.seldom_round()
        self.assertIsNone(self.rules())

    def test_labels_of_several_pages_are_believed_when_read_twice(self):
        for n in range(130):
            self.edit("create_label", name=f"area/{n:03}")
        self.seldom_round()
        self.assert_labels()
        # One vanishes while the first page was read already: none of the others may go.
        self.double.fault(match="labels", kind="drop", times=1, after=1)
        self.edit("delete_label", name="area/005")
        self.seldom_round()
        self.assert_labels()

    def assert_labels(self):
        got = [label["name"] for label in self.get("/labels")["labels"]]
        self.assertEqual(sorted(label["name"] for label in self.state()["labels"]), sorted(got))

    def test_a_repository_that_goes_away_and_comes_back(self):
        before = self.mirror.answers()
        for gone, back, status in (("remove_repo", "restore_repo", "404"),
                                   ("disable_issues", "enable_issues", "410")):
            self.edit(gone)
            program = self.mirror.start_sync("--interval", "1")
            line = harness.wait_until(lambda: program.log_with(message="round failed"),
                                      program.tail)[0]
            self.assertIn(status, line["error"])
            self.assertEqual(before, self.mirror.answers())
            self.assertIn(status, self.resource()["lastError"])
            self.double.edit(self.repo, back)
            harness.wait_until(lambda: program.log_with(message="round finished"), program.tail)
            self.assertEqual(0, program.stop(), program.tail())
            self.assertEqual("", self.resource()["lastError"])
            self.assert_in_step(back)
        self.assert_files()


class Many(Edited):
    """Random edits in batches, larger than a page of GitHub's."""

    def random_edit(self, rng):
        n, pull = rng.choice(self.issues), rng.choice(self.pulls)
        login = rng.choice(("ann", "bob", "cyd", None))
        person = login or "dee"
        label = rng.choice(("bug", "P1", "blocked", "feature", "questions"))
        state = rng.choice(("APPROVED", "CHANGES_REQUESTED", "COMMENTED"))
        op, settings = rng.choice((
            ("edit_title", {"number": n, "title": f"title {rng.random()}"}),
            ("edit_body", {"number": n, "body": "b" * rng.randint(0, 5000)}),
            ("add_label", {"number": n, "name": label}),
            ("close", {"number": n, "actor": person}),
            ("reopen", {"number": n}),
            ("lock", {"number": n}), ("unlock", {"number": n}),
            ("assign", {"number": n, "assignee": person}),
            ("add_comment", {"number": n, "body": f"comment {rng.random()}", "user": login}),
            ("add_comment", {"number": pull, "body": f"comment {rng.random()}", "user": login}),
            ("add_review", {"number": pull, "state": state, "user": login}),
            ("set_draft", {"number": pull, "draft": rng.random() < 0.5}),
            ("create_issue", {"title": f"made {rng.random()}", "user": person}),
            ("create_pull", {"title": f"made {rng.random()}", "user": person}),
            ("rename_label", {"name": label, "new_name": label.swapcase()}),
        ))
        if op == "rename_label":
            self.edit("ensure_label", name=label)
        self.edit(op, **settings)

    def test_random_edits(self):
        self.open(recordings.made(43, 40, 20))
        rng = seeded()
        for batch in range(count_of(4, 60)):
            for _ in range(rng.choice((1, 5, 40, 150))):
                self.random_edit(rng)
            with self.subTest(batch=batch):
                self.follow(f"batch {batch}")
        self.assert_files()

    def test_edits_while_a_first_sync_runs(self):
        folder = recordings.made(44, 60, 30)
        self.open(folder)
        rng = seeded()
        for run in range(count_of(2, 20)):
            self.mirror = Mirror(self.stage, self.repo, self.double.url)
            self.double.fault(match="", kind="slow", delay_s=0.02, times=-1)
            program = self.mirror.start_sync("--once")
            for _ in range(EDITS_DURING_A_SYNC):
                self.random_edit(rng)
                time.sleep(0.02)
            self.double.clear_faults()
            self.assertEqual(0, program.wait(), program.tail())
            with self.subTest(run=run):
                self.follow(f"run {run}")
                self.assert_files()


class Recorded(Edited):
    """Two months of a real repository's life."""

    DELTAS = "bitcoin-core__gui.deltas.jsonl.gz"
    REPO = "bitcoin-core/gui"

    def test_deltas(self):
        path = os.path.join(paths.DATA, self.DELTAS)
        names = [name for name in recordings.shared_archives() if "gui.base" in name]
        if not names or not os.path.exists(path):
            self.skipTest("no deltas here")
        with gzip.open(path, "rt", encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.open(recordings.shared(names[0]), self.REPO, names[0][-len("2026-06-24"):] +
                  "T00:00:00Z")
        rounds = count_of(6, len(lines))
        gone, requests = set(), []
        for at, line in enumerate(lines):
            self.double.clock(set=line["at"])
            self.double.delta(line)
            gone.update(line["gone"])
            if (at + 1) % max(1, len(lines) // rounds) == 0:
                requests.append(self.follow_delta())
                if harness.FULL:
                    self.assert_in_step(line["at"], gone)
        print("requests in each round:", *requests, file=sys.stderr)
        # Some facts change without a trace in any poll (who is a contributor, say).
        self.mirror.sync("--relist")
        self.assert_in_step("the end", gone)
        self.assert_files()

    def follow_delta(self):
        """One round; how many requests it took."""
        before = self.double.counts()["total"]
        self.mirror.sync()
        return self.double.counts()["total"] - before


if __name__ == "__main__":
    unittest.main(verbosity=2)
