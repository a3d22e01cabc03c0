"""Filters over a repository that match nothing, so that every row is looked at."""

from processes import run_json
from table import Row

# (what, expression, budget in ms for 100,000 issues or None)
FILTERS = [
    ("heads only", 'issue.number < 0', 30),
    ("heads only, three flags", 'issue.locked && issue.approved && issue.draft', 30),
    ("a title", 'issue.title.contains("zzzqqq")', 100),
    ("a title, regular expression", 'issue.title.matches("(?i)zzz+qqq")', None),
    ("labels", '"zzzqqq" in issue.labels', None),
    ("the reporter's login", 'issue.reporter.login == "zzzqqq"', None),
    ("bodies", 'issue.body.contains("zzzqqq")', None),
    ("bodies, regular expression", 'issue.body.matches("zzz+qqq")', None),
    ("comments", 'issue.comments.exists(c, c.body.contains("zzzqqq"))', None),
]
DECIDED = "issue.closed && !issue.is_pr"
ROUNDS = 15


def measure_filter(bench):
    issues = bench.options.issues
    snapshot = bench.snapshot(issues)
    times, _ = run_json([bench.helper("filter_time"), snapshot, ROUNDS, "", DECIDED,
                         *(expression for _, expression, _ in FILTERS)])
    for what, expression, budget in FILTERS:
        cost = times[expression]
        if cost["total"] != 0:
            raise SystemExit(f"{expression} matches {cost['total']} issues")
        if budget is not None:
            limit = budget * issues / 100_000
            bench.rows.append(Row(
                f"filter over {issues:,} issues, {what}",
                f"{cost['cpu_ms']:.1f} ms CPU (least {cost['least_ms']:.1f})", "", "",
                f"{limit:g} ms", cost["cpu_ms"] <= limit))
    cells = [[what, f"`{expression}`", f"{times[expression]['cpu_ms']:.1f} ms",
              f"{times[expression]['cpu_ms'] * 1e6 / issues:.0f} ns"]
             for what, expression, _ in FILTERS]
    cells.append(["decided by the indexes", f"`{DECIDED}`", f"{times[DECIDED]['cpu_ms']:.2f} ms",
                  "-"])
    cells.append(["no filter", "", f"{times['']['cpu_ms']:.2f} ms", "-"])
    bench.further.append((f"Filters over {issues:,} issues: a page of 100 and the total",
                          ["what", "filter", "CPU of a request", "an issue"], cells))
