"""Encodes mutations by hand, so that tests can make right and wrong logs."""

import hashlib
import json
import os

from log_wire import BYTES, MESSAGES, VARINT


def varint(value):
    value &= (1 << 64) - 1
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def raw_field(number, wire, value):
    """One field as bytes; `value` is an int or bytes."""
    head = varint(number << 3 | wire)
    return head + (varint(value) if wire == VARINT else varint(len(value)) + value)


def encode(message, values):
    """The bytes of a message given as {field name: value}; "raw" is appended."""
    numbers = {field.name: number for number, field in MESSAGES[message].items()}
    parts = []
    for name, value in values.items():
        if name == "raw":
            parts.append(value)
            continue
        number = numbers[name]
        field = MESSAGES[message][number]
        for item in value if field.repeated else [value]:
            parts.append(_encode_one(number, field.kind, item))
    return b"".join(parts)


def _encode_one(number, kind, value):
    if kind in ("int32", "int64", "bool"):
        return raw_field(number, VARINT, int(value))
    if kind == "string":
        value = value.encode() if isinstance(value, str) else value
    elif kind != "bytes":
        value = encode(kind, value)
    return raw_field(number, BYTES, value)


class LogBuilder:
    """Collects records into segments and writes them with a WRITER."""

    def __init__(self, owner="acme", repo="widgets"):
        self.owner = owner
        self.repo = repo
        self.segments = [b""]

    def raw(self, payload):
        self.segments[-1] += b"REC@%x+%x=" % (len(self.segments[-1]), len(payload)) + payload
        return self

    def mutation(self, values):
        return self.raw(encode("Mutation", values))

    def issue(self, number, **values):
        return self.mutation({"github_issue": {
            "owner": self.owner, "repo": self.repo, "number": number, **values}})

    def first(self, number, **values):
        """A complete first mutation."""
        return self.issue(number, id=number + 5_000_000_000, user={"id": 1, "login": "one"},
                          created={"seconds": 1_500_000_000}, updated={"seconds": 1_500_000_000},
                          title=f"issue {number}", **values)

    def next_segment(self):
        self.segments.append(b"")
        return self

    def write(self, root, writer=True):
        """Write the files below `root`; returns the repository's folder."""
        folder = os.path.join(root, self.owner, self.repo)
        os.makedirs(folder)
        for number, data in enumerate(self.segments):
            name = f"{number:04d}.{hashlib.sha224(data).hexdigest()}.mutlog"
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)
        if writer:
            data = self.segments[-1]
            tail = {"number": len(self.segments) - 1, "size": len(data),
                    "sha224": hashlib.sha224(data).hexdigest()}
            write_writer(folder, tail)
        return folder


def write_writer(folder, tail, **changes):
    record = {"epoch": 3, "holder": "pod-1", "released": False, "lease_s": 300, "tail": tail,
              **changes}
    with open(os.path.join(folder, "WRITER"), "w") as file:
        json.dump(record, file)
