"""The patches that are no apply: merge, strategic merge, JSON patch."""

import copy

from .errors import Refused, bad_request
from .schema import List, Map, Struct, resolve


def merge_patch(target, patch):
    """RFC 7386."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    out = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            out.pop(name, None)
        else:
            out[name] = merge_patch(out.get(name), value)
    return out


def strategic(target, patch, kind):
    """Merges lists by their keys; knows $patch, $retainKeys, $deleteFromPrimitiveList."""
    inner = resolve(kind)
    if not isinstance(patch, dict) or not isinstance(inner, (Struct, Map)):
        return copy.deepcopy(patch)
    directive = patch.get("$patch")
    if directive == "delete":
        return None
    out = {} if directive == "replace" or not isinstance(target, dict) else dict(target)
    if "$retainKeys" in patch:
        out = {k: v for k, v in out.items() if k in patch["$retainKeys"]}
    for name, value in patch.items():
        if name.startswith("$deleteFromPrimitiveList/"):
            field = name.partition("/")[2]
            out[field] = [v for v in out.get(field, []) if v not in value]
        elif name.startswith("$"):
            continue
        elif value is None:
            out.pop(name, None)
        else:
            below = inner.item if isinstance(inner, Map) else inner.fields.get(name)
            merged = value if below is None else _strategic_value(out.get(name), value, below)
            if merged is None:
                out.pop(name, None)
            else:
                out[name] = merged
    return out


def _strategic_value(target, value, kind):
    inner = resolve(kind)
    if not isinstance(inner, List) or not isinstance(value, list):
        return strategic(target, value, kind)
    if inner.keys == ():
        return copy.deepcopy(value)
    out = list(target or [])
    if inner.keys is None:
        return out + [v for v in value if v not in out]
    if any(v.get("$patch") == "replace" for v in value):
        out = []
    for item in value:
        if item.get("$patch") == "replace":
            continue
        _strategic_item(out, item, inner)
    return out


def _strategic_item(out, item, kind):
    """A list's first key is the one that patches merge by."""
    key = kind.keys[0]
    if key not in item:
        raise bad_request(f"map: {item!r} does not contain declared merge key: {key}")
    for index, old in enumerate(out):
        if old.get(key) == item[key]:
            if item.get("$patch") == "delete":
                del out[index]
            else:
                out[index] = strategic(old, item, kind.item)
            return
    if item.get("$patch") != "delete":
        out.append({k: v for k, v in item.items() if not k.startswith("$")})


def json_patch(target, operations):
    """RFC 6902, without move and copy."""
    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list")
    doc = copy.deepcopy(target)
    for operation in operations:
        try:
            doc = _operate(doc, operation)
        except (KeyError, IndexError, ValueError, TypeError):
            raise Refused(422, "Invalid", "the server rejected our request due to an error in our request: "
                          f"{operation}") from None
    return doc


def _operate(doc, operation):
    op, path = operation["op"], operation["path"].split("/")[1:]
    path = [p.replace("~1", "/").replace("~0", "~") for p in path]
    parent = doc
    for name in path[:-1]:
        parent = parent[int(name)] if isinstance(parent, list) else parent[name]
    last = path[-1]
    if isinstance(parent, list):
        last = len(parent) if last == "-" else int(last)
    if op == "test":
        if parent[last] != operation["value"]:
            raise ValueError
    elif op == "remove":
        del parent[last]
    elif op == "add" and isinstance(parent, list):
        parent.insert(last, operation["value"])
    elif op == "add":
        parent[last] = operation["value"]
    elif op == "replace":
        parent[last]  # it must be there
        parent[last] = operation["value"]
    else:
        raise ValueError
    return doc


PATCHES = {"application/merge-patch+json", "application/strategic-merge-patch+json", "application/json-patch+json"}


def patched(live, patch, content_type, kind):
    if content_type == "application/json-patch+json":
        return json_patch(live, patch)
    if not isinstance(patch, dict):
        raise bad_request("the patch is not an object")
    if content_type == "application/merge-patch+json":
        return merge_patch(live, patch)
    return strategic(live, patch, kind.type)
