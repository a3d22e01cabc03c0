"""Real web servers, run with the configurations of deploy/ on a free port."""

import functools
import grp
import http.client
import os
import re
import shutil
import socket
import tempfile

import paths
from fcgi_client import Answer
from harness import wait_until

GROUP = "www-data"
APACHE_MODULES = "/usr/lib/apache2/modules"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def render(template, **values):
    """A template of deploy/ with every @NAME@ replaced, as deploy/local/lib/front.sh does."""
    with open(os.path.join(paths.DEPLOY, template), encoding="utf-8") as file:
        text = file.read()
    for name, value in values.items():
        text = text.replace(f"@{name}@", str(value))
    left = re.findall(r"@[A-Z]+@", text)
    if left:
        raise AssertionError(f"{template}: nothing stands for {left}")
    return text


def find_server(*names):
    """The path of an installed server program, or None."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
    return next(filter(None, (shutil.which(name, path=path) for name in names)), None)


@functools.lru_cache(maxsize=None)
def _copied_bin():
    folder = tempfile.TemporaryDirectory(prefix="maintner-bin-")
    os.chmod(folder.name, 0o755)
    bin_folder = os.path.join(folder.name, "bin")
    os.mkdir(bin_folder)
    shutil.copy(paths.program("maintnerd-fcgi"), bin_folder)
    return folder, bin_folder


def reachable_bin():
    """Where a server's own user finds the responder: a copy, since the tree may stand in a home
    that nobody else may enter (root's is such a one)."""
    return _copied_bin()[1]


class HttpClient:
    """Requests to 127.0.0.1 that are sent as they are."""

    def __init__(self, port):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, target, method="GET", headers=(), body=None):
        if body is None and method not in ("GET", "HEAD"):
            body = b""  # a length of 0 is sent, which servers may insist on
        try:
            self._connection.putrequest(method, target, skip_accept_encoding=True)
            for name, value in dict(headers).items():
                self._connection.putheader(name, value)
            if body is not None:
                self._connection.putheader("Content-Length", str(len(body)))
            self._connection.endheaders(body)
            got = self._connection.getresponse()
            return Answer(got.status, {k.lower(): v for k, v in got.getheaders()}, got.read())
        except Exception:
            self._connection.close()
            raise

    def close(self):
        self._connection.close()


