"""maintmigrate on a log of 200 repositories, against reading and hashing the same files."""

import os
import shutil
import subprocess
import sys
import time

from front import ROOT
from table import Row

sys.path.insert(0, os.path.join(ROOT, "test", "support"))
import many_logs  # noqa: E402

REPOSITORIES = 200
ROUNDS = 3


def _run(command):
    """What a command used, by its parent's account; it must succeed."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{command[:2]} ended with {process.returncode}")
    return usage


def _monolith(bench, records):
    folder = bench.path(f"monolith-{records}")
    if not os.path.isdir(folder):
        many_logs.make(folder + ".part", [("acme", f"repo-{n:03}") for n in range(REPOSITORIES)],
                       records, seed=5)
        os.rename(folder + ".part", folder)
    return folder


def measure_migrate(bench):
    records = 10 * bench.options.issues  # a million by default
    folder = _monolith(bench, records)
    size = sum(entry.stat().st_size for entry in os.scandir(folder)) / 2**20
    dest = bench.path("migrated")
    names = [word for n in range(REPOSITORIES) for word in ("--repo", f"acme/repo-{n:03}")]
    pairs = []
    for nth in range(ROUNDS):  # each into a folder of its own: deleting one slows down the next
        began = time.monotonic()
        _run(["sh", "-c", f"cat {folder}/*.mutlog | sha224sum"])
        hashed = time.monotonic() - began
        shutil.rmtree(f"{dest}-{nth}", ignore_errors=True)
        began = time.monotonic()
        usage = _run([bench.program("maintmigrate"), "--source", f"file://{folder}",
                        "--dest", f"file://{dest}-{nth}", "--scratch", bench.path(""), *names])
        pairs.append((time.monotonic() - began, hashed, usage))
    for nth in range(ROUNDS):
        shutil.rmtree(f"{dest}-{nth}")
    pairs.sort(key=lambda pair: pair[0] / pair[1])
    took, hashed, usage = pairs[len(pairs) // 2]
    bench.rows.append(Row(
        f"maintmigrate: {records:,} records, {size:.0f} MB, into {REPOSITORIES} logs",
        f"{size / took:.0f} MB/s ({took:.1f} s, {usage.ru_utime + usage.ru_stime:.1f} s CPU)",
        f"`cat | sha224sum` {size / hashed:.0f} MB/s", f"{hashed / took:.2f} of its speed", "0.5",
        hashed / took >= 0.5))
    bench.rows.append(Row("maintmigrate, memory", f"{usage.ru_maxrss >> 10} MB", "", "", "100 MB",
                          usage.ru_maxrss >> 10 < 100))
