"""What the tests of the support code share: paths, made and recorded data."""

import os
import sys
import tarfile
import tempfile
import unittest

TESTS = os.path.dirname(os.path.abspath(__file__))
SUPPORT = os.path.dirname(TESTS)
ROOT = os.path.dirname(os.path.dirname(SUPPORT))
sys.path.insert(0, SUPPORT)

from github_double.client import DoubleClient  # noqa: E402
from github_double.double import Double  # noqa: E402
from recording_maker.generate import Sizes, make  # noqa: E402
from recording_maker.writer import write_recording  # noqa: E402

# The filter came with 3.11.4; Debian 12 has 3.11.2.
SAFELY = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}

DATA = os.environ.get("MAINTNER_TEST_DATA", os.path.join(ROOT, "..", "shared", "data"))

REPO = "acme/widgets"

_scratch = tempfile.TemporaryDirectory(prefix="support-tests-")
_made = {}


def scratch(name):
    """A path below a folder that goes away with the test run."""
    return os.path.join(_scratch.name, name)


def made_recording(issues=60, pulls=40, repo=REPO, odd=True, **sizes):
    """The folder of a generated recording; each is made once."""
    key = (issues, pulls, repo, odd, tuple(sorted(sizes.items())))
    if key not in _made:
        folder = scratch(f"made-{len(_made)}")
        recording = make(repo, 1, Sizes(issues, pulls, **sizes), odd)
        write_recording(folder, recording, {"kind": "made"})
        _made[key] = folder
    return _made[key]


def recorded_folders():
    """Unpacked recordings of real repositories; [] where there is no data folder."""
    if not os.path.isdir(DATA):
        return []
    target = scratch("recorded")
    if not os.path.isdir(target):
        os.mkdir(target)
        for name in sorted(os.listdir(DATA)):
            if name.endswith(".tar.gz"):
                with tarfile.open(os.path.join(DATA, name)) as archive:
                    archive.extractall(target, **SAFELY)
    return [os.path.join(target, name) for name in sorted(os.listdir(target))]


def data_file(*parts):
    """The path of a file in the data folder; skips the test where it is absent."""
    path = os.path.join(DATA, *parts)
    if not os.path.exists(path):
        raise unittest.SkipTest(f"no {'/'.join(parts)} here")
    return path


class DoubleCase(unittest.TestCase):
    """Runs a double inside the test process; `options` and `folders` may differ."""

    options = {}
    token = None

    @classmethod
    def folders(cls):
        return [made_recording()]

    def setUp(self):
        self.double = Double(self.folders(), **self.options)
        self.double.start()
        self.client = DoubleClient(self.double.url, self.token)
        self.addCleanup(self.double.stop)
        self.addCleanup(self.client.close)

    def get(self, rest="", **headers):
        return self.client.get(f"/repos/{REPO}{rest}", **headers)

    def walk(self, rest):
        return list(self.client.walk(f"/repos/{REPO}{rest}"))

    def state(self):
        return self.client.state(REPO)

    def edit(self, op, **settings):
        return self.client.edit(REPO, op, **settings)

    def numbers(self, is_pull):
        """Numbers of issues, or of pull requests, ascending."""
        return sorted(i["number"] for i in self.state()["issues"]
                      if ("pull_request" in i) == is_pull)
