"""The root fields and repositories: how everything is found, by name, number or node id.

https://docs.github.com/en/graphql/reference/queries
"""

import github_objects as objects
import node_ids

from ..clock import format_time, parse_time
from .connections import Rows
from .execute import FieldError
from .items import Item
from .people import actor, database_id, global_id, label, milestone

_ORDERS = {"CREATED_AT": "created", "UPDATED_AT": "updated", "COMMENTS": "comments"}

_FAMILY_OF_TYPE = {"IssueComment": ("comments", "comment"),
                   "PullRequestReview": ("reviews", "review"),
                   "PullRequestReviewComment": ("review_comments", "review_comment")}


class Objects:
    """Everything that one query may reach; made for each query."""

    def __init__(self, world, schema):
        self._world = world
        self.schema = schema
        self._repositories = {}
        self._items = {}

    # Root fields

    def root(self, rate_limit, viewer):
        return {"repository": self._by_name, "node": self._node, "nodes": self._nodes,
                "viewer": viewer, "rateLimit": rate_limit}

    def _by_name(self, _call, owner, name, followRenames=True):
        full_name = f"{owner}/{name}"
        found = self._world.by_name(full_name)
        if found is None and followRenames:
            found = self._world.by_old_name(full_name)
        if found is None or found.removed:
            raise FieldError("NOT_FOUND", "Could not resolve to a Repository with the name "
                             f"'{full_name}'.")
        return self.repository(found)

    def _node(self, _call, id):
        found = self._resolve(id)
        if isinstance(found, FieldError):
            raise found
        return found

    def _nodes(self, call, ids):
        if len(ids) > 100:
            raise FieldError("ARGUMENT_LIMIT", "You may not provide more than 100 node ids; "
                             f"you provided {len(ids)}.")
        return [self._resolve(text) for text in ids]

    def _resolve(self, text):
        """The object of a node id, or the error that stands in its place."""
        unknown = FieldError("NOT_FOUND",
                             f"Could not resolve to a node with the global id of '{text}'")
        try:
            type_name, numbers = node_ids.parse(text)
        except ValueError:
            return unknown
        for repository in self._world.repositories:
            if repository.removed or (len(numbers) > 2 and numbers[1] != repository.id):
                continue
            found = self._within(repository, type_name, numbers[-1])
            if found is not None and found.get("id") == text:
                return found
        return unknown

    def _within(self, repository, type_name, number):
        """The object of a repository by its type and database id, or None."""
        if type_name == "Repository":
            return self.repository(repository) if repository.id == number else None
        if type_name in ("Issue", "PullRequest"):
            family = "issues" if type_name == "Issue" else "pulls"
            found = repository.number_of(family, number)
            return self.item(repository, found) if found is not None else None
        family, maker = _FAMILY_OF_TYPE.get(type_name, ("events", None))
        record = repository.record_of(family, number)
        if record is None or record.number not in repository.issues:
            return None
        item = self.item_of(repository, record.number)
        return getattr(item, maker)(record) if maker else item.event(record)

    # Repositories

    def repository(self, repository):
        """The object of a repository."""
        if repository.id not in self._repositories:
            self._repositories[repository.id] = self._shape(repository)
        return self._repositories[repository.id]

    def repository_named(self, full_name):
        """Any repository, served here or not."""
        found = self._world.by_name(full_name)
        if found is not None:
            return self.repository(found)
        return {"__typename": "Repository", "id": f"R_{full_name}", "databaseId": None,
                "name": full_name.split("/")[-1], "nameWithOwner": full_name,
                "url": f"{objects.WEB}/{full_name}", "isArchived": False, "isPrivate": False,
                "isDisabled": False, "hasIssuesEnabled": True}

    def _shape(self, repository):
        info = repository.info
        return {
            "__typename": "Repository", "id": global_id(info, "Repository"),
            "databaseId": database_id(repository.id), "name": info["name"],
            "nameWithOwner": repository.full_name, "owner": actor(info["owner"]),
            "url": info["html_url"], "hasIssuesEnabled": repository.has_issues,
            "isArchived": bool(info.get("archived")), "isPrivate": bool(info.get("private")),
            "isDisabled": bool(info.get("disabled")), "createdAt": info["created_at"],
            "updatedAt": info["updated_at"],
            "issue": lambda _call, number: self._numbered(repository, number, "Issue"),
            "pullRequest": lambda _call, number: self._numbered(repository, number, "PullRequest"),
            "issueOrPullRequest": lambda _call, number: self._numbered(repository, number, None),
            "issues": lambda call, **a: self._list(repository, "Issue", call, **a),
            "pullRequests": lambda call, **a: self._list(repository, "PullRequest", call, **a),
            "labels": lambda call, **a: self._labels(repository, call, **a),
            "milestones": lambda call, **a: self._milestones(repository, call, **a),
        }

    # Issues and pull requests

    def item_of(self, repository, number):
        key = (repository.id, number)
        if key not in self._items:
            self._items[key] = Item(self, repository, number)
        return self._items[key]

    def item(self, repository, number):
        """The object of a number, or null."""
        if number not in repository.issues:
            return None
        is_issue = number not in repository.pulls
        if is_issue and not repository.has_issues:
            return None
        return self.item_of(repository, number).shape

    def _numbered(self, repository, number, type_name):
        found = self.item(repository, number)
        if found is None or type_name not in (None, found["__typename"]):
            wanted = {"Issue": "an Issue", "PullRequest": "a PullRequest",
                      None: "an issue or pull request"}[type_name]
            raise FieldError("NOT_FOUND",
                             f"Could not resolve to {wanted} with the number of {number}.")
        return found

    def _list(self, repository, type_name, call, states=None, orderBy=None, filterBy=None,
              **bounds):
        filters = filterBy or {}
        states = states or filters.get("states")
        since = filters.get("since")
        since = format_time(parse_time(since)) if since else None
        order = orderBy or {"field": "CREATED_AT", "direction": "ASC"}
        name, descending = _ORDERS[order["field"]], order["direction"] == "DESC"
        numbers = repository.issues if type_name == "Issue" else repository.pulls
        records = [repository.issues[n] for n in numbers if n in repository.issues and
                   (type_name != "Issue" or n not in repository.pulls)]
        if type_name == "Issue" and not repository.has_issues:
            records = []
        rows = [((getattr(r, name), r.number), r) for r in records
                if (since is None or r.updated >= since)
                and (states is None or self._state(repository, r, type_name) in states)]
        rows.sort(key=lambda pair: pair[0], reverse=descending)
        return Rows(rows, lambda r: self.item(repository, r.number), descending).page(
            call, f"{type_name}Connection", **bounds)

    @staticmethod
    def _state(repository, record, type_name):
        if type_name == "PullRequest" and repository.pulls[record.number].load().get("merged_at"):
            return "MERGED"
        return record.state.upper()

    def _labels(self, repository, call, orderBy=None, **bounds):
        order = orderBy or {}
        descending = order.get("direction") == "DESC"
        rows = []
        for record in repository.labels:
            data = record.load()
            by_name = order.get("field") == "NAME"
            rows.append((((data["name"].lower(),) if by_name else (record.id,)), data))
        rows.sort(key=lambda pair: pair[0], reverse=descending)
        own = self.repository(repository)
        return Rows(rows, lambda data: label(repository, own, data), descending).page(
            call, "LabelConnection", **bounds)

    def _milestones(self, repository, call, orderBy=None, states=None, **bounds):
        own = self.repository(repository)
        rows = sorted(((r.number,), r.load()) for r in repository.milestones
                      if states is None or r.state.upper() in states)
        return Rows(rows, lambda data: milestone(repository, own, data)).page(
            call, "MilestoneConnection", **bounds)
