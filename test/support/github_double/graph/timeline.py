"""The timelineItems of an issue or pull request: its events, comments and reviews.

https://docs.github.com/en/graphql/reference/unions, IssueTimelineItems and
PullRequestTimelineItems.  Most event types have no `databaseId`, only `id`.
"""

import node_ids

from ..clock import format_time, parse_time
from .connections import Rows
from .execute import FieldError
from .language import item_type
from .people import actor, commit, database_id, label, only, requested_reviewer

_REVIEW_STATES = ("PENDING", "COMMENTED", "APPROVED", "CHANGES_REQUESTED", "DISMISSED")


def enum_value(value):
    """REST's `too heated` or `not_planned` as an enum value."""
    return value.replace(" ", "_").replace("-", "_").upper() if value else None


class Timeline:
    def __init__(self, things, item):
        self._things = things  # repository.Objects
        self._item = item      # issues.Item
        self._union = f"{item.type_name}TimelineItems"

    def page(self, call, itemTypes=None, since=None, **bounds):
        possible = self._things.schema.possible[self._union]
        pairs = [((created, rank, number), (type_name, record))
                 for created, rank, number, type_name, record in self._entries()
                 if type_name in possible]
        pairs.sort(key=lambda pair: pair[0])
        total = len(pairs)
        if itemTypes is not None:
            pairs = [p for p in pairs if item_type(p[1][0]) in itemTypes]
        if since is not None:
            start = _time(since)
            pairs = [p for p in pairs if p[0][0] >= start]
        return Rows(pairs, self._make).page(
            call, f"{self._union}Connection", total, **bounds,
            more={"updatedAt": self._item.issue["updated_at"]})

    def _entries(self):
        repository, number = self._item.repository, self._item.number
        for record in repository.of_number("events", number):
            kind = record.load()["event"]
            yield record.created, 1, record.id, node_ids.event_type(kind), record
        for record in repository.of_number("comments", number):
            yield record.created, 0, record.id, "IssueComment", record
        for record in repository.of_number("reviews", number):
            yield record.created, 2, record.id, "PullRequestReview", record

    def _make(self, thing):
        type_name, record = thing
        if type_name == "IssueComment":
            return self._item.comment(record)
        if type_name == "PullRequestReview":
            return self._item.review(record)
        return self.event(record)

    def event(self, record):
        """The object of one event."""
        data = record.load()
        data.update(self._item.repository.hidden.get(record.id, {}))
        type_name = node_ids.event_type(data["event"])
        answer = {"__typename": type_name, "createdAt": data["created_at"],
                  "id": data.get("node_id") or node_ids.made(
                      type_name, self._item.repository.id, data["id"], self._item.database_id),
                  "databaseId": database_id(data["id"]), "actor": actor(data.get("actor")),
                  "url": f"{self._item.issue['html_url']}#event-{data['id']}"}
        own = self._item.shape
        for name in ("closable", "lockable", "labelable", "assignable", "subscribable", "issue",
                     "pullRequest", "subject"):
            answer[name] = lambda _call: own
        more = getattr(self, f"_{data['event']}", None)
        if more is not None:
            answer.update(more(data))
        return answer

    # Fields of the kinds, by REST's name of the event

    def _commit(self, oid):
        return commit(self._item.repository_shape, self._item.repository.full_name, oid)

    def _commit_repository(self, data):
        """The full name of the repository that an event's commit is in."""
        commit_url = data.get("commit_url") or ""
        return "/".join(commit_url.split("/repos/")[-1].split("/")[:2]) if commit_url else \
            self._item.repository.full_name

    def _home_of_commit(self, data):
        return self._things.repository_named(self._commit_repository(data))

    def _label(self, data):
        return {"label": label(self._item.repository, self._item.repository_shape, data["label"])}

    _labeled = _unlabeled = _label

    def _closed(self, data):
        return {"closer": commit(self._home_of_commit(data), self._commit_repository(data),
                                 data.get("commit_id")),
                "stateReason": enum_value(data.get("state_reason"))}

    def _reopened(self, data):
        return {"stateReason": enum_value(data.get("state_reason"))}

    def _assignment(self, data):
        person = data.get("assignee")
        return {"assignee": only(person, "Bot", "Mannequin", "Organization", "User"),
                "user": only(person, "User")}

    _assigned = _unassigned = _assignment

    def _milestone(self, data):
        return {"milestoneTitle": data["milestone"]["title"]}

    _milestoned = _demilestoned = _milestone

    def _renamed(self, data):
        return {"previousTitle": data["rename"]["from"], "currentTitle": data["rename"]["to"]}

    def _locked(self, data):
        return {"lockReason": enum_value(data.get("lock_reason"))}

    def _merged(self, data):
        return {"commit": self._commit(data.get("commit_id")),
                "mergeRefName": self._item.pull["base"]["ref"]}

    def _referenced(self, data):
        name, home = self._commit_repository(data), self._home_of_commit(data)
        return {"commit": commit(home, name, data.get("commit_id")), "commitRepository": home,
                "isCrossRepository": name != self._item.repository.full_name,
                "isDirectReference": True}

    def _pushed(self, data):
        return {"beforeCommit": self._commit(data.get("before_commit_id")),
                "afterCommit": self._commit(data.get("commit_id"))}

    _head_ref_force_pushed = _base_ref_force_pushed = _pushed

    def _head_ref_deleted(self, _data):
        return {"headRefName": self._item.pull["head"]["ref"]}

    def _base_ref_changed(self, data):
        present = self._item.pull["base"]["ref"]
        return {"currentRefName": data.get("current_ref", present),
                "previousRefName": data.get("previous_ref", present)}

    def _base_ref_deleted(self, _data):
        return {"baseRefName": self._item.pull["base"]["ref"]}

    def _review_request(self, data):
        return {"requestedReviewer": requested_reviewer(data)}

    _review_requested = _review_request_removed = _review_request

    def _review_dismissed(self, data):
        detail = data["dismissed_review"]
        state = enum_value(detail["state"])
        if state not in _REVIEW_STATES:
            raise FieldError("INTERNAL", f"review state {state}")
        found = [r for r in self._item.repository.of_number("reviews", self._item.number)
                 if r.id == detail["review_id"]]
        return {"previousReviewState": state,
                "dismissalMessage": detail.get("dismissal_message"), "pullRequestCommit": None,
                "review": lambda _call: self._item.review(found[0]) if found else None}

    def _comment_deleted(self, data):
        return {"deletedCommentAuthor": actor(data.get("deleted_comment_author"))}

    def _user_blocked(self, data):
        return {"blockDuration": data.get("block_duration", "PERMANENT"),
                "subject": only(data.get("blocked_user"), "User")}

    def _link(self, data):
        other = self._other(data.get("other_number"))
        return {"isCrossRepository": False, "source": lambda _call: other or self._item.shape}

    _connected = _disconnected = _link

    def _duplicate(self, data):
        other = self._other(data.get("other_number"))
        return {"isCrossRepository": False, "canonical": other,
                "duplicate": lambda _call: self._item.shape}

    _marked_as_duplicate = _unmarked_as_duplicate = _duplicate

    def _other(self, number):
        return self._things.item(self._item.repository, number) if number else None

    def _transferred(self, data):
        name = data.get("from_repository")
        return {"fromRepository": self._things.repository_named(name) if name else None}

    def _issue_type(self, data):
        def shape(name):
            return name and {"__typename": "IssueType", "id": f"IT_{name}", "name": name,
                             "isEnabled": True, "description": None}
        return {"issueType": shape(data.get("issue_type")),
                "prevIssueType": shape(data.get("prev_issue_type"))}

    _issue_type_added = _issue_type_changed = _issue_type_removed = _issue_type

    def _project(self, data):
        return {"projectColumnName": data.get("column", ""),
                "previousProjectColumnName": data.get("previous_column", "")}

    _added_to_project = _removed_from_project = _moved_columns_in_project = _project
    _converted_note_to_issue = _project

    def _project_v2_item_status_changed(self, data):
        return {"status": data.get("status", ""), "previousStatus": data.get("previous_status", "")}

    def _automatic_base_change(self, data):
        return {"newBase": data.get("current_ref", ""), "oldBase": data.get("previous_ref", "")}

    _automatic_base_change_succeeded = _automatic_base_change_failed = _automatic_base_change


def _time(text):
    try:
        return format_time(parse_time(text))
    except ValueError:
        raise FieldError("INVALID_ARGUMENT", f"`{text}` is no DateTime") from None


