"""nginx in front of responders, and wrk in front of nginx."""

import json
import os
import re
import socket
import subprocess

from processes import Daemon, anon_mib, children, cpu_s

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))

CONFIG = """
{user}
worker_processes 1;
daemon off;
pid {run}/nginx.pid;
error_log {run}/nginx.log warn;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    default_type application/octet-stream;
    sendfile on;
    open_file_cache max=100;
    keepalive_requests 1000000000;
    client_body_temp_path {run}/body;
    fastcgi_temp_path {run}/fastcgi;
    proxy_temp_path {run}/proxy;
    scgi_temp_path {run}/scgi;
    uwsgi_temp_path {run}/uwsgi;
{servers}
}}
"""

FASTCGI = """
    upstream {name} {{ server unix:{socket}; keepalive 32; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port};
        location / {{ include {root}/deploy/nginx/fastcgi.conf; fastcgi_pass {name}; }}
    }}
"""

FRESH = """
    server {{
        listen 127.0.0.1:{port};
        location / {{
            include {params};
            fastcgi_pass unix:{socket};
        }}
    }}
"""

STATIC = """
    server {{
        listen 127.0.0.1:{port};
        root {folder};
    }}
"""

# nginx takes and frees the buffers of each answer.  glibc gives such memory back to the
# kernel at once, and the page faults of the next answer cost several times what all the
# rest does; with these its share is small and steady, so that the responder's shows.
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "268435456", "MALLOC_TOP_PAD_": "16777216",
               "MALLOC_MMAP_THRESHOLD_": "268435456"}

# Prepared requests, one after the other; the numbers as JSON on the last line.
SCRIPT = """
local requests, at = {{}}, 0
local paths = {{ {paths} }}
init = function() for i, p in ipairs(paths) do requests[i] = wrk.format("GET", p) end end
request = function() at = at % #requests + 1; return requests[at] end
done = function(s, latency)
  local e = s.errors
  io.write(string.format('{{"requests":%d,"us":%d,"bytes":%d,"p50_us":%d,"p99_us":%d,"errors":%d}}\\n',
    s.requests, s.duration, s.bytes, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.status + e.timeout))
end
"""


def free_ports(count):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Slice:
    """What one run of wrk cost."""

    def __init__(self, wrk, nginx_s, backend_s, nginx_mib, backend_mib):
        n = wrk["requests"]
        self.nginx_us = nginx_s * 1e6 / n
        self.backend_us = backend_s * 1e6 / n
        self.total_us = self.nginx_us + self.backend_us
        self.per_s = n * 1e6 / wrk["us"]
        self.bytes = wrk["bytes"] / n
        self.p50_us, self.p99_us = wrk["p50_us"], wrk["p99_us"]
        self.nginx_mib, self.backend_mib = nginx_mib, backend_mib  # their own, after the load


class Front:
    """nginx with one port for each backend; `backends` maps names to unix sockets."""

    def __init__(self, run_dir, backends, static_folder, keep_memory=True, fresh=()):
        self._run = run_dir
        os.makedirs(run_dir, exist_ok=True)
        names = list(backends)
        ports = free_ports(len(names) + 1)
        self._ports = dict(zip([*names, "static"], ports))
        servers = "".join(self._server(name, backends[name], name in fresh) for name in names)
        servers += STATIC.format(port=self._ports["static"], folder=static_folder)
        path = os.path.join(run_dir, "nginx.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(CONFIG.format(run=run_dir, servers=servers,
                                     user="user root;" if os.getuid() == 0 else ""))
        self._nginx = Daemon(["nginx", "-e", f"{run_dir}/nginx.log", "-c", path],
                             f"{run_dir}/nginx.pid",
                             env={**os.environ, **(KEEP_MEMORY if keep_memory else {})})

    def _server(self, name, socket_path, fresh):
        """`fresh`: with a connection for each request, as lighttpd makes them."""
        if not fresh:
            return FASTCGI.format(name=name, socket=socket_path, root=ROOT, port=self._ports[name])
        params = os.path.join(self._run, "fresh.conf")
        with open(os.path.join(ROOT, "deploy", "nginx", "fastcgi.conf"), encoding="utf-8") as file:
            text = file.read().replace("fastcgi_keep_conn on", "fastcgi_keep_conn off")
        with open(params, "w", encoding="utf-8") as file:
            file.write(text)
        return FRESH.format(params=params, socket=socket_path, port=self._ports[name])

    def port(self, name):
        return self._ports[name]

    def stop(self):
        self._nginx.stop()

    def load(self, name, paths, backend_pid, seconds=1, connections=16):
        """One slice of load on a backend."""
        script = os.path.join(self._run, "load.lua")
        with open(script, "w", encoding="utf-8") as file:
            file.write(SCRIPT.format(paths=", ".join(json.dumps(path) for path in paths)))
        nginx_before, backend_before = self._nginx_s(), cpu_s(backend_pid) if backend_pid else 0
        done = subprocess.run(
            ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script,
             f"http://127.0.0.1:{self._ports[name]}/"], capture_output=True, text=True, check=True)
        nginx_s = self._nginx_s() - nginx_before
        backend_s = cpu_s(backend_pid) - backend_before if backend_pid else 0
        wrk = json.loads(re.findall(r"^\{.*\}$", done.stdout, re.MULTILINE)[-1])
        if wrk["errors"] or not wrk["requests"]:
            raise RuntimeError(f"{name}: {done.stdout}")
        return Slice(wrk, nginx_s, backend_s, sum(anon_mib(pid) for pid in children(self._nginx.pid)),
                     anon_mib(backend_pid) if backend_pid else 0)

    def _nginx_s(self):
        return sum(cpu_s(pid) for pid in children(self._nginx.pid))
