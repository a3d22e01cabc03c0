"""Reads recordings: folders of REST objects, one array element a line.

The form is that of test/support/recording_maker/writer.py.  Lines are kept as
they are, so a repository of ten thousand items loads in seconds.
"""

import gc
import json
import os

import node_ids

from .model import NUMBERED_FAMILIES, Repository
from .records import Record

RULES_FILE = "issue_slo_rules.json"


def array_lines(path):
    """The elements of a one-element-a-line JSON array, as bytes; [] if absent."""
    try:
        with open(path, "rb") as file:
            # Split at LF alone: bytes.splitlines() would also split at a CR.
            lines = file.read().split(b"\n")
    except FileNotFoundError:
        return []
    lines = [line.strip() for line in lines]
    lines = [line for line in lines if line]
    if not lines or lines[0] != b"[" or lines[-1] != b"]":
        return _whole_file(path)
    return [line[:-1] if line.endswith(b",") else line for line in lines[1:-1]]


def _whole_file(path):
    with open(path, "rb") as file:
        elements = json.load(file)
    return [json.dumps(e, ensure_ascii=False, separators=(",", ":")).encode() for e in elements]


def load_repository(folder):
    """A Repository from one recording folder."""
    with open(os.path.join(folder, "repo.json"), "rb") as file:
        repository = Repository(json.load(file))
    collecting = gc.isenabled()
    gc.disable()  # thousands of short-lived dictionaries, no cycles
    try:
        _load_objects(folder, repository)
    finally:
        if collecting:
            gc.enable()
    repository.rules = _optional_bytes(os.path.join(folder, RULES_FILE))
    return repository


def _load_objects(folder, repository):
    for name in ("pulls", "issues"):  # in this order: an issue takes its pull request's node id
        table = getattr(repository, name)
        for line in array_lines(os.path.join(folder, f"{name}.json")):
            record = _record(line, 0, name, repository)
            table[record.number] = record
    for name in ("labels", "milestones"):
        lines = array_lines(os.path.join(folder, f"{name}.json"))
        setattr(repository, name, [_record(line, 0, name, repository) for line in lines])
    for family in NUMBERED_FAMILIES:
        _load_family(os.path.join(folder, family), repository, family)


def _load_family(folder, repository, family):
    if not os.path.isdir(folder):
        return
    for entry in os.listdir(folder):
        stem, extension = os.path.splitext(entry)
        if extension == ".json" and stem.isdigit():
            number = int(stem)
            lines = array_lines(os.path.join(folder, entry))
            repository.families[family][number] = [
                _record(line, number, family, repository) for line in lines]


def _record(line, number, family, repository):
    """The record of one line; an object without a node id gets one."""
    data = json.loads(line)
    if data.get("node_id"):
        return Record(line, number, data)
    parent = repository.pulls.get(data.get("number", number)) or repository.issues.get(number)
    if family == "issues" and parent is not None:
        data["node_id"] = parent.load()["node_id"]
    else:
        node_ids.identify(family, repository.id, data, parent and parent.id)
    return Record.of(data, number)


def _optional_bytes(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None
