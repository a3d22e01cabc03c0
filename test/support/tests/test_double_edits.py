"""Edits leave the model as GitHub would: counts, times, events, pull requests."""

import gzip
import json
import unittest

import context
from context import REPO, Double, DoubleCase, DoubleClient, made_recording
from github_double.client import ControlFailed

AT = "2030-01-02T03:04:05Z"

SHARED = ("title", "body", "state", "locked", "updated_at", "closed_at", "labels", "assignees",
          "milestone", "draft", "comments")


class EditCase(DoubleCase):
    def setUp(self):
        super().setUp()
        self.client.clock(set=AT, frozen=True)
        state = self.state()
        self.issue = next(i["number"] for i in state["issues"]
                          if "pull_request" not in i and i["state"] == "open")
        self.pull = next(p["number"] for p in state["pulls"] if p["state"] == "open")

    def look(self, number):
        return self.get(f"/issues/{number}").json()

    def last_event(self, number):
        return self.walk(f"/issues/{number}/events?per_page=100")[-1]

    def assert_in_step(self):
        """Invariants of the whole model."""
        state = self.state()
        pulls = {p["number"]: p for p in state["pulls"]}
        for issue in state["issues"]:
            rows = state["comments"].get(str(issue["number"]), [])
            self.assertEqual(issue["comments"], len(rows), issue["number"])
            if issue["number"] in pulls:
                pull = pulls[issue["number"]]
                for name in SHARED:
                    self.assertEqual(issue[name], pull[name], (issue["number"], name))
                self.assertEqual(issue["pull_request"]["merged_at"], pull["merged_at"])
        opened = sum(i["state"] == "open" for i in state["issues"])
        self.assertEqual(state["repository"]["open_issues_count"], opened)


