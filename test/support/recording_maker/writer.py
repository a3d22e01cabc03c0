"""Writes a recording: a folder of GitHub REST objects, one a line.

  repo.json                        one object
  labels.json milestones.json      arrays; one element a line, compact, UTF-8
  issues.json                      pull requests too, as GET /issues gives them
  pulls.json
  comments/N.json events/N.json reviews/N.json review_comments/N.json
                                   of issue N; absent where the list is empty
  MANIFEST.json                    counts, and where the content comes from

Arrays begin with a line `[` and end with a line `]`.
"""

import json
import os
from collections import Counter

FAMILIES = ("comments", "events", "reviews", "review_comments")


def compact(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write_array(path, elements):
    lines = ",\n".join(compact(element) for element in elements)
    text = f"[\n{lines}\n]\n" if lines else "[]\n"
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write(text)


def write_recording(folder, recording, source):
    """`recording` has repo, labels, milestones, issues, pulls, and each family by number."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "repo.json"), "w", encoding="utf-8", newline="") as file:
        file.write(compact(recording["repo"]) + "\n")
    for name in ("labels", "milestones", "issues", "pulls"):
        write_array(os.path.join(folder, f"{name}.json"), recording[name])
    for family in FAMILIES:
        os.makedirs(os.path.join(folder, family), exist_ok=True)
        for number, rows in recording[family].items():
            if rows:
                write_array(os.path.join(folder, family, f"{number}.json"), rows)
    with open(os.path.join(folder, "MANIFEST.json"), "w", encoding="utf-8") as file:
        json.dump(manifest(recording, source), file, indent=1)
        file.write("\n")


def manifest(recording, source):
    issues = recording["issues"]
    kinds = Counter(e["event"] for rows in recording["events"].values() for e in rows)
    counts = {
        "issues": sum("pull_request" not in issue for issue in issues),
        "pulls": len(recording["pulls"]),
        "open": sum(issue["state"] == "open" for issue in issues),
        "labels": len(recording["labels"]),
        "milestones": len(recording["milestones"]),
        **{family: sum(map(len, recording[family].values())) for family in FAMILIES},
        "max_number": max((issue["number"] for issue in issues), default=0),
    }
    return {
        "repo": recording["repo"]["full_name"],
        "counts": counts,
        "first_created_at": min((i["created_at"] for i in issues), default=None),
        "last_updated_at": max((i["updated_at"] for i in issues), default=None),
        "event_kinds": dict(kinds.most_common()),
        "source": source,
    }
