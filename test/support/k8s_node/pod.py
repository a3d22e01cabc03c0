"""One pod as processes: volumes are folders, ports are unix sockets, exec probes are run."""

import base64
import os
import shutil
import signal
import subprocess
import threading
import time

PROBE_EVERY_S = 0.2
RESTART_S = 0.5


class NotYet(RuntimeError):
    """Something that the pod needs is not there; it is tried again."""


class Container:
    def __init__(self, pod, spec):
        self.pod = pod
        self.spec = spec
        self.name = spec["name"]
        self.process = None
        self.restarts = 0
        self.ready = False
        self._probed_at = 0.0
        self._restart_at = 0.0

    def start(self):
        command = [self.pod.program(self.spec["command"][0]), *self.spec["command"][1:],
                   *self.spec.get("args", [])]
        with open(os.path.join(self.pod.folder, f"{self.name}.log"), "ab") as log:
            self.process = subprocess.Popen(
                [command[0], *map(self._argument, command[1:])], stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, env=self._environment(), cwd=self.pod.folder,
                start_new_session=True, **self._identity())

    def _identity(self):
        """The user and groups of the security contexts, when this process may take them."""
        if not self.pod.as_users:
            return {}
        pod = self.pod.spec.get("securityContext", {})
        own = {**pod, **self.spec.get("securityContext", {})}
        groups = [pod["fsGroup"]] if "fsGroup" in pod else []
        return {"user": own["runAsUser"], "group": own.get("runAsGroup", own["runAsUser"]),
                "extra_groups": groups, "umask": 0o022}

    def _environment(self):
        out = dict(self.pod.environment)
        for entry in self.spec.get("env", []):
            if "value" in entry:
                out[entry["name"]] = self._place(entry["value"])
        return out

    def _place(self, text):
        """A path in the container as a path on this machine."""
        mounts = sorted(self.spec.get("volumeMounts", []), key=lambda m: -len(m["mountPath"]))
        for mount in mounts:
            at = mount["mountPath"]
            if text == at or text.startswith(at + "/"):
                return os.path.join(self.pod.volume(mount["name"]), text[len(at):].lstrip("/"))
        return text

    def _argument(self, text):
        """`--flag=VALUE` or VALUE; "$$(" stands for "$(" as the kubelet has it."""
        flag, equals, value = text.partition("=")
        if not (text.startswith("--") and equals):
            flag, equals, value = "", "", text
        return flag + equals + self._place(self.pod.address(value)).replace("$$(", "$(")

    def look(self, now):
        """Restart when it ended, probe when it is due."""
        if self.process.poll() is not None:
            self.ready = False
            if self._restart_at == 0.0:
                self._restart_at = now + RESTART_S
            elif now >= self._restart_at:
                self._restart_at = 0.0
                self.restarts += 1
                self.start()
        elif now - self._probed_at >= PROBE_EVERY_S:
            self.ready = self._probe()
            self._probed_at = time.monotonic()

    def _probe(self):
        probe = self.spec.get("readinessProbe")
        if probe is None:
            return True
        command = probe["exec"]["command"]
        try:
            done = subprocess.run([self.pod.program(command[0]), *map(self._argument, command[1:])],
                                  timeout=probe.get("timeoutSeconds", 1) + 5, stdin=subprocess.DEVNULL,
                                  capture_output=True, check=False, env=self._environment(),
                                  **self._identity())
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def signal(self, number):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def status(self):
        running = self.process is not None and self.process.poll() is None
        return {"name": self.name, "image": self.spec["image"], "ready": self.ready,
                "restartCount": self.restarts, "started": running,
                "state": {"running": {}} if running else {"waiting": {"reason": "CrashLoopBackOff"}}}


