"""A mirror whose log is in the double's bucket."""

import json
import os
import re
import subprocess

import paths
from harness import SECRET, Mirror, lines_of, wait_until
from fcgi_client import FcgiClient
from log_checker import check_log

BUCKET = "logs"
SEGMENT = re.compile(r"(\d{4})\.[0-9a-f]{56}\.mutlog")


class GcsMirror(Mirror):
    def __init__(self, stage, repo, github_url, gcs, root="root", name="mirror"):
        super().__init__(stage, repo, github_url, name)
        self.gcs = gcs
        self.root = root
        self.prefix = f"{root}/{repo}/"
        self.log_url = f"gs://{BUCKET}/{root}"
        self.env = {"STORAGE_EMULATOR_HOST": gcs.origin}

    def other_disk(self, name="other"):
        """The same log, another snapshot: another pod."""
        return GcsMirror(self.stage, self.repo, self.url, self.gcs, self.root, name)

    def start_sync(self, *arguments, env=None):
        return self.stage.run(
            "maintnerd-sync", "--owner", self.owner, "--repo", self.short, "--log", self.log_url,
            "--snapshot", self.snapshot, "--github-url", self.url, *arguments,
            env={**self.env, **(env or {})})

    def daemon(self):
        """(Program, function that asks it for a round)."""
        secret, socket = self.stage.path("secret"), os.path.join(self.folder, "sync.sock")
        with open(secret, "w", encoding="utf-8") as file:
            file.write(SECRET)
        program = self.start_sync("--listen", f"unix:{socket}", "--internal-secret-file", secret,
                                  "--interval", "3600")

        def poke():
            client = FcgiClient(f"unix:{socket}")
            answer = client.ask("/internal/v1/sync", method="POST", headers={"X-Maintner-Secret": SECRET}.items())
            client.close()
            assert answer.status == 202, answer

        wait_until(lambda: program.log_with(message="round finished") or program.process.poll() is not None,
                   program.tail, 60)
        return program, poke

    def responder(self, *arguments):
        self.stage_env = self.env
        self.responders += 1
        path = os.path.join(self.folder, f"fcgi{self.responders}.sock")
        from harness import Api, accepts
        program = self.stage.run("maintnerd-fcgi", "--snapshot", self.snapshot, "--log", self.log_url,
                                 "--listen", f"unix:{path}", *arguments, env=self.env)
        wait_until(lambda: accepts(f"unix:{path}") or program.process.poll() is not None, program.tail)
        return program, Api(f"unix:{path}", self.repo)

    def verify(self):
        program = self.stage.run("maint-dump", "--verify", "--snapshot", self.snapshot,
                                 "--log", self.log_url, env=self.env)
        status = program.wait()
        last = json.loads(lines_of(program.stdout)[-1]) if program.stdout else {}
        if status != 0 or last.get("differences") != 0:
            raise AssertionError(f"maint-dump --verify: {program.tail()}")
        return last

    def export(self):
        """The log's objects as files, as the checker wants them."""
        self.log_folder = self.stage.path(f"export-{self.stage.next_number()}", *self.repo.split("/"))
        os.makedirs(self.log_folder)
        for name in self.names():
            with open(os.path.join(self.log_folder, name), "wb") as file:
                file.write(self.object(name))
        return self.log_folder

    def check_log(self, allow_foreign=False):
        report = check_log(self.export(), allow_foreign)
        if not report.ok:
            raise AssertionError("the log: " + "\n".join(report.errors[:20]))
        return report.counts

    # what is in the bucket

    def names(self):
        return [n[len(self.prefix):] for n in self.gcs.names(BUCKET) if n.startswith(self.prefix)]

    def segments(self):
        return [n for n in self.names() if SEGMENT.fullmatch(n)]

    def object(self, name):
        return self.gcs.data(BUCKET, self.prefix + name)

    def writer(self):
        return json.loads(self.object("WRITER"))

    def log_text(self):
        """The durable log: what WRITER names, in order."""
        fence = self.writer()
        if fence["tail"] is None:
            return b""
        digests = [*fence.get("sealed", []), fence["tail"]["sha224"]]
        return b"|".join(self.object(f"{i:04d}.{d}.mutlog") for i, d in enumerate(digests))

    def shorten_lease(self, seconds=2):
        """As if the holder had promised less: tests cannot wait five minutes."""
        fence = self.writer()
        fence["lease_s"] = seconds
        self.gcs.put(BUCKET, self.prefix + "WRITER", json.dumps(fence).encode())


def openssl_sha224(data):
    return subprocess.run(["openssl", "sha224", "-r"], input=data, capture_output=True,
                          check=True).stdout.split()[0].decode()