class Issues(EditCase):
    def tearDown(self):
        self.assert_in_step()

    def test_the_recording_is_in_step_from_the_start(self):
        self.assert_in_step()

    def test_create_issue(self):
        made = self.edit("create_issue", title="new", body="b", user="newcomer",
                         labels=["P1", "fresh"], assignees=["newcomer"], milestone=3)
        issue = self.look(made["number"])
        self.assertEqual((issue["title"], issue["user"]["login"], issue["created_at"]),
                         ("new", "newcomer", AT))
        self.assertEqual([x["name"] for x in issue["labels"]], ["P1", "fresh"])
        self.assertIn("fresh", [x["name"] for x in self.walk("/labels")])
        self.assertGreater(issue["id"], 2**31)

    def test_titles_and_bodies(self):
        old = self.look(self.issue)["title"]
        self.edit("edit_title", number=self.issue, title="other")
        self.assertEqual(self.last_event(self.issue)["rename"], {"from": old, "to": "other"})
        self.edit("edit_body", number=self.pull, body=None)
        self.assertIsNone(self.get(f"/pulls/{self.pull}").json()["body"])
        self.assertEqual(self.look(self.issue)["updated_at"], AT)

    def test_labels(self):
        self.edit("add_label", number=self.pull, name="P1")
        self.assertEqual(self.last_event(self.pull)["label"]["name"], "P1")
        self.edit("rename_label", name="P1", new_name="Urgent")
        self.assertIn("Urgent", [x["name"] for x in self.look(self.pull)["labels"]])
        self.edit("remove_label", number=self.pull, name="Urgent")
        self.assertEqual(self.last_event(self.pull)["event"], "unlabeled")
        self.edit("add_label", number=self.issue, name="Urgent")
        self.edit("delete_label", name="Urgent")
        self.assertNotIn("Urgent", [x["name"] for x in self.look(self.issue)["labels"]])

    def test_renaming_a_label_moves_no_issue(self):
        before = {i["number"]: i["updated_at"] for i in self.state()["issues"]}
        self.edit("rename_label", name="bug", new_name="defect")
        after = {i["number"]: i["updated_at"] for i in self.state()["issues"]}
        self.assertEqual(before, after)

    def test_close_and_reopen(self):
        self.edit("close", number=self.issue, state_reason="not_planned", actor="closer")
        issue = self.look(self.issue)
        self.assertEqual((issue["state"], issue["closed_at"], issue["state_reason"],
                          issue["closed_by"]["login"]), ("closed", AT, "not_planned", "closer"))
        self.edit("reopen", number=self.issue)
        issue = self.look(self.issue)
        self.assertEqual((issue["state"], issue["closed_at"], issue["closed_by"],
                          issue["state_reason"]), ("open", None, None, "reopened"))
        self.assertEqual(self.last_event(self.issue)["event"], "reopened")

    def test_lock_assign_and_milestone(self):
        self.edit("lock", number=self.pull, reason="spam")
        self.assertEqual(self.look(self.pull)["active_lock_reason"], "spam")
        self.edit("unlock", number=self.pull)
        self.edit("assign", number=self.pull, assignee="helper")
        self.assertEqual(self.look(self.pull)["assignee"]["login"], "helper")
        self.edit("unassign", number=self.pull, assignee="helper")
        self.assertEqual(self.last_event(self.pull)["event"], "unassigned")
        made = self.edit("create_milestone", title="3.0")
        self.edit("set_milestone", number=self.pull, milestone=made["milestone"])
        self.edit("edit_milestone", milestone=made["milestone"], title="3.1", state="closed")
        self.assertEqual(self.look(self.pull)["milestone"]["title"], "3.1")
        self.edit("clear_milestone", number=self.pull)
        self.assertEqual(self.last_event(self.pull)["event"], "demilestoned")

    def test_comments(self):
        made = self.edit("add_comment", number=self.issue, body="hi", user="talker")
        self.client.clock(advance_s=10)
        self.edit("edit_comment", id=made["id"], body="")
        comment = self.walk(f"/issues/{self.issue}/comments?per_page=100")[-1]
        self.assertEqual((comment["body"], comment["updated_at"]), ("", "2030-01-02T03:04:15Z"))
        self.client.clock(advance_s=10)
        self.edit("delete_comment", id=made["id"], move_updated=False)
        self.assertEqual(self.look(self.issue)["updated_at"], "2030-01-02T03:04:15Z")
        self.assertEqual(self.last_event(self.issue)["event"], "comment_deleted")

    def test_an_old_comment_of_many_is_edited_late(self):
        number = self.edit("create_issue", title="long")["number"]
        made = [self.edit("add_comment", number=number, body=str(i)) for i in range(105)]
        self.client.clock(advance_s=3600)
        self.edit("edit_comment", id=made[2]["id"], body="late")
        whole = self.walk(f"/issues/{number}/comments?per_page=100")
        self.assertEqual([c["body"] for c in whole][:4], ["0", "1", "late", "3"])
        self.assertEqual(len(whole), 105)
        since = self.walk(f"/issues/{number}/comments?since=2030-01-02T04:00:00Z")
        self.assertEqual([c["body"] for c in since], ["late"])

    def test_a_deleted_milestone_leaves_its_issues(self):
        made = self.edit("create_milestone", title="4.0")
        self.edit("set_milestone", number=self.issue, milestone=made["milestone"])
        before = self.look(self.issue)["updated_at"]
        self.client.clock(advance_s=60)
        self.edit("delete_milestone", milestone=made["milestone"])
        issue = self.look(self.issue)
        self.assertEqual((issue["milestone"], issue["updated_at"]), (None, before))

    def test_any_event_can_be_added(self):
        before = self.look(self.issue)["updated_at"]
        self.edit("add_event", number=self.issue, event="marked_as_duplicate")
        self.edit("add_event", number=self.issue, event="user_blocked", fields={"block_duration": "1"})
        self.assertEqual(self.last_event(self.issue)["event"], "user_blocked")
        self.assertEqual(self.look(self.issue)["updated_at"], before)
        with self.assertRaises(ControlFailed):
            self.edit("add_event", number=self.issue, event="x", fields={"id": 3})

    def test_touch_moves_only_the_time(self):
        before = self.look(self.issue)
        self.edit("touch", number=self.issue)
        self.assertEqual(self.look(self.issue), {**before, "updated_at": AT})

    def test_an_edit_is_never_older_than_the_recording(self):
        self.client.clock(set="2001-01-01T00:00:00Z")
        newest = max(i["updated_at"] for i in self.state()["issues"])
        self.assertGreater(self.edit("touch", number=self.issue)["at"], newest)


