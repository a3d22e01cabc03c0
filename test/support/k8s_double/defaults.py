"""What the API server adds to objects that leave it out."""


def _each(obj, *names):
    for name in names:
        obj = (obj or {}).get(name)
    return obj or []


def _set(obj, **values):
    for name, value in values.items():
        if obj.get(name) is None:
            obj[name] = value


def _probe(probe):
    _set(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if "httpGet" in probe:
        _set(probe["httpGet"], path="/", scheme="HTTP")


def _container(container):
    image = container["image"]
    tag = image.rpartition("/")[2].partition(":")[2]
    latest = "@" not in image and tag in ("", "latest")
    _set(container, terminationMessagePath="/dev/termination-log", terminationMessagePolicy="File",
         imagePullPolicy="Always" if latest else "IfNotPresent", resources={})
    for port in container.get("ports") or []:
        _set(port, protocol="TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name):
            _probe(container[name])
    for variable in container.get("env") or []:
        if _each(variable, "valueFrom", "fieldRef"):
            _set(variable["valueFrom"]["fieldRef"], apiVersion="v1")
    resources = container["resources"]
    for name, value in (resources.get("limits") or {}).items():
        _set(resources.setdefault("requests", {}), **{name: value})


def pod_spec(spec, restart="Always"):
    _set(spec, restartPolicy=restart, dnsPolicy="ClusterFirst", schedulerName="default-scheduler",
         terminationGracePeriodSeconds=30, securityContext={})
    if spec.get("serviceAccountName"):
        spec["serviceAccount"] = spec["serviceAccountName"]
    for container in [*spec["containers"], *(spec.get("initContainers") or [])]:
        _container(container)
    for volume in spec.get("volumes") or []:
        for name in ("secret", "configMap", "projected", "downwardAPI"):
            if volume.get(name) is not None:
                _set(volume[name], defaultMode=420)


def _deployment(obj, _address):
    spec = obj["spec"]
    _set(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    _set(spec["strategy"], type="RollingUpdate")
    if spec["strategy"]["type"] == "RollingUpdate":
        _set(spec["strategy"], rollingUpdate={})
        _set(spec["strategy"]["rollingUpdate"], maxSurge="25%", maxUnavailable="25%")
    pod_spec(spec["template"]["spec"])


def _service(obj, address):
    spec = obj["spec"]
    _set(spec, type="ClusterIP", sessionAffinity="None")
    for port in spec.get("ports") or []:
        _set(port, protocol="TCP", targetPort=port["port"])
    if spec["type"] != "ExternalName":
        if spec.get("clusterIP") is None:
            spec["clusterIP"] = address()
        _set(spec, clusterIPs=[spec["clusterIP"]], internalTrafficPolicy="Cluster", ipFamilies=["IPv4"],
             ipFamilyPolicy="SingleStack")


def _cronjob(obj, _address):
    _set(obj["spec"], concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3,
         failedJobsHistoryLimit=1)
    pod_spec(obj["spec"]["jobTemplate"]["spec"]["template"]["spec"])


def _job(obj, _address):
    _set(obj["spec"], backoffLimit=6, completions=1, parallelism=1, suspend=False)
    pod_spec(obj["spec"]["template"]["spec"])


def _secret(obj, _address):
    _set(obj, type="Opaque")


_BY_KIND = {"Deployment": _deployment, "Service": _service, "CronJob": _cronjob, "Job": _job,
            "Secret": _secret, "Pod": lambda obj, _address: pod_spec(obj["spec"])}


def add_defaults(obj, kind, address):
    """In place; `address` gives the next free cluster address."""
    if kind.kind in _BY_KIND:
        _BY_KIND[kind.kind](obj, address)
