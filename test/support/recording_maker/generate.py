"""Generates a whole repository: plans the numbers, then lives each history."""

import random
import zlib
from datetime import datetime, timezone

import github_objects as objects
import node_ids

from .history import DAY_S, HOUR_S, History
from .people import IdSpace, People
from .text import ODD_TEXTS, Writer

START_S = int(datetime(2017, 3, 1, 8, tzinfo=timezone.utc).timestamp())
END_S = int(datetime(2025, 6, 30, 18, tzinfo=timezone.utc).timestamp())

LABELS = (
    ("bug", "d73a4a"), ("type: bug", "d73a4a"), ("type: feature request", "a2eeef"),
    ("enhancement", "a2eeef"), ("type: question", "d876e3"), ("type: cleanup", "fef2c0"),
    ("type: process", "ededed"), ("priority: p0", "b60205"), ("P1", "d93f0b"), ("P2", "fbca04"),
    ("priority: p3", "0e8a16"), ("P4", "c2e0c6"), ("blocked", "000000"),
    ("Release-Blocking", "b60205"), ("good first issue", "7057ff"), ("docs", "0075ca"),
    ("api: storage", "1d76db"), ("Needs Review", "5319e7"),
)
ODD_LABELS = (("Bug", "d73a4a"), ("\u00fcmlaut \U0001f41b", "bfd4f2"),
              ("area/parser,lexer \"quoted\"", "c5def5"), ("Blocked By Release-Blocking", "000000"))
MILESTONES = ("1.0", "1.1", "2.0 beta", "2.0", "Someday")

MANY_COMMENTS = 120  # one issue has more than a page of them
GAP_SHARE = 0.04


class Sizes:
    """How much to make; None means a share that real repositories have."""

    def __init__(self, issues=60, pulls=40, comments=None, events=None, reviews=None):
        items = issues + pulls
        self.issues = issues
        self.pulls = pulls
        self.comments = 4 * items if comments is None else comments
        self.events = 8 * items if events is None else events
        self.reviews = 2 * pulls if reviews is None else reviews