class Pulls(EditCase):
    def tearDown(self):
        self.assert_in_step()

    def test_create_and_draft(self):
        made = self.edit("create_pull", title="p", draft=True)
        self.assertTrue(self.look(made["number"])["draft"])
        self.edit("set_draft", number=made["number"], draft=False)
        self.assertFalse(self.get(f"/pulls/{made['number']}").json()["draft"])
        self.assertEqual(self.last_event(made["number"])["event"], "ready_for_review")

    def test_merge(self):
        made = self.edit("merge_pull", number=self.pull)
        pull = self.get(f"/pulls/{self.pull}").json()
        self.assertTrue(pull["merged"])
        self.assertEqual((pull["merge_commit_sha"], pull["merged_at"]), (made["sha"], AT))
        kinds = [e["event"] for e in self.walk(f"/issues/{self.pull}/events")][-2:]
        self.assertEqual(kinds, ["merged", "closed"])

    def test_reviews(self):
        made = self.edit("add_review", number=self.pull, user="judge", state="APPROVED")
        self.edit("dismiss_review", id=made["id"], message="old")
        review = self.walk(f"/pulls/{self.pull}/reviews?per_page=100")[-1]
        self.assertEqual((review["id"], review["state"]), (made["id"], "DISMISSED"))
        event = self.last_event(self.pull)
        self.assertEqual(event["dismissed_review"]["review_id"], made["id"])

    def test_the_base_and_the_branch(self):
        self.edit("change_base", number=self.pull, base_ref="next")
        base = self.get(f"/pulls/{self.pull}").json()["base"]
        self.assertEqual((base["ref"], base["label"]), ("next", "acme:next"))
        self.assertEqual(self.last_event(self.pull)["event"], "base_ref_changed")
        for op, kind in (("delete_head", "head_ref_deleted"), ("restore_head", "head_ref_restored"),
                         ("push_head", "head_ref_force_pushed")):
            self.edit(op, number=self.pull)
            self.assertEqual(self.last_event(self.pull)["event"], kind)

    def test_reviewers_come_and_go(self):
        self.edit("request_review", number=self.pull, reviewer="judge")
        self.edit("request_review", number=self.pull, reviewer="judge")
        self.edit("request_review", number=self.pull, team="core")
        pull = self.get(f"/pulls/{self.pull}").json()
        self.assertEqual([p["login"] for p in pull["requested_reviewers"]].count("judge"), 1)
        self.assertEqual(pull["requested_teams"][-1]["name"], "core")
        self.assertEqual(self.last_event(self.pull)["requested_team"]["name"], "core")
        self.edit("remove_review_request", number=self.pull, reviewer="judge")
        pull = self.get(f"/pulls/{self.pull}").json()
        self.assertNotIn("judge", [p["login"] for p in pull["requested_reviewers"]])
        self.assertEqual(self.last_event(self.pull)["event"], "review_request_removed")

    def test_an_edited_review_tells_no_listing(self):
        made = self.edit("add_review", number=self.pull, body="old")
        self.client.clock(advance_s=60)
        self.edit("edit_review", id=made["id"], body="new")
        self.assertEqual(self.look(self.pull)["updated_at"], AT)
        self.assertEqual(self.walk(f"/pulls/{self.pull}/reviews?per_page=100")[-1]["body"], "new")

    def test_review_comments_come_and_go(self):
        before = self.get(f"/pulls/{self.pull}").json()["review_comments"]
        made = self.edit("add_review_comment", number=self.pull, body="x")
        self.assertEqual(self.get(f"/pulls/{self.pull}").json()["review_comments"], before + 1)
        self.edit("delete_review_comment", id=made["id"])
        self.assertEqual(self.get(f"/pulls/{self.pull}").json()["review_comments"], before)
        self.assertNotIn(made["id"], [c["id"] for c in self.walk(f"/pulls/{self.pull}/comments")])

    def test_review_comments_do_not_move_the_issue_when_edited(self):
        made = self.edit("add_review_comment", number=self.pull, body="x")
        self.client.clock(advance_s=60)
        self.edit("edit_review_comment", id=made["id"], body="y")
        self.assertEqual(self.look(self.pull)["updated_at"], AT)
        newest = self.walk("/pulls/comments?sort=updated&direction=desc")[0]
        self.assertEqual((newest["body"], newest["updated_at"]), ("y", "2030-01-02T03:05:05Z"))