class WebServer:
    """A server in front of one mirror; subclasses say how it is configured.

    The mirror's files and the sockets belong to the servers' group, as they do
    where sync and responder run as different users of one group.
    """

    stopped_well = (0,)  # exit statuses after SIGTERM

    def __init__(self, stage, mirror, socket_path=None):
        self.stage = stage
        self.run_folder = stage.path(f"front-{stage.next_number()}")
        os.mkdir(self.run_folder)
        os.mkdir(os.path.join(self.run_folder, "www"))
        share(self.run_folder)
        self.port = free_port()
        self._backend = {
            "OWNER": re.escape(mirror.owner), "REPO": re.escape(mirror.short), "NAME": "repo0",
            "SOCKET": socket_path, "SNAPSHOT": mirror.snapshot, "BIN": reachable_bin(),
            "RUN": self.run_folder, "DEPLOY": paths.DEPLOY}
        self.program = None

    @classmethod
    def missing(cls):
        """Why this server cannot run here, or None."""
        return None if find_server(*cls.programs) else f"no {cls.programs[0]} here"

    def part(self, template):
        """A piece for one repository."""
        return render(template, **self._backend)

    def start(self):
        path = os.path.join(self.run_folder, "front.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(self.config())
        self.program = self.stage.start(self.command(find_server(*self.programs), path),
                                        name=self.programs[0])
        wait_until(lambda: self._accepts() or self.program.process.poll() is not None,
                   self.program.tail)
        if self.program.process.poll() is not None:
            raise AssertionError(self.program.tail())

    def _accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def client(self):
        return HttpClient(self.port)

    def end(self):
        """For cleaning up, whatever happened."""
        if self.program is not None and self.program.process.poll() is None:
            self.stop()

    def stop(self):
        """The exit status; nothing that it started may be left."""
        status = self.program.stop(20)
        wait_until(lambda: not self.children(), lambda: f"left over: {self.children()}", 10)
        return status

    def children(self):
        """Responders that the server started itself: they know only this run's folder."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    environment = file.read()
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    command = file.read()
            except OSError:
                continue
            if b"maintnerd-fcgi" in command and int(pid) not in self.own_pids() and (
                    self._backend["SNAPSHOT"].encode() in environment + command):
                found.append(int(pid))
        return found

    def own_pids(self):
        return {program.pid for program in self.stage.programs}


def share(path):
    """Give a file or a tree to the servers' group; new files inherit it."""
    if os.geteuid() != 0:
        return
    group = grp.getgrnam(GROUP).gr_gid
    for folder, folders, files in os.walk(path):
        for name in [folder] + [os.path.join(folder, n) for n in folders + files]:
            if not os.path.islink(name):
                os.chown(name, -1, group)
                os.chmod(name, 0o2771 if os.path.isdir(name) else 0o660)


class Nginx(WebServer):
    programs = ("nginx",)

    def config(self):
        return render("nginx/nginx.conf.in", PORT=self.port, RUN=self.run_folder,
                      UPSTREAMS=self.part("nginx/upstream.conf.in"),
                      LOCATIONS=self.part("nginx/location.conf.in"))

    def command(self, program, path):
        return [program, "-e", "stderr", "-c", path]


class NginxOfPod(Nginx):
    """That of a repository's own pod, as deploy/kubernetes has it."""

    def config(self):
        folder = os.path.join(paths.DEPLOY, "kubernetes", "components", "pod-front")
        with open(os.path.join(folder, "nginx.conf"), encoding="utf-8") as file:
            text = file.read()
        for there, here in ((" /tmp/", f" {self.run_folder}/"),  # first: others may be below /tmp
                            ("listen 8080;", f"listen 127.0.0.1:{self.port};"),
                            ("server 127.0.0.1:9000;", f"server {self._backend['SOCKET']};"),
                            ("/etc/maintner/front/", folder + "/")):
            if there not in text:
                raise AssertionError(f"no {there} in it")
            text = text.replace(there, here)
        return text

    def command(self, program, path):
        return super().command(program, path) + ["-g", "daemon off;"]


class Lighttpd(WebServer):
    programs = ("lighttpd",)
    stopped_well = (0, 1)  # it takes SIGTERM for a failure
    backend = "backend"

    def config(self):
        return render("lighttpd/lighttpd.conf.in", PORT=self.port, RUN=self.run_folder,
                      BACKENDS=self.part(f"lighttpd/{self.backend}.conf.in"))

    def command(self, program, path):
        return [program, "-D", "-f", path]


class LighttpdSpawn(Lighttpd):
    backend = "spawn"


class LighttpdCgi(Lighttpd):
    backend = "cgi"


class Apache(WebServer):
    programs = ("apache2", "httpd")
    backend = "proxy"
    module = "mod_proxy_fcgi.so"

    @classmethod
    def missing(cls):
        if not os.path.exists(os.path.join(APACHE_MODULES, cls.module)):
            return f"no {cls.module} here"
        return super().missing()

    def config(self):
        return render("apache/apache.conf.in", PORT=self.port, RUN=self.run_folder,
                      BACKENDS=self.part(f"apache/{self.backend}.conf.in"))

    def command(self, program, path):
        return [program, "-D", "FOREGROUND", "-f", path]


class ApacheFcgid(Apache):
    backend = "fcgid"
    module = "mod_fcgid.so"


class ApacheCgi(Apache):
    backend = "cgi"
    module = "mod_cgid.so"


class Routed:
    """Mixed into a server: in front of the router on `socket_path`, for all repositories."""

    def __init__(self, stage, socket_path):
        self.stage = stage
        self.socket_path = socket_path
        self.run_folder = stage.path(f"front-{stage.next_number()}")
        os.mkdir(self.run_folder)
        os.mkdir(os.path.join(self.run_folder, "www"))
        share(self.run_folder)
        self.port = free_port()
        self.program = None

    def part(self, template):
        return render(template, SOCKET=self.socket_path, DEPLOY=paths.DEPLOY)

    def children(self):
        return []


class RoutedNginx(Routed, Nginx):
    def __init__(self, stage, socket_path):
        super().__init__(stage, f"unix:{socket_path}")

    def config(self):
        return render("nginx/nginx.conf.in", PORT=self.port, RUN=self.run_folder,
                      UPSTREAMS=self.part("nginx/router-upstream.conf.in"),
                      LOCATIONS=self.part("nginx/router-location.conf.in"))


class LimitedNginx(RoutedNginx):
    """With TLS, keys and limits."""

    tls_port = keys = certificate = key = None  # set before it starts

    def config(self):
        return render("nginx/limits.conf.in", PORT=self.port, TLSPORT=self.tls_port,
                      RUN=self.run_folder, DEPLOY=paths.DEPLOY, KEYS=self.keys,
                      CERTIFICATE=self.certificate, KEY=self.key,
                      UPSTREAMS=self.part("nginx/router-upstream.conf.in"))


class RoutedLighttpd(Routed, Lighttpd):
    backend = "router"


class RoutedApache(Routed, Apache):
    backend = "router"


class LimitedApache(RoutedApache):
    keys = None  # set before it starts

    def config(self):
        limits = render("apache/limits.conf.in", KEYS=self.keys)
        return render("apache/apache.conf.in", PORT=self.port, RUN=self.run_folder,
                      BACKENDS=limits + self.part("apache/router.conf.in"))