class Pod(threading.Thread):
    """Runs from start() until stop(); afterwards `gone` is true."""

    def __init__(self, name, template, node):
        super().__init__(daemon=True)
        self.name = name
        self.spec = template["spec"]
        self.labels = template["metadata"]["labels"]
        self.node = node
        self.as_users = node.as_users
        self.environment = node.environment
        self.folder = os.path.join(node.root, "p", str(node.next_number()))
        self.containers = [Container(self, spec) for spec in self.spec["containers"]]
        self.ready = False
        self.gone = False
        self.waits_for = ""
        self._told_to_stop = threading.Event()  # a thread's own `_stop` is another thing

    # where things are

    def program(self, name):
        return os.path.join(self.node.programs, os.path.basename(name))

    def volume(self, name):
        return os.path.join(self.folder, "v", name)

    def socket(self, port):
        return os.path.join(self.folder, str(port))

    def address(self, value):
        """"0.0.0.0:9000" and "127.0.0.1:9000" of a container port are its socket."""
        host, colon, port = value.rpartition(":")
        if colon and host in ("0.0.0.0", "127.0.0.1", "[::]", "[::1]") and port.isdigit() \
                and int(port) in self.ports():
            return f"unix:{self.socket(port)}"
        return value

    def ports(self):
        """Container port -> its name."""
        return {port["containerPort"]: port.get("name", "")
                for container in self.spec["containers"] for port in container.get("ports", [])}

    def port_of(self, target):
        """A Service's targetPort, by number or name; None when there is none."""
        return next((number for number, name in self.ports().items() if target in (number, name)), None)

    # volumes

    def _make_volumes(self):
        os.makedirs(os.path.join(self.folder, "v"), exist_ok=True)
        group = self.spec.get("securityContext", {}).get("fsGroup", -1) if self.as_users else -1
        self._own(self.folder, group)
        for volume in self.spec.get("volumes", []):
            path = self.volume(volume["name"])
            os.makedirs(path, exist_ok=True)
            for kind, plural in (("secret", "secrets"), ("configMap", "configmaps")):
                if kind in volume:
                    self._write_files(path, volume[kind], plural, group)
            self._own(path, group)

    def _own(self, path, group):
        if group != -1:
            os.chown(path, 0, group)
            os.chmod(path, 0o2770)

    def _write_files(self, path, source, plural, group):
        name = source.get("secretName") or source.get("name")
        found = self.node.fetch(plural, name)
        if found is None:
            raise NotYet(f"{plural} {name!r} is not there")
        data = {key: base64.b64decode(value) if plural == "secrets" else value.encode()
                for key, value in (found.get("data") or {}).items()}
        items = source.get("items") or [{"key": key, "path": key} for key in data]
        for item in items:
            if item["key"] not in data:
                raise NotYet(f"{plural} {name!r} has no key {item['key']!r}")
            target = os.path.join(path, item["path"])
            with open(target, "wb") as file:
                file.write(data[item["key"]])
            os.chmod(target, item.get("mode", source.get("defaultMode", 0o644)))
            if group != -1:
                os.chown(target, 0, group)

    # life

    def run(self):
        try:
            if self._begin():
                while not self._told_to_stop.wait(0.05):
                    now = time.monotonic()
                    for container in self.containers:
                        container.look(now)
                    self._set_ready(all(c.ready for c in self.containers))
        finally:
            self._end()

    def _begin(self):
        """False when it was told to stop before everything was there."""
        while not self._told_to_stop.is_set():
            try:
                self._make_volumes()
                self.waits_for = ""
                for container in self.containers:
                    if container.process is None:
                        container.start()
                return True
            except (NotYet, OSError) as reason:  # OSError: a program that cannot be run, no memory
                if self.waits_for != str(reason):
                    self.waits_for = str(reason)
                    self.node.wake()
                self._told_to_stop.wait(0.3)
        return False

    def _set_ready(self, ready):
        if ready != self.ready:
            self.ready = ready
            self.node.wake()

    def stop(self):
        self._told_to_stop.set()

    def _end(self):
        self._set_ready(False)
        for container in self.containers:
            container.signal(signal.SIGTERM)
        deadline = time.monotonic() + self.spec.get("terminationGracePeriodSeconds", 30)
        for container in self.containers:
            if container.process is not None:
                try:
                    container.process.wait(max(0.1, deadline - time.monotonic()))
                except subprocess.TimeoutExpired:
                    container.signal(signal.SIGKILL)
                    container.process.wait()
        self._keep_logs()
        self.gone = True
        self.node.wake()

    def _keep_logs(self):
        """The volumes go with the pod; what its containers said stays."""
        shutil.rmtree(os.path.join(self.folder, "v"), ignore_errors=True)

    def status(self):
        started = all(c.process is not None for c in self.containers)
        conditions = [{"type": "Ready", "status": "True" if self.ready else "False"}]
        out = {"phase": "Running" if started else "Pending", "conditions": conditions}
        if started:
            out["containerStatuses"] = [c.status() for c in self.containers]
        if self.waits_for:
            out["message"] = self.waits_for
        return out
