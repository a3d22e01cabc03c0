"""Objects and a case for the tests of the Kubernetes double."""

import copy
import unittest

import context  # noqa: F401  (sets the path)
from k8s_double.client import K8sDouble

NAMESPACE = "maintner"
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
SERVICES = f"/api/v1/namespaces/{NAMESPACE}/services"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
EVENTS = f"/api/v1/namespaces/{NAMESPACE}/events"


def deployment(name="a", **labels):
    return {"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": name, "labels": labels or {"owner": "o"}},
            "spec": {"selector": {"matchLabels": {"app": name}},
                     "template": {"metadata": {"labels": {"app": name}},
                                  "spec": {"containers": [{"name": "c", "image": "i:1", "args": ["x"],
                                                           "ports": [{"containerPort": 9000}]}]}}}}


def service(name="s", **spec):
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name},
            "spec": {"selector": {"app": "a"}, "ports": [{"name": "fastcgi", "port": 9000}], **spec}}


def lease(holder="h", version=None):
    meta = {"name": "l", **({"resourceVersion": version} if version else {})}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta,
            "spec": {"holderIdentity": holder, "leaseDurationSeconds": 15,
                     "renewTime": "2026-01-02T03:04:05.000006Z"}}


def changed(obj, path, value):
    """A copy with `value` at a path of names and indices; None takes it away."""
    obj = copy.deepcopy(obj)
    parent = obj
    for step in path[:-1]:
        parent = parent[step]
    if value is None:
        del parent[path[-1]]
    else:
        parent[path[-1]] = value
    return obj


CONTAINER = ("spec", "template", "spec", "containers", 0)


class Case(unittest.TestCase):
    settings = {}

    def setUp(self):
        self.double = K8sDouble([NAMESPACE], **self.settings)
        self.addCleanup(self.double.stop)
        self.ask = self.double.ask

    def apply(self, obj, manager="sup", force=False, want=(200, 201)):
        where = {"Deployment": DEPLOYMENTS, "Service": SERVICES, "Lease": LEASES}[obj["kind"]]
        status, answer = self.double.apply(f"{where}/{obj['metadata']['name']}", obj, manager, force)
        self.assertIn(status, want if isinstance(want, tuple) else (want,), answer)
        return answer

    def live(self, name="a"):
        return self.double.objects("deployments")[name]
