"""A first sync and an idle poll against the GitHub double: requests and records."""

import json
import os
import subprocess
import sys

from front import ROOT
from processes import run_timed
from table import Row

SUPPORT = os.path.join(ROOT, "test", "support")
sys.path.insert(0, SUPPORT)
from github_double.client import DoubleProcess  # noqa: E402  (needs the path above)

ITEMS, PULLS, COMMENTS, EVENTS, REVIEWS = 10_000, 3_500, 40_000, 80_000, 6_000
FIRST_BUDGET = 1000
TEN_BUDGET = 20
IDLE_BUDGET = 5
TOKEN = "bench-token"


def maintner_requests():
    """Lists, then comments and events of every item, reviews of every pull request."""
    return ITEMS // 100 + 2 * ITEMS + PULLS + 10


def make_recording(bench):
    folder = bench.path("recording")
    if not os.path.isdir(folder):
        subprocess.run(
            [os.path.join(SUPPORT, "make-recording"), "--out", folder, "--repo", "bench/hub",
             "--seed", "1", "--issues", str(ITEMS - PULLS), "--pulls", str(PULLS), "--comments",
             str(COMMENTS), "--events", str(EVENTS), "--reviews", str(REVIEWS)],
            check=True, stdout=subprocess.DEVNULL)
    return folder


def last_round(lines):
    rounds = [json.loads(line) for line in lines if '"round finished"' in line]
    return rounds[-1]


def sync_once(bench, url):
    os.makedirs(bench.path("now", "sync"), exist_ok=True)
    return run_timed(
        [bench.program("maintnerd-sync"), "--once", "--owner", "bench", "--repo", "hub",
         "--log", f"file://{bench.path('now', 'sync', 'log')}", "--snapshot",
         bench.path("now", "sync", "snapshot"), "--github-url", url],
        env={**os.environ, "GITHUB_TOKEN": TOKEN})


def by_class(counts):
    skipped = ("total", "conditional", "not_modified", "with_authorization", "max_in_flight",
               "body_bytes")
    parts = [f"{name} {n}" for name, n in counts.items()
             if isinstance(n, int) and n > 0 and name not in skipped]
    return ", ".join(parts)


def ten_changes(bench, double):
    """(requests of a poll after six comments and four reviews, its wall time)."""
    state = double.state("bench/hub")
    pulls = [p["number"] for p in state["pulls"]][:4]
    issues = [i["number"] for i in state["issues"] if "pull_request" not in i][:6]
    sync_once(bench, double.url)
    for number in issues:
        double.edit("bench/hub", "add_comment", number=number, body="news", user="ann")
    for number in pulls:
        double.edit("bench/hub", "add_review", number=number, state="APPROVED", user="bob")
    double.reset_counts()
    wall, _, _ = sync_once(bench, double.url)
    return double.counts()["total"], wall


def measure_sync(bench):
    bench.say(f"sync of {ITEMS} items")
    with DoubleProcess([make_recording(bench)], [TOKEN], ["--rate-limit", "1000000"]) as double:
        # As a server without limits: the pace of a real token would be what is measured.
        double.rate_limit(headers="absent")
        wall, cpu, lines = sync_once(bench, double.url)
        first = double.counts()
        records = last_round(lines)["records"]
        double.reset_counts()
        idle_wall, _, _ = sync_once(bench, double.url)
        idle = double.counts()
        ten, _ = ten_changes(bench, double)
    reference = maintner_requests()
    bench.rows.append(Row(
        f"first sync of {ITEMS:,} items: GitHub requests", f"{first['total']:,}",
        f"maintner {reference:,}", f"{first['total'] / reference:.2f}", f"{FIRST_BUDGET}",
        first["total"] <= FIRST_BUDGET))
    counted = idle["total"] - idle["not_modified"]
    bench.rows.append(Row(
        "poll with no change: GitHub requests",
        f"{idle['total']}, of which {counted} count against the limit", "maintner 1", "",
        f"{IDLE_BUDGET}, none counted", idle["total"] <= IDLE_BUDGET and counted == 0))
    bench.rows.append(Row("ten changed issues, four of them pull requests: GitHub requests",
                          f"{ten:,}", "maintner about 28", "", f"{TEN_BUDGET}", ten <= TEN_BUDGET))
    bench.further.append((
        "Sync against the GitHub double",
        ["what", "requests", "records", "wall", "CPU of the daemon", "records/s of CPU"],
        [["first sync", by_class(first), f"{records:,}", f"{wall:.1f} s", f"{cpu:.2f} s",
          f"{records / cpu:,.0f}"],
         ["idle poll", by_class(idle), "0", f"{idle_wall:.1f} s", "", ""]]))
