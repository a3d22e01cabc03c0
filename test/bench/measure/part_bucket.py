"""A log in a bucket (the double of Google Cloud Storage, over loopback): how long a pod with
an empty disk takes until it answers, what a rebuild of a large log needs, what flushes send."""

import os
import shutil
import subprocess
import sys
import time
from statistics import median

from bench import REPO
from front import ROOT
from processes import Daemon, PeakAnon, run_json
from table import Row

sys.path.insert(0, os.path.join(ROOT, "test", "support"))
sys.path.insert(0, os.path.join(ROOT, "test", "integration"))
from fcgi_client import FcgiClient  # noqa: E402  (needs the paths above)
from gcs_double.client import GcsDouble  # noqa: E402

BUCKET = "bench"
MEMORY_MIB = 300
LARGE_LOG_ISSUES = 530_000  # 2 GB of log
MIB = 1 << 20


def upload(bench, double, issues):
    folder = os.path.join(bench.log(issues), REPO)
    for name in sorted(os.listdir(folder)):
        if name.endswith(".mutlog") or name == "WRITER":
            with open(os.path.join(folder, name), "rb") as file:
                double.put(BUCKET, f"root/{REPO}/{name}", file.read())


class Pod:
    """sync and responder on an empty disk; GitHub is not there."""

    def __init__(self, bench, origin, folder):
        owner, repo = REPO.split("/")
        env = {**os.environ, "STORAGE_EMULATOR_HOST": origin, "GITHUB_TOKEN": "bench"}
        self.socket, snapshot = os.path.join(folder, "fcgi.sock"), os.path.join(folder, "snapshot")
        self.sync = Daemon(
            [bench.program("maintnerd-sync"), "--owner", owner, "--repo", repo,
             "--log", f"gs://{BUCKET}/root", "--snapshot", snapshot,
             "--github-url", "http://127.0.0.1:9"], env=env)
        self.peak = PeakAnon(self.sync.pid)
        self.responder = Daemon([bench.program("maintnerd-fcgi"), "--snapshot", snapshot,
                                 "--listen", f"unix:{self.socket}"], self.socket)

    def wait_for_answer(self, target):
        while True:
            client = FcgiClient(f"unix:{self.socket}")
            status = client.ask(target).status
            client.close()
            if status == 200:
                return
            time.sleep(0.02)

    def stop(self):
        self.responder.stop()
        self.sync.stop()
        return self.peak.stop()


def first_answer(bench, double, issues):
    """(seconds until an issue is answered, peak MiB of the sync daemon)."""
    folder = bench.path("now", "pod")
    os.makedirs(folder)
    began = time.monotonic()
    pod = Pod(bench, double.origin, folder)
    try:
        pod.wait_for_answer(f"/api/v1/{REPO}/issues/{issues // 2}")
        took = time.monotonic() - began
    finally:
        peak = pod.stop()
    shutil.rmtree(folder)
    return took, peak


def fetch_plain(double, names):
    """Seconds to GET the same objects with curl, one after the other: the double's own speed."""
    urls = [part for name in names for part in
            ("-o", "/dev/null", f"{double.origin}/storage/v1/b/{BUCKET}/o/"
             f"{name.replace('/', '%2F')}?alt=media")]
    began = time.monotonic()
    subprocess.run(["curl", "-sf", *urls], check=True)
    return time.monotonic() - began


