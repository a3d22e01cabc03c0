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

ITEMS, PULLS, COMMENTS, EVENTS, REVIEWS = 1000, 350, 4000, 8000, 600
FIRST_BUDGET = 100  # a thousand for 10,000 items
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


def measure_sync(bench):
    bench.say(f"sync of {ITEMS} items")
    with DoubleProcess([make_recording(bench)], [TOKEN], ["--rate-limit", "1000000"]) as double:
        wall, cpu, lines = sync_once(bench, double.url)
        first = double.counts()
        records = last_round(lines)["records"]
        double.reset_counts()
        idle_wall, _, _ = sync_once(bench, double.url)
        idle = double.counts()
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
    bench.further.append((
        "Sync against the GitHub double",
        ["what", "requests", "records", "wall", "CPU of the daemon", "records/s of CPU"],
        [["first sync", by_class(first), f"{records:,}", f"{wall:.1f} s", f"{cpu:.2f} s",
          f"{records / cpu:,.0f}"],
         ["idle poll", by_class(idle), "0", f"{idle_wall:.1f} s", "", ""]]))
