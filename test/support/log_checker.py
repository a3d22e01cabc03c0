#!/usr/bin/env python3
"""Checks a repository's mutation log on disk, without any of the C code.

The folder `owner/repo/` holds segments `NNNN.<sha224>.mutlog` and the commit
record WRITER.  Checked are names, digests and numbers; framing and offsets of
the records; their protobuf encoding (log_wire.py); WRITER and the tail that it
names; and what a writer owes its readers (log_rules.py).

  log_checker.py [--allow-foreign] FOLDER

Exit status 0 when all is well, 1 when anything is wrong.
"""

import argparse
import hashlib
import json
import os
import re
import sys

from log_rules import LogRules
from log_wire import WireError, decode

SEGMENT_NAME = re.compile(r"(\d{4})\.([0-9a-f]{56})\.mutlog\Z")
RECORD_HEAD = re.compile(rb"REC@([0-9a-f]+)\+([0-9a-f]+)=")
MAX_HEAD_BYTES = 64
SEGMENT_LIMIT = 16 * 1024 * 1024
WRITER_FIELDS = {"epoch": int, "holder": str, "released": bool, "lease_s": int}


class Segment:
    def __init__(self, folder, name):
        match = SEGMENT_NAME.match(name)
        self.name = name
        self.number = int(match.group(1))
        self.digest = match.group(2)
        path = os.path.join(folder, name)
        self.modified = os.stat(path).st_mtime_ns
        with open(path, "rb") as file:
            self.data = file.read()

    @property
    def size(self):
        return len(self.data)


class Report:
    """Errors and warnings as texts, and counts of what was seen."""

    def __init__(self):
        self.errors = []
        self.warnings = []
        self.counts = {}

    @property
    def ok(self):
        return not self.errors


class FrameError(ValueError):
    pass


def records(data):
    """Yield (offset, payload) of a segment's bytes; FrameError at the first flaw."""
    at = 0
    while at < len(data):
        match = RECORD_HEAD.match(data[at:at + MAX_HEAD_BYTES])
        if match is None:
            raise FrameError(f"offset {at:#x}: no record head: {bytes(data[at:at + 24])!r}")
        offset_text, length_text = match.groups()
        if int(offset_text, 16) != at or offset_text != b"%x" % at:
            raise FrameError(f"offset {at:#x}: the head says {offset_text.decode()}")
        length = int(length_text, 16)
        if length_text != b"%x" % length:
            raise FrameError(f"offset {at:#x}: length {length_text.decode()!r}")
        start = at + match.end()
        if start + length > len(data):
            raise FrameError(f"offset {at:#x}: {length} bytes announced, "
                             f"{len(data) - start} there")
        yield at, data[start:start + length]
        at = start + length


