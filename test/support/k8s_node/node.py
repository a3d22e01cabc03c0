"""Deployments to pods, ready pods to the sockets of Services, and what is so back as status."""

import hashlib
import itertools
import json
import os
import threading

from .api import ApiError, Followed
from .pod import Pod


class Running:
    """A Deployment's pod and what was last told of it."""

    def __init__(self, pod, template_hash):
        self.pod = pod
        self.template_hash = template_hash
        self.told = None


def hash_of(template):
    return hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()[:10]


class Node:
    """`environment`: of each process, beside what its container says."""

    def __init__(self, api, root, programs, environment=None, as_users=False):
        self.api = api
        self.root = root
        self.programs = programs
        self.environment = {"PATH": os.environ.get("PATH", ""), **(environment or {})}
        self.as_users = as_users
        self.services = os.path.join(root, "run")
        os.makedirs(self.services, exist_ok=True)
        os.makedirs(os.path.join(root, "p"), exist_ok=True)
        self._numbers = itertools.count(1)
        self._changed = threading.Event()
        self._deployments = Followed(api, "deployments", self._changed)
        self._services = Followed(api, "services", self._changed)
        self._running = {}  # Deployment -> Running
        self._told = {}     # Deployment -> status last written
        self._ended = threading.Event()

    def next_number(self):
        return next(self._numbers)

    def wake(self):
        self._changed.set()

    def fetch(self, plural, name):
        """The object; None when it is not there or cannot be read now."""
        try:
            return self.api.get(plural, name)
        except (OSError, ApiError):
            return None

    def end(self):
        self._ended.set()
        self.wake()

    def run(self):
        """Until end(); every process has ended when it returns."""
        self._deployments.start()
        self._services.start()
        try:
            while not self._ended.is_set():
                self._changed.wait(1)
                self._changed.clear()
                try:
                    self._step()
                except (OSError, ApiError):
                    self._ended.wait(0.2)
                    self.wake()
        finally:
            self._deployments.end()
            self._services.end()
            for running in self._running.values():
                running.pod.stop()
            for running in self._running.values():
                if running.pod.is_alive():
                    running.pod.join()

    def _step(self):
        deployments, services = self._deployments.objects(), self._services.objects()
        if deployments is None or services is None:
            return
        for name in sorted(set(deployments) | set(self._running)):
            self._advance(name, deployments.get(name))
        self._link(services)
        for name, obj in deployments.items():
            self._tell(name, obj)
        for name in set(self._told) - set(deployments):
            del self._told[name]

    def _advance(self, name, obj):
        """Recreate: the old pod is gone before the new one begins."""
        running = self._running.get(name)
        wanted = obj["spec"]["template"] if obj and obj["spec"].get("replicas", 1) > 0 else None
        if running is not None:
            if running.pod.gone:
                self.api.delete("pods", running.pod.name)
                del self._running[name]
                self.wake()
            elif wanted is None or hash_of(wanted) != running.template_hash:
                running.pod.stop()
            else:
                self._tell_pod(running)
            return
        if wanted is not None:
            self._begin(name, obj, wanted)

    def _begin(self, name, obj, template):
        if obj["spec"].get("strategy", {}).get("type") != "Recreate" or obj["spec"].get("replicas", 1) != 1:
            return  # not of the kind that this node runs
        pod_hash = hash_of(template)
        pod = Pod(f"{name[:50]}-{pod_hash}-{self.next_number():05d}", template, self)
        self.api.create("pods", {
            "apiVersion": "v1", "kind": "Pod", "spec": template["spec"],
            "metadata": {"name": pod.name, "labels": {**pod.labels, "pod-template-hash": pod_hash},
                         "annotations": template["metadata"].get("annotations", {}),
                         "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": name,
                                              "uid": obj["metadata"]["uid"], "controller": True}]}})
        self._running[name] = Running(pod, pod_hash)
        pod.start()

    # what is so

    def _tell_pod(self, running):
        status = running.pod.status()
        if status != running.told:
            self.api.set_status("pods", running.pod.name, status)
            running.told = status

    def _tell(self, name, obj):
        running = self._running.get(name)
        count = 1 if running is not None and not running.pod.gone else 0
        ready = 1 if count and running.pod.ready else 0
        fresh = 1 if count and hash_of(obj["spec"]["template"]) == running.template_hash else 0
        status = {"observedGeneration": obj["metadata"]["generation"], "replicas": count,
                  "updatedReplicas": fresh, "readyReplicas": ready, "availableReplicas": ready,
                  "unavailableReplicas": max(0, obj["spec"].get("replicas", 1) - ready),
                  "conditions": [{"type": "Available", "status": "True" if ready else "False"}]}
        key = (obj["metadata"]["uid"], status)
        if self._told.get(name) == key:
            return
        try:
            self.api.set_status("deployments", name, status)
        except ApiError as error:
            if error.status != 404:
                raise
            return
        self._told[name] = key

    def _link(self, services):
        """A Service leads to a socket while a pod that it selects is ready."""
        wanted = {}
        for name, service in services.items():
            selector = service["spec"].get("selector") or {}
            pod = next((r.pod for r in self._running.values() if r.pod.ready and selector
                        and selector.items() <= r.pod.labels.items()), None)
            for port in service["spec"].get("ports", []) if pod else []:
                number = pod.port_of(port.get("targetPort", port["port"]))
                if number is not None:
                    wanted[f"{name.rpartition('-')[2]}.{port['port']}"] = pod.socket(number)
        for old in set(os.listdir(self.services)) - set(wanted):
            os.unlink(os.path.join(self.services, old))
        for link, target in wanted.items():
            self._point(os.path.join(self.services, link), target)

    @staticmethod
    def _point(path, target):
        if os.path.islink(path) and os.readlink(path) == target:
            return
        os.symlink(target, path + ".new")
        os.replace(path + ".new", path)
