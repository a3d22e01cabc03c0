"""Random edits: what a busy repository does, from a seed.

random_edits() draws a kind, makes its settings fit the present state, applies it,
and goes on until it has done so many.  Which edits come follows from the seed, the
kinds and the state alone.
"""

import random

from .edits import OPERATIONS, EditError, apply_edit

MAX_EDITS = 10_000
PEOPLE = ("edda", "finn", "gro", "hauk", "octo-maintainer")
REASONS = (None, "off-topic", "too heated", "resolved", "spam")

# Kinds that take a number or a person away: only when asked for by name.
LEAVING = ("delete_issue", "convert_to_discussion", "transfer_issue", "delete_user", "rename_user")


class _Nothing(Exception):
    """The present state has nothing for this kind of edit."""


class _Draw:
    """Draws from one repository; every draw is from a sorted list, so it repeats."""

    def __init__(self, repository, rng):
        self.repository = repository
        self.rng = rng

    def one(self, things):
        things = list(things)
        if not things:
            raise _Nothing
        return self.rng.choice(things)

    def text(self):
        words = ("cache", "index", "naïve", "overflow", "\U0001f680", "retry", "wide", "lock")
        return " ".join(self.rng.choice(words) for _ in range(self.rng.randint(1, 9)))

    def person(self):
        return self.rng.choice(PEOPLE)

    def issue(self, fits=lambda data: True):
        """The data of an issue or pull request; a few tries, then a whole look."""
        numbers = sorted(self.repository.issues)
        for _ in range(20):
            data = self.repository.issues[self.one(numbers)].load()
            if fits(data):
                return data
        return self.one(d for n in numbers if fits(d := self.repository.issues[n].load()))

    def pull(self, fits=lambda data: True):
        numbers = sorted(n for n in self.repository.pulls if n in self.repository.issues)
        return self.one(d for n in numbers if fits(d := self.repository.pulls[n].load()))

    def part(self, family, fits=lambda data: True):
        return self.one(r for r in self.repository.all_of(family) if fits(r.load())).id

    def label(self):
        return self.one(sorted(r.load()["name"] for r in self.repository.labels))

    def milestone(self):
        return self.one(sorted(r.number for r in self.repository.milestones))


def _is_open(data):
    return data["state"] == "open"


def _is_closed_issue(data):
    return data["state"] == "closed" and not data.get("pull_request", {}).get("merged_at")


