"""The mutable state behind the double: repositories and what lies in them.

A Repository keeps its objects by number, as a recording does, and offers the
repository-wide listings as cached sorted lists.  Every change must be followed
by touched(), which drops those caches.
"""

from .records import encode

# Families kept as one list per issue number, by their name in a recording.
NUMBERED_FAMILIES = ("comments", "events", "reviews", "review_comments")

# Ids made up by edits start above 2^31, so that 32-bit readers show.
FIRST_MADE_ID = 3_000_000_001


class Gone:
    """What GitHub says about a number that is no longer there."""

    def __init__(self, kind, target=None, kept=None):
        self.kind = kind  # "deleted" (410), "transferred" (301) or "missing" (404)
        self.target = target  # (repository full name, number) when transferred
        self.kept = kept  # what restore_issue brings back


class Repository:
    def __init__(self, info):
        self.info = info
        self.issues = {}
        self.pulls = {}
        self.families = {name: {} for name in NUMBERED_FAMILIES}
        self.labels = []
        self.milestones = []
        self.gone = {}
        self.removed = False
        self.rules = None  # bytes of .github/issue_slo_rules.json
        self.hidden = {}  # by the id of an event or review: what only GraphQL tells of it
        self.people = {}  # user objects by login, as edits look them up
        self._views = {}
        self._next_id = None

    @property
    def full_name(self):
        return self.info["full_name"]

    @property
    def id(self):
        return self.info["id"]

    @property
    def has_issues(self):
        return self.info.get("has_issues", True)

    def touched(self):
        self._views.clear()

    def info_raw(self):
        return self.view("info", lambda: encode(self.info))

    def of_number(self, family, number):
        return self.families[family].get(number, [])

    def view(self, key, build):
        """The cached result of build(), until something is touched."""
        found = self._views.get(key)
        if found is None:
            found = self._views[key] = build()
        return found

    def all_of(self, family):
        """Every record of a numbered family, ascending by id."""
        return self.view(("all", family), lambda: sorted(
            (record for records in self.families[family].values() for record in records),
            key=lambda record: record.id))

    def record_of(self, family, record_id):
        """The record of a numbered family by its id, or None."""
        index = self.view(("by id", family), lambda: {r.id: r for r in self.all_of(family)})
        return index.get(record_id)

    def number_of(self, family, record_id):
        """The number of an issue or pull request by its id, or None."""
        index = self.view(("number of", family), lambda: {
            record.id: number for number, record in getattr(self, family).items()})
        return index.get(record_id)

    def every_record(self):
        yield from self.issues.values()
        yield from self.pulls.values()
        for family in NUMBERED_FAMILIES:
            for records in self.families[family].values():
                yield from records
        yield from self.labels
        yield from self.milestones

    def next_id(self):
        if self._next_id is None:
            top = max((record.id for record in self.every_record()), default=0)
            self._next_id = max(top + 1, FIRST_MADE_ID)
        made = self._next_id
        self._next_id += 1
        return made

    def next_number(self):
        return max([*self.issues, *self.gone, 0]) + 1

    def move_away(self, number):
        """Take a number and all that hangs on it out; returns it for put_back()."""
        kept = {
            "issue": self.issues.pop(number),
            "pull": self.pulls.pop(number, None),
            "families": {name: self.families[name].pop(number, [])
                         for name in NUMBERED_FAMILIES},
        }
        self.touched()
        return kept

    def put_back(self, number, kept):
        self.issues[number] = kept["issue"]
        if kept["pull"] is not None:
            self.pulls[number] = kept["pull"]
        for name, records in kept["families"].items():
            if records:
                self.families[name][number] = records
        self.touched()

    def state(self):
        """The whole content as one JSON document, made of the kept bytes."""
        parts = [b'{"repo":', encode(self.full_name), b',"repository":', encode(self.info)]
        for name in ("issues", "pulls"):
            table = getattr(self, name)
            parts += [b',"%s":' % name.encode(), _array(table[n] for n in sorted(table))]
        for name in ("labels", "milestones"):
            parts += [b',"%s":' % name.encode(), _array(getattr(self, name))]
        for name in NUMBERED_FAMILIES:
            table = self.families[name]
            rows = (b'"%d":' % n + _array(table[n]) for n in sorted(table) if table[n])
            parts += [b',"%s":{' % name.encode(), b",\n".join(rows), b"}"]
        gone = {str(number): entry.kind for number, entry in sorted(self.gone.items())}
        parts += [b',"gone":', encode(gone), b"}"]
        return b"".join(parts)


def _array(records):
    return b"[" + b",\n".join(record.raw for record in records) + b"]"


class World:
    """All repositories, found by name (any case), by an old name, or by id."""

    def __init__(self):
        self.repositories = []
        self._by_name = {}
        self._renamed = {}

    def add(self, repository):
        name = repository.full_name.lower()
        if name in self._by_name:
            raise ValueError(f"two recordings of {repository.full_name}")
        self.repositories.append(repository)
        self._by_name[name] = repository

    def by_name(self, full_name):
        return self._by_name.get(full_name.lower())

    def by_old_name(self, full_name):
        return self._renamed.get(full_name.lower())

    def by_id(self, repo_id):
        return next((r for r in self.repositories if r.id == repo_id), None)

    def rename(self, repository, new_name):
        old = repository.full_name.lower()
        if new_name.lower() in self._by_name:
            raise ValueError(f"{new_name} exists")
        del self._by_name[old]
        self._by_name[new_name.lower()] = repository
        self._renamed[old] = repository
        self._renamed.pop(new_name.lower(), None)
