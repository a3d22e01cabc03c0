"""The supervisor at 5,000 repositories: everything made once, then nothing to do."""

import json
import os
import sys
import time

from front import ROOT
from processes import Daemon, PeakAnon, cpu_s
from table import Row

REPOSITORIES, PASS_S, PAGE = 5_000, 2, 500
QUIET_S = 10


class Cluster:
    """The strict double of the integration tests, in this process."""

    def __init__(self, folder):
        for name in ("test/integration", "test/support"):
            sys.path.append(os.path.join(ROOT, name))
        from fcgi_client import FcgiClient
        from k8s_double.client import K8sDouble
        self.client, self.double = FcgiClient, K8sDouble(["mirror"])
        self.kubeconfig = os.path.join(folder, "kubeconfig")
        with open(self.kubeconfig, "w", encoding="utf-8") as file:
            json.dump({"current-context": "c", "contexts": [{"name": "c", "context": {
                "cluster": "k", "namespace": "mirror"}}],
                "clusters": [{"name": "k", "cluster": {"server": self.double.origin}}]}, file)

    def count(self, *verbs):
        return sum(r["verb"] in verbs and r["resource"] in ("deployments", "services")
                   for r in self.double.requests())

    def writes(self):
        return self.count("create", "update", "patch", "delete")


def metric(cluster, path, name):
    client = cluster.client(f"unix:{path}", timeout_s=60)
    try:
        for line in client.ask("/metrics").body.decode().splitlines():
            if line.startswith(f"maintner_supervisor_{name} "):
                return float(line.rpartition(" ")[2])
    finally:
        client.close()
    raise RuntimeError(f"no metric {name}")


def start(bench, folder, cluster, *more, env=None):
    path = os.path.join(folder, "sprvsr.sock")
    return path, Daemon(
        [bench.program("maintner-sprvsr"), "--listen", f"unix:{path}", "--repos",
         f"file://{folder}/repos.json", "--log", "gs://bucket/logs", "--image", "i:1",
         "--kubeconfig", cluster.kubeconfig, "--github-secret", "github",
         "--requests-per-second", "10000", "--log-level", "warning", *more], path,
        env={**os.environ, **(env or {})})


def wait(condition, what, timeout_s=300):
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise RuntimeError(f"not within {timeout_s} s: {what}")
        time.sleep(0.05)


def measure_supervisor(bench):
    folder = bench.path("now", "supervisor")
    os.makedirs(folder)
    with open(os.path.join(folder, "repos.json"), "w", encoding="utf-8") as file:
        json.dump({"repos": [{"repo": f"org{i % 50}/repo{i}", "default_branch": "main",
                              "is_tracking_issues": True} for i in range(REPOSITORIES)]}, file)
    cluster = Cluster(folder)
    bench.say("making everything")
    path, daemon = start(bench, folder, cluster)
    begun = time.monotonic()
    wait(lambda: metric(cluster, path, "applied_total{action=\"create\"}") >= 2 * REPOSITORIES,
         "all objects")
    made_s, made_cpu_s = time.monotonic() - begun, cpu_s(daemon.pid)
    daemon.stop()
    writes, lists = cluster.writes(), cluster.count("list")
    bench.say("a start with nothing to do")
    # It leads from the first: else the pass that compares everything is a follower's, before that.
    path, daemon = start(bench, folder, cluster, "--resync-interval", "1", env={"MAINTNER_LEADER_ELECT": "0"})
    peak = PeakAnon(daemon.pid)
    wait(lambda: metric(cluster, path, "passes_total") >= 1, "a first pass")
    start_cpu_s, first = cpu_s(daemon.pid), metric(cluster, path, "pass_cpu_seconds")
    passes, before = metric(cluster, path, "passes_total"), cpu_s(daemon.pid)
    time.sleep(QUIET_S)
    passes = metric(cluster, path, "passes_total") - passes
    quiet = (cpu_s(daemon.pid) - before) / max(passes, 1)
    mib = peak.stop()
    daemon.stop()
    new_writes = cluster.writes() - writes
    new_lists = cluster.count("list") - lists
    cluster.double.stop()
    most = 2 * REPOSITORIES // PAGE
    what = f"supervisor, {REPOSITORIES:,} repositories"
    bench.rows += [
        Row(f"{what}, nothing changed: writes", str(new_writes), "", "", "0", new_writes == 0),
        Row(f"{what}, nothing changed: lists", str(new_lists), "", "", f"{most}",
            new_lists <= most),
        Row(f"{what}: CPU of the first pass, which compares every object", f"{first:.2f} s",
            "", "", f"{PASS_S} s", first <= PASS_S),
        Row(f"{what}: CPU of a start up to it, lists read and parsed", f"{start_cpu_s:.2f} s"),
        Row(f"{what}: CPU of a pass", f"{quiet * 1000:.1f} ms", f"{passes:.0f} passes", "",
            f"{PASS_S} s", quiet <= PASS_S),
        Row(f"{what}: memory", f"{mib:.1f} MiB"),
        Row(f"{what}: making everything", f"{made_s:.0f} s", f"CPU {made_cpu_s:.1f} s"),
    ]
