"""What fields mean together, and what may not change."""

import base64
import binascii

from .errors import bad_request, invalid
from .quantity import amount
from .schema import (DNS_1035, Findings, check, is_label_name, is_label_value, is_qualified,
                     is_subdomain)
from .selectors import matches

VOLUME_SOURCES = ("emptyDir", "secret", "configMap", "projected", "persistentVolumeClaim", "hostPath",
                  "downwardAPI", "ephemeral", "csi")
HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
ANNOTATIONS_MAX = 256 * 1024


def decode(obj, kind, ignore_unknown=False):
    """Refuses what does not decode: other types of JSON, and fields that there are not."""
    found = Findings()
    check(obj, kind.type, "", found)
    if found.types:
        raise bad_request(f"{kind.kind} in version \"{kind.version}\" cannot be handled as a {kind.kind}: "
                          + "; ".join(found.types))
    if found.unknown and not ignore_unknown:
        raise bad_request("strict decoding error: " + ", ".join(f'unknown field "{p}"' for p in found.unknown))


def validate(obj, kind, live=None):
    """Refuses with 422 and a cause for each thing wrong."""
    found = Findings()
    check(obj, kind.type, "", found)
    _metadata(obj["metadata"], kind, found)
    if not found.causes:
        _BY_KIND.get(kind.kind, lambda *_: None)(obj, found)
        if live is not None:
            _unchanged(obj, live, kind, found)
    if found.causes:
        raise invalid(kind, obj["metadata"].get("name", ""), found.causes)


def _metadata(meta, kind, found):
    name = meta.get("name", "")
    if kind.kind == "Service":
        good, what = len(name) <= 63 and DNS_1035.fullmatch(name), "a DNS-1035 label"
    elif kind.kind == "Namespace":
        good, what = is_label_name(name), "a lowercase RFC 1123 label"
    else:
        good, what = is_subdomain(name), "a lowercase RFC 1123 subdomain"
    if not good:
        found.invalid("metadata.name", name, f"must be {what}")
    _labels(meta, "metadata", found)


def _labels(meta, where, found):
    for key, value in (meta.get("labels") or {}).items():
        if not is_qualified(key):
            found.invalid(f"{where}.labels", key, "name part must consist of alphanumeric characters, '-', '_' or '.'")
        if not is_label_value(value):
            found.invalid(f"{where}.labels", value, "a valid label must be an empty string or at most 63 "
                          "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric one")
    notes = meta.get("annotations") or {}
    for key in notes:
        if not is_qualified(key.lower()):
            found.invalid(f"{where}.annotations", key, "is no qualified name")
    if sum(len(k.encode()) + len(v.encode()) for k, v in notes.items()) > ANNOTATIONS_MAX:
        found.cause("FieldValueTooLong", f"{where}.annotations", f"Too long: must have at most {ANNOTATIONS_MAX} bytes")


def _one_of(obj, names, where, found, what):
    given = [n for n in names if obj.get(n) is not None]
    if not given:
        found.cause("FieldValueRequired", where, f"Required value: must specify {what}")
    for name in given[1:]:
        found.cause("FieldValueForbidden", f"{where}.{name}", f"Forbidden: may not specify more than 1 {what}")


def _duplicates(values, where, found):
    seen = set()
    for value in values:
        if value in seen:
            found.cause("FieldValueDuplicate", where, f'Duplicate value: "{value}"')
        seen.add(value)


def _container(container, volumes, where, found):
    for index, mount in enumerate(container.get("volumeMounts") or []):
        if mount["name"] not in volumes:
            found.cause("FieldValueNotFound", f"{where}.volumeMounts[{index}].name", f'Not found: "{mount["name"]}"')
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe = container.get(name)
        if probe is not None:
            _one_of(probe, HANDLERS, f"{where}.{name}", found, "handler type")
            if name != "readinessProbe" and probe.get("successThreshold", 1) != 1:
                found.invalid(f"{where}.{name}.successThreshold", probe["successThreshold"], "must be 1")
    for index, variable in enumerate(container.get("env") or []):
        if variable.get("value") and variable.get("valueFrom") is not None:
            found.invalid(f"{where}.env[{index}].valueFrom", "", "may not be specified when `value` is not empty")
        if variable.get("valueFrom") is not None:
            _one_of(variable["valueFrom"], ("fieldRef", "resourceFieldRef", "secretKeyRef", "configMapKeyRef"),
                    f"{where}.env[{index}].valueFrom", found, "source")
    resources = container.get("resources") or {}
    for name, value in (resources.get("requests") or {}).items():
        limit = (resources.get("limits") or {}).get(name)
        if amount(value) < 0 or (limit is not None and amount(value) > amount(limit)):
            found.invalid(f"{where}.resources.requests", value, f"must be less than or equal to {name} limit")


def pod(spec, where, found, restarts=("Always",)):
    volumes = {v["name"] for v in spec.get("volumes") or []}
    for index, volume in enumerate(spec.get("volumes") or []):
        _one_of(volume, VOLUME_SOURCES, f"{where}.volumes[{index}]", found, "volume type")
    containers = [("containers", i, c) for i, c in enumerate(spec["containers"])]
    containers += [("initContainers", i, c) for i, c in enumerate(spec.get("initContainers") or [])]
    _duplicates([c["name"] for _, _, c in containers], f"{where}.containers.name", found)
    for field, index, container in containers:
        _container(container, volumes, f"{where}.{field}[{index}]", found)
        _duplicates([p["name"] for p in container.get("ports") or [] if p.get("name")],
                    f"{where}.{field}[{index}].ports.name", found)
    if spec.get("restartPolicy", "Always") not in restarts:
        found.cause("FieldValueNotSupported", f"{where}.restartPolicy", f'Unsupported value: '
                    f'"{spec.get("restartPolicy")}": supported values: ' + ", ".join(f'"{r}"' for r in restarts))


