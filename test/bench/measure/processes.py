"""Processes and what they cost: CPU time and anonymous memory, read from /proc."""

import atexit
import json
import os
import signal
import subprocess
import threading
import time


def cpu_s(pid):
    """User and system time of all live threads of a process, in seconds."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
            total += int(file.read().split()[0])
    return total / 1e9


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return [int(word) for word in file.read().split()]


def anon_mib(pid):
    """RssAnon: the process's own memory, without mapped files."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) / 1024
    return 0.0


class PeakAnon:
    """Watches a process's RssAnon; `mib` is the highest value seen."""

    def __init__(self, pid, every_s=0.01):
        self.mib = 0.0
        self._pid, self._every_s, self._stop = pid, every_s, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self):
        while not self._stop.wait(self._every_s):
            try:
                self.mib = max(self.mib, anon_mib(self._pid))
            except OSError:
                return

    def stop(self):
        self._stop.set()
        self._thread.join()
        return self.mib


def run_json(command):
    """(the JSON object that a program printed, its peak anonymous memory in MiB)."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, text=True)
    peak = PeakAnon(process.pid)
    out, _ = process.communicate()
    mib = peak.stop()
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with status {process.returncode}")
    return json.loads(out), mib


def run_timed(command, env=None):
    """(wall seconds, CPU seconds, standard error's lines) of a program that must succeed."""
    began = time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True, env=env)
    lines = process.stderr.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{command[0]}: status {process.returncode}: {lines[-3:]}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, lines


class Daemon:
    """A server that is running once its unix socket exists."""

    def __init__(self, command, socket_path=None, stdin=None, env=None):
        if socket_path and os.path.exists(socket_path):
            os.unlink(socket_path)
        self.process = subprocess.Popen(
            [str(word) for word in command], stdin=stdin or subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
        self.pid = self.process.pid
        atexit.register(self.stop)  # nothing is left over when a part fails
        self._wait_for(socket_path)

    def _wait_for(self, socket_path):
        end = time.monotonic() + 10
        while socket_path and not os.path.exists(socket_path):
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.process.args[0]} did not start")
            time.sleep(0.01)

    def stop(self):
        atexit.unregister(self.stop)
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
