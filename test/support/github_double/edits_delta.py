"""Applies a later recording of a repository, one line of a deltas file.

  {"repo", "commit", "at", "gone": [n], "issues": [], "pulls": [],
   "comments": {n: []}, "events": {}, "reviews": {}, "review_comments": {}}

Issues and pull requests are whole objects; the lists of a number replace what
that number had.  A number that is gone answers 404, as in recordings.
"""

from .edits import EditError
from .model import NUMBERED_FAMILIES, Gone
from .records import Record


def apply_delta(world, delta):
    repository = world.by_name(delta["repo"])
    if repository is None:
        raise EditError(f"no repository {delta['repo']!r}")
    for number in delta.get("gone", ()):
        if number in repository.issues:
            repository.gone[number] = Gone("missing", kept=repository.move_away(number))
    for name in ("issues", "pulls"):
        for data in delta.get(name, ()):
            getattr(repository, name)[data["number"]] = Record.of(data)
            repository.gone.pop(data["number"], None)
    for family in NUMBERED_FAMILIES:
        for text, rows in delta.get(family, {}).items():
            number = int(text)
            repository.families[family][number] = [Record.of(row, number) for row in rows]
    repository.people.clear()
    repository.touched()
    return {"repo": repository.full_name, "at": delta.get("at"),
            "numbers": sorted(data["number"] for data in delta.get("issues", ()))}
