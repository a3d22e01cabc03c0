"""Which fields an object has: paths as managedFields names them.

A path is a tuple of elements: "f:name", 'k:{"name":"x"}' (a list's item), "v:value" (a set's).
A list's item is a path by itself too, beside those of its fields.
"""

import json

from .schema import KEY_DEFAULTS, List, Map, Struct, is_atomic, resolve

UNOWNED = {"f:apiVersion", "f:kind"}
UNOWNED_META = {"f:name", "f:namespace", "f:uid", "f:resourceVersion", "f:generation", "f:selfLink",
                "f:creationTimestamp", "f:deletionTimestamp", "f:deletionGracePeriodSeconds",
                "f:managedFields", "f:generateName"}


def item_key(item, kind):
    """How `item` of the list type `kind` is told from its neighbours."""
    if kind.keys is None:
        return "v:" + json.dumps(item)
    named = {k: item.get(k, KEY_DEFAULTS.get(k)) for k in kind.keys}
    return "k:" + json.dumps({k: v for k, v in sorted(named.items()) if v is not None},
                             separators=(",", ":"))


def children(value, kind):
    """(path element, type, value) of what can be owned apart; None where the whole is one field."""
    inner = resolve(kind)
    if is_atomic(kind) or value in ({}, [], None):
        return None
    if isinstance(inner, Struct):
        return [("f:" + k, inner.fields[k], v) for k, v in value.items()]
    if isinstance(inner, Map):
        return [("f:" + k, inner.item, v) for k, v in value.items()]
    if isinstance(inner, List):
        return [(item_key(v, inner), inner.item, v) for v in value]
    return None


def _walk(value, kind, path, out):
    below = children(value, kind)
    if below is None:
        out[path] = value
        return
    for element, item_kind, item in below:
        if element[0] in "kv":
            out[path + (element,)] = None
        if element[0] != "v":
            _walk(item, item_kind, path + (element,), out)


def values_of(obj, kind):
    """path -> value, of every field that a manager can own."""
    out = {}
    _walk(obj, kind, (), out)
    return {p: v for p, v in out.items() if p and p[0] not in UNOWNED
            and not (p[0] == "f:metadata" and (len(p) == 1 or p[1] in UNOWNED_META))}


def to_fields_v1(paths):
    tree = {}
    for path in sorted(paths):
        node = tree
        for element in path:
            node = node.setdefault(element, {})
        if path[-1][0] == "k":
            node["."] = {}
    return tree


def from_fields_v1(tree, path=()):
    out = set()
    for element, below in tree.items():
        if element == ".":
            out.add(path)
        elif below == {}:
            out.add(path + (element,))
        else:
            out |= from_fields_v1(below, path + (element,))
    return out


def shown(path):
    """As a conflict names it: .spec.template.spec.containers[name="a"].image"""
    text = ""
    for element in path:
        if element[0] == "f":
            text += "." + element[2:]
        elif element[0] == "k":
            text += "[" + ",".join(f"{k}={json.dumps(v)}" for k, v in json.loads(element[2:]).items()) + "]"
        else:
            text += f"[={element[2:]}]"
    return text


class Managers:
    """metadata.managedFields: (manager, operation, subresource) -> owned paths."""

    def __init__(self, entries=()):
        self.sets = {}
        self.times = {}
        for entry in entries:
            key = (entry["manager"], entry["operation"], entry.get("subresource", ""))
            self.sets[key] = from_fields_v1(entry["fieldsV1"])
            self.times[key] = entry["time"]

    def disown(self, paths, but):
        """Takes `paths`, and what is below them, from all but the manager `but`."""
        gone = set(paths)
        for key, owned in self.sets.items():
            if key != but:
                self.sets[key] = {p for p in owned if not any(p[:n] in gone for n in range(1, len(p) + 1))}

    def owned_elsewhere(self, path, but):
        return any(p[:len(path)] == path for key, owned in self.sets.items() if key != but for p in owned)

    def entries(self, api_version, now, before):
        """The list for metadata; the time moves only where the set does."""
        out = []
        for key, owned in sorted(self.sets.items(), key=lambda pair: (pair[0][1], pair[0])):
            if not owned:
                continue
            time = before.times[key] if before.sets.get(key) == owned else now
            entry = {"manager": key[0], "operation": key[1], "apiVersion": api_version, "time": time,
                     "fieldsType": "FieldsV1", "fieldsV1": to_fields_v1(owned)}
            if key[2]:
                entry["subresource"] = key[2]
            out.append(entry)
        return out
