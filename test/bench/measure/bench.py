"""What all parts share: programs, made logs and snapshots, options."""

import os
import shutil
import sys

from processes import run_json

REPO = "bench/made"


class Bench:
    def __init__(self, options, work):
        self.options = options
        self.work = work
        self.rows = []      # of the table with budgets
        self.further = []   # (title, head, rows) of the others
        self.clear()
        os.makedirs(self.path("now"))

    def path(self, *parts):
        return os.path.join(self.work, *parts)

    def clear(self):
        """Forget everything but logs and recordings."""
        shutil.rmtree(self.path("now"), ignore_errors=True)

    def helper(self, name):
        return os.path.join(self.options.build, "bench", name)

    def program(self, name):
        return os.path.join(self.options.build, "bin", name)

    def say(self, text):
        print(f"  {text}", file=sys.stderr, flush=True)

    def log(self, issues, lean=False):
        """The folder of a made log's segments; made once."""
        root = self.path(f"log-{'lean-' if lean else ''}{issues}")
        folder = os.path.join(root, REPO)
        if not os.path.isdir(folder):
            self.say(f"making a log of {issues:,} issues")
            counts, _ = run_json([self.helper("make_log"), "--log", f"file://{root}", "--issues",
                                  issues, "--seed", 1, *(["--lean"] if lean else [])])
            self.say(str(counts))
        return root

    def segments(self, issues):
        folder = os.path.join(self.log(issues), REPO)
        return sorted(os.path.join(folder, name) for name in os.listdir(folder)
                      if name.endswith(".mutlog"))

    def rebuild(self, log_root, snapshot):
        """({cpu_s, wall_s, ...}, peak MiB) of one rebuild into a new directory."""
        return run_json([self.helper("rebuild"), "--log", f"file://{log_root}",
                         "--snapshot", snapshot])

    def snapshot(self, issues, lean=False):
        """A finished snapshot's directory; made once in a run, by the programs measured."""
        folder = self.path("now", f"snapshot-{'lean-' if lean else ''}{issues}")
        if not os.path.isdir(folder):
            self.say(f"making the snapshot of {issues:,} issues")
            self.rebuild(self.log(issues, lean), folder)
        return folder
