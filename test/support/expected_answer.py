#!/usr/bin/env python3
"""What the v1 API must answer for a repository, derived from GitHub's objects.

The derivation is independent of the C programs: it reads a recording folder
(recording_maker/writer.py has its form) or the state that the GitHub double
reports, whose objects are those of https://docs.github.com/en/rest/issues and
https://docs.github.com/en/rest/pulls, and builds the API's Issue objects with
comments and reviews.

Users are shared by id: a login that changes changes everywhere, and a
recording may show one id under several logins.  Which of them a mirror ends
with depends on the order in which it asks, so the newest sighting is used here
and `accepted_logins()` tells which others a test should accept.

  expected_answer.py DIR        prints one Issue a line
"""

import json
import os
import sys
from collections import defaultdict

FAMILIES = ("comments", "events", "reviews", "review_comments")

# What the mirror asks for beside issues, comments, events and reviews: "pulls",
# "review_comments", and "pull_details" where pull requests come with the fields that
# GitHub's listing of them has not, such as merged_by.
LISTINGS = ("pulls", "review_comments")

BUG_LABELS = {"bug", "type: bug", "type:bug", "kind/bug", "end-to-end bugs",
              "type:bug/performance"}
TYPE_WORDS = (("FEATURE", ("enhanc", "feat", "addition")), ("QUESTION", ("question",)),
              ("CLEANUP", ("cleanup",)), ("PROCESS", ("process",)))

NO_PRIORITY = "PRIORITY_UNSPECIFIED"
NO_TYPE = "GITHUB_ISSUE_TYPE_UNSPECIFIED"


# Sources

def load_recording(folder):
    """A recording as one dictionary, in the form of the double's state."""
    source = {"repository": _load(folder, "repo.json")}
    source["repo"] = source["repository"]["full_name"]
    for name in ("issues", "pulls", "labels", "milestones"):
        source[name] = _load(folder, f"{name}.json")
    for family in FAMILIES:
        path = os.path.join(folder, family)
        names = os.listdir(path) if os.path.isdir(path) else []
        source[family] = {name[:-len(".json")]: _load(path, name)
                          for name in names if name.endswith(".json")}
    return source


def _load(folder, name):
    with open(os.path.join(folder, name), encoding="utf-8") as file:
        return json.load(file)


# Users

def _users_in(value, time, found):
    """Collect (time, login) of every user object below a value, by id."""
    if isinstance(value, list):
        for item in value:
            _users_in(item, time, found)
    elif isinstance(value, dict):
        if "login" in value and "id" in value:
            found[value["id"]].append((time, value["login"]))
        own = value.get("updated_at") or value.get("submitted_at") or value.get("created_at")
        for item in value.values():
            if isinstance(item, (dict, list)):
                _users_in(item, own or time, found)


def sightings(source):
    """{user id: [(time of the object, login), ...]} over the whole source."""
    found = defaultdict(list)
    for name in ("issues", "pulls", "milestones"):
        _users_in(source[name], "", found)
    for family in FAMILIES:
        for rows in source[family].values():
            _users_in(rows, "", found)
    return found


def newest_logins(source):
    """{user id: login as last seen}."""
    return {user_id: max(seen)[1] for user_id, seen in sightings(source).items()}


def accepted_logins(source):
    """{user id: set of logins} of the ids that are seen under more than one."""
    names = {user_id: {login for _time, login in seen}
             for user_id, seen in sightings(source).items()}
    return {user_id: logins for user_id, logins in names.items() if len(logins) > 1}


# Rules

def sorted_labels(labels):
    """Label names in the API's order: case ignored, ties by id."""
    return [x["name"] for x in sorted(labels, key=lambda x: (x["name"].lower(), x["id"]))]


def priority_of(names):
    """The priority that the first deciding label gives; names are sorted."""
    for name in names:
        for level in ("p0", "p1", "p2", "p3", "p4"):
            if level in name.lower():
                return level.upper()
    return NO_PRIORITY


def type_of(names):
    for name in names:
        lowered = name.lower()
        if lowered in BUG_LABELS:
            return "BUG"
        for kind, words in TYPE_WORDS:
            if any(word in lowered for word in words):
                return kind
    return NO_TYPE


def blocking_of(names):
    """(blocked, releaseBlocking)"""
    blocked = [name for name in names if "blocked" in name.lower()]
    blocking = [name for name in names
                if "blocking" in name.lower() and "blocked" not in name.lower()]
    return bool(blocked), bool(blocking)


def approved_of(is_pull, reviews):
    """True when each reviewer's last review in time is an approval.

    `reviews` are API objects in their order; those of deleted accounts count
    as the reviews of one unknown person.
    """
    if not is_pull or not reviews:
        return False
    last = {}
    for review in reviews:
        last[review["actor"]["id"] if review["actor"] else None] = review["state"]
    return all(state == "APPROVED" for state in last.values())