# Settings of each kind, made to fit
KINDS = {
    "create_issue": lambda d: {"title": d.text(), "body": d.text(), "user": d.person(),
                               "labels": [d.label()]},
    "create_pull": lambda d: {"title": d.text(), "user": d.person(),
                              "draft": d.rng.random() < 0.5},
    "edit_title": lambda d: {"number": d.issue()["number"], "title": d.text()},
    "edit_body": lambda d: {"number": d.issue()["number"], "body": d.text()},
    "touch": lambda d: {"number": d.issue()["number"]},
    "add_label": lambda d: {"number": d.issue()["number"], "name": d.label()},
    "remove_label": lambda d: _remove_label(d.issue(lambda i: i["labels"])),
    "create_label": lambda d: {"name": f"made-{d.rng.randrange(10**9)}"},
    "rename_label": lambda d: {"name": d.label(), "new_name": f"renamed-{d.rng.randrange(10**9)}"},
    "delete_label": lambda d: {"name": d.label()},
    "close": lambda d: {"number": d.issue(_is_open)["number"],
                        "state_reason": d.one(("completed", "not_planned", "duplicate"))},
    "reopen": lambda d: {"number": d.issue(_is_closed_issue)["number"]},
    "lock": lambda d: {"number": d.issue(lambda i: not i["locked"])["number"],
                       "reason": d.one(REASONS)},
    "unlock": lambda d: {"number": d.issue(lambda i: i["locked"])["number"]},
    "assign": lambda d: {"number": d.issue()["number"], "assignee": d.person()},
    "unassign": lambda d: _unassign(d.issue(lambda i: i["assignees"])),
    "set_milestone": lambda d: {"number": d.issue()["number"], "milestone": d.milestone()},
    "clear_milestone": lambda d: {"number": d.issue(lambda i: i["milestone"])["number"]},
    "create_milestone": lambda d: {"title": d.text()},
    "edit_milestone": lambda d: {"milestone": d.milestone(), "title": d.text(),
                                 "state": d.one(("open", "closed"))},
    "delete_milestone": lambda d: {"milestone": d.milestone()},
    "add_comment": lambda d: {"number": d.issue()["number"], "body": d.text(),
                              "user": d.person()},
    "edit_comment": lambda d: {"id": d.part("comments"), "body": d.text()},
    "delete_comment": lambda d: {"id": d.part("comments"),
                                 "move_updated": d.rng.random() < 0.5},
    "merge_pull": lambda d: {"number": d.pull(_is_open)["number"]},
    "set_draft": lambda d: _set_draft(d.pull(_is_open)),
    "push_head": lambda d: {"number": d.pull(_is_open)["number"]},
    "change_base": lambda d: {"number": d.pull(_is_open)["number"],
                              "base_ref": f"release-{d.rng.randrange(9)}"},
    "delete_head": lambda d: {"number": d.pull()["number"]},
    "request_review": lambda d: {"number": d.pull(_is_open)["number"], "reviewer": d.person()},
    "remove_review_request": lambda d: _remove_request(d.pull(
        lambda p: p["requested_reviewers"])),
    "add_review": lambda d: {"number": d.pull()["number"], "user": d.person(), "body": d.text(),
                             "state": d.one(("APPROVED", "CHANGES_REQUESTED", "COMMENTED"))},
    "edit_review": lambda d: {"id": d.part("reviews"), "body": d.text()},
    "dismiss_review": lambda d: {"id": d.part("reviews", lambda r: r["state"] in (
        "APPROVED", "CHANGES_REQUESTED")), "message": d.text()},
    "add_review_comment": lambda d: {"number": d.pull()["number"], "body": d.text(),
                                     "user": d.person()},
    "edit_review_comment": lambda d: {"id": d.part("review_comments"), "body": d.text()},
    "delete_review_comment": lambda d: {"id": d.part("review_comments")},
    "add_event": lambda d: {"number": d.issue()["number"],
                            "event": d.one(("mentioned", "subscribed", "unsubscribed"))},
    "delete_issue": lambda d: {"number": d.issue()["number"]},
    "convert_to_discussion": lambda d: {"number": d.issue(
        lambda i: "pull_request" not in i)["number"]},
    "transfer_issue": lambda d: {"number": d.issue(lambda i: "pull_request" not in i)["number"],
                                 "to": "elsewhere/consumer",
                                 "new_number": d.rng.randint(1, 10**6)},
    "delete_user": lambda d: {"login": d.person()},
    "rename_user": lambda d: {"login": d.person(), "new_login": f"was-{d.rng.randrange(10**9)}"},
}


def _remove_label(issue):
    return {"number": issue["number"], "name": issue["labels"][0]["name"]}


def _unassign(issue):
    return {"number": issue["number"], "assignee": issue["assignees"][0]["login"]}


def _set_draft(pull):
    return {"number": pull["number"], "draft": not pull["draft"]}


def _remove_request(pull):
    return {"number": pull["number"], "reviewer": pull["requested_reviewers"][0]["login"]}


def random_edits(world, clock, wish):
    """Do `count` edits; what was done and with which settings, in order."""
    unknown = set(wish.get("kinds", ())) - set(KINDS)
    if unknown:
        raise EditError(f"no random {', '.join(sorted(unknown))}; known: {', '.join(KINDS)}")
    count = int(wish["count"])
    if not 0 <= count <= MAX_EDITS:
        raise EditError(f"count must be 0 to {MAX_EDITS}")
    repository = world.by_name(wish["repo"])
    if repository is None:
        raise EditError(f"no repository {wish['repo']!r}")
    kinds = wish.get("kinds") or [name for name in KINDS if name not in LEAVING]
    draw = _Draw(repository, random.Random(wish["seed"]))
    done, refused = [], 0
    while len(done) < count:
        settings = _settings(draw, kinds)
        if settings is None:
            refused += 1
            if refused > 50 * (count + 1):
                raise EditError(f"after {len(done)} edits nothing is left for {', '.join(kinds)}")
            continue
        clock.advance(draw.rng.randint(0, int(wish.get("spread_s", 0))))
        result = apply_edit(world, clock, {"repo": wish["repo"], "actor": draw.person(), **settings})
        done.append({**settings, **result})
    return done


def _settings(draw, kinds):
    kind = draw.one(kinds)
    assert kind in OPERATIONS
    try:
        return {"op": kind, **KINDS[kind](draw)}
    except _Nothing:
        return None
