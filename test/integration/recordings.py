"""Where the tests get data: recorded repositories, made ones, maintner's log."""

import os
import tarfile
import tempfile
import unittest

import paths
from recording_maker.generate import Sizes, make
from recording_maker.writer import write_recording

# The filter came with 3.11.4; Debian 12 has 3.11.2.
SAFELY = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}

_cache = tempfile.TemporaryDirectory(prefix="maintner-data-")

MADE_SEEDS = (101, 202)


def shared_archives():
    """{name: path} of the recorded repositories, smallest first; {} without data."""
    if not os.path.isdir(paths.DATA):
        return {}
    names = [name for name in os.listdir(paths.DATA) if name.endswith(".tar.gz")]
    names.sort(key=lambda name: os.path.getsize(os.path.join(paths.DATA, name)))
    return {name[:-len(".tar.gz")]: os.path.join(paths.DATA, name) for name in names}


def shared(name):
    """The unpacked folder of a recorded repository."""
    target = os.path.join(_cache.name, "shared", name)
    if not os.path.isdir(target):
        with tarfile.open(shared_archives()[name]) as archive:
            archive.extractall(target, **SAFELY)
    return os.path.join(target, os.listdir(target)[0])


def made(seed=MADE_SEEDS[0], issues=60, pulls=40, repo="acme/widgets", odd=True, **sizes):
    """The folder of a generated recording; each is made once."""
    key = "-".join(str(part) for part in (seed, issues, pulls, odd, *sizes.values()))
    folder = os.path.join(_cache.name, "made", repo.replace("/", "__"), key)
    if not os.path.isdir(folder):
        write_recording(folder, make(repo, seed, Sizes(issues, pulls, **sizes), odd),
                        {"kind": "made", "seed": seed})
    return folder


def everything():
    """{name: function that gives the folder}, made ones first."""
    found = {f"made_{seed}": (lambda seed=seed: made(seed)) for seed in MADE_SEEDS}
    for name in shared_archives():
        found[name] = lambda name=name: shared(name)
    return found


def maintner_log():
    """(log root, repository, file of drghs's answers); skips the test without data."""
    folder = os.path.join(paths.DATA, "maintner-log")
    if not os.path.isdir(folder):
        raise unittest.SkipTest("no maintner-log here")
    return folder, "acme/repo1k", os.path.join(folder, "expected.jsonl.gz")