class Checker:
    def __init__(self, folder, allow_foreign=False):
        self.folder = os.path.abspath(folder)
        self.foreign = allow_foreign
        self.report = Report()
        self.owner, self.repo = self.folder.split(os.sep)[-2:]

    def error(self, text):
        self.report.errors.append(text)

    def warn(self, text):
        self.report.warnings.append(text)

    def check(self):
        segments = self._segments()
        writer = self._writer()
        live = self._live(segments, writer)
        self._check_numbers(live)
        self._check_sizes(live)
        rules = LogRules(self.owner, self.repo, self.error, strict=not self.foreign)
        for segment in live:
            self._check_records(segment, rules)
        self.report.counts = {"segments": len(live), "bytes": sum(s.size for s in live),
                              **rules.counts}
        return self.report

    # Names and WRITER

    def _segments(self):
        segments = []
        for name in sorted(os.listdir(self.folder)):
            if SEGMENT_NAME.match(name):
                segments.append(Segment(self.folder, name))
            elif name == "WRITER" or name.startswith("."):
                continue
            elif name.endswith(".mutlog"):
                self.error(f"{name}: not the name of a segment")
            else:
                self.warn(f"{name}: does not belong here")
        for segment in segments:
            if hashlib.sha224(segment.data).hexdigest() != segment.digest:
                self.error(f"{segment.name}: the content has another sha224")
        return segments

    def _writer(self):
        """The parsed WRITER, or None."""
        path = os.path.join(self.folder, "WRITER")
        try:
            with open(path, "rb") as file:
                writer = json.loads(file.read())
        except FileNotFoundError:
            if not self.foreign:
                self.error("there is no WRITER")
            return None
        except ValueError as error:
            self.error(f"WRITER is not JSON: {error}")
            return None
        if not isinstance(writer, dict):
            self.error("WRITER is no JSON object")
            return None
        for name, kind in WRITER_FIELDS.items():
            if type(writer.get(name)) is not kind:
                self.error(f"WRITER: {name} is {writer.get(name)!r}")
        return writer

    def _live(self, segments, writer):
        """The segments that count, by number: WRITER decides, else the newer."""
        tail = writer.get("tail") if writer else None
        if writer is not None and not self._tail_is_sane(tail, segments):
            tail = None
        by_number = {}
        for segment in segments:
            by_number.setdefault(segment.number, []).append(segment)
        live = []
        for number in sorted(by_number):
            live += self._choose(by_number[number], tail)
        return live

    def _tail_is_sane(self, tail, segments):
        if tail is None or tail == {}:
            if segments:
                self.error("WRITER names no tail")
            return False
        kinds = {"number": int, "size": int, "sha224": str}
        if not isinstance(tail, dict) or any(
                type(tail.get(name)) is not kind for name, kind in kinds.items()):
            self.error(f"WRITER: tail is {tail!r}")
            return False
        named = [s for s in segments
                 if s.number == tail["number"] and s.digest == tail["sha224"]]
        if not named:
            self.error(f"WRITER names tail {tail['number']:04d}.{tail['sha224']}, "
                       "which is not there")
            return False
        if named[0].size != tail["size"]:
            self.error(f"WRITER: the tail has {tail['size']} bytes, the object {named[0].size}")
        return True

    def _choose(self, candidates, tail):
        number = candidates[0].number
        if tail is not None and number > tail["number"]:
            for segment in candidates:
                self.warn(f"{segment.name}: beyond the tail that WRITER names")
            return []
        if tail is not None and number == tail["number"]:
            for segment in candidates:
                if segment.digest != tail["sha224"]:
                    self.warn(f"{segment.name}: not the tail that WRITER names")
            return [s for s in candidates if s.digest == tail["sha224"]]
        newest = max(candidates, key=lambda segment: segment.modified)
        for segment in candidates:
            if segment is not newest:
                complain = self.warn if self.foreign else self.error
                complain(f"{segment.name}: a second segment {number}, older than {newest.name}")
        return [newest]

    # Content

    def _check_numbers(self, live):
        numbers = [segment.number for segment in live]
        if numbers != list(range(len(numbers))):
            self.error(f"segment numbers are {numbers}")

    def _check_sizes(self, live):
        for segment in live:
            if segment.size == 0:
                self.error(f"{segment.name}: empty")
            if segment.size <= SEGMENT_LIMIT or self.foreign:
                continue
            try:
                count = sum(1 for _record in records(segment.data))
            except FrameError:
                continue  # reported by _check_records
            if count > 1:
                self.error(f"{segment.name}: {segment.size} bytes and {count} records")

    def mutations(self):
        """The decoded mutations of the live segments, in order."""
        for segment in self._live(self._segments(), self._writer()):
            for _offset, payload in records(segment.data):
                yield decode("Mutation", payload)

    def _check_records(self, segment, rules):
        try:
            for offset, payload in records(segment.data):
                seen = len(self.report.errors)
                self._check_record(payload, rules)
                self._locate(segment, offset, seen)
        except FrameError as error:
            self.error(f"{segment.name}: {error}")

    def _check_record(self, payload, rules):
        if not payload:
            self.error("an empty record")
            return
        try:
            rules.see(decode("Mutation", payload))
        except WireError as error:
            self.error(f"not a Mutation: {error}")

    def _locate(self, segment, offset, first):
        """Put segment and offset in front of the errors of one record."""
        errors = self.report.errors
        errors[first:] = [f"{segment.number:04d}@{offset:x}: {text}" for text in errors[first:]]


def check_log(folder, allow_foreign=False):
    """A Report on one repository's log folder."""
    return Checker(folder, allow_foreign).check()


def read_mutations(folder):
    """The decoded mutations of a log, in order; FrameError or WireError at a flaw."""
    return Checker(folder, allow_foreign=True).mutations()


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="log_checker.py",
                                     description="Checks a repository's mutation log.")
    parser.add_argument("folder", help="the folder owner/repo")
    parser.add_argument("--allow-foreign", action="store_true",
                        help="a log of maintner's own: no WRITER, no extensions")
    parser.add_argument("--most", type=int, default=50, help="print at most so many errors")
    options = parser.parse_args(arguments)
    if not os.path.isdir(options.folder):
        sys.exit(f"log_checker.py: no folder {options.folder}")
    report = check_log(options.folder, options.allow_foreign)
    for text in report.warnings[:options.most]:
        print(f"warning: {text}")
    for text in report.errors[:options.most]:
        print(f"error: {text}")
    if len(report.errors) > options.most:
        print(f"... and {len(report.errors) - options.most} errors more")
    print(json.dumps(report.counts))
    sys.exit(0 if report.ok else 1)


if __name__ == "__main__":
    main()
