"""What a log says, for tests that look for lost and doubled records."""

from collections import Counter

from log_checker import read_mutations


def sightings(folder):
    """How often each object is told: {("issue"|"comment"|..., number, id): times}.

    An issue counts where a record carries its creation, which only its first does.
    """
    found = Counter()
    for mutation in read_mutations(folder):
        issue = mutation.get("github_issue")
        if issue is None:
            continue
        number = issue["number"]
        if "created" in issue:
            found["issue", number, issue.get("id")] += 1
        for family in ("comment", "event", "review"):
            for row in issue.get(family, ()):
                found[family, number, row["id"]] += 1
    return found


def expected_sightings(source):
    """The same for a recording that was mirrored without a fault: each object once."""
    found = Counter({("issue", i["number"], i["id"]): 1 for i in source["issues"]})
    for family in ("comments", "events", "reviews"):
        for number, rows in source[family].items():
            found.update((family[:-1], int(number), row["id"]) for row in rows)
    return found


def doubled_or_lost(folder, source):
    """Readable differences between a log and what it should tell exactly once."""
    want, have = expected_sightings(source), sightings(folder)
    texts = [f"{key} is missing" for key in want if key not in have]
    texts += [f"{key} is not in the recording" for key in have if key not in want]
    texts += [f"{key} is told {n} times" for key, n in have.items() if n > 1]
    return texts
