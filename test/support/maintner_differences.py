#!/usr/bin/env python3
"""Compares drghs's answers for a maintner log with ours for the same log.

Ours may differ only where the design says so:

  - a missing time is null, not the year 1
  - `closedAt` is null while an issue is open, even after a reopen
  - `name` is filled in
  - comment and review ids are whole, not cut to signed 32 bits
  - a review's `commitId` may be filled in
  - comments of deleted accounts are kept, with a null user
  - labels that differ only in case, and reviews of one time, stand by id
  - fields that drghs does not have

  maintner_differences.py THEIRS OURS      two files of JSON lines, maybe .gz
"""

import gzip
import json
import sys

NO_TIME = "0001-01-01T00:00:00Z"
TIME_FIELDS = ("createdAt", "updatedAt", "closedAt")


def cut_to_32_bits(number):
    """What is left of an id that went through a signed 32-bit field."""
    low = number & 0xFFFFFFFF
    return low - (1 << 32) if low & 0x80000000 else low


def _null_times(value):
    """A copy in which the year 1 is null."""
    if isinstance(value, dict):
        return {k: None if k in TIME_FIELDS and v == NO_TIME else _null_times(v)
                for k, v in value.items()}
    if isinstance(value, list):
        return [_null_times(item) for item in value]
    return value


def transform(theirs):
    """drghs's Issue as ours would be, as far as that follows from it alone."""
    issue = _null_times(theirs)
    issue["name"] = f"{issue['repo']}/issues/{issue['issueId']}"
    if not issue["closed"]:
        issue["closedAt"] = None
    return issue


def _same_labels(theirs, ours):
    """Equal but for the order of names that differ only in case."""
    if not isinstance(ours, list) or sorted(theirs) != sorted(ours):
        return False
    return [x.lower() for x in theirs] == [x.lower() for x in ours]


def _compare_comments(theirs, ours, differences):
    kept = [row for row in ours if row.get("user") is not None]
    known_null = {row["id"] for row in theirs if row["user"] is None}
    kept += [row for row in ours
             if row.get("user") is None and cut_to_32_bits(row["id"]) in known_null]
    _check_order("comments", ours, differences)
    _compare_rows("comments", theirs, kept, ("user", "createdAt", "updatedAt", "body"),
                  differences)


def _compare_reviews(theirs, ours, differences):
    _check_order("reviews", ours, differences)
    for row in ours:
        if not isinstance(row.get("commitId"), str):
            differences.append(f"reviews {row.get('id')}: commitId is not a string")
    _compare_rows("reviews", theirs, ours,
                  ("actor", "actorAssociation", "createdAt", "body", "state"), differences)


def _check_order(name, rows, differences):
    keys = [(row["createdAt"] or "", row["id"]) for row in rows]
    if keys != sorted(keys):
        differences.append(f"{name}: not in the order of time and id")


def _compare_rows(name, theirs, ours, fields, differences):
    """Pair rows by their cut ids and compare the fields both have."""
    old = {row["id"]: row for row in theirs}
    new = {cut_to_32_bits(row["id"]): row for row in ours}
    for row_id in sorted(old.keys() - new.keys()):
        differences.append(f"{name}: {row_id} is missing")
    for row_id in sorted(new.keys() - old.keys()):
        differences.append(f"{name}: {new[row_id]['id']} is not expected")
    for row_id in sorted(old.keys() & new.keys()):
        for field in fields:
            if old[row_id][field] != new[row_id].get(field):
                differences.append(
                    f"{name} {new[row_id]['id']} {field}: expected "
                    f"{_short(old[row_id][field])}, got {_short(new[row_id].get(field))}")


def _short(value):
    text = json.dumps(value)
    return text if len(text) <= 120 else text[:80] + "..." + text[-30:]


def compare(theirs, ours):
    """Differences that the design does not allow, [] when there are none."""
    want = transform(theirs)
    differences = []
    for name, value in want.items():
        have = ours.get(name)
        if name not in ours:
            differences.append(f"{name}: missing")
        elif name == "comments":
            _compare_comments(value, have, differences)
        elif name == "reviews":
            _compare_reviews(value, have, differences)
        elif name == "labels":
            if not _same_labels(value, have):
                differences.append(f"labels: expected {value}, got {have}")
        elif value != have or type(value) is not type(have):
            differences.append(f"{name}: expected {_short(value)}, got {_short(have)}")
    return differences


def read_lines(path):
    """{issue number: Issue} of a file of JSON lines; `{"issue": ...}` is unwrapped."""
    opener = gzip.open if str(path).endswith(".gz") else open
    issues = {}
    with opener(path, "rb") as file:
        for line in file:
            if line.strip():
                row = json.loads(line)
                row = row.get("issue", row) if isinstance(row.get("issue"), dict) else row
                issues[row["issueId"]] = row
    return issues


def compare_all(theirs, ours):
    """Differences between two {number: Issue}, the number in front."""
    differences = [f"{n}: missing" for n in sorted(theirs.keys() - ours.keys())]
    differences += [f"{n}: not expected" for n in sorted(ours.keys() - theirs.keys())]
    for number in sorted(theirs.keys() & ours.keys()):
        differences += [f"{number}: {text}" for text in compare(theirs[number], ours[number])]
    return differences


def main(arguments):
    if len(arguments) != 2:
        sys.exit("usage: maintner_differences.py THEIRS OURS")
    theirs, ours = map(read_lines, arguments)
    differences = compare_all(theirs, ours)
    for text in differences:
        print(text)
    print(f"{len(theirs)} issues, {len(differences)} differences", file=sys.stderr)
    sys.exit(1 if differences else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