def commit_of(events):
    """The commit id of the last event in time that carries one."""
    rows = sorted((e for e in events if e.get("commit_id")),
                  key=lambda e: (e["created_at"], e["id"]))
    return rows[-1]["commit_id"] if rows else ""


# Facts that no other field of ours holds

REACTIONS = (("+1", "plusOne"), ("-1", "minusOne"), ("laugh", "laugh"), ("hooray", "hooray"),
             ("confused", "confused"), ("heart", "heart"), ("rocket", "rocket"),
             ("eyes", "eyes"))


def reactions_of(data, every_kind):
    """Counts of an object; kinds of which there are none only when all are wanted."""
    counts = data.get("reactions") or {}
    answer = {"totalCount": counts.get("total_count", 0)}
    answer.update({name: counts.get(kind, 0) for kind, name in REACTIONS
                   if every_kind or counts.get(kind, 0)})
    return answer


def _says_nothing(value):
    return value is None or value in ("", [], {})


def _is_address(name):
    return name in ("node_id", "url") or name.endswith("_url")


def reduced(value):
    """A value without addresses and node ids; of people, id and login."""
    if isinstance(value, list):
        return [reduced(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "login" in value and "id" in value:
        return {name: value[name] for name in ("id", "login") if not _says_nothing(value[name])}
    inner = {name: reduced(item) for name, item in value.items() if not _is_address(name)}
    return {name: item for name, item in inner.items() if not _says_nothing(item)}


def _counts_nothing(name, value):
    return name.endswith("_summary") and isinstance(value, dict) \
        and all(type(count) is int and count == 0 for count in value.values())


def unnamed(data, known):
    """What the fields in `known` do not say, as a dictionary."""
    rest = {}
    for name, value in data.items():
        if name in known or _says_nothing(value) or _counts_nothing(name, value):
            continue
        if name == "performed_via_github_app":
            value = {key: value[key] for key in ("id", "slug", "name") if value.get(key)}
        value = reduced(value)
        if not _says_nothing(value):
            rest[name] = value
    return rest


def other_of(data, known):
    """The member `otherJson` of a comment or review, if it has one."""
    rest = unnamed(data, known)
    if not rest:
        return {}
    text = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"otherJson": text}


COMMENT_FIELDS = {"id", "node_id", "url", "html_url", "issue_url", "user", "body", "created_at",
                  "updated_at", "author_association", "reactions"}
REVIEW_FIELDS = {"id", "node_id", "user", "body", "state", "html_url", "pull_request_url",
                 "author_association", "_links", "submitted_at", "updated_at", "commit_id"}
ISSUE_FIELDS = {
    "url", "repository_url", "labels_url", "comments_url", "events_url", "html_url",
    "timeline_url", "id", "node_id", "number", "title", "user", "labels", "state", "locked",
    "assignee", "assignees", "milestone", "comments", "created_at", "updated_at", "closed_at",
    "author_association", "active_lock_reason", "draft", "pull_request", "body", "closed_by",
    "reactions", "state_reason", "repository"}
PULL_FIELDS = {
    "url", "node_id", "html_url", "diff_url", "patch_url", "issue_url", "commits_url",
    "review_comments_url", "review_comment_url", "comments_url", "statuses_url", "_links",
    "number", "state", "locked", "title", "user", "body", "labels", "milestone",
    "active_lock_reason", "created_at", "updated_at", "closed_at", "closed_by", "merged_at",
    "merge_commit_sha", "merged", "merged_by", "assignee", "assignees", "requested_reviewers",
    "requested_teams", "head", "base", "author_association", "draft", "comments",
    "review_comments"}
REVIEW_COMMENT_FIELDS = {
    "id", "node_id", "url", "html_url", "pull_request_url", "_links", "user", "body",
    "pull_request_review_id", "path", "created_at", "updated_at", "commit_id",
    "original_commit_id", "in_reply_to_id", "diff_hunk", "line", "original_line", "start_line",
    "original_start_line", "side", "start_side", "subject_type", "author_association",
    "reactions"}


def end_of(data):
    """`base` or `head` of a pull request."""
    if data is None:
        return None
    return {"repo": (data.get("repo") or {}).get("full_name") or "",
            "ref": data.get("ref") or "", "sha": data.get("sha") or ""}


# The Issue object

class Deriver:
    """Builds the API's objects for one source."""

    def __init__(self, source, repo=None, listings=LISTINGS):
        self.source = source
        self.listings = listings
        self.repo = repo or source["repo"]
        self._logins = newest_logins(source)
        self._issues = {issue["number"]: issue for issue in source["issues"]}
        self._pulls = {pull["number"]: pull for pull in source["pulls"]}

    def numbers(self):
        return sorted(self._issues)

    def _user(self, user):
        if user is None:
            return None
        return {"id": user["id"], "login": self._logins.get(user["id"], user["login"])}

    def _rows(self, family, number):
        return self.source[family].get(str(number), [])

    def comments(self, number):
        rows = [{
            "id": row["id"],
            "user": self._user(row["user"]),
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
            "authorAssociation": row.get("author_association") or "",
            "reactions": reactions_of(row, every_kind=False),
            "body": row["body"] or "",
            **other_of(row, COMMENT_FIELDS),
        } for row in self._rows("comments", number)]
        return sorted(rows, key=lambda row: (row["createdAt"], row["id"]))

    def reviews(self, number):
        rows = [{
            "id": row["id"],
            "actor": self._user(row["user"]),
            "actorAssociation": row.get("author_association") or "",
            "createdAt": row["submitted_at"],
            "updatedAt": row.get("updated_at"),
            "body": row["body"] or "",
            "state": row["state"],
            "commitId": row.get("commit_id") or "",
            **other_of(row, REVIEW_FIELDS),
        } for row in self._rows("reviews", number) if row.get("submitted_at")]
        return sorted(rows, key=lambda row: (row["createdAt"], row["id"]))

    def review_comments(self, number):
        if "review_comments" not in self.listings:
            return []
        rows = [{
            "id": row["id"],
            "user": self._user(row["user"]),
            "createdAt": row["created_at"],
            "updatedAt": row["updated_at"],
            "authorAssociation": row.get("author_association") or "",
            "reactions": reactions_of(row, every_kind=False),
            "reviewId": row.get("pull_request_review_id"),
            "inReplyTo": row.get("in_reply_to_id"),
            "path": row.get("path") or "",
            "line": row.get("line"),
            "side": row.get("side") or "",
            "startLine": row.get("start_line"),
            "startSide": row.get("start_side") or "",
            "originalLine": row.get("original_line"),
            "originalStartLine": row.get("original_start_line"),
            "subjectType": row.get("subject_type") or "",
            "commitId": row.get("commit_id") or "",
            "originalCommitId": row.get("original_commit_id") or "",
            "body": row["body"] or "",
            "diffHunk": row.get("diff_hunk") or "",
            **other_of(row, REVIEW_COMMENT_FIELDS),
        } for row in self._rows("review_comments", number)]
        return sorted(rows, key=lambda row: (row["createdAt"], row["id"]))

    def _merged_by(self, pull, number):
        """Who is named by the details, else who did the first `merged` event."""
        if "pull_details" in self.listings and pull.get("merged_at") and pull.get("merged_by"):
            return self._user(pull["merged_by"])
        events = [event for event in self._rows("events", number)
                  if event["event"] == "merged" and event.get("actor")]
        return self._user(min(events, key=lambda e: e["id"])["actor"]) if events else None

    def _pull_fields(self, number):
        """What only the listing of pull requests tells."""
        pull = self._pulls.get(number, {}) if "pulls" in self.listings else {}
        people = {person["id"]: self._user(person)
                  for person in pull.get("requested_reviewers") or []}
        return {
            "mergeCommit": pull.get("merged_at") and pull.get("merge_commit_sha") or "",
            "mergedBy": self._merged_by(pull, number),
            "base": end_of(pull.get("base")),
            "head": end_of(pull.get("head")),
            "requestedReviewers": [people[user_id] for user_id in sorted(people)],
            "requestedTeams": sorted(team["slug"] for team in pull.get("requested_teams") or []),
        }

    def other_members(self, number):
        """What is stored of the issue although no answer shows it."""
        answer = unnamed(self._issues[number], ISSUE_FIELDS)
        answer.pop("pull", None)
        if "pulls" not in self.listings or number not in self._pulls:
            return answer
        pull = self._pulls[number]
        rest = unnamed(pull, PULL_FIELDS)
        for name in ("base", "head"):
            end = pull.get(name) or {}
            if not (end.get("repo") or {}).get("full_name") and end.get("label"):
                rest[name] = {"label": end["label"]}
                if (end.get("user") or {}).get("login"):
                    rest[name]["user"] = end["user"]["login"]
        return {**answer, "pull": rest} if rest else answer

    def issue(self, number):
        data = self._issues[number]
        labels = sorted_labels(data["labels"])
        reviews = self.reviews(number)
        is_pull = "pull_request" in data
        closed = data["state"] == "closed"
        blocked, release_blocking = blocking_of(labels)
        priority = priority_of(labels)
        answer = {
            "name": f"{self.repo}/issues/{number}",
            "title": data["title"],
            "body": data["body"] or "",
            "priority": priority,
            "priorityUnknown": priority == NO_PRIORITY,
            "issueType": type_of(labels),
            "labels": labels,
            "createdAt": data["created_at"],
            "updatedAt": data["updated_at"],
            "closedAt": data["closed_at"] if closed else None,
            "closed": closed,
            "closedBy": self._user(data.get("closed_by")),
            "isPr": is_pull,
            "approved": approved_of(is_pull, reviews),
            "gitCommit": None,
            "commit": commit_of(self._rows("events", number)),
            "issueId": number,
            "url": f"https://github.com/{self.repo}/issues/{number}",
            "assignees": [self._user(person) for person in data["assignees"]],
            "reporter": self._user(data["user"]),
            "comments": self.comments(number),
            "reviews": reviews,
            "reviewComments": self.review_comments(number),
            "repo": self.repo,
            "blocked": blocked,
            "releaseBlocking": release_blocking,
        }
        answer.update(self._own_fields(data))
        answer.update(self._pull_fields(number))
        return answer

    def _own_fields(self, data):
        """Fields that drghs did not have."""
        pull = self._pulls.get(data["number"], {})
        milestone = data["milestone"]
        return {
            "draft": bool(data.get("draft", False)),
            "mergedAt": (data.get("pull_request") or {}).get("merged_at")
            or pull.get("merged_at"),
            "stateReason": data.get("state_reason") or "",
            "locked": data["locked"],
            "milestone": milestone and {"number": milestone["number"],
                                        "title": milestone["title"]},
            "authorAssociation": data.get("author_association") or "",
            "activeLockReason": data.get("active_lock_reason") or "",
            "reactions": reactions_of(data, every_kind=True),
            "type": (data.get("type") or {}).get("name") or "",
        }


def expected_issues(source, repo=None, listings=LISTINGS):
    """{number: Issue} of a source, a recording folder or the double's state.

    `listings` is what the mirror asks for, see LISTINGS.
    """
    if isinstance(source, (str, os.PathLike)):
        source = load_recording(source)
    deriver = Deriver(source, repo, listings)
    return {number: deriver.issue(number) for number in deriver.numbers()}


# Comparison

def compare_issues(expected, got, logins=None, ignore=()):
    """Readable differences between two Issue objects, [] when they agree.

    `logins` is accepted_logins(); fields named in `ignore`, and fields of
    `got` that are not expected at all, do not count.  The order of assignees
    is free: the API does not promise one.
    """
    differences = []
    for name, want in expected.items():
        if name in ignore:
            continue
        if name not in got:
            differences.append(f"{name}: missing")
            continue
        have = got[name]
        if name == "assignees":
            want, have = _by_id(want), _by_id(have)
        _compare(name, want, have, logins or {}, differences)
    return differences


def _by_id(people):
    if not isinstance(people, list) or any(not isinstance(p, dict) for p in people):
        return people
    return sorted(people, key=lambda person: person.get("id", 0))


def _compare(path, want, have, logins, differences):
    if isinstance(want, dict) and isinstance(have, dict):
        for name in want.keys() | have.keys():
            if name not in have or name not in want:
                where = "missing" if name in want else "not expected"
                differences.append(f"{path}.{name}: {where}")
            elif name == "login" and have[name] in logins.get(want.get("id"), ()):
                continue
            elif name == "updatedAt" and want[name] is None and have[name] \
                    and have[name] >= want["createdAt"]:
                continue  # GraphQL tells it where a recording does not
            else:
                _compare(f"{path}.{name}", want[name], have[name], logins, differences)
    elif isinstance(want, list) and isinstance(have, list):
        if len(want) != len(have):
            differences.append(f"{path}: {len(want)} expected, {len(have)} there")
        for index, pair in enumerate(zip(want, have)):
            _compare(f"{path}[{index}]", *pair, logins, differences)
    elif want != have or type(want) is not type(have):
        differences.append(f"{path}: expected {_short(want)}, got {_short(have)}")


def _short(value):
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 160 else f"{text[:100]}...{text[-40:]} ({len(text)} characters)"


def compare_repositories(expected, got, logins=None, ignore=()):
    """Differences between two {number: Issue}, each with its number in front."""
    differences = [f"{n}: missing" for n in sorted(expected.keys() - got.keys())]
    differences += [f"{n}: not expected" for n in sorted(got.keys() - expected.keys())]
    for number in sorted(expected.keys() & got.keys()):
        differences += [f"{number}: {text}" for text in compare_issues(
            expected[number], got[number], logins, ignore)]
    return differences


def main(arguments):
    if len(arguments) != 1 or arguments[0] in ("-h", "--help"):
        sys.exit("usage: expected_answer.py DIR")
    for issue in expected_issues(arguments[0]).values():
        print(json.dumps(issue, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1:])