class Leaving(EditCase):
    def test_deleted_issues_are_410_and_come_back(self):
        self.edit("add_comment", number=self.issue, body="kept")
        before = self.look(self.issue)
        self.edit("delete_issue", number=self.issue)
        for rest in ("", "/comments", "/events"):
            self.assertEqual(self.get(f"/issues/{self.issue}{rest}").status, 410)
        self.assertNotIn(before["id"], [i["id"] for i in self.walk("/issues?state=all")])
        self.assertTrue(all(not c["issue_url"].endswith(f"/{self.issue}")
                            for c in self.walk("/issues/comments?per_page=100")))
        self.edit("restore_issue", number=self.issue)
        self.assertEqual(self.look(self.issue), before)
        self.edit("delete_issue", number=self.issue, status=404)
        self.assertEqual(self.get(f"/issues/{self.issue}").status, 404)

    def test_issues_become_discussions(self):
        self.edit("convert_to_discussion", number=self.issue)
        self.assertEqual(self.get(f"/issues/{self.issue}").status, 404)
        self.edit("restore_issue", number=self.issue)
        self.edit("convert_to_discussion", number=self.issue, stays=True)
        issue = self.look(self.issue)
        self.assertEqual((issue["state"], issue["locked"]), ("closed", True))
        self.assertEqual(self.last_event(self.issue)["event"], "converted_to_discussion")

    def test_numbers_of_deleted_issues_are_not_used_again(self):
        top = self.edit("create_issue")["number"]
        self.edit("delete_issue", number=top)
        self.assertEqual(self.edit("create_issue")["number"], top + 1)

    def test_issues_can_be_switched_off(self):
        self.edit("disable_issues")
        for rest in ("/issues", "/issues/comments", f"/issues/{self.issue}"):
            self.assertEqual(self.get(rest).status, 410)
        self.assertEqual((self.get().status, self.get("/pulls").status), (200, 200))
        self.edit("enable_issues")
        self.assertEqual(self.get("/issues").status, 200)

    def test_a_removed_repository_is_404(self):
        self.edit("remove_repo")
        self.assertEqual((self.get().status, self.get("/issues").status), (404, 404))

    def test_a_renamed_repository_redirects(self):
        self.edit("rename_repo", new_name="acme/gizmos")
        answer = self.get("/issues?state=all&per_page=5")
        self.assertEqual(answer.status, 301)
        self.assertEqual(answer.json()["message"], "Moved Permanently")
        self.assertIn("/repositories/", answer.headers["Location"])
        followed = self.client.get(answer.headers["Location"])
        self.assertEqual(len(followed.json()), 5)
        issue = self.client.get("/repos/acme/gizmos/issues").json()[0]
        self.assertIn("/repos/acme/gizmos/issues/", issue["url"])
        self.assertTrue(issue["html_url"].startswith("https://github.com/acme/gizmos/"))

    def test_rules_appear_and_vanish(self):
        path = "/contents/.github/issue_slo_rules.json"
        self.assertEqual(self.get(path).status, 404)
        self.edit("set_rules", content="[]\n")
        self.assertEqual(self.get(path).json()["content"].strip(), "W10K")
        raw = self.get(path, Accept="application/vnd.github.raw+json")
        self.assertEqual(raw.body, b"[]\n")


class Random(EditCase):
    def tearDown(self):
        self.assert_in_step()

    def test_a_seed_repeats(self):
        states = []
        for _ in range(2):
            with Double(self.folders()) as double:
                client = DoubleClient(double.url)
                client.clock(set=AT, frozen=True)
                done = client.random_edits(REPO, 150, 7, spread_s=5)
                states.append((done, client.state(REPO)))
                client.close()
        self.assertEqual(states[0], states[1])
        self.assertEqual(len(states[0][0]), 150)

    def test_they_are_many_kinds_and_keep_the_model_in_step(self):
        done = self.client.random_edits(REPO, 300, 3, spread_s=60)
        self.assertGreater(len({edit["op"] for edit in done}), 30)
        self.assertTrue(all(edit["at"] >= AT for edit in done))

    def test_kinds_can_be_chosen(self):
        kinds = ["delete_issue", "transfer_issue", "convert_to_discussion", "delete_user"]
        done = self.client.random_edits(REPO, 20, 1, kinds)
        self.assertLessEqual({edit["op"] for edit in done}, set(kinds))
        with self.assertRaises(ControlFailed):
            self.client.random_edits(REPO, 1, 1, ["fly"])
        with self.assertRaises(ControlFailed):
            self.client.random_edits(REPO, 5000, 1, ["delete_issue"])


