"""Types of fields, from a short notation, and the checks of single values.

A line is `Name: field:type[flags] ...`.  Types: str int bool raw, scalars with a rule of
their own (SCALARS), `str{A|B}`, `int[lo..hi]`, `map<T>`, `list<T>` (replaced whole when
applied), `set<T>`, `keyed<T;key,key>` (merged by these fields), or another Name.
Flags: `!` required, `@` replaced whole when applied.
"""

import re

from .quantity import canonical

DNS_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?")
QUALIFIED = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*")
ENV_NAME = re.compile(r"[-._a-zA-Z][-._a-zA-Z0-9]*")
CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
MICRO_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)")
CIDR = re.compile(r"[0-9a-fA-F.:]+/\d{1,3}")


def is_subdomain(text):
    return len(text) <= 253 and SUBDOMAIN.fullmatch(text) is not None


def is_label_name(text):
    return len(text) <= 63 and DNS_LABEL.fullmatch(text) is not None


def is_qualified(text):
    prefix, slash, name = text.rpartition("/")
    if slash and not is_subdomain(prefix):
        return False
    return len(name) <= 63 and QUALIFIED.fullmatch(name) is not None


def is_label_value(text):
    return len(text) <= 63 and LABEL_VALUE.fullmatch(text) is not None


def _is_port_number(value):
    return isinstance(value, int) and 1 <= value <= 65535


def _is_port_or_name(value):
    return _is_port_number(value) if isinstance(value, int) else \
        len(value) <= 15 and PORT_NAME.fullmatch(value) is not None


def _is_number_or_percent(value):
    return value >= 0 if isinstance(value, int) else re.fullmatch(r"\d+%", value) is not None


# name -> (Python types, good values, what they are)
SCALARS = {
    "str": ((str,), lambda v: True, "a string"),
    "int": ((int,), lambda v: True, "an integer"),
    "bool": ((bool,), lambda v: True, "a boolean"),
    "text": ((str,), lambda v: v.strip() != "", "a string that is not empty"),
    "name": ((str,), is_subdomain, "a lowercase RFC 1123 subdomain"),
    "dnslabel": ((str,), is_label_name, "a lowercase RFC 1123 label"),
    "service": ((str,), lambda v: len(v) <= 63 and DNS_1035.fullmatch(v) is not None, "a DNS-1035 label"),
    "labelvalue": ((str,), is_label_value, "a valid label value"),
    "portname": ((str,), lambda v: len(v) <= 15 and PORT_NAME.fullmatch(v) is not None,
                 "at most 15 lowercase alphanumeric characters or '-', with a letter"),
    "port": ((int,), _is_port_number, "between 1 and 65535"),
    "portref": ((int, str), _is_port_or_name, "a port number or name"),
    "percent": ((int, str), _is_number_or_percent, "a number or a percentage"),
    "path": ((str,), lambda v: v.startswith("/") and ":" not in v, "an absolute path"),
    "relpath": ((str,), lambda v: v and not v.startswith("/") and ".." not in v.split("/"),
                "a relative path without '..'"),
    "envname": ((str,), lambda v: ENV_NAME.fullmatch(v) is not None, "a name of an environment variable"),
    "configkey": ((str,), lambda v: len(v) <= 253 and CONFIG_KEY.fullmatch(v) is not None, "a key"),
    "time": ((str,), lambda v: TIME.fullmatch(v) is not None, "RFC 3339"),
    "microtime": ((str,), lambda v: MICRO_TIME.fullmatch(v) is not None, "RFC 3339 with microseconds"),
    "cidr": ((str,), lambda v: CIDR.fullmatch(v) is not None, "an address range"),
    "qty": ((str, int, float), lambda v: canonical(v) is not None, "a quantity"),
}


class Scalar:
    atomic = True

    def __init__(self, name, values=None, bounds=None):
        self.types, self.good, self.what = SCALARS[name]
        self.name = name
        self.values = values
        self.bounds = bounds


class Raw:
    """Anything; replaced whole."""

    atomic = True


class Map:
    def __init__(self, item):
        self.item = item
        self.atomic = False


class List:
    """keys: () replaced whole, None a set, else merged by these fields."""

    def __init__(self, item, keys):
        self.item = item
        self.keys = keys
        self.atomic = keys == ()


class Struct:
    def __init__(self, name):
        self.name = name
        self.fields = {}
        self.required = set()
        self.atomic = False


class Whole:
    """A type that is replaced whole where it stands."""

    atomic = True

    def __init__(self, inner):
        self.inner = inner


class Ref:
    """A name that is looked up later, so that order does not matter."""

    def __init__(self, types, name):
        self.types = types
        self.name = name

    def get(self):
        return self.types[self.name]


def resolve(kind):
    """The type behind names and `@`."""
    while isinstance(kind, (Ref, Whole)):
        kind = kind.get() if isinstance(kind, Ref) else kind.inner
    return kind


def is_atomic(kind):
    while isinstance(kind, Ref):
        kind = kind.get()
    return kind.atomic


