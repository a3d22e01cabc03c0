"""Rebuild, start, and the log writer's flushes."""

import os
import shutil
from statistics import median

from bench import REPO
from processes import run_json
from table import Row, with_budget

REBUILD_RATIO, REBUILD_MIB = 4, 300
START_MS = 10


def measure_rebuild(bench):
    issues = bench.options.issues
    log, env = bench.log(issues), os.path.join(bench.snapshot(issues), "current")
    ours, floor, peaks = [], [], []
    for nth in range(bench.options.rounds):
        bench.say(f"rebuild {nth + 1} of {bench.options.rounds}")
        scratch, copy = bench.path("now", "scratch"), bench.path("now", "scratch-floor")
        cost, peak = bench.rebuild(log, scratch)
        ours.append(cost)
        peaks.append(peak)
        floor.append(run_json([bench.helper("floor"), env, copy, *bench.segments(issues)])[0])
        shutil.rmtree(scratch)
        shutil.rmtree(copy)
    ratios = [o["cpu_s"] / f["cpu_s"] for o, f in zip(ours, floor)]
    mid = {name: median(o[name] for o in ours) for name in ours[0]}
    low = {name: median(f[name] for f in floor) for name in floor[0]}
    bench.rows.append(with_budget(
        f"rebuild of {issues:,} issues from a log of {low['log_bytes'] / 1e6:.0f} MB",
        f"{mid['cpu_s']:.2f} s CPU, {mid['wall_s']:.2f} s wall",
        f"{low['rows']:,.0f} puts {low['puts_cpu_s']:.2f} s + SHA-224 "
        f"{low['cpu_s'] - low['puts_cpu_s']:.2f} s CPU, {low['wall_s']:.2f} s wall",
        ratios, REBUILD_RATIO))
    bench.rows.append(Row("rebuild, anonymous memory", f"{max(peaks):.0f} MiB", "", "",
                          f"{REBUILD_MIB} MB", max(peaks) * 1.048576 <= REBUILD_MIB))


def measure_start(bench):
    issues = bench.options.issues
    snapshot, socket = bench.snapshot(issues), bench.path("now", "start.sock")
    target = f"/api/v1/{REPO}/issues/{issues // 2}?comments=true"
    times, _ = run_json([
        bench.helper("start_time"), 60, socket, target,
        bench.program("maintnerd-fcgi"), "--snapshot", snapshot, "--listen", f"unix:{socket}",
        "--", "mdb_stat", "-e", os.path.join(snapshot, "current")])
    more = times["responder_ms"] - times["reference_ms"]
    least = times["responder_least_ms"] - times["reference_least_ms"]
    bench.rows.append(Row(
        "start to first answer",
        f"{times['responder_ms']:.1f} ms (quickest {times['responder_least_ms']:.1f})",
        f"`mdb_stat -e` {times['reference_ms']:.1f} ms "
        f"(quickest {times['reference_least_ms']:.1f})",
        f"+{more:.1f} ms (quickest +{least:.1f})", f"+{START_MS} ms", more <= START_MS))


def measure_flush(bench):
    cells = []
    for kib, mib in ((16384, 128), (1024, 64), (64, 8)):
        ours, plain = [], []
        for _ in range(bench.options.rounds):
            for times, more in ((ours, ["--flush-kib", kib]), (plain, ["--plain"])):
                folder = bench.path("now", "flush")
                times.append(run_json([bench.helper("flush_log"), "--dir", folder,
                                       "--mib", mib, *more])[0])
                shutil.rmtree(folder)
        wall = median(o["wall_s"] for o in ours)
        flushes = median(o["flushes"] for o in ours)
        cells.append([
            f"{mib} MiB in flushes of {kib / 1024:g} MiB", f"{mib / wall:.1f} MiB/s",
            f"{wall / max(flushes, 1) * 1e3:.1f} ms",
            f"{median(o['cpu_s'] for o in ours):.2f} s",
            f"{mib / median(p['wall_s'] for p in plain):.1f} MiB/s",
            f"{median(o['wall_s'] / p['wall_s'] for o, p in zip(ours, plain)):.2f}"])
    bench.further.append((
        "Flushes of the log's writer to `file://`",
        ["what", "rate", "a flush", "CPU", "plain synced files of 16 MiB", "ratio of wall time"],
        cells))
