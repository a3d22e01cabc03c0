"""Label and field selectors, of requests and of objects."""

import re

from .errors import bad_request
from .schema import is_label_value, is_qualified

_SET = re.compile(r"\s*(\S+)\s+(in|notin)\s*\(([^()]*)\)\s*")
_EQUAL = re.compile(r"\s*([^\s=!]+)\s*(==|=|!=)\s*([^\s=!]*)\s*")
_EXISTS = re.compile(r"\s*(!?)\s*([^\s=!()]+)\s*")


def _split(text):
    """At commas outside parentheses."""
    return re.split(r",(?![^(]*\))", text)


def _one(term, text):
    match = _SET.fullmatch(term)
    if match:
        values = {v.strip() for v in match[3].split(",")}
        wanted = match[2] == "in"
        return match[1], values, lambda labels: (labels.get(match[1]) in values) == wanted
    match = _EQUAL.fullmatch(term)
    if match:
        wanted = match[2] != "!="
        return match[1], {match[3]}, lambda labels: (labels.get(match[1]) == match[3]) == wanted
    match = _EXISTS.fullmatch(term)
    if match:
        return match[2], set(), lambda labels: (match[2] in labels) == (match[1] == "")
    raise bad_request(f"unable to parse requirement: {term!r} in the label selector {text!r}")


def labels(text):
    """labelSelector's text as a function of an object."""
    tests = []
    for term in _split(text) if text else []:
        key, values, test = _one(term, text)
        if not is_qualified(key):
            raise bad_request(f"unable to parse requirement: key: Invalid value: {key!r}")
        for value in values:
            if not is_label_value(value):
                raise bad_request(f"unable to parse requirement: values: Invalid value: {value!r}")
        tests.append(test)
    return lambda obj: all(test(obj["metadata"].get("labels") or {}) for test in tests)


# Beyond metadata's two, what each kind's API can select by.
FIELDS = {"Pod": ("spec.nodeName", "spec.restartPolicy", "status.phase", "status.podIP"),
          "Event": ("involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
                    "involvedObject.uid", "reason", "type", "source", "reportingComponent"),
          "Secret": ("type",), "Namespace": ("status.phase",)}


def _field(obj, path):
    for name in path.split("."):
        obj = (obj or {}).get(name)
    return obj or ""


def fields(text, kind):
    tests = []
    for term in filter(None, (text or "").split(",")):
        match = re.fullmatch(r"([A-Za-z.]+)(==|=|!=)(.*)", term)
        if match is None:
            raise bad_request(f"invalid field selector: {term!r}")
        if match[1] not in ("metadata.name", "metadata.namespace", *FIELDS.get(kind.kind, ())):
            raise bad_request(f'Unable to find "{kind.resource}" that match field selector {text!r}: '
                              f"field label not supported: {match[1]}")
        tests.append((match[1], match[3], match[2] != "!="))
    return lambda obj: all((_field(obj, path) == value) == wanted for path, value, wanted in tests)


def matches(selector, found):
    """A LabelSelector object against labels."""
    if any(found.get(k) != v for k, v in (selector.get("matchLabels") or {}).items()):
        return False
    for need in selector.get("matchExpressions") or []:
        operator, has = need["operator"], need["key"] in found
        inside = found.get(need["key"]) in need.get("values", [])
        if not {"In": has and inside, "NotIn": not inside, "Exists": has, "DoesNotExist": not has}[operator]:
            return False
    return True
