"""One issue or pull request with what hangs on it."""

import node_ids

from .connections import Rows
from .people import (actor, commit, database_id, global_id, label, milestone, only,
                     requested_reviewer)
from .timeline import Timeline, enum_value


class Item:
    """An issue or a pull request of a repository; `shape` is its object."""

    def __init__(self, things, repository, number):
        self.things = things
        self.repository = repository
        self.number = number
        self.issue = repository.issues[number].load()
        pull = repository.pulls.get(number)
        self.pull = pull.load() if pull is not None else None
        self.type_name = "Issue" if pull is None else "PullRequest"
        self.database_id = (self.pull or self.issue)["id"]
        self.repository_shape = things.repository(repository)
        self._things = things
        self._timeline = Timeline(things, self)
        self.shape = self._shape()

    @property
    def node_id(self):
        return global_id(self.pull or self.issue, self.type_name, self.repository.id)

    def _shape(self):
        issue = self.issue
        answer = {
            "__typename": self.type_name, "id": self.node_id,
            "databaseId": database_id(self.database_id), "fullDatabaseId": str(self.database_id),
            "number": self.number, "title": issue["title"], "body": issue["body"] or "",
            "url": issue["html_url"], "createdAt": issue["created_at"],
            "publishedAt": issue["created_at"], "updatedAt": issue["updated_at"],
            "lastEditedAt": None, "editor": None,
            "closedAt": issue["closed_at"], "closed": issue["state"] == "closed",
            "locked": issue["locked"], "activeLockReason": enum_value(issue["active_lock_reason"]),
            "author": actor(issue["user"]), "authorAssociation": issue["author_association"],
            "repository": self.repository_shape,
            "milestone": milestone(self.repository, self.repository_shape, issue["milestone"]),
            "labels": self._labels, "assignees": self._assignees, "comments": self._comments,
            "timelineItems": self._timeline.page,
        }
        answer.update(self._pull_fields() if self.pull else self._issue_fields())
        return answer

    def _issue_fields(self):
        def reason(_call, enableDuplicate=False):
            found = enum_value(self.issue.get("state_reason"))
            return "NOT_PLANNED" if found == "DUPLICATE" and not enableDuplicate else found
        return {"state": self.issue["state"].upper(), "stateReason": reason}

    def _pull_fields(self):
        pull = self.pull
        merged = bool(pull.get("merged") or pull.get("merged_at"))
        full_name = self.repository.full_name
        return {
            "state": "MERGED" if merged else pull["state"].upper(),
            "isDraft": bool(pull.get("draft")), "merged": merged,
            "mergedAt": pull.get("merged_at"), "mergedBy": actor(pull.get("merged_by")),
            "mergeCommit": commit(self.repository_shape, full_name,
                                  pull.get("merge_commit_sha") if merged else None),
            "baseRefName": pull["base"]["ref"], "headRefName": pull["head"]["ref"],
            "headRepository": pull["head"].get("repo") and self._things.repository_named(
                pull["head"]["repo"]["full_name"]),
            "baseRefOid": pull["base"]["sha"], "headRefOid": pull["head"]["sha"],
            "reviews": self._reviews, "reviewRequests": self._review_requests,
            "reviewThreads": self._review_threads,
        }

    # Connections

    def _labels(self, call, orderBy=None, **bounds):
        rows = [((x["name"].lower(),), x) for x in self.issue["labels"]]
        return Rows(sorted(rows, key=lambda r: r[0]), self._label).page(
            call, "LabelConnection", **bounds)

    def _label(self, data):
        return label(self.repository, self.repository_shape, data)

    def _assignees(self, call, **bounds):
        people = [p for p in self.issue["assignees"] if only(p, "User")]
        return Rows([((i,), p) for i, p in enumerate(people)], actor).page(
            call, "UserConnection", **bounds)

    def _comments(self, call, orderBy=None, **bounds):
        records = self.repository.of_number("comments", self.number)
        key, descending = (lambda r: (r.created, r.id)), False
        if orderBy is not None:
            key, descending = (lambda r: (r.updated, r.id)), orderBy["direction"] == "DESC"
        return self._rows(records, key, descending, self.comment).page(
            call, "IssueCommentConnection", **bounds)

    @staticmethod
    def _rows(records, key, descending, make):
        pairs = sorted(((key(r), r) for r in records), key=lambda p: p[0], reverse=descending)
        return Rows(pairs, make, descending)

    def _reviews(self, call, author=None, states=None, **bounds):
        records = [r for r in self.repository.of_number("reviews", self.number)
                   if (states is None or r.state in states) and
                   (author is None or (r.load()["user"] or {}).get("login") == author)]
        return self._rows(records, lambda r: (r.created, r.id), False, self.review).page(
            call, "PullRequestReviewConnection", **bounds)

    def _review_requests(self, call, **bounds):
        wanted = [{"requested_reviewer": p} for p in self.pull["requested_reviewers"]]
        wanted += [{"requested_team": t} for t in self.pull.get("requested_teams", ())]
        return Rows([((i,), w) for i, w in enumerate(wanted)], self._review_request).page(
            call, "ReviewRequestConnection", **bounds)

    def _review_request(self, wanted):
        thing = wanted.get("requested_reviewer") or wanted["requested_team"]
        return {"__typename": "ReviewRequest", "databaseId": None, "asCodeOwner": False,
                "id": node_ids.newer("ReviewRequest", self.database_id, thing["id"]),
                "requestedReviewer": requested_reviewer(wanted),
                "pullRequest": lambda _call: self.shape}

    def _review_threads(self, call, **bounds):
        """Review comments by the comment that they answer, as threads."""
        threads = {}
        for record in sorted(self.repository.of_number("review_comments", self.number),
                             key=lambda r: r.id):
            data = record.load()
            threads.setdefault(data.get("in_reply_to_id") or record.id, []).append(record)
        return Rows([((k,), (k, v)) for k, v in sorted(threads.items())], self._thread).page(
            call, "PullRequestReviewThreadConnection", **bounds)

    def _thread(self, thread):
        first_id, records = thread
        first = records[0].load()

        def comments(call, **bounds):
            return self._rows(records, lambda r: (r.id,), False, self.review_comment).page(
                call, "PullRequestReviewCommentConnection", **bounds)
        return {"__typename": "PullRequestReviewThread", "comments": comments,
                "id": node_ids.newer("PullRequestReviewThread", self.repository.id, first_id),
                "isResolved": False, "path": first["path"], "line": first.get("line"),
                "pullRequest": lambda _call: self.shape, "repository": self.repository_shape}

    # What hangs on it

    def event(self, record):
        return self._timeline.event(record)

    def _written(self, type_name, record, data):
        """Fields that comments and reviews have in common."""
        return {
            "__typename": type_name, "id": global_id(data, type_name, self.repository.id),
            "databaseId": database_id(record.id), "fullDatabaseId": str(record.id),
            "author": actor(data["user"]), "authorAssociation": data["author_association"],
            "body": data["body"] or "", "url": data["html_url"], "createdAt": record.created,
            "publishedAt": record.created, "updatedAt": record.updated,
            "lastEditedAt": record.updated if record.updated != record.created else None,
            "pullRequest": lambda _call: self.shape if self.pull else None,
            "repository": self.repository_shape,
        }

    def comment(self, record):
        answer = self._written("IssueComment", record, record.load())
        answer["issue"] = lambda _call: self.shape
        return answer

    def review(self, record):
        data = record.load()
        edited = self.repository.hidden.get(record.id, {}).get("edited_at")
        answer = self._written("PullRequestReview", record, data)
        answer.update(
            state=data["state"], submittedAt=data.get("submitted_at"), lastEditedAt=edited,
            updatedAt=edited or data.get("updated_at") or record.created, comments=self._comments_of_review(record.id),
            commit=commit(self.repository_shape, self.repository.full_name, data["commit_id"]))
        return answer

    def _comments_of_review(self, review_id):
        def comments(call, **bounds):
            records = [r for r in self.repository.of_number("review_comments", self.number)
                       if r.load().get("pull_request_review_id") == review_id]
            return self._rows(records, lambda r: (r.id,), False, self.review_comment).page(
                call, "PullRequestReviewCommentConnection", **bounds)
        return comments

    def review_comment(self, record):
        data = record.load()
        answer = self._written("PullRequestReviewComment", record, data)
        name, own = self.repository.full_name, self.repository_shape
        answer.update(
            path=data["path"], diffHunk=data["diff_hunk"], position=data.get("position"),
            line=data.get("line"), originalLine=data.get("original_line"),
            startLine=data.get("start_line"), commit=commit(own, name, data["commit_id"]),
            originalCommit=commit(own, name, data.get("original_commit_id")),
            pullRequestReview=lambda _call: self._one("reviews", data.get(
                "pull_request_review_id"), self.review),
            replyTo=lambda _call: self._one("review_comments", data.get("in_reply_to_id"),
                                            self.review_comment))
        return answer

    def _one(self, family, wanted, make):
        found = [r for r in self.repository.of_number(family, self.number) if r.id == wanted]
        return make(found[0]) if found else None
