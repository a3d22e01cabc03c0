"""The life of one issue or pull request: what happened to it, in order.

A History keeps the issue object, its events, comments and reviews consistent
while time moves on: each step advances the item's clock, changes the object,
and files the event that GitHub would
(https://docs.github.com/en/rest/using-the-rest-api/issue-event-types).
"""

import github_objects as objects

HOUR_S = 3600
DAY_S = 24 * HOUR_S


class History:
    def __init__(self, maker, number, created_s, is_pull):
        self.maker = maker
        self.rng = maker.rng
        self.number = number
        self.now_s = created_s
        self.is_pull = is_pull
        self.comments = []
        self.events = []
        self.reviews = []
        self.review_comments = []
        self.pull = None
        self.issue = self._open()

    def _open(self):
        maker, author = self.maker, self.maker.people.author()
        title = maker.text.pull_title() if self.is_pull else maker.text.issue_title()
        draft = self.rng.random() < 0.12 if self.is_pull else None
        issue = objects.issue(maker.full_name, maker.issue_ids.at(self.now_s), self.number, title,
                              author, self.text_now(), maker.text.body(), draft)
        issue["author_association"] = maker.people.association(author)
        if self.is_pull:
            self.pull = self._open_pull(issue)
        return issue

    def _open_pull(self, issue):
        maker, author = self.maker, issue["user"]
        fork_is_there = author is not None and self.rng.random() < 0.9
        head = objects.branch_side(author, maker.repo if fork_is_there else None,
                                   f"topic/{self.number}", self.sha())
        base = objects.branch_side(maker.repo["owner"], maker.repo, "main", self.sha())
        pull = objects.pull(maker.full_name, maker.pull_ids.at(self.now_s), issue, head, base)
        pull.update(additions=self.rng.randint(1, 400), deletions=self.rng.randint(0, 200),
                    commits=self.rng.randint(1, 9), changed_files=self.rng.randint(1, 20))
        return pull

    # Time

    def text_now(self):
        return self.maker.time_text(self.now_s)

    def wait(self, longest_s=DAY_S):
        """Let some time pass, but never beyond the recording's own end."""
        step = self.rng.randint(1, longest_s)
        self.now_s = min(self.now_s + step, self.maker.end_s)

    def moved(self):
        self.issue["updated_at"] = self.text_now()

    def sha(self):
        return f"{self.rng.getrandbits(160):040x}"

    # Steps

    def event(self, kind, actor=None, **more):
        maker = self.maker
        actor = actor if actor is not None else maker.people.author()
        self.events.append(objects.event(
            maker.full_name, maker.event_ids.at(self.now_s), kind, actor, self.text_now(), **more))

    def comment(self, body=None):
        maker, author = self.maker, self.maker.people.author()
        body = maker.text.comment() if body is None else body
        row = objects.comment(maker.full_name, maker.comment_ids.at(self.now_s), self.number,
                              self.is_pull, author, self.text_now(), body,
                              maker.people.association(author))
        if self.rng.random() < 0.1:
            self.wait(HOUR_S)
            row["updated_at"] = self.text_now()
        self.comments.append(row)
        self.issue["comments"] += 1
        self.moved()

    def add_label(self, label):
        if label in self.issue["labels"]:
            return
        self.issue["labels"].append(label)
        self.event("labeled", self.maker.people.maintainer(),
                   label={"name": label["name"], "color": label["color"]})
        self.moved()

    def remove_label(self):
        if not self.issue["labels"]:
            return
        label = self.issue["labels"].pop()
        self.event("unlabeled", label={"name": label["name"], "color": label["color"]})
        self.moved()

    def rename(self):
        old = self.issue["title"]
        self.issue["title"] = self.maker.text.title_variant(old)
        self.event("renamed", rename={"from": old, "to": self.issue["title"]})
        self.moved()

    def assign(self, person):
        if any(person["id"] == p["id"] for p in self.issue["assignees"]):
            return
        self.issue["assignees"].append(person)
        self.issue["assignee"] = self.issue["assignees"][0]
        self.event("assigned", assignee=person, assigner=self.maker.people.maintainer())
        self.moved()

    def set_milestone(self, milestone):
        self.issue["milestone"] = milestone
        self.event("milestoned", milestone={"title": milestone["title"]})
        self.moved()

    def lock(self):
        reason = self.rng.choice((None, "resolved", "too heated", "off-topic", "spam"))
        self.issue.update(locked=True, active_lock_reason=reason)
        self.event("locked", self.maker.people.maintainer(), lock_reason=reason)
        self.moved()

    def close(self, reason=None, commit_id=None):
        closer = self.maker.people.maintainer()
        known = not self.maker.odd or self.rng.random() < 0.9
        self.issue.update(state="closed", closed_at=self.text_now(), state_reason=reason,
                          closed_by=closer if known else None)
        self.event("closed", closer, commit_id=commit_id, state_reason=reason)
        self.moved()

    def reopen(self):
        self.issue.update(state="open", closed_at=None, closed_by=None,
                          state_reason=None if self.is_pull else "reopened")
        self.event("reopened", state_reason=None)
        self.moved()

    def ready(self):
        self.issue["draft"] = False
        self.event("ready_for_review")
        self.moved()

    def merge(self):
        merger, sha, now = self.maker.people.maintainer(), self.sha(), self.text_now()
        self.issue["pull_request"]["merged_at"] = now
        self.pull.update(merged=True, merged_at=now, merged_by=merger, merge_commit_sha=sha)
        self.event("merged", merger, commit_id=sha)
        self.issue.update(state="closed", closed_at=now, closed_by=merger)
        self.event("closed", merger, state_reason=None)
        self.moved()

    def review(self, reviewer, state):
        maker, sha = self.maker, self.pull["head"]["sha"]
        body = maker.text.remark()
        association = maker.people.association(reviewer)
        row = objects.review(maker.full_name, maker.review_ids.at(self.now_s), self.number,
                             reviewer, self.text_now(), state, body, sha, association)
        self.reviews.append(row)
        if state == "DISMISSED":
            self.event("review_dismissed", dismissed_review={
                "state": "CHANGES_REQUESTED", "review_id": row["id"],
                "dismissal_message": "Outdated", "dismissal_commit_id": None})
        if self.rng.random() < 0.4:
            self._review_comment(row, reviewer, association)
        self.moved()

    def _review_comment(self, review, reviewer, association):
        maker = self.maker
        self.review_comments.append(objects.review_comment(
            maker.full_name, maker.review_comment_ids.at(self.now_s), self.number, review["id"],
            reviewer, self.text_now(), maker.text.comment(), review["commit_id"],
            self.rng.choice(("src/widget.c", "src/cache.c", "README.md")),
            self.rng.randint(1, 900), association=association))
        self.pull["review_comments"] += 1

    def request_review(self, person):
        self.pull["requested_reviewers"].append(person)
        self.event("review_requested", requested_reviewer=person,
                   review_requester=self.maker.people.maintainer())
        self.moved()

    def noise(self):
        """An event that changes nothing and does not move `updated_at`."""
        kind = self.rng.choice(("mentioned", "subscribed", "referenced", "subscribed"))
        commit_id = self.sha() if kind == "referenced" else None
        if commit_id is not None and self.rng.random() < 0.3:
            self.event(kind, commit_id=commit_id, commit_repo="elsewhere/consumer")
        else:
            self.event(kind, commit_id=commit_id)

    def finish(self):
        """Bring the pull request object in step with the issue object."""
        if self.pull is None:
            return
        for name in ("title", "state", "locked", "active_lock_reason", "updated_at", "closed_at",
                     "labels", "assignee", "assignees", "milestone", "draft", "comments",
                     "author_association"):
            self.pull[name] = self.issue[name]