class Maker:
    """Holds what the histories share; make() returns the recording."""

    def __init__(self, full_name, seed, sizes, odd=False):
        self.full_name = full_name
        self.sizes = sizes
        self.odd = odd
        self.end_s = END_S
        self.rng = random.Random(f"{full_name}/{seed}")
        self.people = People(self.rng, 12 + (sizes.issues + sizes.pulls) // 40, odd)
        self.text = Writer(self.rng, odd)
        self.repo = self._repository()
        self.labels = self._labels()
        self.milestones = self._milestones()
        self.issue_ids = IdSpace(200_000_000, START_S)
        self.pull_ids = IdSpace(100_000_000, START_S)
        self.comment_ids = IdSpace(283_000_000, START_S)
        self.event_ids = IdSpace(980_000_000, START_S)
        self.review_ids = IdSpace(24_000_000, START_S)
        self.review_comment_ids = IdSpace(103_000_000, START_S)

    @staticmethod
    def time_text(seconds):
        return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _repository(self):
        owner_login = self.full_name.split("/")[0]
        made = zlib.crc32(self.full_name.encode())
        owner = objects.user(owner_login, 10_000_000 + made % 1_000_000, "Organization")
        return objects.repository(self.full_name, 80_000_000 + made % 900_000_000, owner,
                                  self.time_text(START_S - DAY_S))

    def _labels(self):
        names = LABELS + (ODD_LABELS if self.odd else ())
        return [objects.label(self.full_name, 560_000_000 + i * 271_828_183, name, color,
                              None if i % 5 == 4 else f"Items about {name}")
                for i, (name, color) in enumerate(names)]

    def _milestones(self):
        rows = []
        for number, title in enumerate(MILESTONES, 1):
            closed = number < 3
            created = self.time_text(START_S + number * 40 * DAY_S)
            rows.append(objects.milestone(
                self.full_name, 2_400_000 + number * 977, number, title, self.people.maintainer(),
                created, "closed" if closed else "open",
                closed_at=self.time_text(START_S + (number + 3) * 100 * DAY_S) if closed else None,
                description=None if number % 2 else f"All that must be in {title}"))
        return rows

    # Planning

    def _numbers(self):
        """(number, is_pull, created) of each item; gaps where items were deleted."""
        kinds = [False] * self.sizes.issues + [True] * self.sizes.pulls
        self.rng.shuffle(kinds)
        times = sorted(self.rng.randint(START_S, END_S - 30 * DAY_S) for _ in kinds)
        plan, number = [], 0
        for is_pull, created_s in zip(kinds, times):
            number += 1
            while self.rng.random() < GAP_SHARE:
                number += 1
            plan.append((number, is_pull, created_s))
        return plan

    def _shares(self, total, count):
        """`total` things dealt out to `count` items, unevenly as in real life."""
        shares = [0] * count
        if count:
            weights = [self.rng.paretovariate(1.3) for _ in range(count)]
            for index in self.rng.choices(range(count), weights, k=total):
                shares[index] += 1
        return shares

    def _comment_shares(self, count):
        many = MANY_COMMENTS if self.sizes.comments >= 2 * MANY_COMMENTS and count else 0
        shares = self._shares(self.sizes.comments - many, count)
        if many:
            shares[count // 2] += many
        return shares

    # Making

    def make(self):
        plan = self._numbers()
        comments = self._comment_shares(len(plan))
        reviews = iter(self._shares(self.sizes.reviews, self.sizes.pulls))
        histories = []
        for (number, is_pull, created_s), comment_count in zip(plan, comments):
            history = History(self, number, created_s, is_pull)
            self._live(history, comment_count, next(reviews) if is_pull else 0)
            histories.append(history)
        if self.odd and histories:
            self._make_odd(histories)
        self._fill_events(histories)
        for history in histories:
            history.finish()
        return self._recording(histories)

    def _live(self, history, comment_count, review_count):
        self._triage(history)
        for _ in range(comment_count):
            history.wait(6 * HOUR_S)
            history.comment()
        if history.is_pull:
            self._review(history, review_count)
        history.wait()
        if history.is_pull:
            self._end_pull(history)
        else:
            self._end_issue(history)
        if history.issue["state"] == "closed" and self.rng.random() < 0.1:
            history.wait(5 * DAY_S)
            history.lock()

    def _triage(self, history):
        history.wait(HOUR_S)
        for label in self.rng.sample(self.labels, self.rng.choice((0, 1, 1, 2, 3))):
            history.add_label(label)
        draw = self.rng.random
        if draw() < 0.15:
            history.remove_label()
        if draw() < 0.3:
            history.assign(self.people.maintainer())
        if draw() < 0.08:
            history.assign(self.people.maintainer())
        if draw() < 0.15:
            history.set_milestone(self.rng.choice(self.milestones))
        if draw() < 0.1:
            history.wait(HOUR_S)
            history.rename()

    def _review(self, history, count):
        reviewers = self.people.reviewers()
        if count and self.rng.random() < 0.5:
            history.request_review(reviewers[0])
        for _ in range(count):
            history.wait(8 * HOUR_S)
            reviewer = self.rng.choice(reviewers)
            if self.odd and self.rng.random() < 0.03:
                reviewer = None
            history.review(reviewer, self.rng.choices(
                ("APPROVED", "COMMENTED", "CHANGES_REQUESTED", "DISMISSED"), (5, 3, 2, 1))[0])

    def _end_pull(self, history):
        draw = self.rng.random()
        if history.issue["draft"] and draw < 0.8:
            history.ready()
        if draw < 0.62:
            history.merge()
        elif draw < 0.85:
            history.close()

    def _end_issue(self, history):
        draw = self.rng.random()
        if draw < 0.7:
            history.close(self.rng.choice(("completed", "completed", "not_planned", "duplicate")),
                          history.sha() if self.rng.random() < 0.1 else None)
        if draw < 0.05:
            history.wait(10 * DAY_S)
            history.reopen()

    def _make_odd(self, histories):
        """At least one of each oddity, however small the repository."""
        for history, text in zip(histories, (None, *ODD_TEXTS)):
            history.issue["body"] = text
        histories[-1].issue["body"] = self.text.huge()
        histories[-1].issue["title"] = "Odd \u2028 title \U0001f680 \"quoted\" \\ with \ttab"
        for history in histories:
            if history.pull is not None:
                history.pull["body"] = history.issue["body"]
                history.pull["title"] = history.issue["title"]
        ghosts = [h for h in histories if h.comments][:3]
        for history, author in zip(ghosts, (None, objects.ghost(), None)):
            history.comments[0]["user"] = author
        if ghosts:
            ghosts[-1].comments[-1]["body"] = ""
            histories[0].issue["user"] = None
            if histories[0].pull is not None:
                histories[0].pull["user"] = None

    def _fill_events(self, histories):
        """Events that change nothing, until there are as many as wished."""
        missing = self.sizes.events - sum(len(h.events) for h in histories)
        for history, count in zip(histories, self._shares(max(0, missing), len(histories))):
            for _ in range(count):
                history.noise()

    def _identify(self, histories):
        """Node ids in both of GitHub's forms, whichever the id falls to."""
        for family, rows in (("labels", self.labels), ("milestones", self.milestones)):
            for row in rows:
                node_ids.identify(family, self.repo["id"], row)
        for history in histories:
            node_ids.identify_number(self.repo["id"], history.issue, history.pull, {
                "comments": history.comments, "events": history.events,
                "reviews": history.reviews, "review_comments": history.review_comments})

    def _recording(self, histories):
        self.repo["open_issues_count"] = self.repo["open_issues"] = sum(
            h.issue["state"] == "open" for h in histories)
        self._identify(histories)
        for milestone in self.milestones:
            mine = [h.issue["state"] for h in histories
                    if h.issue["milestone"] is milestone]
            milestone.update(open_issues=mine.count("open"), closed_issues=mine.count("closed"))
        return {
            "repo": self.repo,
            "labels": self.labels,
            "milestones": self.milestones,
            "issues": [h.issue for h in histories],
            "pulls": [h.pull for h in histories if h.pull is not None],
            "comments": {h.number: h.comments for h in histories},
            "events": {h.number: h.events for h in histories},
            "reviews": {h.number: h.reviews for h in histories},
            "review_comments": {h.number: h.review_comments for h in histories},
        }


def make(full_name="acme/widgets", seed=1, sizes=None, odd=False):
    """A recording as a dictionary; write it with writer.write_recording()."""
    return Maker(full_name, seed, sizes or Sizes(), odd).make()
