"""A log of many repositories, and what splitting it must give, by hand and in Python.

The records are made as cheaply as they can be, since there may be a million of them:
maintner's framing (mutation-log/FORMAT.md) around protobuf's wire format.
"""

import hashlib
import os
import random

from log_checker import records
from log_wire import split_fields

SEGMENT_BYTES = 16 << 20
ISSUE, GIT, GITHUB, GERRIT = 1, 2, 3, 4


def _bytes_field(number, value):
    out = bytearray([number << 3 | 2])
    size = len(value)
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    out.append(size)
    return bytes(out) + value


def _record(rng, names):
    kind = rng.random()
    if kind < 0.02:
        return _bytes_field(GIT, b"a commit, not looked into" + bytes([rng.randrange(256)]))
    if kind < 0.03:
        return _bytes_field(GERRIT, b"")
    owner, repo = rng.choice(names)
    inner = _bytes_field(1, owner) + _bytes_field(2, repo)
    if kind < 0.05:
        return _bytes_field(GITHUB, inner)
    # A number, and a title of some length, now and then a long one.
    size = rng.choice((10, 60, 200, 600)) if kind < 0.999 else 40_000
    inner += b"\x18" + bytes([rng.randrange(1, 128)]) + _bytes_field(9, b"t" * size)
    return _bytes_field(ISSUE, inner)


class Segments:
    """Writes a log's segments by the rule that a record is never split."""

    def __init__(self, folder):
        self.folder = folder
        self.number = 0
        self.data = bytearray()
        os.makedirs(folder, exist_ok=True)

    def add(self, payload):
        head = b"REC@%x+%x=" % (len(self.data), len(payload))
        if self.data and len(self.data) + len(head) + len(payload) > SEGMENT_BYTES:
            self.close()
            head = b"REC@0+%x=" % len(payload)
        self.data += head + payload

    def close(self):
        digest = hashlib.sha224(self.data).hexdigest()
        with open(os.path.join(self.folder, f"{self.number:04}.{digest}.mutlog"), "wb") as file:
            file.write(self.data)
        self.number += 1
        self.data = bytearray()


def make(folder, names, count, seed):
    """A log of `count` records of these (owner, repo)."""
    rng = random.Random(seed)
    names = [(owner.encode(), repo.encode()) for owner, repo in names]
    segments = Segments(folder)
    for _ in range(count):
        segments.add(_record(rng, names))
    segments.close()


def payloads(folder):
    for name in sorted(name for name in os.listdir(folder) if name.endswith(".mutlog")):
        with open(os.path.join(folder, name), "rb") as file:
            for _, payload in records(file.read()):
                yield payload


def _names_of(payload):
    """("owner/repo" in lower case, or None; is it git's or gerrit's?)"""
    for number, _, value in split_fields(payload):
        if number in (ISSUE, GITHUB):
            inner = {n: v for n, _, v in split_fields(value) if n in (1, 2)}
            return (inner[1] + b"/" + inner[2]).decode().lower(), False
        if number in (GIT, GERRIT):
            return None, True
    return None, False


def split(folder, names, keep_git=False):
    """{"owner/repo": digest and number of its payloads}, and how many belong to nobody."""
    lanes = {name.lower(): [hashlib.sha256(), 0] for name in names}
    others = 0
    for payload in payloads(folder):
        name, is_git = _names_of(payload)
        if is_git and keep_git:
            targets = lanes.values()
        else:
            targets = [lanes[name]] if name in lanes else []
            others += not targets
        for lane in targets:
            lane[0].update(len(payload).to_bytes(4, "big") + payload)
            lane[1] += 1
    return {name: (lane[0].hexdigest(), lane[1]) for name, lane in lanes.items()}, others


def digest_of(folder):
    """The same of one result."""
    digest, count = hashlib.sha256(), 0
    for payload in payloads(folder):
        digest.update(len(payload).to_bytes(4, "big") + payload)
        count += 1
    return digest.hexdigest(), count