def selector(found_in, where, found):
    for key, value in (found_in.get("matchLabels") or {}).items():
        if not is_qualified(key) or not is_label_value(value):
            found.invalid(f"{where}.matchLabels", f"{key}={value}", "is no label")


def _deployment(obj, found):
    spec = obj["spec"]
    chosen, template = spec["selector"], spec["template"]
    selector(chosen, "spec.selector", found)
    meta = template.get("metadata") or {}
    _labels(meta, "spec.template.metadata", found)
    if not matches(chosen, meta.get("labels") or {}):
        found.invalid("spec.template.metadata.labels", str(meta.get("labels")), "`selector` does not match template `labels`")
    if (spec.get("strategy") or {}).get("type") == "Recreate" and spec["strategy"].get("rollingUpdate") is not None:
        found.cause("FieldValueForbidden", "spec.strategy.rollingUpdate",
                    "Forbidden: may not be specified when strategy `type` is 'Recreate'")
    if spec.get("progressDeadlineSeconds", 600) <= spec.get("minReadySeconds", 0):
        found.invalid("spec.progressDeadlineSeconds", spec.get("progressDeadlineSeconds", 600), "must be greater than minReadySeconds")
    pod(template["spec"], "spec.template.spec", found)


def _service(obj, found):
    spec = obj["spec"]
    ports = spec.get("ports") or []
    if not ports and spec.get("type") != "ExternalName" and spec.get("clusterIP") != "None":
        found.cause("FieldValueRequired", "spec.ports", "Required value")
    for index, port in enumerate(ports):
        if len(ports) > 1 and not port.get("name"):
            found.cause("FieldValueRequired", f"spec.ports[{index}].name", "Required value")
    _duplicates([p["name"] for p in ports if p.get("name")], "spec.ports.name", found)
    for key in spec.get("selector") or {}:
        if not is_qualified(key):
            found.invalid("spec.selector", key, "is no qualified name")


def _event(obj, found):
    meta, about = obj["metadata"], obj["involvedObject"]
    if about.get("namespace", "") not in (meta.get("namespace"), ""):
        found.invalid("involvedObject.namespace", about["namespace"], "does not match event.namespace")
    if len(obj.get("message", "")) > 1024:
        found.invalid("message", "...", "can have at most 1024 characters")
    if obj.get("eventTime") is not None:
        for field in ("reportingComponent", "reportingInstance", "action", "reason", "type"):
            if not obj.get(field):
                found.cause("FieldValueRequired", field, "Required value")


def _secret(obj, found):
    for key, value in (obj.get("data") or {}).items():
        try:
            base64.b64decode(value, validate=True)
        except binascii.Error:
            raise bad_request(f"illegal base64 data in Secret data[{key}]") from None
        if not key.replace("-", "").replace("_", "").replace(".", "").isalnum():
            found.invalid(f"data[{key}]", key, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'")


def _role_binding(obj, found):
    if obj["roleRef"]["apiGroup"] != "rbac.authorization.k8s.io":
        found.invalid("roleRef.apiGroup", obj["roleRef"]["apiGroup"], "must be rbac.authorization.k8s.io")
    for index, subject in enumerate(obj.get("subjects") or []):
        if subject["kind"] == "ServiceAccount" and not subject.get("namespace"):
            found.cause("FieldValueRequired", f"subjects[{index}].namespace", "Required value")


def _scaler(obj, found):
    if obj["spec"].get("minReplicas", 1) > obj["spec"]["maxReplicas"]:
        found.invalid("spec.maxReplicas", obj["spec"]["maxReplicas"], "must be greater than or equal to `minReplicas`")


def _budget(obj, found):
    if len({"minAvailable", "maxUnavailable"} & set(obj["spec"])) > 1:
        found.invalid("spec", "", "minAvailable and maxUnavailable cannot be both set")
    selector(obj["spec"].get("selector") or {}, "spec.selector", found)


def _cronjob(obj, found):
    if len(obj["spec"]["schedule"].split()) != 5 and not obj["spec"]["schedule"].startswith("@"):
        found.invalid("spec.schedule", obj["spec"]["schedule"], "five fields are wanted")
    pod(obj["spec"]["jobTemplate"]["spec"]["template"]["spec"], "spec.jobTemplate.spec.template.spec", found,
        ("OnFailure", "Never"))


_BY_KIND = {"Deployment": _deployment, "Service": _service, "Event": _event, "Secret": _secret,
            "RoleBinding": _role_binding, "HorizontalPodAutoscaler": _scaler, "PodDisruptionBudget": _budget,
            "CronJob": _cronjob,
            "Pod": lambda obj, found: pod(obj["spec"], "spec", found, ("Always", "OnFailure", "Never")),
            "Job": lambda obj, found: pod(obj["spec"]["template"]["spec"], "spec.template.spec", found,
                                          ("OnFailure", "Never"))}
IMMUTABLE = {"Deployment": ("spec.selector",), "Service": ("spec.clusterIP",), "RoleBinding": ("roleRef",),
             "Job": ("spec.selector", "spec.template"), "Secret": ("type",), "Pod": ("spec.volumes", "spec.restartPolicy")}


def _at(obj, path):
    for name in path.split("."):
        obj = (obj or {}).get(name)
    return obj


def _unchanged(obj, live, kind, found):
    for path in IMMUTABLE.get(kind.kind, ()):
        if _at(obj, path) != _at(live, path):
            found.invalid(path, str(_at(obj, path)), "field is immutable")
    if live.get("immutable") and (obj.get("data") != live.get("data") or not obj.get("immutable")):
        found.cause("FieldValueForbidden", "data", "Forbidden: field is immutable when `immutable` is set")