def parse_types(text, types):
    for line in re.sub(r"\n\s+", " ", text.strip()).split("\n"):
        name, _, fields = line.partition(": ")
        if not name or name in types:
            raise ValueError(f"bad line {line!r}")
        struct = types[name] = Struct(name)
        for word in fields.split():
            field, _, notation = word.partition(":")
            if notation.endswith("!"):
                struct.required.add(field)
                notation = notation[:-1]
            struct.fields[field] = _parse_type(notation, types)
    return types


def _parse_type(text, types):
    if text.endswith("@"):
        return Whole(_parse_type(text[:-1], types))
    if text == "raw":
        return Raw()
    wrapped = re.fullmatch(r"(map|list|set|keyed)<(.*)>", text)
    if wrapped:
        inner, _, keys = wrapped[2].partition(";")
        item = _parse_type(inner, types)
        if wrapped[1] == "map":
            return Map(item)
        return List(item, {"list": (), "set": None, "keyed": tuple(keys.split(","))}[wrapped[1]])
    scalar = re.fullmatch(r"([a-z]+)(?:\{(.*)\}|\[(-?\d+)\.\.(\d*)\])?", text)
    if scalar and scalar[1] in SCALARS:
        bounds = (int(scalar[3]), int(scalar[4] or 2**31 - 1)) if scalar[3] else None
        return Scalar(scalar[1], scalar[2].split("|") if scalar[2] else None, bounds)
    return Ref(types, text)


class Findings:
    """What is wrong with an object, by kind of refusal."""

    def __init__(self):
        self.unknown = []  # paths
        self.types = []    # messages: the JSON does not decode
        self.causes = []   # {"reason", "message", "field"}

    def cause(self, reason, field, message):
        self.causes.append({"reason": reason, "message": message, "field": field.lstrip(".")})

    def invalid(self, field, value, why):
        self.cause("FieldValueInvalid", field, f"Invalid value: {_shown(value)}: {why}")


def _shown(value):
    return f'"{value}"' if isinstance(value, str) else str(value)


def check(value, kind, path, found):
    """Adds to `found`; drops nothing and changes nothing."""
    kind = resolve(kind)
    if value is None or isinstance(kind, Raw):
        return
    if isinstance(kind, Scalar):
        _check_scalar(value, kind, path, found)
    elif isinstance(kind, List):
        _check_list(value, kind, path, found)
    elif not isinstance(value, dict):
        found.types.append(f"{path.lstrip('.')}: an object is wanted, not {type(value).__name__}")
    elif isinstance(kind, Map):
        for key, item in value.items():
            check(item, kind.item, f"{path}[{key}]", found)
            if item is None:
                found.types.append(f"{path.lstrip('.')}[{key}]: null")
    else:
        _check_struct(value, kind, path, found)


def _check_struct(value, kind, path, found):
    for name in sorted(kind.required):
        if value.get(name) in (None, "", [], {}):
            found.cause("FieldValueRequired", f"{path}.{name}", "Required value")
    for name, item in value.items():
        if name not in kind.fields:
            found.unknown.append(f"{path}.{name}".lstrip("."))
        else:
            check(item, kind.fields[name], f"{path}.{name}", found)


def _check_list(value, kind, path, found):
    if not isinstance(value, list):
        found.types.append(f"{path.lstrip('.')}: a list is wanted, not {type(value).__name__}")
        return
    seen = set()
    for index, item in enumerate(value):
        here = f"{path}[{index}]"
        if item is None:
            found.types.append(f"{here.lstrip('.')}: null")
        check(item, kind.item, here, found)
        if kind.keys and isinstance(item, dict):
            key = tuple(str(item.get(k, KEY_DEFAULTS.get(k))) for k in kind.keys)
            if key in seen:
                found.cause("FieldValueDuplicate", here, f"Duplicate value: {_shown(', '.join(key))}")
            seen.add(key)


KEY_DEFAULTS = {"protocol": "TCP"}


def _check_scalar(value, kind, path, found):
    if not isinstance(value, kind.types) or (isinstance(value, bool) and bool not in kind.types):
        found.types.append(f"{path.lstrip('.')}: {kind.what} is wanted, not {type(value).__name__}")
    elif kind.values is not None and value not in kind.values:
        found.cause("FieldValueNotSupported", path, f"Unsupported value: {_shown(value)}: supported values: "
                    + ", ".join(f'"{v}"' for v in kind.values))
    elif kind.bounds is not None and not kind.bounds[0] <= value <= kind.bounds[1]:
        found.invalid(path, value, f"must be between {kind.bounds[0]} and {kind.bounds[1]}")
    elif value != "" and not kind.good(value):
        found.invalid(path, value, f"must be {kind.what}")


def prune_unknown(value, kind):
    """A copy without fields that the type does not have, and without nulls."""
    kind = resolve(kind)
    if isinstance(kind, Struct) and isinstance(value, dict):
        return {k: prune_unknown(v, kind.fields[k]) for k, v in value.items()
                if k in kind.fields and v is not None}
    if isinstance(kind, Map) and isinstance(value, dict):
        return {k: prune_unknown(v, kind.item) for k, v in value.items()}
    if isinstance(kind, List) and isinstance(value, list):
        return [prune_unknown(v, kind.item) for v in value]
    if isinstance(kind, Scalar) and kind.name == "qty":
        return canonical(value) or value
    return value
