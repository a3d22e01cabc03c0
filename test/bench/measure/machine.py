"""The machine, in a few lines, for RESULTS.md."""

import os
import re
import subprocess
from datetime import date


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return "not there"
    return ((done.stdout or done.stderr).splitlines() or [""])[0].strip()


def _field(path, pattern, default=""):
    with open(path, encoding="utf-8", errors="replace") as file:
        match = re.search(pattern, file.read(), re.MULTILINE)
    return match.group(1).strip() if match else default


def describe():
    cpu = _field("/proc/cpuinfo", r"^model name\s*:\s*(.*)$", "unknown")
    virtual = ", a virtual machine" if re.search(
        r"\bhypervisor\b", _field("/proc/cpuinfo", r"^flags\s*:\s*(.*)$")) else ""
    memory = int(_field("/proc/meminfo", r"^MemTotal:\s*(\d+)", "0")) / 1024 / 1024
    system = _field("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)', "unknown")
    wrk = re.sub(r"\s*\[.*", "", _first_line("wrk", "-v"))
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return "\n".join([
        f"- {cpu}, {os.cpu_count()} cores{virtual}; {memory:.0f} GiB of memory",
        f"- {system}, kernel {os.uname().release}",
        f"- {_first_line('cc', '--version')}; {_first_line('nginx', '-v')}; {wrk}",
        f"- {_first_line('mdb_stat', '-V')}",
        f"- {date.today().isoformat()}; load average at the end {load} "
        "(above 2 or so, others were at work: trust ratios and CPU, not latencies)",
    ])