def measure_first_answer(bench, double):
    issues = bench.options.issues
    bench.say("uploading the log to the double")
    upload(bench, double, issues)
    names = [name for name in double.names(BUCKET) if name.endswith(".mutlog")]
    fetch_plain(double, names)  # the double sums an object when it is asked for first
    plain = fetch_plain(double, names)
    os.environ["STORAGE_EMULATOR_HOST"] = double.origin
    read, _ = run_json([bench.helper("rebuild"), "--log", f"gs://{BUCKET}/root", "--read-only"])
    whole, peak = run_json([bench.helper("rebuild"), "--log", f"gs://{BUCKET}/root",
                            "--snapshot", bench.path("now", "from-bucket")])
    del os.environ["STORAGE_EMULATOR_HOST"]
    shutil.rmtree(bench.path("now", "from-bucket"))
    local, _ = bench.rebuild(bench.log(issues), bench.path("now", "from-disk"))
    shutil.rmtree(bench.path("now", "from-disk"))
    bench.say("from an empty disk to the first answer")
    took = [first_answer(bench, double, issues) for _ in range(bench.options.rounds)]
    answer = median(t for t, _ in took)
    peak = max([peak, *(p for _, p in took)])
    cells = [
        ["the segments fetched with curl, nothing done with them", f"{plain:.2f} s", ""],
        ["log fetched, sums checked, records parted", f"{read['wall_s']:.2f} s",
         f"{read['cpu_s']:.2f} s"],
        ["the same and applied (replay)", f"{whole['replay_wall_s']:.2f} s",
         f"{whole['replay_cpu_s']:.2f} s"],
        ["the same and made durable (rebuild)", f"{whole['wall_s']:.2f} s",
         f"{whole['cpu_s']:.2f} s"],
        ["rebuild from a directory instead", f"{local['wall_s']:.2f} s",
         f"{local['cpu_s']:.2f} s"],
        ["pod started on an empty disk, until an issue is answered", f"{answer:.2f} s", ""]]
    bench.further.append((f"{issues:,} issues in a bucket: from an empty disk to the first answer",
                          ["step", "wall", "CPU"], cells))
    bench.rows.append(Row("rebuild from a bucket, anonymous memory", f"{peak:.0f} MiB", "", "",
                          f"{MEMORY_MIB} MB", peak * 1.048576 <= MEMORY_MIB))


def measure_large(bench):
    if not bench.options.large:
        return
    log = bench.log(LARGE_LOG_ISSUES)
    size = sum(os.path.getsize(path) for path in bench.segments(LARGE_LOG_ISSUES))
    bench.say(f"rebuild from {size / 1e9:.1f} GB of log")
    folder = bench.path("now", "large")
    cost, peak = bench.rebuild(log, folder)
    shutil.rmtree(folder)
    bench.rows.append(Row(
        f"rebuild of {LARGE_LOG_ISSUES:,} issues from {size / 1e9:.1f} GB of log, anonymous memory",
        f"{peak:.0f} MiB, {cost['wall_s']:.0f} s", "", "", f"{MEMORY_MIB} MB",
        peak * 1.048576 <= MEMORY_MIB))


def flush_row(bench, mib, kib, compose):
    with GcsDouble(buckets=[BUCKET], write_interval=0) as double:
        if not compose:
            double.fault(op="compose", kind="status", status=404, times=-1)
        os.environ["STORAGE_EMULATOR_HOST"] = double.origin
        cost, _ = run_json([bench.helper("flush_log"), "--url", f"gs://{BUCKET}/root",
                            "--mib", mib, "--flush-kib", kib])
        del os.environ["STORAGE_EMULATOR_HOST"]
        asked = double.attempts()
    sent = sum(entry["bytes"] for entry in asked if entry["method"] != "GET")
    return [f"{mib} MiB in flushes of {kib} KiB{'' if compose else ', compose missing'}",
            f"{cost['flushes']}", f"{len(asked) / max(cost['flushes'], 1):.1f}",
            f"{sent / MIB / mib:.2f} MiB", f"{cost['wall_s'] / max(cost['flushes'], 1):.2f} s",
            f"{cost['cpu_s']:.2f} s"]


def measure_bucket(bench):
    with GcsDouble(buckets=[BUCKET], write_interval=0) as double:
        measure_first_answer(bench, double)
    measure_large(bench)
    cells = []
    for mib, kib, compose in ((64, 16384, True), (1, 64, True), (1, 64, False), (1, 16, True)):
        bench.say(f"{mib} MiB in flushes of {kib} KiB")
        cells.append(flush_row(bench, mib, kib, compose))
    bench.further.append((
        "Flushes to a bucket (WRITER is written once a second at most; the double's checksum, in "
        "Python, bounds large ones)",
        ["what", "flushes", "requests a flush", "sent for each MiB of log", "a flush", "CPU"],
        cells))
