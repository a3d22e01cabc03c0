"""Edits: what people and bots do to a repository while a test runs.

An edit is a JSON object {"repo": "o/r", "op": name, ...}; the operations stand
in edits_issue.py, edits_pull.py and edits_repo.py.  Every operation leaves the
model as GitHub would: counts, `updated_at`, the event that belongs to it
(https://docs.github.com/en/rest/using-the-rest-api/issue-event-types), and the
pull request object in step with its issue object.

Settings that all operations know: `actor` (a login), `at` (RFC 3339, the time
of the edit; now by default), `move_updated` (whether `updated_at` moves).
"""

import zlib

import github_objects as objects
import node_ids

from .clock import format_time, parse_time
from .records import Record

DEFAULT_ACTOR = "octo-maintainer"

# Fields that an issue object and its pull request object share.
SHARED_FIELDS = (
    "title", "user", "body", "state", "locked", "active_lock_reason", "created_at",
    "updated_at", "closed_at", "labels", "assignee", "assignees", "milestone", "draft",
    "comments", "author_association",
)

OPERATIONS = {}


class EditError(ValueError):
    """The edit makes no sense on the present state."""


def operation(function):
    """Register an operation under the name of its function."""
    OPERATIONS[function.__name__] = function
    return function


class Edit:
    """One edit under way: its settings and the means to change the model."""

    def __init__(self, world, clock, repository, settings):
        self.world = world
        self.clock = clock
        self.repository = repository
        self.settings = settings
        self.at = self._time()

    def _time(self):
        """The wished time; else now, but later than all that is recorded."""
        wish = self.settings.get("at")
        if wish is not None:
            return format_time(parse_time(wish))
        now = self.clock.text()
        if self.repository is None:
            return now
        newest = max((r.updated for r in self.repository.issues.values()), default="")
        return now if now >= newest else format_time(parse_time(newest) + 1)

    # Settings

    def need(self, name):
        if name not in self.settings:
            raise EditError(f"{self.settings.get('op')} needs {name!r}")
        return self.settings[name]

    def get(self, name, default=None):
        return self.settings.get(name, default)

    @property
    def number(self):
        return int(self.need("number"))

    def actor(self):
        return self.user(self.get("actor", DEFAULT_ACTOR))

    def user(self, login):
        """The user object of a login: one seen before, or a new one; None stays."""
        if login is None or isinstance(login, dict):
            return login
        if login == objects.GHOST_LOGIN:
            return objects.ghost()
        found = self.repository and _find_user(self.repository, login)
        made_id = 3_100_000_000 + zlib.crc32(login.encode()) % 800_000_000
        return found or objects.user(login, made_id)

    # Issues

    def issue_record(self, number=None):
        number = self.number if number is None else number
        record = self.repository.issues.get(number)
        if record is None:
            raise EditError(f"no issue {number} in {self.repository.full_name}")
        return record

    def change_issue(self, change, number=None, moves=True):
        """Apply change(data) to an issue, and carry it over to its pull request."""
        record = self.issue_record(number)
        data = record.load()
        change(data)
        if self.get("move_updated", moves):
            data["updated_at"] = self.at
        record.store(data)
        self.sync_pull(record.number, data)
        self.repository.touched()
        return data

    def sync_pull(self, number, issue):
        record = self.repository.pulls.get(number)
        if record is None:
            return
        data = record.load()
        data.update({name: issue[name] for name in SHARED_FIELDS if name in issue})
        record.store(data)

    def change_pull(self, change):
        record = self.repository.pulls.get(self.number)
        if record is None:
            raise EditError(f"{self.number} is no pull request")
        data = record.load()
        change(data)
        record.store(data)
        self.repository.touched()
        return data

    # Parts of an issue

    def identify(self, family, data, parent_id=None):
        """The object with a node id of its own."""
        node_ids.identify(family, self.repository.id, data, parent_id)
        return data

    def add_part(self, family, number, data):
        pull = self.repository.pulls.get(number)
        self.identify(family, data, (pull or self.issue_record(number)).id)
        self.repository.families[family].setdefault(number, []).append(Record.of(data, number))
        self.repository.touched()

    def part(self, family, part_id):
        """(list, record) of a comment, review or review comment by its id."""
        for records in self.repository.families[family].values():
            for record in records:
                if record.id == part_id:
                    return records, record
        raise EditError(f"no {family} with id {part_id}")

    def add_event(self, kind, number=None, hidden=None, **more):
        """File an event; `hidden` is what only GraphQL tells of it."""
        number = self.number if number is None else number
        event = objects.event(self.repository.full_name, self.repository.next_id(), kind,
                              self.actor(), self.at, **more)
        self.add_part("events", number, event)
        if hidden:
            self.repository.hidden[event["id"]] = hidden
        return event["id"]

    def recount(self):
        """Bring the repository's own number of open issues up to date."""
        count = sum(1 for r in self.repository.issues.values() if r.state == "open")
        self.repository.info["open_issues_count"] = count
        self.repository.info["open_issues"] = count
        self.repository.touched()


def _find_user(repository, login):
    """A user object seen in a repository, by login, or None; remembered."""
    if login not in repository.people:
        needle = b'"login":"%s",' % login.encode()
        found = (_user_within(record.load(), login) for record in repository.every_record()
                 if needle in record.raw)
        repository.people[login] = next(filter(None, found), None)
    return repository.people[login]


def _user_within(value, login):
    if isinstance(value, dict):
        if value.get("login") == login and "id" in value:
            return value
        value = list(value.values())
    if isinstance(value, list):
        return next(filter(None, (_user_within(v, login) for v in value)), None)
    return None


def apply_edit(world, clock, settings):
    """Carry out one edit; returns what a test may want to know of it."""
    if not isinstance(settings, dict):
        raise EditError("an edit is a JSON object")
    change = OPERATIONS.get(settings.get("op"))
    if change is None:
        raise EditError(f"unknown op {settings.get('op')!r}; "
                        f"known: {', '.join(sorted(OPERATIONS))}")
    repository = None
    if settings.get("repo") is not None:
        name = settings["repo"]
        repository = world.by_name(name) or world.by_old_name(name)
        if repository is None:
            raise EditError(f"no repository {name!r}")
    elif change.__name__ not in ("rename_user", "delete_user"):
        raise EditError("an edit needs 'repo'")
    edit = Edit(world, clock, repository, settings)
    result = change(edit) or {}
    return {"op": settings["op"], "at": edit.at, **result}


from . import edits_issue, edits_pull, edits_repo  # noqa: E402,F401  (they register)
