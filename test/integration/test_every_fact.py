"""Nothing that GitHub's answers say is lost between diff, apply and the API.

Recordings go through `recording-check`, the same code as the daemon's without a network;
expected_answer.py says independently what must come out.  Made recordings are enriched
first with what the recorded ones do not have.
"""

import copy
import json
import os
import subprocess
import tempfile
import unittest

import paths
import recordings
from expected_answer import (Deriver, compare_repositories, load_recording, newest_logins,
                             expected_issues)

REPO = "acme/widgets"  # the name under which the program keeps any recording
LISTINGS = ("pulls", "pull_details", "review_comments")

APP = {"id": 15368, "slug": "actions", "node_id": "x", "name": "Actions",
       "owner": {"login": "acme", "id": 9, "url": "https://api.github.com/users/acme"},
       "permissions": {"issues": "write"}, "events": ["push"]}
PERSON = {"login": "zoe", "id": 77, "node_id": "n", "url": "https://api.github.com/users/zoe",
          "type": "User", "site_admin": False}
OTHER_PERSON = {**PERSON, "login": "abe", "id": 76}


def counts(*kinds):
    """A reactions object in which the given kinds were chosen once each."""
    names = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": "https://api.github.com/x/reactions", "total_count": len(kinds),
            **{name: int(name in kinds) for name in names}}


ISSUE_EXTRAS = (
    {"type": {"id": 5, "node_id": "n", "name": "Bug \"x\"", "description": None,
              "color": "red", "is_enabled": True}},
    {"active_lock_reason": "too heated", "author_association": "OWNER"},
    {"reactions": counts("+1", "eyes")},
    {"sub_issues_summary": {"total": 2, "completed": 1, "percent_completed": 50}},
    {"parent_issue_url": "https://api.github.com/repos/acme/widgets/issues/1"},
    {"performed_via_github_app": APP},
    {"issue_field_values": [{"id": 1, "url": "u", "value": 0.5, "by": PERSON}, None]},
    {"new_flag": False, "new_number": 0, "new_text": "", "new_list": [], "pull": "no half"},
)
PULL_EXTRAS = (
    {"requested_reviewers": [PERSON, OTHER_PERSON],
     "requested_teams": [{"id": 3, "slug": "zeta"}, {"id": 4, "slug": "alpha"}]},
    {"auto_merge": {"enabled_by": PERSON, "merge_method": "squash", "commit_title": "t"}},
    {"draft": True},
)
COMMENT_EXTRAS = (
    {"reactions": counts("heart")},
    {"author_association": "MEMBER", "performed_via_github_app": APP},
    {"pin": {"pinned_at": "2024-01-01T00:00:00Z", "pinned_by": PERSON}},
)
LINE_EXTRAS = (
    {"reactions": counts("rocket", "+1"), "start_line": 1, "start_side": "LEFT"},
    {"line": None, "position": None, "subject_type": "file"},
    {"body_text": "as text", "original_start_line": 7},
)


def enriched(source):
    """A copy with every kind of fact that recordings lack, in turn over the objects."""
    source = copy.deepcopy(source)

    def spread(objects, extras):
        for at, data in enumerate(objects):
            data.update(copy.deepcopy(extras[at % len(extras)]))

    spread(source["issues"], ISSUE_EXTRAS)
    spread(source["pulls"], PULL_EXTRAS)
    drafts = {pull["number"]: pull["draft"] for pull in source["pulls"]}
    for issue in source["issues"]:
        if issue["number"] in drafts:
            issue["draft"] = drafts[issue["number"]]
    for at, pull in enumerate(source["pulls"]):
        if at % 4 == 0:
            pull["head"].update(repo=None, user=PERSON if at % 8 == 0 else None)
    for family, extras in (("comments", COMMENT_EXTRAS), ("reviews", COMMENT_EXTRAS[1:]),
                           ("review_comments", LINE_EXTRAS)):
        spread([row for rows in source[family].values() for row in rows], extras)
    return source


def with_one_login_each(value, logins):
    """Whoever took another name has the newest one: else the answers contradict themselves."""
    if isinstance(value, list):
        return [with_one_login_each(item, logins) for item in value]
    if not isinstance(value, dict):
        return value
    value = {name: with_one_login_each(item, logins) for name, item in value.items()}
    if "login" in value and value.get("id") in logins:
        value["login"] = logins[value["id"]]
    return value


def write(source, folder):
    """The source as a recording folder again."""
    for family, data in source.items():
        if family in ("repo", "repository"):
            continue
        rows = data.items() if isinstance(data, dict) else [("", data)]
        for number, objects in rows:
            name = f"{family}/{number}.json" if number else f"{family}.json"
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                json.dump(objects, file)


class EveryFact(unittest.TestCase):
    def check(self, source):
        source = with_one_login_each(source, newest_logins(source))
        with tempfile.TemporaryDirectory(prefix="maintner-facts-") as folder:
            write(source, folder)
            done = subprocess.run([paths.program("recording-check"), folder],
                                  capture_output=True, check=False)
        self.assertEqual((0, b""), (done.returncode, done.stderr))
        lines = [json.loads(line) for line in done.stdout.split(b"\n") if line]
        got = {line["issue"]["issueId"]: line["issue"] for line in lines}
        found = compare_repositories(expected_issues(source, REPO, LISTINGS), got)
        self.assertEqual([], found[:25], f"{len(found)} differences")
        deriver = Deriver(source, REPO, LISTINGS)
        for line in lines:
            number = line["issue"]["issueId"]
            self.assertEqual(deriver.other_members(number), line["other"], number)
        return got

    def test_recordings(self):
        for name, folder in recordings.everything().items():
            with self.subTest(name):
                self.check(load_recording(folder()))

    def test_facts_that_recordings_lack(self):
        got = self.check(enriched(load_recording(recordings.made()))).values()
        for name in ("activeLockReason", "mergeCommit", "mergedBy", "base", "head",
                     "requestedReviewers", "requestedTeams", "type", "reviewComments"):
            self.assertTrue(any(issue[name] for issue in got), name)
        self.assertTrue(any(issue["head"] and not issue["head"]["repo"] for issue in got))
        self.assertTrue(any("otherJson" in row for issue in got for row in issue["comments"]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
