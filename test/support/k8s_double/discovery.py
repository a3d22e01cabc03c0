"""What clients ask first: which groups, versions and resources there are."""

from .kinds import KINDS, VERBS


def _resources(group, version):
    out = []
    for kind in KINDS:
        if (kind.group, kind.version) != (group, version):
            continue
        entry = {"name": kind.plural, "singularName": kind.kind.lower(), "namespaced": kind.namespaced,
                 "kind": kind.kind, "verbs": list(VERBS)}
        if kind.short:
            entry["shortNames"] = list(kind.short)
        out.append(entry)
        for sub in kind.subresources:
            below = {"name": f"{kind.plural}/{sub}", "singularName": "", "namespaced": kind.namespaced,
                     "kind": kind.kind, "verbs": ["get", "patch", "update"]}
            if sub == "scale":
                below.update(group="autoscaling", version="v1", kind="Scale")
            out.append(below)
    return out


def _groups():
    seen = {}
    for kind in KINDS:
        if kind.group:
            seen.setdefault(kind.group, kind.version)
    return [{"name": group, "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
             "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version}}
            for group, version in seen.items()]


def document(path, address):
    """The answer to a path of discovery; None where it is no such path."""
    if path == "/version":
        return {"major": "1", "minor": "31", "gitVersion": "v1.31.0", "gitCommit": "", "gitTreeState": "clean",
                "buildDate": "2026-01-01T00:00:00Z", "goVersion": "go1.22", "compiler": "gc",
                "platform": "linux/amd64"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": [
            {"clientCIDR": "0.0.0.0/0", "serverAddress": address}]}
    if path == "/apis":
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": _groups()}
    parts = path.strip("/").split("/")
    if parts == ["api", "v1"]:
        found = _resources("", "v1")
    elif parts[0] == "apis" and len(parts) == 3:
        found = _resources(parts[1], parts[2])
    else:
        return None
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": "/".join(parts[1:]),
            "resources": found} if found else None
