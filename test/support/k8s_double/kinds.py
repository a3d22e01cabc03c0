"""The kinds: group, version, names, and their type."""

from .schema import Scalar, parse_types
from .types_cluster import CLUSTER
from .types_meta import CORE, META
from .types_pod import POD, WORKLOADS

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


class Kind:
    def __init__(self, group, version, plural, kind, types, short=(), namespaced=True, subresources=()):
        self.group = group
        self.version = version
        self.plural = plural
        self.kind = kind
        self.short = short
        self.namespaced = namespaced
        self.subresources = subresources
        self.type = types[kind]
        self.type.fields.setdefault("apiVersion", Scalar("str"))
        self.type.fields.setdefault("kind", Scalar("str"))

    @property
    def api_version(self):
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def resource(self):
        """As errors and RBAC name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def _load():
    types = {}
    for text in (META, CORE, POD, WORKLOADS, CLUSTER):
        parse_types(text, types)
    scale = Kind("autoscaling", "v1", "scales", "Scale", types)
    kinds = [
        Kind("", "v1", "namespaces", "Namespace", types, ("ns",), False),
        Kind("", "v1", "services", "Service", types, ("svc",), subresources=("status",)),
        Kind("", "v1", "pods", "Pod", types, ("po",), subresources=("status",)),
        Kind("", "v1", "events", "Event", types, ("ev",)),
        Kind("", "v1", "secrets", "Secret", types),
        Kind("", "v1", "configmaps", "ConfigMap", types, ("cm",)),
        Kind("", "v1", "serviceaccounts", "ServiceAccount", types, ("sa",)),
        Kind("apps", "v1", "deployments", "Deployment", types, ("deploy",), subresources=("scale", "status")),
        Kind("coordination.k8s.io", "v1", "leases", "Lease", types),
        Kind("batch", "v1", "cronjobs", "CronJob", types, ("cj",), subresources=("status",)),
        Kind("batch", "v1", "jobs", "Job", types, subresources=("status",)),
        Kind("rbac.authorization.k8s.io", "v1", "roles", "Role", types),
        Kind("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", types),
        Kind("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", types, namespaced=False),
        Kind("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", types, namespaced=False),
        Kind("networking.k8s.io", "v1", "ingresses", "Ingress", types, ("ing",), subresources=("status",)),
        Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", types, ("netpol",)),
        Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", types, ("hpa",)),
        Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", types, ("pdb",)),
        Kind("monitoring.coreos.com", "v1", "servicemonitors", "ServiceMonitor", types),
        Kind("monitoring.coreos.com", "v1", "podmonitors", "PodMonitor", types),
    ]
    return kinds, scale


KINDS, SCALE = _load()
BY_PLURAL = {(k.group, k.version, k.plural): k for k in KINDS}
BY_NAME = {(k.api_version, k.kind): k for k in KINDS}