class Transfers(EditCase):
    @classmethod
    def folders(cls):
        return [made_recording(), made_recording(10, 5, "acme/gadgets")]

    def test_a_transferred_issue_redirects_and_arrives(self):
        old = self.look(self.issue)
        made = self.edit("transfer_issue", number=self.issue, to="acme/gadgets")
        answer = self.get(f"/issues/{self.issue}")
        self.assertEqual(answer.status, 301)
        arrived = self.client.get(answer.headers["Location"]).json()
        self.assertEqual((arrived["number"], arrived["title"]),
                         (made["new_number"], old["title"]))
        comments = self.client.get(f"/repos/acme/gadgets/issues/{arrived['number']}/comments")
        self.assertEqual(len(comments.json()), min(30, old["comments"]))
        self.assertEqual(self.get(f"/issues/{self.issue}/comments").status, 301)


class Users(EditCase):
    def test_a_renamed_user_is_renamed_everywhere(self):
        user = self.look(self.issue)["user"] or self.look(self.pull)["user"]
        self.client.edit(None, "rename_user", login=user["login"], new_login="fresh-name")
        text = json.dumps(self.state())
        self.assertNotIn(f'"login": "{user["login"]}"', text)
        self.assertNotIn(f"/users/{user['login']}\"", text)
        self.assertIn('"login": "fresh-name"', text)

    def test_a_deleted_user_becomes_null_or_the_ghost(self):
        made = self.edit("create_issue", user="leaver", assignees=["leaver"])
        self.edit("add_comment", number=made["number"], user="leaver", body="bye")
        self.client.edit(REPO, "delete_user", login="leaver")
        issue = self.look(made["number"])
        self.assertEqual((issue["user"], issue["assignee"], issue["assignees"]), (None, None, []))
        made = self.edit("create_issue", user="other")
        self.client.edit(REPO, "delete_user", login="other", become="ghost")
        self.assertEqual(self.look(made["number"])["user"]["login"], "ghost")

    def test_impossible_edits_are_refused(self):
        for op, settings in (("fly", {}), ("close", {"number": 10**6}), ("close", {}),
                             ("remove_label", {"number": self.issue, "name": "none such"}),
                             ("add_review", {"number": self.issue}),
                             ("delete_comment", {"id": 1})):
            with self.assertRaises(ControlFailed, msg=op):
                self.edit(op, **settings)


class Deltas(EditCase):
    def test_a_delta_replaces_lists_and_takes_numbers_away(self):
        issue = self.look(self.issue)
        issue.update(title="from a delta", comments=1)
        comment = self.walk("/issues/comments")[0]
        gone = self.pull
        self.client.delta({"repo": REPO, "at": AT, "gone": [gone], "issues": [issue],
                           "pulls": [], "comments": {str(self.issue): [comment]},
                           "events": {}, "reviews": {}, "review_comments": {}})
        self.assertEqual(self.look(self.issue)["title"], "from a delta")
        self.assertEqual(self.walk(f"/issues/{self.issue}/comments"), [comment])
        self.assertEqual(self.get(f"/issues/{gone}").status, 404)


class RecordedDeltas(unittest.TestCase):
    def test_two_months_of_a_real_repository_apply(self):
        path = context.data_file("bitcoin-core__gui.deltas.jsonl.gz")
        folder = next(f for f in context.recorded_folders() if f.endswith("bitcoin-core__gui"))
        with Double([folder]) as double, gzip.open(path, "rt", encoding="utf-8") as lines:
            client = DoubleClient(double.url)
            for line in lines:
                delta = json.loads(line)
                client.delta(delta)
                for issue in delta["issues"]:
                    got = client.get(f"/repos/bitcoin-core/gui/issues/{issue['number']}")
                    self.assertEqual(got.json(), issue)
            client.close()


if __name__ == "__main__":
    unittest.main()
